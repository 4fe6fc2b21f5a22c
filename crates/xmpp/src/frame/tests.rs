//! What a stream may say, what it may not, and that pieces make no difference.

use proptest::prelude::*;

use super::*;
use crate::limits::{
    ATTRIBUTES_MAX, DECLARATIONS_MAX, DEPTH_MAX, ELEMENTS_MAX, FRAME_BEFORE_LOGIN_BYTES_MAX,
    NAME_BYTES_MAX,
};

mod oracle;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='bank.example' version='1.0'>";

/// All frames of a stream that comes in pieces of the given lengths, the last one repeated, and
/// the fault that ended it.
fn frames_in(bytes: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<StreamFault>) {
    let mut framer = Framer::new(Limits::BEFORE_LOGIN);
    let mut frames = Vec::new();
    let mut rest = bytes;
    let mut pieces = pieces.iter().copied();
    let mut last = rest.len();
    loop {
        last = pieces.next().unwrap_or(last).max(1);
        let (piece, after) = rest.split_at(last.min(rest.len()));
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
        rest = after;
        if rest.is_empty() {
            return (frames, None);
        }
    }
}

/// Whole and byte by byte, which must agree.
fn frames(text: impl AsRef<[u8]>) -> (Vec<Frame>, Option<StreamFault>) {
    let whole = frames_in(text.as_ref(), &[]);
    assert_eq!(whole, frames_in(text.as_ref(), &[1]));
    whole
}

/// The condition with which a stanza is refused; none if it is not, `Some("")` if more is wanted.
fn refusal(text: impl AsRef<[u8]>) -> Option<&'static str> {
    let whole = [HEADER.as_bytes(), text.as_ref()].concat();
    match frames(whole) {
        (_, Some(fault)) => Some(fault.condition.name()),
        (all, None) => (all.len() < 2).then_some(""),
    }
}

/// The condition with which the beginning of a stream is refused.
fn header_refusal(text: impl AsRef<[u8]>) -> Option<&'static str> {
    match frames(text) {
        (_, Some(fault)) => Some(fault.condition.name()),
        (all, None) => all.is_empty().then_some(""),
    }
}

#[test]
fn a_stream_is_a_header_stanzas_and_an_end() {
    let text = format!(
        "<?xml version='1.0'?>\n{HEADER}\n <message to='a@b'><body>x</body></message> \
         <r xmlns='urn:xmpp:sm:3'/></stream:stream >\r\n"
    );
    let (all, fault) = frames(&text);
    assert_eq!(fault, None);
    let [Frame::Open(header), Frame::Stanza(message), Frame::Stanza(other), Frame::Close] =
        all.as_slice()
    else {
        panic!("{all:?}")
    };
    assert_eq!(header.to.as_deref(), Some("bank.example"));
    assert_eq!(header.version, (1, 0));
    assert_eq!(header.content, Some(ContentNamespace::Client));
    assert_eq!(message.kind(), StanzaKind::Message);
    assert_eq!(message.as_str(), "<message to='a@b'><body>x</body></message>");
    assert_eq!(other.kind(), StanzaKind::Other);
    assert!(other.is("urn:xmpp:sm:3", "r"));
    assert_eq!(other.payload(), "");
}

