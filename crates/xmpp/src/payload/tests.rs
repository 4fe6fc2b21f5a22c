//! Unit tests of the payloads: what is written, and what of it can be read back.

use model::Timestamp;

use super::*;
use crate::{jid::Jid, limits::Limits};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap();
    Element::parse(&text, Limits::SIGNED_IN).unwrap();
    text
}

fn stamp() -> Timestamp {
    Timestamp::parse_rfc3339("2008-08-22T21:09:04.5Z").unwrap()
}

/// RFC 6121 §2.1.4, §2.6.2.
#[test]
fn rosters() {
    let item = roster::Item {
        jid: "romeo@example.net",
        name: Some("R & J"),
        subscription: "none",
        ask: true,
        approved: true,
    };
    assert_eq!(
        written(|out| roster::write(out, Some("7"), |out| {
            roster::write_item(out, &item, ["Friends"]);
        })),
        "<query xmlns='jabber:iq:roster' ver='7'><item jid='romeo@example.net' name='R &amp; J' \
         subscription='none' ask='subscribe' approved='true'><group>Friends</group></item></query>"
    );
    assert_eq!(
        written(|out| roster::write(out, None, |_| {})),
        "<query xmlns='jabber:iq:roster'></query>"
    );
}

/// XEP-0115 §5.2, the simple example, whose digest is QgayPKawpkPSDYmwT/WM94uAlu0=.
#[test]
fn capabilities() {
    let info = disco::Info {
        identities: &[disco::Identity { category: "client", kind: "pc", name: "Exodus 0.9.1" }],
        features: &[
            "http://jabber.org/protocol/muc",
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/caps",
            "http://jabber.org/protocol/disco#items",
        ],
    };
    assert_eq!(
        caps::verification_text(&info),
        "client/pc//Exodus 0.9.1<http://jabber.org/protocol/caps<http://jabber.org/protocol/disco\
         #info<http://jabber.org/protocol/disco#items<http://jabber.org/protocol/muc<"
    );
}

/// XEP-0030 §3.1, §4.1.
#[test]
fn service_discovery() {
    let info = disco::Info {
        identities: &[disco::Identity { category: "server", kind: "im", name: "" }],
        features: &["urn:xmpp:ping"],
    };
    assert_eq!(
        written(|out| disco::write_info(out, Some("n'"), &info, |_| {})),
        "<query xmlns='http://jabber.org/protocol/disco#info' node='n&apos;'><identity \
         category='server' type='im'/><feature var='urn:xmpp:ping'/></query>"
    );
    let items = [disco::Item { jid: "rooms.b.example", node: None, name: Some("Rooms") }];
    assert_eq!(
        written(|out| disco::write_items(out, None, &items)),
        "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='rooms.b.example' \
         name='Rooms'/></query>"
    );
}

/// XEP-0313 §4.1.5, §4.3, §5.
#[test]
fn archives() {
    let page = rsm::Page { ends: Some(("a", "b")), first_index: Some(0), count: Some(20) };
    assert_eq!(
        written(|out| mam::write_fin(out, true, &page)),
        "<fin xmlns='urn:xmpp:mam:2' complete='true'><set \
         xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last>\
         <count>20</count></set></fin>"
    );
    let empty = rsm::Page { ends: None, first_index: None, count: Some(0) };
    assert_eq!(
        written(|out| mam::write_fin(out, false, &empty)),
        "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>\
         <count>0</count></set></fin>"
    );
    assert_eq!(written(|out| mam::write_metadata(out, None)), "<metadata xmlns='urn:xmpp:mam:2'/>");
    assert_eq!(
        written(|out| mam::write_metadata(out, Some([("a", stamp()), ("b", stamp())]))),
        "<metadata xmlns='urn:xmpp:mam:2'><start id='a' timestamp='2008-08-22T21:09:04.500Z'/>\
         <end id='b' timestamp='2008-08-22T21:09:04.500Z'/></metadata>"
    );
    let form = written(mam::write_form);
    for field in ["with", "start", "end", "before-id", "after-id", "ids"] {
        assert!(form.contains(&format!("var='{field}'")), "{field}");
    }
}

