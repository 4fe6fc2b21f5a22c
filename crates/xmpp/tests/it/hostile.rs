//! Streams that nobody would write, cut in any way: a session must neither panic nor say different
//! things, and must come to an end once.

use std::path::Path;

use proptest::prelude::*;

use crate::script::Script;

/// Pieces that mean something to some reader, whole and broken.
const PIECES: &[&str] = &[
    "<message to='a@b.example'><body>hi</body></message>",
    "<message to='@'><body>hi</body></message>",
    "<message to='a@b.example'><html><body>x<b>y</b></body></html><thread>t</thread></message>",
    "<message xmlns:p='urn:xmpp:sid:0'><p:stanza-id by='im.example.com' id='1'/></message>",
    "<presence><priority>1</priority><show>dnd</show></presence>",
    "<presence type='subscribe' to='a@b.example/c'/>",
    "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
    "<iq type='set' id='2'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'/>",
    "</query></iq>",
    "<iq type='set' id='3'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    "<iq type='result' id='4' to='a@b.example/c'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>=</auth>",
    "<message><body>&#x41;&lt;<![CDATA[<]]></body></message>",
    "<message from='other@im.example.com'/>",
    "<stream:error/>",
    "</stream:stream>",
    "<message",
    " to='a@b.example'",
    ">",
    "/>",
    "</message>",
    "&bogus;",
    "<!-- -->",
    "<?pi?>",
    " ",
    "\n",
    "\u{e9}",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

fn check(include: &str, bytes: &[u8], cuts: &[prop::sample::Index]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let script = Script::of_include(&folder, include);
    let whole = script.play_then(std::iter::once(bytes));
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.extend([0, bytes.len()]);
    ends.sort_unstable();
    let pieces = ends.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
    assert_eq!(script.play_then(pieces), whole);
    let closed = whole.iter().position(|event| event == "Close");
    let ended = whole.iter().position(|event| event.contains("\"ended\""));
    assert_eq!(closed, ended.map(|at| at + 1), "{whole:?}");
    assert!(closed.is_none_or(|at| at + 1 == whole.len()), "{whole:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bound_session_bears_anything(
        pieces in prop::collection::vec(piece(), 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        check("bound", &pieces.concat(), &cuts);
    }

    #[test]
    fn a_stranger_s_session_bears_anything(
        pieces in prop::collection::vec(piece(), 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        check("offered", &pieces.concat(), &cuts);
    }
}