#[test]
fn a_header_says_what_rfc_6120_section_4_7_lists() {
    let text = "<x:stream from=\"a&amp;b\" xml:lang='de' id='' version = '1.11' \
        xmlns:x='http://etherx.jabber.org/streams' xmlns='jabber:server'>";
    let (all, fault) = frames(text);
    assert_eq!(fault, None);
    let [Frame::Open(header)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(header.from.as_deref(), Some("a&b"));
    assert_eq!(header.lang.as_deref(), Some("de"));
    assert_eq!(header.id.as_deref(), Some(""));
    assert_eq!(header.to, None);
    assert_eq!(header.version, (1, 11));
    assert_eq!(header.content, Some(ContentNamespace::Server));
}

#[test]
fn a_bad_beginning_is_refused() {
    let streams = "http://etherx.jabber.org/streams";
    let of = |tag: &str| header_refusal(tag.replace("STREAMS", streams));
    // RFC 6120 §4.9.3.10.
    assert_eq!(of("<stream:stream xmlns:stream='urn:x' version='1.0'>"), Some("invalid-namespace"));
    assert_eq!(of("<stream version='1.0'>"), Some("invalid-namespace"));
    assert_eq!(
        of("<s:stream xmlns:s='STREAMS' xmlns='urn:x' version='1.0'>"),
        Some("invalid-namespace")
    );
    // §4.8.5.
    assert_eq!(of("<stream xmlns='STREAMS' version='1.0'>"), Some("bad-namespace-prefix"));
    // §4.9.3.25.
    for version in ["", "version='0.9'", "version='1'", "version='one.0'", "version='+1.0'"] {
        let tag = format!("<s:stream xmlns:s='STREAMS' {version}>");
        assert_eq!(of(&tag), Some("unsupported-version"), "{version}");
    }
    // §4.9.3.1.
    assert_eq!(of("<s:flow xmlns:s='STREAMS' version='1.0'>"), Some("bad-format"));
    assert_eq!(of("<s:stream xmlns:s='STREAMS' version='1.0'/>"), Some("bad-format"));
    // §4.9.3.13.
    assert_eq!(of("<stream:stream version='1.0'>"), Some("not-well-formed"));
    assert_eq!(of("</stream:stream>"), Some("not-well-formed"));
    assert_eq!(of("GET / HTTP/1.1\r\n\r\n"), Some("not-well-formed"));
    assert_eq!(header_refusal(b"\x16\x03\x01"), Some("not-well-formed"));
    // §11.6: a byte order mark is a character like any other.
    assert_eq!(of("\u{feff}<s:stream xmlns:s='STREAMS' version='1.0'>"), Some("not-well-formed"));
    assert_eq!(header_refusal(b"<s:stream xmlns:s='\xff'>"), Some("unsupported-encoding"));
}

/// XML §2.8, RFC 6120 §11.5.
#[test]
fn an_xml_declaration_may_only_be_first() {
    let of = |declaration: &str| header_refusal(format!("{declaration}{HEADER}"));
    for good in [
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n",
        " ",
    ] {
        assert_eq!(of(good), None, "{good}");
    }
    for (bad, condition) in [
        ("<?xml version='1.1'?>", "not-well-formed"),
        ("<?xml encoding='UTF-8'?>", "not-well-formed"),
        ("<?xml ?>", "not-well-formed"),
        ("<?xml version='1.0'encoding='UTF-8'?>", "not-well-formed"),
        ("<?xml version='1.0' version='1.0'?>", "not-well-formed"),
        ("<?xml version='1.0' x='y'?>", "not-well-formed"),
        ("<?xml version='1.0' standalone='x'?>", "not-well-formed"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>", "unsupported-encoding"),
        ("<?xml version='1.0'?><?xml version='1.0'?>", "restricted-xml"),
        (" <?xml version='1.0'?>", "restricted-xml"),
        ("<?xml-stylesheet href='x'?>", "restricted-xml"),
        ("<?php ?>", "restricted-xml"),
        ("<!-- x -->", "restricted-xml"),
        ("<!DOCTYPE x>", "restricted-xml"),
    ] {
        assert_eq!(of(bad), Some(condition), "{bad}");
    }
    assert_eq!(refusal("<?xml version='1.0'?><a/>"), Some("restricted-xml"));
    assert_eq!(of(&format!("<?xml {}", " ".repeat(300))), Some("policy-violation"));
}

#[test]
fn what_xml_allows_is_taken() {
    for good in [
        "<a/>",
        "<a ></a\t>",
        "<a\nb\n=\n'1'\tc=\"2\" />",
        "<a b='\"' c=\"'\"/>",
        "<a b='>' c='/>'/>",
        "<a>></a>",
        "<a>]] ></a>",
        "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x10FFFF;&#x0000041;</a>",
        "<a b='&lt;&#9;'/>",
        "<a><![CDATA[<b>&nbsp;]]></a>",
        "<a><![CDATA[]]]]></a>",
        "<a><![CDATA[]]]]]></a>",
        "<a><![CDATA[]]>]</a>",
        "<\u{e9}l\u{e9}ment \u{540d}='\u{524d}'/>",
        "<_a-1.b/>",
        "<a\u{b7}/>",
        "<a>\t\r\n\u{7f}\u{85}\u{fffd}\u{1f600}</a>",
        "<p:a xmlns:p='urn:x' p:b='1' b='2'/>",
        "<a xml:lang='de' lang='de'/>",
        "<a xmlns=''/>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<stream:features/>",
        "<a xmlns:p='urn:x' xmlns:q='urn:y' p:b='1' q:b='2'/>",
        "<a xmlns:p='urn:x'><b xmlns:p='urn:y'/><p:c/></a>",
    ] {
        assert_eq!(refusal(good), None, "{good}");
    }
}

/// RFC 6120 §4.9.3.13, §11.3.
#[test]
fn what_is_not_well_formed_is_refused() {
    for bad in [
        "<a></b>",
        "<a></a b>",
        "<a></ a>",
        "<a><b></a></b>",
        "</a>",
        "<>",
        "< a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b='1'c='2'/>",
        "<a b=''/ >",
        "<a/b>",
        "<1a/>",
        "<-a/>",
        "<a:/>",
        "<:a/>",
        "<stream:b:c/>",
        "<stream:1b/>",
        "<a\u{d7}/>",
        "<\u{300}a/>",
        "<a 1='x'/>",
        "<a b='1' b='2'/>",
        "<a xmlns='urn:x' xmlns='urn:x'/>",
        "<a xmlns:p='urn:x' xmlns:p='urn:y'/>",
        "<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>",
        "<a xmlns:p='urn:x' xmlns:q='urn&#58;x' p:b='1' q:b='2'/>",
        "<a xmlns:p='http://etherx.jabber.org/streams' p:b='1' stream:b='2'/>",
    ] {
        assert_eq!(refusal(bad), Some("not-well-formed"), "{bad}");
    }
}

/// XML §2.2, §2.4, §4.1, §4.6.
#[test]
fn text_that_is_not_well_formed_is_refused() {
    for bad in [
        "<a b='<'/>",
        "<a <b/>",
        "<a><b<c/></a>",
        "<a>]]></a>",
        "<a><![CDATA[]]>]]></a>",
        "<a>&</a>",
        "<a>& b</a>",
        "<a>&lt</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#xG;</a>",
        "<a>&#+65;</a>",
        "<a>&#0;</a>",
        "<a>&#x1F;</a>",
        "<a>&#xD800;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#x110000;</a>",
        "<a>&#x00000000000000041;</a>",
        "<a>&;</a>",
        "<a b='&#0;'/>",
        "<a b='&lt'/>",
        "<a b='x&'/>",
        "<a>\u{0}</a>",
        "<a>\u{1b}</a>",
        "<a b='\u{1}'/>",
        "<a\u{c}/>",
        "<a>\u{fffe}</a>",
        "<a>\u{ffff}</a>",
        "<a b='\u{ffff}'/>",
        "<a><![CDATA[\u{b}]]></a>",
    ] {
        assert_eq!(refusal(bad), Some("not-well-formed"), "{bad}");
    }
}

/// XML-NAMES §3, §5; RFC 6120 §4.4.
#[test]
fn prefixes_and_ends_that_fit_nothing_are_refused() {
    for bad in [
        "<q:a/>",
        "<a q:b='1'/>",
        "<a><b xmlns:p='urn:x'/><p:c/></a>",
        "<a xmlns:p=''/>",
        "<a xmlns:xml='urn:x'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:xmlns='urn:x'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
        "</stream:streams>",
        "</stream>",
        "</stream:stream><a/>",
        "</stream:stream>x",
    ] {
        assert_eq!(refusal(bad), Some("not-well-formed"), "{bad}");
    }
}

/// RFC 6120 §4.9.3.18, §11.1.
#[test]
fn what_xmpp_leaves_out_of_xml_is_refused() {
    for bad in [
        "<!-- x --><a/>",
        "<a><!-- x --></a>",
        "<a><?x y?></a>",
        "<!DOCTYPE a><a/>",
        "<!ENTITY x 'y'>",
        "<a>&nbsp;</a>",
        "<a b='&x;'/>",
        "<a><![cdata[x]]></a>",
        "<a><![INCLUDE[x]]></a>",
    ] {
        assert_eq!(refusal(bad), Some("restricted-xml"), "{bad}");
    }
}

/// RFC 6120 §4.9.3.22.
#[test]
fn what_is_not_utf_8_is_refused() {
    for bad in [
        &b"<a>\xff</a>"[..],
        b"<a>\xc3</a>",
        b"<a>\xc0\x80</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>\xf4\x90\x80\x80</a>",
        b"<a b='\xe9'/>",
        b"<\xe9/>",
        b"<a><![CDATA[\xc3]]></a>",
        b"<a>&am\xff;</a>",
    ] {
        assert_eq!(refusal(bad), Some("unsupported-encoding"), "{bad:?}");
    }
}

/// RFC 6120 §4.9.3.1: between stanzas there is white space or nothing (§4.6.1).
#[test]
fn text_between_stanzas_is_refused() {
    for bad in ["x", "<a/>x", "&#32;", "<![CDATA[ ]]>", "\u{feff}"] {
        assert_eq!(refusal(bad), Some("bad-format"), "{bad}");
    }
}

#[test]
fn what_is_not_whole_waits() {
    for part in ["<", "<a", "<a b='", "<a b='>", "<a>", "<a>x", "<a>&am", "<a></", "<a></a", "</s"]
    {
        assert_eq!(refusal(part), Some(""), "{part}");
    }
    assert_eq!(refusal(b"<a>\xe2\x82"), Some(""));
    assert_eq!(refusal("<a><![CDATA[x</a>"), Some(""));
}

/// RFC 6120 §4.9.3.14, §13.12: one less is taken, one more is not.
#[test]
fn every_limit_holds() {
    let nested = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    let named = |length: usize| format!("<{}/>", "n".repeat(length));
    let attributes = |count: usize| {
        let all: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<a{all}/>")
    };
    let declarations = |count: usize| {
        let all: String = (0..count).map(|n| format!(" xmlns:a{n}='urn:x'")).collect();
        format!("<a{all}/>")
    };
    let long = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes - "<a></a>".len()));
    let wide = |bytes: usize| format!("<a b='{}'/>", "x".repeat(bytes - "<a b=''/>".len()));
    let cases: [(&dyn Fn(usize) -> String, usize); 7] = [
        (&nested, DEPTH_MAX),
        (&many, 4_000),
        (&named, NAME_BYTES_MAX),
        (&attributes, ATTRIBUTES_MAX),
        (&declarations, DECLARATIONS_MAX),
        (&long, FRAME_BEFORE_LOGIN_BYTES_MAX),
        (&wide, FRAME_BEFORE_LOGIN_BYTES_MAX),
    ];
    for (number, (make, max)) in cases.into_iter().enumerate() {
        assert_eq!(refusal(make(max)), None, "{number}");
        let more = make(max + 1);
        let more = if number == 1 { make(ELEMENTS_MAX + 1) } else { more };
        assert_eq!(refusal(more), Some("policy-violation"), "{number}");
    }
    // The end need not come for the fault to be seen.
    assert_eq!(
        refusal(format!("<a b='{}", "x".repeat(FRAME_BEFORE_LOGIN_BYTES_MAX))),
        Some("policy-violation")
    );
}

