//! What falls out of framing, and the form in which a stanza is kept.

use proptest::prelude::*;

use super::{Stamp, Stanza, StanzaKind};
use crate::{
    element::Element,
    frame::{Frame, Framer},
    limits::Limits,
    namespace,
};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:h='urn:h&amp;' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

fn stanza_in(header: &str, text: &str) -> Stanza {
    let mut framer = Framer::new(Limits::SIGNED_IN);
    framer.push(header.as_bytes());
    framer.push(text.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    match framer.next_frame() {
        Ok(Some(Frame::Stanza(stanza))) => stanza,
        other => panic!("{other:?}: {text}"),
    }
}

fn stanza(text: &str) -> Stanza {
    stanza_in(HEADER, text)
}

const STAMP: Stamp<'static> = Stamp {
    namespace: None,
    from: Some("ann@bank.example/d'k"),
    to: Some("ben@bank.example"),
    lang: None,
};

fn canonical(text: &str) -> String {
    String::from_utf8(stanza(text).canonical(&STAMP, |_| false)).unwrap()
}

#[test]
fn a_head_is_unescaped_and_a_payload_is_as_it_came() {
    let text = "<message  to='a&amp;b@c' from=\"x\" id='&quot;1' type='chat' xml:lang='de' \
        h:to='no'> <body>1 &lt; 2<![CDATA[ & ]]></body>\r\n<x xmlns='urn:x' a='&#65;' xml:lang=''/>\
        <p:y xmlns:p='urn:y'><z/></p:y></message>";
    let stanza = stanza(text);
    assert_eq!(stanza.kind(), StanzaKind::Message);
    assert_eq!(stanza.as_str(), text);
    assert_eq!(stanza.to().as_deref(), Some("a&b@c"));
    assert_eq!(stanza.from().as_deref(), Some("x"));
    assert_eq!(stanza.id().as_deref(), Some("\"1"));
    assert_eq!(stanza.type_attribute().as_deref(), Some("chat"));
    assert_eq!(stanza.lang().as_deref(), Some("de"));
    assert_eq!(stanza.body().as_deref(), Some("1 < 2 & "));
    assert!(stanza.payload().starts_with(" <body>") && stanza.payload().ends_with("</p:y>"));
    assert!(stanza.start_tag().ends_with("h:to='no'>"));
    let names: Vec<_> = stanza.children().map(|c| (c.namespace().into_owned(), c.name())).collect();
    let expected = [(namespace::CLIENT, "body"), ("urn:x", "x"), ("urn:y", "y")];
    assert_eq!(names, expected.map(|(space, name)| (space.to_owned(), name)));
    let x = stanza.child("urn:x", "x").unwrap();
    assert_eq!(x.attribute("a").as_deref(), Some("A"));
    assert_eq!(x.attribute("xml:lang").as_deref(), Some(""));
    assert_eq!(x.attribute("lang"), None);
    assert_eq!((x.inner(), x.text().as_ref()), ("", ""));
    assert_eq!(stanza.child("urn:y", "y").unwrap().inner(), "<z/>");
    assert!(stanza.own_child("x").is_none());
    assert_eq!(format!("{stanza:?}"), format!("Message({} bytes)", text.len()));
}

/// RFC 6120 §4.8.2, §8.1.
#[test]
fn a_kind_needs_the_namespace_of_the_content() {
    for (text, kind) in [
        ("<iq/>", StanzaKind::Iq),
        ("<presence/>", StanzaKind::Presence),
        ("<c:message xmlns:c='jabber:client'/>", StanzaKind::Message),
        ("<message xmlns='jabber&#58;client'/>", StanzaKind::Message),
        ("<message xmlns='jabber:server'/>", StanzaKind::Other),
        ("<message xmlns=''/>", StanzaKind::Other),
        ("<message xmlns='urn:x'/>", StanzaKind::Other),
        ("<Message/>", StanzaKind::Other),
        ("<stream:message/>", StanzaKind::Other),
    ] {
        assert_eq!(stanza(text).kind(), kind, "{text}");
    }
    let bare = HEADER.replace("xmlns='jabber:client'", "");
    assert_eq!(stanza_in(&bare, "<iq xmlns='jabber:client'/>").kind(), StanzaKind::Iq);
    assert_eq!(stanza_in(&bare, "<iq/>").kind(), StanzaKind::Other);
}

