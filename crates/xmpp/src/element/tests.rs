//! Trees built, written and read again.

use proptest::prelude::*;

use super::{Attribute, Element, Node};
use crate::{
    limits::{Limits, TREE_DEPTH_MAX},
    namespace,
};

fn read(text: &str) -> Element {
    Element::parse(text, Limits::SIGNED_IN).unwrap()
}

#[test]
fn namespaces_are_declared_where_they_change() {
    let query =
        Element::new("query", "jabber:iq:roster").attr("ver", "1").attr_if("x", None::<&str>);
    let item = Element::new("item", "jabber:iq:roster").attr("jid", "a&b@c");
    let iq = Element::new("iq", namespace::CLIENT)
        .attr("type", "set")
        .child(query.child(item.child(Element::new("group", "jabber:iq:roster").text("<x>"))))
        .child(Element::new("none", ""));
    let mut out = Vec::new();
    iq.write(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "<iq type='set'><query xmlns='jabber:iq:roster' ver='1'><item jid='a&amp;b@c'>\
         <group>&lt;x&gt;</group></item></query><none xmlns=''/></iq>"
    );
    let read = read(&iq.to_xml());
    assert_eq!(read, iq);
    let item = read.get("jabber:iq:roster", "query").unwrap().children().next().unwrap();
    assert_eq!(item.attribute("jid"), Some("a&b@c"));
    assert_eq!(item.children().next().unwrap().text_content(), "<x>");
}

#[test]
fn prefixes_become_namespaces() {
    let read = read(
        "<p:a xmlns:p='urn:p' xmlns='urn:d' p:x='1' x='2' xml:lang='de'> <b/>t<p:c/><![CDATA[<]]>\
         &amp;\r\n</p:a>",
    );
    assert!(read.is("urn:p", "a"));
    assert_eq!(read.attribute("x"), Some("2"));
    assert_eq!(read.attribute("xml:lang"), Some("de"));
    assert_eq!(
        read.attributes()[0],
        Attribute { namespace: "urn:p".into(), name: "x".into(), value: "1".into() }
    );
    assert!(read.get("urn:d", "b").is_some());
    assert!(read.get("urn:p", "c").is_some());
    assert_eq!(read.text_content(), " t<&\n");
    assert_eq!(self::read(&read.to_xml()), read);
}

#[test]
fn only_one_whole_element_is_read() {
    for bad in [
        "",
        " ",
        "x",
        "<a>",
        "<a/><b/>",
        "<a/>x",
        "</a>",
        "<?xml version='1.0'?><a/>",
        "<a>&x;</a>",
    ] {
        assert!(Element::parse(bad, Limits::SIGNED_IN).is_err(), "{bad}");
    }
    assert!(Element::parse(" <a/>\n", Limits::SIGNED_IN).is_ok());
}

/// The node that kills a server with recursion: 10,000 nested elements.
#[test]
fn depth_is_bounded_however_a_tree_is_made() {
    let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
    assert!(Element::parse(&deep, Limits::SIGNED_IN).is_err());
    let unbounded = Limits { depth_max: usize::MAX, ..Limits::SIGNED_IN };
    assert!(Element::parse(&deep, unbounded).is_err());
    let built =
        (0..10_000).fold(Element::new("a", ""), |tree, _| Element::new("a", "").child(tree));
    assert!(built.to_xml().matches("<a").count() <= TREE_DEPTH_MAX);
    let full = (1..TREE_DEPTH_MAX)
        .fold(Element::new("a", ""), |tree, _| Element::new("a", "").child(tree));
    assert_eq!(full.to_xml().matches("<a").count(), TREE_DEPTH_MAX);
}

fn element() -> impl Strategy<Value = Element> {
    let name = "[a-z\u{e9}_][a-z0-9.-]{0,3}";
    let space =
        prop::sample::select(vec!["", "urn:a", "urn:b&'<", namespace::CLIENT, namespace::STREAMS]);
    let value = "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]{0,6}";
    let attributes = prop::collection::vec((space.clone(), name, value), 0..4);
    let one = (name, space, attributes, value).prop_map(|(name, namespace, attributes, text)| {
        let mut element = Element::new(name, namespace).text(text);
        for (namespace, name, value) in attributes {
            let same = |a: &Attribute| a.namespace == namespace && a.name == name;
            if name != "xmlns" && !element.attributes.iter().any(same) {
                let (namespace, name) = (namespace.into(), name.into());
                element.attributes.push(Attribute { namespace, name, value });
            }
        }
        element
    });
    one.clone().prop_recursive(4, 16, 4, move |inner| {
        (one.clone(), prop::collection::vec((inner, value), 0..4)).prop_map(
            |(element, children)| {
                children
                    .into_iter()
                    .fold(element, |element, (child, text)| element.child(child).text(text))
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(element in element()) {
        let text = element.to_xml();
        let read = Element::parse(&text, Limits::SIGNED_IN);
        prop_assert_eq!(read.as_ref(), Ok(&element), "{}", text);
        prop_assert!(element.nodes().iter().all(|node| !matches!(node, Node::Text(t) if t.is_empty())));
    }
}
