//! Bad input over real sockets: each peer that breaks the rules gets the protocol's own error and
//! no more, costs little, and others notice nothing.

use std::{
    collections::BTreeSet,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use auth::{ClientBinding, Mechanism};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    client::{Client, Reach, Silence, Way, condition, dial},
    house::{DOMAIN, House, Plan, eventually, finish},
    xml,
};

const BEN: &str = "ben@bank.example";

/// Connections that say nothing.
const SILENT: usize = 1_000;

/// Kibibytes that a thousand silent connections and what else a test does may cost.
const MEMORY_KIB_MAX: u64 = 64 * 1_024;

/// Kibibytes that a flood of large messages may cost: the caches of the store and what is on its way
/// to the disk, however long the flood is.
const BUSY_KIB_MAX: u64 = 512 * 1_024;

fn header(more: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' {more}>"
    )
}

/// Reads to the end and gives the name of the stream error.
fn stream_error(client: &mut Client) -> String {
    let mut said = String::new();
    loop {
        match client.next_or() {
            Ok(thing) => said.push_str(&thing),
            Err(Silence::End) => break,
            Err(Silence::Late) => panic!("the stream stays open after {said}"),
        }
    }
    let error = xml::element(&said, "stream:error").unwrap_or_else(|| panic!("no error: {said}"));
    assert!(said.contains("<stream:stream"), "no opening before the error: {said}");
    assert!(said.ends_with("</stream:stream>"), "{said}");
    xml::name(&error[error.find('>').unwrap() + 1..]).to_owned()
}

/// RFC 6120 §4.9.3, §11, SEC-08: what is no XML, or XML that XMPP forbids, ends the stream with the
/// error of that name, before TLS already.
#[test]
fn malformed_openings_get_the_streams_own_error() {
    let house = House::start(&Plan::of(2));
    let good = header(&format!("to='{DOMAIN}' version='1.0'"));
    let cases: &[(&[u8], &[&str])] = &[
        (b"GET / HTTP/1.1\r\n\r\n", &["not-well-formed", "bad-format"]),
        (b"\x16\x03\x01\x00\x05hello", &["not-well-formed"]),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>", &["restricted-xml"]),
        (b"<!-- hello --><stream:stream", &["restricted-xml"]),
        (b"<?php echo ?>", &["restricted-xml", "not-well-formed"]),
        (b"<?xml version='1.0' encoding='UTF-16'?>", &["unsupported-encoding"]),
        (b"\xff\xfe<\x00", &["unsupported-encoding", "not-well-formed"]),
        (b"<stream:stream to='bank.example'>", &["not-well-formed", "bad-namespace-prefix"]),
        (b"<stream xmlns='urn:other' to='bank.example' version='1.0'>", &["invalid-namespace"]),
    ];
    for (bytes, wanted) in cases {
        let mut client = Client::plain(house.starttls).unwrap();
        client.try_send_bytes(bytes).unwrap();
        let got = stream_error(&mut client);
        assert!(wanted.contains(&got.as_str()), "{:?}: {got}", String::from_utf8_lossy(bytes));
    }
    let after: &[(&str, &[&str])] = &[
        ("<a><b></a></b>", &["not-well-formed"]),
        ("<a b='1' b='2'/>", &["not-well-formed"]),
        ("<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", &["not-well-formed"]),
        ("<x:a/>", &["not-well-formed", "bad-namespace-prefix"]),
        ("<a>&bomb;</a>", &["restricted-xml", "not-well-formed"]),
        ("<a>&#0;</a>", &["not-well-formed"]),
        ("<a><!-- x --></a>", &["restricted-xml"]),
        ("<a><?x y?></a>", &["restricted-xml"]),
        ("<a b='<'/>", &["not-well-formed"]),
        ("<message to='ben@bank.example'><body>x</body></message>", &["not-authorized"]),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>",
            &["policy-violation", "not-authorized", "unsupported-stanza-type"],
        ),
        ("hello", &["bad-format", "not-well-formed", "invalid-xml"]),
    ];
    for (text, wanted) in after {
        let mut client = Client::plain(house.starttls).unwrap();
        client.try_send(&format!("{good}{text}")).unwrap();
        let got = stream_error(&mut client);
        assert!(wanted.contains(&got.as_str()), "{text}: {got}");
    }
    for (more, wanted) in [
        ("to='elsewhere.example' version='1.0'", "host-unknown"),
        ("to='bank.example' version='0.9'", "unsupported-version"),
    ] {
        let mut client = Client::plain(house.starttls).unwrap();
        client.try_send(&header(more)).unwrap();
        assert_eq!(stream_error(&mut client), wanted);
    }
    // The house is as it was.
    Client::present(&house, "ana", "desk").leave();
}