/// The sender is stamped, whatever the stanza says (RFC 6120 §8.1.2.1).
#[test]
fn the_canonical_form_has_one_layout() {
    for (text, expected) in [
        (
            "<message from='forged' x='1' h:x='2' id='a\"b' type='chat' to='other'><body>x</body></message >",
            "<message from=\"ann@bank.example/d&apos;k\" to=\"ben@bank.example\" type=\"chat\" \
             id=\"a&quot;b\"><body>x</body></message>",
        ),
        (
            "<message/>",
            "<message from=\"ann@bank.example/d&apos;k\" to=\"ben@bank.example\"></message>",
        ),
        (
            // A prefix of the start tag or the header that the payload needs is kept, others not.
            "<m:message xmlns:m='jabber:client' xmlns:p='urn:p' xmlns:q='urn:q'>\
             <m:body p:a='1'/><h:y/></m:message>",
            "<message from=\"ann@bank.example/d&apos;k\" to=\"ben@bank.example\" \
             xmlns:m=\"jabber:client\" xmlns:p=\"urn:p\" xmlns:h=\"urn:h&amp;\">\
             <m:body p:a='1'/><h:y/></message>",
        ),
        (
            // The payload's default namespace is not that of the stanza.
            "<m:message xmlns:m='jabber:client' xmlns='urn:d'><m:body>&gt;</m:body> <e/></m:message>",
            "<message from=\"ann@bank.example/d&apos;k\" to=\"ben@bank.example\">\
             <body>&gt;</body> <e xmlns='urn:d'/></message>",
        ),
    ] {
        assert_eq!(canonical(text), expected);
    }
    let stamp = Stamp { namespace: Some(namespace::CLIENT), lang: Some("en"), ..Stamp::default() };
    let of = |text| String::from_utf8(stanza(text).canonical(&stamp, |_| false)).unwrap();
    assert_eq!(of("<message/>"), "<message xmlns=\"jabber:client\" xml:lang=\"en\"></message>");
    assert_eq!(
        of("<message xml:lang=''/>"),
        "<message xmlns=\"jabber:client\" xml:lang=\"\"></message>"
    );
}

/// A forged stanza-id must not survive (MAM-04, XEP-0359 §5).
#[test]
fn direct_children_can_be_cut() {
    let text = "<message>a<s xmlns='urn:s' by='x'/><body>b</body> <p:s xmlns:p='urn:s'>\
        <s xmlns='urn:s'/></p:s><s/><o xmlns='urn:o'><s xmlns='urn:s'/></o></message>";
    let stanza = stanza(text);
    let kept = "a<body>b</body> <s/><o xmlns='urn:o'><s xmlns='urn:s'/></o>";
    let left = stanza.remove_children(|child| child.is("urn:s", "s"));
    assert_eq!(String::from_utf8(left).unwrap(), kept);
    let whole = stanza.canonical(&Stamp::default(), |child| child.is("urn:s", "s"));
    assert_eq!(String::from_utf8(whole).unwrap(), format!("<message>{kept}</message>"));
    let other =
        self::stanza("<m:iq xmlns:m='jabber:client' xmlns='urn:s'><s/><m:b/><s><t/></s></m:iq>");
    let whole = other.canonical(&Stamp::default(), |child| child.is("urn:s", "s"));
    assert_eq!(String::from_utf8(whole).unwrap(), "<iq><b/></iq>");
}

#[test]
fn trees_know_what_is_declared_outside_of_them() {
    let stanza = stanza("<iq xmlns:p='urn:p'><p:q a='1'><h:r/><s/>t</p:q></iq>");
    let child = stanza.child("urn:p", "q").unwrap().to_element();
    assert!(child.get("urn:h&", "r").is_some());
    assert!(child.get(namespace::CLIENT, "s").is_some());
    assert_eq!(child.text_content(), "t");
    assert_eq!(stanza.to_element().children().next(), Some(&child));
    assert_eq!(stanza.child("urn:p", "q").unwrap().text(), "t");
}

/// Payloads with prefixes from everywhere.
fn payload() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "o:a", "h:a", "stream:a", "body"]);
    let rest = prop::sample::select(vec![
        "",
        " xmlns='urn:n'",
        " xmlns:o='urn:n'",
        " o:x='1' h:x=''",
        " xmlns=''",
    ]);
    let leaf =
        prop::sample::select(vec!["", "x", "&lt;", "<![CDATA[<]]>", " "]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 4, move |inner| {
        (name.clone(), rest.clone(), prop::collection::vec(inner, 0..4))
            .prop_map(|(name, rest, inside)| format!("<{name}{rest}>{}</{name}>", inside.concat()))
    })
}

proptest! {
    /// Whatever prefixes a sender uses, the canonical form stands alone and says the same.
    #[test]
    fn the_canonical_form_says_the_same(
        payload in payload(),
        tag in prop::sample::select(vec!["message", "c:message"]),
        default in prop::sample::select(vec!["", " xmlns='jabber:client'", " xmlns='urn:d'", " xmlns=''"]),
    ) {
        prop_assume!(tag == "c:message" || !default.contains("urn:d") && default != " xmlns=''");
        let text = format!("<{tag}{default} xmlns:c='jabber:client' xmlns:o='urn:o'>{payload}</{tag}>");
        let stanza = stanza(&text);
        let stamp = Stamp { namespace: Some(namespace::CLIENT), ..Stamp::default() };
        let out = String::from_utf8(stanza.canonical(&stamp, |_| false)).unwrap();
        prop_assert!(out.starts_with("<message") && out.ends_with("</message>"));
        let read = Element::parse(&out, Limits::SIGNED_IN);
        prop_assert_eq!(read.as_ref(), Ok(&stanza.to_element()), "{}", out);
        for (child, element) in stanza.children().zip(stanza.to_element().children()) {
            prop_assert_eq!(&child.to_element(), element);
            prop_assert_eq!(child.text(), element.text_content());
        }
    }
}
