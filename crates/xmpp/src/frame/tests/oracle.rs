//! The scanner against another reader of the same restricted XML (rxml), on the same bytes.
//!
//! Intended differences, none of which the generated texts below can show unless listed here:
//! - Limits (depth, attributes, declarations, names, elements, bytes): rxml bounds tokens only.
//! - References longer than eight bytes: rxml refuses them, here there may be sixteen.
//! - What is between stanzas, and which element begins a stream: rules of RFC 6120, not of XML.
//! - Names with U+FDF0 to U+FFFD: XML §2.3 has them, rxml has not.
//! - A carriage return without a line feed in a value: a line end by XML §2.11, refused by rxml.
//! - A stream that is not whole yet is no fault here; for the comparison it counts as refused.

use proptest::prelude::*;
use rxml::Parse as _;

use super::{HEADER, PIECES, frames_in, nearly_xml};

/// Whether rxml takes the bytes as one whole document.
fn rxml_takes(bytes: &[u8]) -> bool {
    let mut parser = rxml::Parser::new();
    let mut rest = bytes;
    loop {
        match parser.parse(&mut rest, true) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Whether the framer takes the bytes as one whole stream.
fn framer_takes(bytes: &[u8]) -> bool {
    let (frames, fault) = frames_in(bytes, &[]);
    fault.is_none() && frames.last() == Some(&super::Frame::Close)
}

fn agree(inside: &[u8]) -> Result<(), String> {
    let forgotten = |c: char| ('\u{fdf0}'..='\u{fffd}').contains(&c);
    if std::str::from_utf8(inside).is_ok_and(|text| text.contains(forgotten)) {
        return Ok(());
    }
    // Wrapped, so that what RFC 6120 says of the level of stanzas does not show.
    let text = [HEADER.as_bytes(), b"<w>", inside, b"</w></stream:stream>"].concat();
    let (ours, theirs) = (framer_takes(&text), rxml_takes(&text));
    if ours == theirs {
        return Ok(());
    }
    Err(format!("ours {ours}, rxml {theirs}: {:?}", String::from_utf8_lossy(inside)))
}

/// Well-formed trees of many shapes.
fn tree() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[ -~&&[^<&\\]]]{0,8}",
        Just("&lt;&#x20AC;".to_owned()),
        Just("<![CDATA[<x>]]>".to_owned()),
        Just("\u{20ac}\u{1f600}".to_owned()),
    ];
    let tag = prop_oneof![
        Just(("a", "")),
        Just(("p:a", " xmlns:p='urn:p'")),
        Just(("b", " xmlns='urn:b' c='&quot;'")),
        Just(("stream:c", " xml:lang = \"de\"")),
        Just(("d", " xmlns:q='urn:p' q:e='1' e='1'")),
        Just(("p:d", "")),
        Just(("d", " p:e='' q:e=''")),
    ];
    text.prop_recursive(5, 24, 4, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..4)).prop_map(|((name, rest), inside)| {
            format!("<{name}{rest}>{}</{name}>", inside.concat())
        })
    })
}

#[test]
fn both_agree_on_every_pair_of_pieces() {
    for one in PIECES {
        for other in PIECES {
            agree(format!("{one}{other}").as_bytes()).unwrap();
            agree(format!("<a>{one}{other}</a>").as_bytes()).unwrap();
            agree(format!("<a {one}{other}/>").as_bytes()).unwrap();
            agree(format!("<a x='{one}{other}'/>").as_bytes()).unwrap();
        }
    }
}

#[test]
fn both_agree_on_every_character_in_every_place() {
    for c in (0..0x250)
        .chain(0x370..0x380)
        .chain(0x2000..0x2071)
        .chain(0xfdc0..0xfdf0)
        .chain(0xfffe..0x10002)
    {
        let Some(c) = char::from_u32(c) else { continue };
        for text in [
            format!("<{c}/>"),
            format!("<a{c}/>"),
            format!("<a {c}=''/>"),
            format!("<a b{c}=''/>"),
            format!("<a b='{c}'/>"),
            format!("<a>{c}</a>"),
            format!("<a><![CDATA[{c}]]></a>"),
            format!("<a>&#x{:X};</a>", u32::from(c)),
            format!("<a>&{c};</a>"),
            format!("</{c}>"),
            format!("<a></a{c}>"),
        ] {
            agree(text.as_bytes()).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn both_agree_on_what_is_nearly_xml(inside in nearly_xml()) {
        prop_assert_eq!(agree(&inside), Ok(()));
    }

    #[test]
    fn both_agree_on_trees(tree in tree()) {
        prop_assert_eq!(agree(tree.as_bytes()), Ok(()));
    }

    #[test]
    fn both_agree_on_damaged_trees(
        tree in tree(),
        at in any::<prop::sample::Index>(),
        piece in prop::sample::select(PIECES),
        cut in 0_usize..3,
    ) {
        let mut bytes = tree.into_bytes();
        let at = at.index(bytes.len() + 1);
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
        prop_assert_eq!(agree(&bytes), Ok(()));
    }
}