/// RFC 6120 §8.3.3, §4.9.3, POL-11, SEC-08: after signing in: too deep, too large, not UTF-8, unknown
/// stanzas and addresses that are none.
#[test]
fn malformed_stanzas_end_only_what_they_must() {
    let house = House::start(&Plan::of(2));
    let deep = format!("<message>{}{}</message>", "<a>".repeat(5_000), "</a>".repeat(5_000));
    let large = format!("<message to='{BEN}'><body>{}</body></message>", "x".repeat(600_000));
    let many = format!("<message to='{BEN}'>{}</message>", "<a/>".repeat(10_000));
    let bad = b"<message to='ben@bank.example'><body>\xc3\x28</body></message>";
    let surrogate = b"<message to='ben@bank.example'><body>\xed\xa0\x80</body></message>";
    let cases: &[(&[u8], &[&str])] = &[
        (deep.as_bytes(), &["policy-violation"]),
        (large.as_bytes(), &["policy-violation"]),
        (many.as_bytes(), &["policy-violation"]),
        (bad, &["not-well-formed", "unsupported-encoding"]),
        (surrogate, &["not-well-formed", "unsupported-encoding"]),
        (b"<foo/>", &["unsupported-stanza-type"]),
        (b"<message></presence>", &["not-well-formed"]),
        (b"<stream:features/>", &["unsupported-stanza-type", "invalid-xml"]),
    ];
    let mut ben = Client::present(&house, "ben", "desk");
    for (bytes, wanted) in cases {
        let mut client = Client::silent(&house, "ana", "desk");
        // A server that has refused already may not take the rest.
        drop(client.try_send_bytes(bytes));
        let error = loop {
            match client.next_or() {
                Ok(thing) if thing.starts_with("<stream:error") => break thing,
                Ok(_) => {}
                Err(why) => panic!(
                    "{why:?} for {:?}",
                    String::from_utf8_lossy(&bytes[..40.min(bytes.len())])
                ),
            }
        };
        let got = xml::name(&error[error.find('>').unwrap() + 1..]);
        assert!(
            wanted.contains(&got),
            "{:?}: {error}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
        );
    }
    assert!(ben.settle().iter().all(|it| xml::name(it) != "message"));
    // What is only wrong in itself is answered, and the stream goes on.
    let mut ana = Client::present(&house, "ana", "desk");
    for (stanza, wanted) in [
        ("<iq id='a1' type='get'/>", "modify/bad-request"),
        ("<iq id='a2' type='get'><a xmlns='x'/><b xmlns='x'/></iq>", "modify/bad-request"),
        ("<iq id='a3' type='sing'><a xmlns='x'/></iq>", "modify/bad-request"),
        ("<message id='a4' to='@bad@'><body>x</body></message>", "modify/jid-malformed"),
        ("<iq id='a5' type='get' to='a@b/'><a xmlns='x'/></iq>", "modify/jid-malformed"),
    ] {
        ana.send(stanza);
        let error = ana.refused(xml::attribute(stanza, "id").unwrap());
        assert_eq!(condition(&error).0, wanted, "{stanza}");
    }
    ana.say(BEN, "m1", "still here");
    ben.hear("still here");
}

