//! The stanzas that are sent, all of one length, and the counting of those that come; parses nothing.

use crate::wire::find;
use std::fmt::Write as _;

/// Bytes of a chat message, with a body of about a hundred.
pub(crate) const MESSAGE_BYTES: usize = 300;

/// Bytes of a presence notice as it is sent.
pub(crate) const PRESENCE_BYTES: usize = 250;

/// Ends a message.
pub(crate) const MESSAGE_END: &[u8] = b"</message>";

/// Ends a presence that has something inside.
pub(crate) const PRESENCE_END: &[u8] = b"</presence>";

/// Before the number of a message: a body begins with it.
const STAMP: &[u8] = b"<body>@";

/// Before the number of a presence.
const STATUS: &[u8] = b"<status>@";

/// Bytes of an unfinished stanza that are kept.
const STANZA_BYTES_MAX: usize = 64 * 1024;

/// A chat message as an ordinary client sends it: a body, an id of its own, a chat state.
pub(crate) fn message(to: &str, number: u64, stamp: u64) -> String {
    let mut text = format!("<message type='chat' to='{to}' id='m{number:010}'><body>@{stamp:016} ");
    let tail = format!(
        "</body><origin-id xmlns='urn:xmpp:sid:0' id='m{number:010}'/>\
         <active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    );
    pad(&mut text, MESSAGE_BYTES.saturating_sub(tail.len()));
    text.push_str(&tail);
    text
}

/// A change of show, with a status that differs each time.
pub(crate) fn presence(number: u64) -> String {
    let show = if number.is_multiple_of(2) { "away" } else { "dnd" };
    let mut text = String::from("<presence><show>");
    let _ = write!(text, "{show}</show><status>@{number:016} ");
    let tail = "</status><priority>5</priority></presence>";
    pad(&mut text, PRESENCE_BYTES - tail.len());
    text.push_str(tail);
    text
}

fn pad(text: &mut String, length: usize) {
    const WORDS: &str = "the minutes of the meeting are in the folder as agreed ";
    let missing = length.saturating_sub(text.len());
    text.extend(WORDS.chars().cycle().take(missing));
}

/// What is done with each complete stanza of a stream of bytes.
pub(crate) struct Scanner {
    end: &'static [u8],
    unread: Vec<u8>,
}

impl Scanner {
    pub(crate) const fn new(end: &'static [u8]) -> Self {
        Self { end, unread: Vec::new() }
    }

    /// Takes bytes and shows every piece that ends in the mark. What stands before a stanza in its
    /// piece is shown with it.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut see: impl FnMut(&[u8])) {
        self.unread.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(at) = find(&self.unread[from..], self.end) {
            let to = from + at + self.end.len();
            see(&self.unread[from..to]);
            from = to;
        }
        self.unread.drain(..from);
        if self.unread.len() > STANZA_BYTES_MAX {
            self.unread.clear();
        }
    }
}

/// The number in a message's body.
pub(crate) fn stamp(stanza: &[u8]) -> Option<u64> {
    number(stanza, STAMP)
}

/// The number in a presence's status.
pub(crate) fn status(stanza: &[u8]) -> Option<u64> {
    number(stanza, STATUS)
}

/// Whether it answers with an error.
pub(crate) fn is_error(stanza: &[u8]) -> bool {
    find(stanza, b"type='error'").or_else(|| find(stanza, b"type=\"error\"")).is_some()
}

fn number(stanza: &[u8], mark: &[u8]) -> Option<u64> {
    let from = find(stanza, mark)? + mark.len();
    std::str::from_utf8(stanza.get(from..from + 16)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
