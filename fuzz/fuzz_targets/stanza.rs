//! Whatever was framed can be read, stamped, cut and built into a tree, and its canonical form
//! stands alone and says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::{
    element::Element,
    frame::{Frame, Framer},
    jid::Jid,
    limits::Limits,
    namespace,
    stanza::{Stamp, Stanza, StanzaKind},
};

const HEADER: &[u8] = b"<stream:stream xmlns='jabber:client' xmlns:h='urn:h' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// Room for what a canonical form adds.
const LIMITS: Limits = Limits {
    frame_bytes_max: usize::MAX,
    declarations_max: 32,
    name_bytes_max: usize::MAX,
    ..Limits::SIGNED_IN
};

fn check(stanza: &Stanza) {
    let tree = stanza.to_element();
    assert!(stanza.is(tree.namespace(), tree.name()));
    assert_eq!(stanza.children().count(), tree.children().count());
    for (child, element) in stanza.children().zip(tree.children()) {
        assert_eq!(&child.to_element(), element);
        assert_eq!(child.text(), element.text_content());
        assert!(child.is(element.namespace(), element.name()));
    }
    let read = Element::parse(&tree.to_xml(), LIMITS);
    assert_eq!(read.as_ref(), Ok(&tree));
    if let Some(to) = stanza.to() {
        let _ = Jid::parse(&to);
    }
    if stanza.kind() == StanzaKind::Other {
        return;
    }
    let stamp =
        Stamp { namespace: Some(namespace::CLIENT), from: Some("a@b/<c>"), ..Stamp::default() };
    let canonical = String::from_utf8(stanza.canonical(&stamp, |_| false)).expect("UTF-8");
    let read = Element::parse(&canonical, LIMITS).expect("the canonical form stands alone");
    assert_eq!(read.attribute("from"), Some("a@b/<c>"));
    assert_eq!(read.nodes(), tree.nodes());
    let bare = String::from_utf8(stanza.canonical(&stamp, |_| true)).expect("UTF-8");
    let read = Element::parse(&bare, LIMITS).expect("the rest stands alone");
    assert_eq!(read.children().count(), 0);
    assert_eq!(read.text_content(), tree.text_content());
}

fuzz_target!(|data: &[u8]| {
    let mut framer = Framer::new(Limits::SIGNED_IN);
    framer.push(HEADER);
    framer.push(data);
    while let Ok(Some(frame)) = framer.next_frame() {
        if let Frame::Stanza(stanza) = frame {
            check(&stanza);
        }
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(element) = Element::parse(text, Limits::SIGNED_IN)
    {
        assert_eq!(Element::parse(&element.to_xml(), LIMITS), Ok(element));
    }
});