/// RFC 7590, RFC 6120 §5.4.3.3, SEC-06: what is sent in the clear behind a wish for TLS is not taken
/// as said inside it; nothing is allowed before TLS; half a handshake goes away by itself.
#[test]
fn nothing_in_the_clear_gets_inside_tls() {
    let mut house = House::make(&Plan::of(2).with("session.sign_in_secs_max", "5"));
    house.serve();
    let features = Client::plain(house.starttls).unwrap().open().unwrap();
    assert!(features.contains("<required"), "{features}");
    assert!(!features.contains("mechanism"), "{features}");
    let mut client = Client::plain(house.starttls).unwrap();
    client.open().unwrap();
    client.send(
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
         <message to='ben@bank.example'><body>smuggled</body></message>",
    );
    let mut said = String::new();
    while let Ok(thing) = client.next() {
        said.push_str(&thing);
        if thing.starts_with("<proceed") {
            break;
        }
    }
    // Either the stream has ended, or TLS cannot come about with what is already there.
    if said.contains("<proceed") {
        let tls = crate::client::tls(&house, rustls::ALL_VERSIONS);
        assert!(client.secure(&tls).is_err(), "TLS came about on smuggled bytes");
    }
    // Half a ClientHello, and half an opening, each on its own port; others go on meanwhile.
    let mut half: Vec<TcpStream> = Vec::new();
    for number in 0..40 {
        let mut stream = dial(if number % 2 == 0 { house.direct } else { house.starttls }).unwrap();
        let bytes: &[u8] =
            if number % 2 == 0 { b"\x16\x03\x01\x02\x00\x01\x00" } else { b"<?xml version='1.0'" };
        stream.write_all(bytes).unwrap();
        half.push(stream);
    }
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    ana.say(BEN, "m1", "meanwhile");
    ben.hear("meanwhile");
    let began = Instant::now();
    for stream in &mut half {
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        let ended =
            ended.is_ok() || ended.is_err_and(|why| why.kind() == io::ErrorKind::ConnectionReset);
        assert!(ended, "a half handshake stays");
        assert!(!String::from_utf8_lossy(&rest).contains("smuggled"));
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    ana.say(BEN, "m2", "after");
    ben.hear("after");
}

/// A thousand connections that say nothing cost little; meanwhile others chat as if
/// they were not there, and slow writers are served like all.
#[test]
fn a_thousand_silent_connections_disturb_nobody() {
    // This process and the server, which gets the limit from it, hold both ends.
    let own = std::process::id().to_string();
    let limit = ["--pid", &own, "--nofile=8192:8192"];
    let raised = finish(Command::new("prlimit").args(limit));
    assert!(
        raised.status.success(),
        "file descriptors: run under `ulimit -n 8192`: {}",
        raised.err
    );
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    ana.say(BEN, "m0", "first");
    ben.hear("first");
    let before = house.memory_kib();
    let mut silent = Vec::new();
    for number in 0..SILENT {
        silent.push(dial(if number % 2 == 0 { house.direct } else { house.starttls }).unwrap());
    }
    for number in 0..50 {
        let body = format!("meanwhile {number}");
        ana.say(BEN, "m", &body);
        ben.hear(&body);
    }
    // One octet at a time is slow and legal.
    let mut slow = Client::plain(house.starttls).unwrap();
    for byte in header(&format!("to='{DOMAIN}' version='1.0'")).bytes() {
        slow.try_send_bytes(&[byte]).unwrap();
    }
    assert!(slow.next().unwrap().starts_with("<stream:stream"));
    let cost = house.memory_kib().saturating_sub(before);
    eprintln!("{SILENT} silent connections cost {cost} KiB");
    assert!(cost < MEMORY_KIB_MAX, "{cost} KiB");
    Client::silent(&house, "ana", "another").leave();
    drop(silent);
}

/// MSG-11: somebody who does not read is let go; what was written to them waits, and the
/// server's memory stays bounded.
#[test]
fn a_slow_reader_is_let_go_and_loses_nothing() {
    let plan = Plan::of(2).with("session.write_secs_max", "5");
    let house = House::start(&plan);
    let mut ana = Client::present(&house, "ana", "desk");
    let mut deaf = Client::present(&house, "ben", "deaf");
    let before = house.memory_kib();
    let body = "x".repeat(20_000);
    const COUNT: usize = 3_000;
    for number in 0..COUNT {
        ana.say(BEN, &format!("m{number}"), &format!("{number} {body}"));
        if number % 50 == 49 {
            let answers = ana.settle();
            assert!(answers.iter().all(|it| xml::attribute(it, "type") != Some("error")));
        }
    }
    let cost = house.memory_kib().saturating_sub(before);
    eprintln!("60 MB to somebody who does not read cost {cost} KiB");
    assert!(cost < BUSY_KIB_MAX, "{cost} KiB");
    eventually("the last message is kept", 60, || {
        let (results, _) = ana.history(&[], "<max>1</max><before/>");
        results.iter().any(|it| it.contains(&format!("{} xxx", COUNT - 1)))
    });
    // What the dead connection had taken off the server's hands is in the history; all else comes to
    // another device by itself, as soon as it is known that the first does not read.
    let mut ben = Client::present(&house, "ben", "quick");
    let number = |stanza: &String| -> Option<usize> {
        xml::text(stanza, "body")?.split(' ').next()?.parse().ok()
    };
    let (mut have, mut after) = (BTreeSet::new(), String::new());
    eventually("what was not read comes to another device", 60, || {
        have.extend(ben.settle().iter().filter_map(number));
        have.len() > COUNT / 2 && have.contains(&(COUNT - 1))
    });
    loop {
        let (results, end) = ben.history(&[], &format!("<max>250</max>{after}"));
        have.extend(results.iter().filter_map(number));
        let Some(last) = xml::text(&end, "last") else { break };
        after = format!("<after>{last}</after>");
    }
    assert_eq!(have.len(), COUNT);
    while deaf.next_or().is_ok() {}
}

/// What the server challenges a login with: salt and count, without its nonce.
fn challenge(house: &House, login: &str, mechanism: Mechanism) -> String {
    let mut client = Client::dial(house, Way::Direct).unwrap();
    client.open().unwrap();
    let (name, first) =
        (mechanism.name(), BASE64.encode(format!("n,,n={login},r=abcdefghijklmnop")));
    client.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{name}'>{first}</auth>"
    ));
    let said = client.next().unwrap();
    let text = xml::text(&said, "challenge").unwrap_or_else(|| panic!("{said}"));
    let text = String::from_utf8(BASE64.decode(text).unwrap()).unwrap();
    text.split_once(',').unwrap().1.to_owned()
}

