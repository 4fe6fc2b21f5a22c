//! Unit tests of what leaves.

use model::Timestamp;

use super::*;
use crate::{fault::StanzaCondition, limits::Limits};

const STORED: &[u8] = b"<message xmlns=\"jabber:client\" from=\"a@b.example/c\" to=\"d@e.example\" type=\"chat\"><body>hi</body></message>";

fn stamp() -> Timestamp {
    Timestamp::parse_rfc3339("2010-07-10T23:08:25Z").unwrap()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap();
    // Whatever leaves is one well-formed element.
    let alone = text.replacen(' ', " xmlns:stream='http://etherx.jabber.org/streams' ", 1);
    if !text.is_empty() {
        Element::parse(&alone, Limits::SIGNED_IN).unwrap();
    }
    text
}

fn reply() -> Reply<'static> {
    Reply { id: "1", from: Some("b.example"), to: Some("a@b.example/c") }
}

#[test]
fn a_stored_message_gets_its_marks_before_the_end_tag() {
    let plain = written(|out| stored(out, STORED, &Additions::default()));
    assert_eq!(plain.as_bytes(), STORED);
    let additions =
        Additions { stanza_id: Some(("d@e.example", "0f")), delay: Some(("e.example", stamp())) };
    let marked = written(|out| stored(out, STORED, &additions));
    assert!(marked.ends_with(
        "<body>hi</body><delay xmlns='urn:xmpp:delay' from='e.example' \
         stamp='2010-07-10T23:08:25.000Z'/><stanza-id xmlns='urn:xmpp:sid:0' by='d@e.example' \
         id='0f'/></message>"
    ));
}

#[test]
fn an_empty_element_is_opened_for_its_marks() {
    let additions = Additions { stanza_id: Some(("a@b.example", "1")), delay: None };
    let marked = written(|out| stored(out, b"<message id='x'/>", &additions));
    assert_eq!(
        marked,
        "<message id='x'><stanza-id xmlns='urn:xmpp:sid:0' by='a@b.example' id='1'/></message>"
    );
}

#[test]
fn presence_is_addressed_in_place() {
    let text =
        written(|out| presence_to(out, b"<presence from=\"a@b.example/c\"></presence>", "d@e'"));
    assert_eq!(text, "<presence to='d@e&apos;' from=\"a@b.example/c\"></presence>");
}

/// XEP-0280 §6 and §7.
#[test]
fn carbons_wrap_the_message_as_it_is() {
    let text = written(|out| {
        carbon(
            out,
            Carbon::Sent,
            "a@b.example",
            "a@b.example/d",
            "chat",
            STORED,
            &Additions::default(),
        );
    });
    let inner = String::from_utf8(STORED.to_vec()).unwrap();
    assert_eq!(
        text,
        format!(
            "<message from='a@b.example' to='a@b.example/d' type='chat'><sent \
             xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>\
             </sent></message>"
        )
    );
}

/// XEP-0313 §4.2.
#[test]
fn history_is_forwarded_with_its_time() {
    let text = written(|out| {
        history_result(out, "d@e.example", "d@e.example/f", Some("q"), "0f", stamp(), STORED);
    });
    assert!(text.starts_with(
        "<message from='d@e.example' to='d@e.example/f'><result xmlns='urn:xmpp:mam:2' \
         queryid='q' id='0f'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' \
         stamp='2010-07-10T23:08:25.000Z'/><message xmlns=\"jabber:client\""
    ));
}

#[test]
fn answers_turn_the_addresses_round() {
    assert_eq!(
        written(|out| iq_result(out, &reply(), |_| {})),
        "<iq type='result' id='1' from='b.example' to='a@b.example/c'/>"
    );
    let error = StanzaCondition::ItemNotFound.error();
    assert_eq!(
        written(|out| iq_error(out, &reply(), &error)),
        "<iq type='error' id='1' from='b.example' to='a@b.example/c'><error type='cancel'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
}

/// XEP-0191 §3.2.
#[test]
fn a_blocked_stanza_says_so() {
    assert_eq!(
        written(|out| message_error(
            out,
            Some("m"),
            Some("d@e.example"),
            "a@b.example/c",
            &blocked()
        )),
        "<message type='error' id='m' from='d@e.example' to='a@b.example/c'><error \
         type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><blocked \
         xmlns='urn:xmpp:blocking:errors'/></error></message>"
    );
}

#[test]
fn a_refusal_carries_its_words_escaped() {
    let error = policy_refusal("No <b> & \"c\" today");
    let text = written(|out| message_error(out, None, None, "a@b.example/c", &error));
    assert!(text.contains("<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"));
    assert!(text.contains(">No &lt;b&gt; &amp; \"c\" today</text>"));
}

#[test]
fn types_of_presence_have_their_names() {
    for name in
        ["unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"]
    {
        let kind = PresenceType::from_name(name).unwrap();
        assert_eq!(kind.name(), Some(name));
        assert_eq!(
            written(|out| presence(out, kind, "a@b.example", "d@e.example", None)),
            format!("<presence from='a@b.example' to='d@e.example' type='{name}'/>")
        );
    }
    assert_eq!(PresenceType::from_name("available"), None);
}

#[test]
fn a_notice_stands_alone() {
    assert_eq!(
        written(|out| notice(out, "b.example", "a@b.example", Some("1"), "a < b")),
        "<message xmlns='jabber:client' from='b.example' to='a@b.example' type='normal' \
         id='1'><body>a &lt; b</body></message>"
    );
}
