//! The framer takes what rxml takes and nothing else. The input is what stands inside of one
//! stanza. Intended differences are listed in `crates/xmpp/src/frame/tests/oracle.rs`; those that
//! can show here are left out below.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rxml::Parse as _;
use xmpp::{
    fault::StreamCondition,
    frame::{Frame, Framer},
    limits::Limits,
};

const BEFORE: &[u8] = b"<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><w>";
const AFTER: &[u8] = b"</w></stream:stream>";

fn rxml_takes(mut bytes: &[u8]) -> bool {
    let mut parser = rxml::Parser::new();
    loop {
        match parser.parse(&mut bytes, true) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// None for input that only a limit refuses.
fn framer_takes(bytes: &[u8]) -> Option<bool> {
    let mut framer = Framer::new(Limits::SIGNED_IN);
    framer.push(bytes);
    let mut last = None;
    loop {
        match framer.next_frame() {
            Ok(Some(frame)) => last = Some(frame),
            Ok(None) => return Some(last == Some(Frame::Close)),
            Err(fault) => match fault.condition {
                StreamCondition::PolicyViolation => return None,
                // The level of stanzas was reached: a rule of XMPP, not of XML.
                StreamCondition::BadFormat => return None,
                _ => return Some(false),
            },
        }
    }
}

/// A reference of more than eight bytes, a name character that rxml has not, or a lone carriage
/// return, which rxml refuses in a value.
fn is_intended_difference(text: &str) -> bool {
    let long = |after: &str| after.split(';').next().is_some_and(|name| name.len() > 7);
    text.split('&').skip(1).any(long)
        || text.contains(|c: char| ('\u{fdf0}'..='\u{fffd}').contains(&c))
        || text.split('\r').skip(1).any(|after| !after.starts_with('\n'))
}

fuzz_target!(|data: &[u8]| {
    if std::str::from_utf8(data).is_ok_and(is_intended_difference) || data.len() > 4_096 {
        return;
    }
    let stream = [BEFORE, data, AFTER].concat();
    if let Some(ours) = framer_takes(&stream) {
        assert_eq!(ours, rxml_takes(&stream), "{:?}", String::from_utf8_lossy(data));
    }
});