#[test]
fn a_fault_is_for_ever() {
    let mut framer = Framer::new(Limits::BEFORE_LOGIN);
    framer.push(b"x");
    let fault = framer.next_frame().unwrap_err();
    framer.push(HEADER.as_bytes());
    assert_eq!(framer.next_frame().unwrap_err(), fault);
    assert_eq!(framer.pending_bytes(), 0);
}

/// RFC 6120 §4.3.3, §5.3.3.
#[test]
fn a_stream_can_begin_anew() {
    let mut framer = Framer::new(Limits::BEFORE_LOGIN);
    framer.push(format!("{HEADER}<auth xmlns='urn:x'/>\n<?xml version='1.0'?>{HEADER}").as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Stanza(_)))));
    assert!(framer.pending_bytes() > 0);
    framer.restart();
    framer.set_limits(Limits::SIGNED_IN);
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    assert_eq!(framer.pending_bytes(), 0);
    let long = format!("<a>{}</a>", "x".repeat(FRAME_BEFORE_LOGIN_BYTES_MAX));
    framer.push(long.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Stanza(_)))));
    assert!(matches!(framer.next_frame(), Ok(None)));
    assert_eq!(framer.buffer.capacity(), 0);
}

/// Pieces from which streams are made that are often nearly right.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "a",
    "b",
    "message",
    "<a>",
    "</a>",
    "<message>",
    "</message>",
    "<b/>",
    " ",
    "=",
    "'",
    "\"",
    "x='1'",
    " y='2'",
    "xmlns='urn:x'",
    " xmlns:p='urn:x'",
    "p:",
    "stream:",
    "xml:lang=''",
    "&amp;",
    "&",
    ";",
    "&#x41;",
    "&#0;",
    "&nbsp;",
    "<![CDATA[",
    "]]>",
    "]",
    "]]",
    "<!--",
    "<?",
    "?>",
    "text",
    "\u{e9}",
    "\u{1f600}",
    "\u{ffff}",
    "\u{1}",
    "\r\n",
    "\t",
    "</stream:stream>",
    "<stream:stream",
    "xmlns=''",
    " xmlns:q='urn:x' p:x='' q:x=''",
];

fn nearly_xml() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        40 => prop::sample::select(PIECES).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        inside in nearly_xml(),
        headed in prop::bool::weighted(0.9),
        whole in any::<bool>(),
        cuts in prop::collection::vec(1_usize..40, 1..12),
    ) {
        let mut text = if headed { HEADER.as_bytes().to_vec() } else { Vec::new() };
        if whole {
            text.extend_from_slice(b"<message>");
        }
        text.extend_from_slice(&inside);
        if whole {
            text.extend_from_slice(b"</message>");
        }
        let expected = frames_in(&text, &[]);
        prop_assert_eq!(&frames_in(&text, &cuts), &expected);
        prop_assert_eq!(&frames_in(&text, &[1]), &expected);
    }
}