/// XEP-0441 §2: what is written can be read back.
#[test]
fn preferences_of_an_archive() {
    let preferences = mam::MamPreferences {
        default: mam::MamDefault::Roster,
        always: vec![Jid::parse("romeo@montague.lit").unwrap()],
        never: vec![Jid::parse("montague.lit").unwrap()],
    };
    let text = written(|out| mam::write_preferences(out, &preferences));
    let element = Element::parse(&text, Limits::SIGNED_IN).unwrap();
    assert_eq!(mam::read(&element, Kind::Set), Ok(mam::MamRequest::SetPreferences(preferences)));
}

/// XEP-0049 §2: a scrap comes back as it was kept, in its own namespace.
#[test]
fn private_storage() {
    let text = "<query xmlns='jabber:iq:private'><s:storage xmlns:s='storage:bookmarks'>\
                <s:conference jid='a@b.example'>x &amp; y</s:conference></s:storage></query>";
    let element = Element::parse(text, Limits::SIGNED_IN).unwrap();
    let Ok(private::PrivateRequest::Set { name, namespace, octets }) =
        private::read(&element, Kind::Set)
    else {
        panic!("the request is right");
    };
    assert_eq!((&*name, &*namespace), ("storage", "storage:bookmarks"));
    let answer = written(|out| private::write(out, &octets));
    let answer = Element::parse(&answer, Limits::SIGNED_IN).unwrap();
    assert_eq!(answer, element);
}

/// XEP-0054 §3.1, §3.2.
#[test]
fn cards() {
    assert_eq!(written(|out| vcard::write(out, None)), "<vCard xmlns='vcard-temp'/>");
    let text = "<vCard xmlns='vcard-temp'><FN>Peter</FN></vCard>";
    let element = Element::parse(text, Limits::SIGNED_IN).unwrap();
    let vcard::VcardRequest::Set { octets } = vcard::read(&element, Kind::Set) else {
        panic!("the request is a set");
    };
    let kept = written(|out| vcard::write(out, Some(&octets)));
    assert_eq!(Element::parse(&kept, Limits::SIGNED_IN).unwrap(), element);
}

/// XEP-0191 §3.1, §3.2.
#[test]
fn block_lists() {
    assert_eq!(
        written(|out| blocking::write_list(out, [])),
        "<blocklist xmlns='urn:xmpp:blocking'/>"
    );
    assert_eq!(
        written(|out| blocking::write_push(out, true, ["a@b.example"])),
        "<block xmlns='urn:xmpp:blocking'><item jid='a@b.example'/></block>"
    );
    assert_eq!(
        written(|out| blocking::write_push(out, false, [])),
        "<unblock xmlns='urn:xmpp:blocking'/>"
    );
}

/// XEP-0012, XEP-0092, XEP-0202.
#[test]
fn small_answers() {
    assert_eq!(
        written(|out| last::write(out, 903, Some("Heading home"))),
        "<query xmlns='jabber:iq:last' seconds='903'>Heading home</query>"
    );
    assert_eq!(
        written(|out| last::write(out, 0, None)),
        "<query xmlns='jabber:iq:last' seconds='0'/>"
    );
    assert_eq!(
        written(|out| version::write(out, "Chancery", "1")),
        "<query xmlns='jabber:iq:version'><name>Chancery</name><version>1</version></query>"
    );
    assert_eq!(
        written(|out| time::write(out, stamp())),
        "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2008-08-22T21:09:04.500Z</utc></time>"
    );
}

#[test]
fn lists_have_an_end() {
    let items = |count: usize| {
        let items = "<item jid='a@b.example'/>".repeat(count);
        let text = format!("<block xmlns='urn:xmpp:blocking'>{items}</block>");
        let element = Element::parse(&text, Limits::SIGNED_IN).unwrap();
        blocking::read(&element, Kind::Set).map(|_| ())
    };
    assert_eq!(items(blocking::BLOCK_ITEMS_MAX), Ok(()));
    assert_eq!(items(blocking::BLOCK_ITEMS_MAX + 1), Err(not_acceptable()));
}