/// DIR-26, DIR-12, SEC-04: guessing is slowed down, for known and unknown names alike: same steps,
/// stable salts of the same length, same counts, same errors. The address is no sign-in name.
#[test]
fn guessing_is_slow_and_tells_nothing() {
    let house = House::start(&Plan::of(2));
    for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha1] {
        let known = challenge(&house, house.login("ana"), mechanism);
        let unknown = challenge(&house, "nobody.at.all", mechanism);
        let address = challenge(&house, "ana", mechanism);
        for one in [&known, &unknown, &address] {
            assert_eq!(one.len(), known.len(), "{known} {unknown} {address}");
            assert_eq!(one.split_once(",i=").unwrap().1, known.split_once(",i=").unwrap().1);
        }
        assert_ne!(known, unknown);
        assert_eq!(challenge(&house, "nobody.at.all", mechanism), unknown, "a salt that changes");
        assert_eq!(challenge(&house, house.login("ana"), mechanism), known);
    }
    let walk = |login: &str| -> Vec<String> {
        let mut said = Vec::new();
        for _ in 0..4 {
            let mut client = Client::dial(&house, Way::Direct).unwrap();
            client.open().unwrap();
            for _ in 0..2 {
                let binding = ClientBinding::Unsupported;
                let tried = client.sign_in(Mechanism::ScramSha256, login, "guess", &binding);
                said.push(tried.unwrap().unwrap_err());
            }
        }
        said
    };
    let (known, unknown) = (walk(house.login("ana")), walk("nobody.at.all"));
    assert_eq!(known, unknown);
    assert!(known[0].contains("<not-authorized"), "{known:?}");
    assert!(known.last().unwrap().contains("<temporary-auth-failure"), "{known:?}");
    // Who knows the password waits too, and nobody else does.
    let why = Reach::of(&house, "ana").try_silent("desk").err().unwrap().to_string();
    assert!(why.contains("<temporary-auth-failure"), "{why}");
    Client::silent(&house, "ben", "desk").leave();
    // One connection has five tries.
    let mut client = Client::dial(&house, Way::Direct).unwrap();
    client.open().unwrap();
    for _ in 0..5 {
        client.send(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>!!!!</auth>",
        );
    }
    client.wait(|it| it.starts_with("<stream:error") && it.contains("<policy-violation"));
}
