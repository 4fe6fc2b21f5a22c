//! What the hub tells a session, as stanzas.

use hub::{
    ForcedState, Letter, NotKept, Notice, Presence, PresenceKind, RosterChange, RosterItem,
    Session, Subscription,
};
use model::{ContentKind, Format};
use xmpp::{
    encode::{self, Additions, Carbon, PresenceType, Reply},
    payload::{blocking, roster},
};

use crate::{drive::Connection, xmpp::fault::not_recorded};

impl Connection {
    /// Writes one notice down.
    pub(crate) fn notice(&mut self, session: &Session, notice: &Notice) {
        let domain = self.hub().domain().clone();
        let out = &mut self.out;
        match notice {
            Notice::Message { letter, kept, waited_since } => {
                let id = letter.id.to_string();
                let additions = Additions {
                    stanza_id: kept.then_some((session.address.as_str(), id.as_str())),
                    delay: waited_since.map(|since| (domain.as_str(), since)),
                };
                letter_octets(out, letter, session, &additions);
            }
            Notice::Copy { letter, kept, sent } => {
                let id = letter.id.to_string();
                let additions = Additions {
                    stanza_id: kept.then_some((session.address.as_str(), id.as_str())),
                    delay: None,
                };
                let carbon = if *sent { Carbon::Sent } else { Carbon::Received };
                let to = format!("{}/{}", session.address, session.resource);
                let mut octets = Vec::new();
                letter_octets(&mut octets, letter, session, &Additions::default());
                let owner = session.address.as_str();
                encode::carbon(out, carbon, owner, &to, "chat", &octets, &additions);
            }
            Notice::NotKept(fault) => not_kept(out, session, fault),
            Notice::Presence(presence) => write_presence(out, presence),
            Notice::Roster(change) => {
                let id = push_id("roster", change.version);
                write_roster_push(out, session, &id, change);
            }
            Notice::BlockList(change) => {
                let to = format!("{}/{}", session.address, session.resource);
                let reply = Reply { id: "blocklist-push", from: None, to: Some(&to) };
                encode::iq_request(out, true, &reply, |out| {
                    let entries = change.entries.iter().map(AsRef::as_ref);
                    blocking::write_push(out, change.blocked, entries);
                });
            }
            Notice::Signal(octets) => out.extend_from_slice(octets),
        }
    }
}

fn push_id(kind: &str, version: u64) -> String {
    format!("{kind}-push-{version}")
}

/// A message in the form of this protocol, whatever it came in.
pub(super) fn letter_octets(
    out: &mut Vec<u8>,
    letter: &Letter,
    session: &Session,
    additions: &Additions<'_>,
) {
    match letter.format {
        Format::Stanza => encode::stored(out, &letter.octets, additions),
        Format::Plain | Format::Mail => {
            let body = String::from_utf8_lossy(&letter.octets);
            let mut octets = Vec::new();
            let id = letter.id.to_string();
            let (from, to) = (letter.sender.as_str(), session.address.as_str());
            encode::notice(&mut octets, from, to, Some(&id), &body);
            encode::stored(out, &octets, additions);
        }
    }
}

/// A submission that the disk did not take comes back as an error.
fn not_kept(out: &mut Vec<u8>, session: &Session, fault: &NotKept) {
    let submission = &fault.submission;
    if submission.content.kind == ContentKind::Bounce {
        return;
    }
    let own = format!("{}/{}", session.address, session.resource);
    for recipient in &submission.recipients {
        let (id, from) = (submission.content.client_id.as_deref(), &recipient.as_given);
        encode::message_error(out, id, Some(from), &own, &not_recorded(fault.sentence));
    }
}

fn write_presence(out: &mut Vec<u8>, presence: &Presence) {
    let from = match &presence.resource {
        Some(resource) => format!("{}/{resource}", presence.from),
        None => presence.from.to_string(),
    };
    let to = presence.to.as_str();
    let kind = match presence.kind {
        PresenceKind::Available => PresenceType::Available,
        PresenceKind::Unavailable => PresenceType::Unavailable,
        PresenceKind::Subscribe => PresenceType::Subscribe,
        PresenceKind::Subscribed => PresenceType::Subscribed,
        PresenceKind::Unsubscribe => PresenceType::Unsubscribe,
        PresenceKind::Unsubscribed => PresenceType::Unsubscribed,
    };
    let show = match presence.forced {
        Some(ForcedState::Away) => Some("away"),
        Some(ForcedState::ExtendedAway) => Some("xa"),
        Some(ForcedState::DoNotDisturb) => Some("dnd"),
        Some(ForcedState::Offline) | None => None,
    };
    match (kind, show) {
        (PresenceType::Available, Some(show)) => write_forced(out, &from, to, show),
        _ if presence.directed => out.extend_from_slice(&presence.octets),
        (PresenceType::Available | PresenceType::Unavailable, _) if !presence.octets.is_empty() => {
            encode::presence_to(out, &presence.octets, to);
        }
        _ => encode::presence(out, kind, &from, to, None),
    }
}

/// Presence as policy shows it: there, and how, and nothing of what the person says.
fn write_forced(out: &mut Vec<u8>, from: &str, to: &str, show: &str) {
    out.extend_from_slice(b"<presence");
    encode::attribute(out, "from", from);
    encode::attribute(out, "to", to);
    out.push(b'>');
    encode::text_element(out, "show", show);
    encode::close(out, "presence");
}

fn write_roster_push(out: &mut Vec<u8>, session: &Session, id: &str, change: &RosterChange) {
    let to = format!("{}/{}", session.address, session.resource);
    let reply = Reply { id, from: None, to: Some(&to) };
    let version = change.version.to_string();
    encode::iq_request(out, true, &reply, |out| {
        roster::write(out, Some(&version), |out| {
            write_roster_item(out, &change.item, change.removed);
        });
    });
}

/// One contact, as results and pushes show it.
pub(super) fn write_roster_item(out: &mut Vec<u8>, item: &RosterItem, removed: bool) {
    let subscription = match item.subscription {
        _ if removed => "remove",
        Subscription::None => "none",
        Subscription::To => "to",
        Subscription::From => "from",
        Subscription::Both => "both",
    };
    let written = roster::Item {
        jid: item.contact.as_str(),
        name: item.name.as_deref(),
        subscription,
        ask: item.ask && !removed,
        approved: item.approved && !removed,
    };
    roster::write_item(out, &written, item.groups.iter().map(String::as_str));
}
