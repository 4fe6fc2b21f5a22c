//! What passes between the server and the world: TLS by the bytes, the sockets that are open, what
//! a peer may learn of where somebody is, and what comes without being asked for.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use auth::{ClientBinding, Mechanism};

use crate::{
    client::{Client, Silence, Way, condition, dial, is_from, tls},
    house::{DOMAIN, House, Person, Plan, eventually, run},
    xml,
};

const ANA: &str = "ana@bank.example";
const ANA_DESK: &str = "ana@bank.example/desk";
const BEN: &str = "ben@bank.example";
const BEN_DESK: &str = "ben@bank.example/desk";
const CLEO_DESK: &str = "cleo@bank.example/desk";

/// Versions as they stand in a ClientHello (RFC 8446 appendix B.3.1).
const SSL_3_0: u16 = 0x0300;
const TLS_1_0: u16 = 0x0301;
const TLS_1_1: u16 = 0x0302;
const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Cipher suites of one ClientHello: as many as fit in one record of 16 KiB.
const SUITES_AT_ONCE: usize = 6_000;

/// Not suites but signals (RFC 5746 §3.3, RFC 7507 §2).
const SIGNALS: [u16; 2] = [0x00ff, 0x5600];

/// ECDHE with ECDSA and AES-GCM or ChaCha20-Poly1305 (RFC 5289, RFC 7905).
const SUITES_OF_1_2: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];

/// All of these have forward secrecy (RFC 8446 appendix B.4).
const SUITES_OF_1_3: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// The first byte of a record, and of what is in it.
const RECORD_ALERT: u8 = 21;
const RECORD_HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const ALERT_FATAL: u8 = 2;
const ALERT_PROTOCOL_VERSION: u8 = 70;

const BOTH_WAYS: [Way; 2] = [Way::StartTls, Way::Direct];

/// How often a process is looked at before it is said what it does not do.
const LOOKS_MIN: u32 = 50;

/// What clients may ask each other.
const PASSED: [&str; 6] = [
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<query xmlns='jabber:iq:last'/>",
    "<time xmlns='urn:xmpp:time'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
];

/// Questions whose answers are addresses, or lead to them: who somebody is, their address as such,
/// and streams past the server (XEP-0054, XEP-0279, XEP-0065, XEP-0095, XEP-0166).
const STOPPED: [&str; 5] = [
    "<vCard xmlns='vcard-temp'/>",
    "<address xmlns='urn:xmpp:sic:1'/>",
    "<query xmlns='http://jabber.org/protocol/bytestreams'/>",
    "<si xmlns='http://jabber.org/protocol/si' id='a'/>",
    "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a'/>",
];

/// What a server says to a ClientHello.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Agreed { version: u16, suite: u16 },
    Alert { level: u8, what: u8 },
    Closed,
}

/// Whether a presence is from there and of this kind.
fn is_presence(stanza: &str, from: &str, kind: Option<&str>) -> bool {
    is_from(stanza, "presence", from) && xml::attribute(stanza, "type") == kind
}

/// The watcher asks, the watched one grants: from now on each change is to be told.
fn watch(watcher: &mut Client, watched: &mut Client, address: &str, jid: &str) {
    watcher.send(&format!("<presence to='{address}' type='subscribe'/>"));
    let asked = watched.wait(|it| xml::attribute(it, "type") == Some("subscribe"));
    let asker = xml::attribute(&asked, "from").unwrap();
    watched.send(&format!("<presence to='{asker}' type='subscribed'/>"));
    watcher.wait(|it| is_presence(it, jid, None));
}

// ── TLS by the bytes

/// A length in so many bytes, and what is so long.
fn counted(width: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - width..], content].concat()
}

fn pairs(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A ClientHello in its record (RFC 8446 §4.1.2), of this legacy version; if it has a list of
/// versions it asks for the server's choice of a key exchange.
fn client_hello(legacy: u16, versions: &[u16], suites: &[u16]) -> Vec<u8> {
    let mut extensions = Vec::new();
    let mut extend = |kind: u16, content: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(counted(2, content));
    };
    let name = [&[0], counted(2, DOMAIN.as_bytes()).as_slice()].concat();
    extend(0, &counted(2, &name));
    extend(10, &counted(2, &pairs(&[0x001d, 0x0017, 0x0018])));
    extend(11, &[1, 0]);
    let signatures = [0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0201];
    extend(13, &counted(2, &pairs(&signatures)));
    extend(23, &[]);
    extend(0xff01, &[0]);
    if !versions.is_empty() {
        extend(43, &counted(1, &pairs(versions)));
        extend(51, &[0, 0]);
    }
    let mut body = legacy.to_be_bytes().to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend(counted(2, &pairs(suites)));
    body.extend([1, 0]);
    body.extend(counted(2, &extensions));
    let message = [&[1], counted(3, &body).as_slice()].concat();
    let record = legacy.min(TLS_1_0).to_be_bytes();
    [&[RECORD_HANDSHAKE], &record[..], &counted(2, &message)].concat()
}

/// A connection on which a ClientHello is awaited.
fn threshold(house: &House, way: Way) -> TcpStream {
    let mut stream = match way {
        Way::Direct => return dial(house.direct).unwrap(),
        Way::StartTls => dial(house.starttls).unwrap(),
    };
    let opening = format!(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
         version='1.0' to='{DOMAIN}'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    );
    stream.write_all(opening.as_bytes()).unwrap();
    let mut said = String::new();
    while !(said.contains("<proceed") && said.ends_with('>')) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|why| panic!("{why} after {said}"));
        said.push(char::from(byte[0]));
    }
    stream
}

/// Sends these bytes where a handshake should begin, and reads the first answer.
fn answer(house: &House, way: Way, bytes: &[u8]) -> Answer {
    let mut stream = threshold(house, way);
    stream.write_all(bytes).unwrap();
    let mut head = [0; 5];
    match stream.read_exact(&mut head) {
        Ok(()) => {}
        Err(why) if why.kind() == io::ErrorKind::WouldBlock => panic!("no answer: {why}"),
        Err(_) => return Answer::Closed,
    }
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut body).unwrap();
    match head[0] {
        RECORD_ALERT => Answer::Alert { level: body[0], what: body[1] },
        RECORD_HANDSHAKE => agreed(&body),
        other => panic!("a record of kind {other}: {body:?}"),
    }
}

/// What a ServerHello has chosen (RFC 8446 §4.1.3).
fn agreed(hello: &[u8]) -> Answer {
    let pair = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    assert_eq!(hello[0], SERVER_HELLO);
    let mut version = pair(4);
    let at = 39 + usize::from(hello[38]);
    let suite = pair(at);
    let (mut at, end) = (at + 5, at + 5 + usize::from(pair(at + 3)));
    while at < end {
        if pair(at) == 43 {
            version = pair(at + 4);
        }
        at += 4 + usize::from(pair(at + 2));
    }
    Answer::Agreed { version, suite }
}

/// Every suite that the server takes in this version, by offering all that there can be.
fn suites(house: &House, way: Way, version: u16) -> BTreeSet<u16> {
    let versions: &[u16] = if version == TLS_1_3 { &[TLS_1_3] } else { &[] };
    let all: Vec<u16> = (0..=u16::MAX).filter(|suite| !SIGNALS.contains(suite)).collect();
    let mut taken = BTreeSet::new();
    for some in all.chunks(SUITES_AT_ONCE) {
        loop {
            let offer: Vec<u16> =
                some.iter().copied().filter(|suite| !taken.contains(suite)).collect();
            match answer(house, way, &client_hello(TLS_1_2, versions, &offer)) {
                Answer::Agreed { version: chosen, suite } => {
                    assert_eq!(chosen, version, "suite {suite:#06x}");
                    assert!(taken.insert(suite), "{suite:#06x} was not offered");
                }
                Answer::Alert { level: ALERT_FATAL, .. } => break,
                other @ (Answer::Alert { .. } | Answer::Closed) => panic!("{other:?}"),
            }
        }
    }
    taken
}

/// ENC-01, MSG-14: of all 65 534 cipher suites that a client can offer, TLS 1.2 takes the three
/// with forward secrecy that fit the key, and TLS 1.3 its own three.
#[test]
fn only_suites_with_forward_secrecy_are_taken() {
    let house = House::start(&Plan::of(0));
    for way in BOTH_WAYS {
        assert_eq!(suites(&house, way, TLS_1_2), SUITES_OF_1_2.into(), "{way:?}");
        assert_eq!(suites(&house, way, TLS_1_3), SUITES_OF_1_3.into(), "{way:?}");
    }
}

/// ENC-01, MSG-14, ENC-20: TLS 1.1, TLS 1.0 and what was before get a fatal alert on both ports,
/// however they are asked for; 1.2 and 1.3 sign in.
#[test]
fn only_tls_1_2_and_1_3_come_about() {
    let house = House::start(&Plan::of(1));
    // With suites of their time, and with those that the server would take.
    let offers: [&[u16]; 2] = [&[0xc013, 0xc014, 0x0035, 0x002f, 0x000a, 0x0005], &SUITES_OF_1_2];
    for way in BOTH_WAYS {
        for version in [SSL_3_0, TLS_1_0, TLS_1_1] {
            for offer in offers {
                let got = answer(&house, way, &client_hello(version, &[], offer));
                let refused = Answer::Alert { level: ALERT_FATAL, what: ALERT_PROTOCOL_VERSION };
                assert_eq!(got, refused, "{way:?}, version {version:#06x}, {offer:x?}");
            }
            let got = answer(&house, way, &client_hello(TLS_1_2, &[version], &SUITES_OF_1_2));
            let refused = matches!(got, Answer::Alert { level: ALERT_FATAL, .. });
            assert!(refused, "{way:?}, listed version {version:#06x}: {got:?}");
        }
        // The same hello with a version that is good is taken: it was the version.
        let got = answer(&house, way, &client_hello(TLS_1_2, &[], &SUITES_OF_1_2));
        assert!(matches!(got, Answer::Agreed { version: TLS_1_2, .. }), "{way:?}: {got:?}");
        // SSL 2.0 had a frame of its own (RFC 6176 §2).
        let oldest = [&[0x80, 0x1c, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80], &[0x5a; 16][..]];
        let got = answer(&house, way, &oldest.concat());
        assert!(!matches!(got, Answer::Agreed { .. }), "{way:?}: {got:?}");
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut client = secured(&house, way, version);
            client.open().unwrap();
            let (login, password) = (house.login("ana"), house.password("ana"));
            let binding = ClientBinding::Unsupported;
            let signed_in =
                client.sign_in(Mechanism::ScramSha256, login, &password, &binding).unwrap();
            assert_eq!(signed_in, Ok(()), "{way:?}, {version:?}");
        }
    }
}

/// A connection with this version of TLS and no stream yet.
fn secured(house: &House, way: Way, version: &'static rustls::SupportedProtocolVersion) -> Client {
    let config = tls(house, &[version]);
    match way {
        Way::Direct => {
            let mut client = Client::plain(house.direct).unwrap();
            client.secure(&config).unwrap();
            client
        }
        Way::StartTls => {
            let mut client = Client::plain(house.starttls).unwrap();
            client.open().unwrap();
            client.start_tls(&config).unwrap();
            client
        }
    }
}

/// MSG-14, ENC-01: before TLS there is nothing but STARTTLS, after it nothing but SCRAM; who tries
/// PLAIN or another weak mechanism is refused before and after, with the right password too.
#[test]
fn plain_is_never_offered_and_never_taken() {
    let house = House::start(&Plan::of(1));
    let clear = Client::plain(house.starttls).unwrap().open().unwrap();
    let inside = &clear[clear.find('>').unwrap() + 1..clear.rfind("</").unwrap()];
    let only = xml::element(inside, "starttls").unwrap_or_default();
    assert_eq!(only, inside, "more than STARTTLS: {clear}");
    assert!(only.contains("urn:ietf:params:xml:ns:xmpp-tls") && only.contains("<required"));
    // NUL, the login, NUL, the password (RFC 4616 §2).
    let said = format!("\0{}\0{}", house.login("ana"), house.password("ana"));
    let said = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, said);
    let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
    let mut client = Client::plain(house.starttls).unwrap();
    client.open().unwrap();
    client.send(&format!("<auth {sasl} mechanism='PLAIN'>{said}</auth>"));
    let mut got = String::new();
    while let Ok(thing) = client.next() {
        got.push_str(&thing);
    }
    assert!(!got.contains("<success") && !got.contains("<challenge"), "{got}");
    assert!(got.ends_with("</stream:stream>"), "{got}");
    for way in BOTH_WAYS {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let features = secured(&house, way, version).open().unwrap();
            let offered: Vec<String> = xml::elements(&features, "mechanism")
                .map(|it| xml::text(it, "mechanism").unwrap())
                .collect();
            assert!(offered.len() >= 2, "{features}");
            assert!(offered.iter().all(|name| name.starts_with("SCRAM-SHA-")), "{offered:?}");
        }
        for weak in ["PLAIN", "LOGIN", "DIGEST-MD5", "CRAM-MD5", "ANONYMOUS", "EXTERNAL"] {
            let mut client = Client::dial(&house, way).unwrap();
            client.open().unwrap();
            client.send(&format!("<auth {sasl} mechanism='{weak}'>{said}</auth>"));
            let got = client.next().unwrap();
            assert!(got.starts_with("<failure") && got.contains("<invalid-mechanism"), "{got}");
        }
    }
}

/// ENC-01: once TLS is due, and on the port where it always is, what comes in the clear gets an
/// alert and the end, and not one letter in the clear.
#[test]
fn nothing_is_said_in_the_clear_where_tls_is_due() {
    let house = House::start(&Plan::of(1));
    for way in BOTH_WAYS {
        for said in
            ["<?xml version='1.0'?><stream:stream to='bank.example'>", " ", "GET / \r\n\r\n"]
        {
            let mut stream = threshold(&house, way);
            stream.write_all(said.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut got = Vec::new();
            drop(stream.read_to_end(&mut got));
            let alert = got.is_empty() || got[0] == RECORD_ALERT && got.len() == 7;
            assert!(alert, "{way:?}, {said:?}: {:?}", String::from_utf8_lossy(&got));
        }
    }
}

/// ENC-20: there is no key and no option that would bring weak TLS, a cipher or no TLS at all: each
/// is refused as unknown before anything is opened.
#[test]
fn weak_ciphers_cannot_be_configured() {
    let house = House::make(&Plan::of(0));
    let text = fs::read_to_string(house.config()).unwrap();
    let cases = [
        ("tls", "min_version = '1.0'"),
        ("tls", "versions = ['SSLv3', 'TLSv1.0', 'TLSv1.1']"),
        ("tls", "ciphers = 'RC4-SHA:DES-CBC3-SHA:ALL'"),
        ("tls", "cipher_suites = ['TLS_RSA_WITH_RC4_128_MD5']"),
        ("tls", "enabled = false"),
        ("tls", "required = false"),
        ("listen", "plain = ['127.0.0.1:1']"),
        ("data", "cipher = 'XOR'"),
        ("archive", "cipher = 'DES'"),
        ("session", "mechanisms = ['PLAIN']"),
    ];
    for (section, line) in cases {
        let (head, added) = (format!("[{section}]\n"), format!("[{section}]\n{line}\n"));
        assert!(text.contains(&head));
        fs::write(house.config(), text.replacen(&head, &added, 1)).unwrap();
        let key = line.split(' ').next().unwrap();
        for command in ["check-config", "serve"] {
            let said = house.cli(&[command]).bad(2);
            assert!(said.contains(&format!("unknown field `{key}`")), "{line}: {said}");
        }
    }
    fs::write(house.config(), &text).unwrap();
    for option in ["--tls-min=1.0", "--ciphers=RC4", "--no-tls", "--insecure"] {
        let words =
            ["--config", house.config().to_str().unwrap(), "serve", option].map(str::to_owned);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(run(&house.folder(), &words).status.code(), Some(2), "{option}");
    }
    house.cli(&["check-config"]).good();
}

// ── Sockets

/// A socket that a process has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Socket {
    Listening(u16),
    Connected {
        own: u16,
        theirs: u16,
        theirs_at: String,
    },
    /// UDP, raw, and all else that can reach beyond the machine.
    Other(String),
    /// Within the machine, with its path.
    Unix(Option<PathBuf>),
}

/// Every socket that a process has open (proc_pid_net(5)).
fn sockets(pid: u32) -> BTreeSet<Socket> {
    let mut own = HashSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        // A file that was closed while we looked is none of its files.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        let target = target.to_string_lossy().into_owned();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        own.extend(inode.map(str::to_owned));
    }
    let table = |name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
        let rows = text.lines().skip(1);
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let mut found = BTreeSet::new();
    for name in ["tcp", "tcp6"] {
        for row in table(name).iter().filter(|row| own.contains(&row[9])) {
            let port = |text: &str| u16::from_str_radix(text.rsplit(':').next().unwrap(), 16);
            let (ours, theirs) = (port(&row[1]).unwrap(), port(&row[2]).unwrap());
            found.insert(match row[3].as_str() {
                "0A" => Socket::Listening(ours),
                _ => Socket::Connected { own: ours, theirs, theirs_at: row[2].clone() },
            });
        }
    }
    for name in ["udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6"] {
        let rows = table(name);
        let rows = rows.iter().filter(|row| own.contains(&row[9]));
        found.extend(rows.map(|row| Socket::Other(format!("{name} {} {}", row[1], row[2]))));
    }
    let packets = table("packet");
    let packets = packets.iter().filter(|row| own.contains(&row[8]));
    found.extend(packets.map(|row| Socket::Other(format!("packet {}", row[2]))));
    let unix = table("unix");
    let unix = unix.iter().filter(|row| own.contains(&row[6]));
    found.extend(unix.map(|row| Socket::Unix(row.get(7).map(PathBuf::from))));
    found
}

/// HST-06: the process listens on the two ports that the configuration names and on no other, UDP
/// none; the control socket is a file for its owner only. The reference names the ports that stand
/// there when nothing is set.
#[test]
fn only_the_documented_ports_listen() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    ana.say(BEN, "m1", "at work");
    ana.kept(1);
    let found = sockets(house.pid());
    let listening: BTreeSet<u16> = found
        .iter()
        .filter_map(|socket| if let Socket::Listening(port) = socket { Some(*port) } else { None })
        .collect();
    assert_eq!(listening, [house.starttls, house.direct].into(), "{found:?}");
    let others = |socket: &&Socket| matches!(socket, Socket::Other(_));
    assert_eq!(found.iter().find(others), None);
    let paths: BTreeSet<String> = found
        .iter()
        .filter_map(|it| if let Socket::Unix(Some(path)) = it { path.file_name() } else { None })
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    assert_eq!(paths, ["control.sock".to_owned()].into(), "{found:?}");
    let control = fs::metadata(house.data().join("control.sock")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&control.permissions());
    assert_eq!(mode & 0o077, 0, "others may use the control socket: {mode:o}");
    let reference = house.cli(&["check-config", "--reference"]).good();
    for (key, port) in [("`starttls`", "`[\"[::]:5222\"]`"), ("`direct_tls`", "`[\"[::]:5223\"]`")]
    {
        let row = reference.lines().find(|line| line.contains(key)).unwrap();
        assert!(row.contains(port), "{row}");
    }
}

/// SEC-09: from its start on, through sign-ins, messages, presence, words to other domains and
/// commands, the process has no connection but those that clients made to its own ports.
#[test]
fn nothing_is_connected_to_but_clients() {
    let mut house = House::make(&Plan::of(3));
    house.serve();
    let (pid, ports) = (house.pid(), [house.starttls, house.direct]);
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            let (mut looks, mut all) = (0, BTreeSet::new());
            // Some looks more when all is done: an attempt that nobody answers lasts.
            while looks < LOOKS_MIN || !done.load(Ordering::Relaxed) {
                all.extend(sockets(pid));
                looks += 1;
            }
            (looks, all)
        })
    };
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    watch(&mut ben, &mut ana, ANA, ANA_DESK);
    for number in 0..20 {
        ana.say(BEN, "m", &format!("number {number} http://127.0.0.1:9/ see elsewhere.example"));
    }
    ben.hear("number 19 http://127.0.0.1:9/ see elsewhere.example");
    ana.say("somebody@elsewhere.example", "far", "hello");
    ana.refused("far");
    ana.send("<presence to='somebody@elsewhere.example' type='subscribe'/>");
    for to in ["elsewhere.example", "conference.bank.example", "127.0.0.1"] {
        let ask = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        ana.ask("get", Some(to), ask);
    }
    house.cli(&["group", "add", "late"]).good();
    ana.cut();
    ben.wait(|it| is_presence(it, ANA_DESK, Some("unavailable")));
    done.store(true, Ordering::Relaxed);
    let (looks, all) = watcher.join().unwrap();
    let clients = all.iter().filter(|it| matches!(it, Socket::Connected { .. })).count();
    assert!(clients >= 2, "not even the clients were seen: {all:?}");
    // The same look at this test sees what it must not see there: UDP, and a way out.
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = sockets(std::process::id());
    assert!(here.iter().any(|it| matches!(it, Socket::Other(name) if name.starts_with("udp"))));
    let out =
        |it: &Socket| matches!(it, Socket::Connected { theirs, .. } if ports.contains(theirs));
    assert!(here.iter().any(out), "{here:?}");
    drop((udp, ben));
    for socket in &all {
        let fine = match socket {
            Socket::Listening(port) => ports.contains(port),
            Socket::Connected { own, theirs, theirs_at } => {
                ports.contains(own) && !ports.contains(theirs) && theirs_at.contains("0100007F")
            }
            Socket::Unix(_) => true,
            Socket::Other(_) => false,
        };
        assert!(fine, "after {looks} looks: {socket:?}");
    }
}

// ── What a peer learns

/// Where one of the words stands, not as a part of a longer word or number.
fn found_word<'a>(text: &str, words: &'a [String]) -> Option<&'a String> {
    words.iter().find(|word| {
        text.match_indices(word.as_str()).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            !joins(before) && !joins(after)
        })
    })
}

/// Answers so many questions of a peer as a client does that says nothing of itself.
fn answer_questions(client: &mut Client, count: usize) {
    for _ in 0..count {
        let question = client.wait(|it| {
            xml::name(it) == "iq" && matches!(xml::attribute(it, "type"), Some("get" | "set"))
        });
        let attribute = |name| xml::attribute(&question, name).unwrap();
        let (from, id) = (attribute("from"), attribute("id"));
        client.send(&format!("<iq type='result' to='{from}' id='{id}'/>"));
    }
    client.settle();
}

/// Puts every question to the other's account and client and to the server; gives what came back.
fn interrogate(asker: &mut Client, asked: &mut Client) -> Vec<String> {
    let mut heard = Vec::new();
    for query in PASSED.iter().chain(&STOPPED) {
        for to in [ANA, DOMAIN] {
            let (before, answer) = asker.ask_with("get", Some(to), query);
            heard.extend(before);
            heard.push(answer);
        }
    }
    for (number, query) in PASSED.iter().enumerate() {
        asker.send(&format!("<iq type='get' id='q{number}' to='{ANA_DESK}'>{query}</iq>"));
    }
    answer_questions(asked, PASSED.len());
    for query in STOPPED {
        let (before, refused) = asker.ask_with("set", Some(ANA_DESK), query);
        assert_eq!(condition(&refused).0, "modify/policy-violation", "{query}: {refused}");
        heard.extend(before);
        heard.push(refused);
    }
    assert!(asked.settle().iter().all(|it| xml::name(it) != "iq"), "a stopped question has passed");
    heard
}

/// MSG-07: of all that a peer gets once signed in (presence, chat, history, and the answers to every
/// question it can put to the other's client, account or the server) nothing says from where the
/// other is connected: neither address, nor port, nor the name of the host.
#[test]
fn a_peer_never_learns_the_network_address() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::dial(&house, Way::Direct).unwrap();
    let mut heard = vec![ben.open().unwrap()];
    let (login, password) = (house.login("ben"), house.password("ben"));
    let unbound = ClientBinding::Unsupported;
    ben.sign_in(Mechanism::ScramSha256, login, &password, &unbound).unwrap().unwrap();
    heard.push(ben.open().unwrap());
    ben.bind(Some("desk")).unwrap();
    ben.send(&format!("<presence/><presence to='{ANA}' type='subscribe'/>"));
    heard.extend(ben.settle());
    ana.wait(|it| xml::attribute(it, "type") == Some("subscribe"));
    ana.send(&format!(
        "<presence to='{BEN}' type='subscribed'/><presence to='{BEN}' type='subscribe'/>\
         <presence><show>away</show><status>at lunch</status></presence>"
    ));
    ana.settle();
    ben.send(&format!("<presence to='{ANA}' type='subscribed'/>"));
    ana.say(BEN, "m1", "hello ben");
    ana.say(BEN_DESK, "m2", "hello desk");
    ana.send(&format!(
        "<message to='{BEN}' type='chat'><composing \
         xmlns='http://jabber.org/protocol/chatstates'/></message>"
    ));
    ana.kept(2);
    heard.extend(ben.settle());
    heard.extend(interrogate(&mut ben, &mut ana));
    for (kind, query) in
        [("get", "<query xmlns='jabber:iq:roster'/>"), ("set", "<query xmlns='urn:xmpp:mam:2'/>")]
    {
        let (before, answer) = ben.ask_with(kind, None, query);
        heard.extend(before);
        heard.push(answer);
    }
    // A refused word, and the end of the other's connection.
    ben.say("ana@bank.example/gone", "m3", "to nobody");
    let connected = sockets(house.pid());
    ana.cut();
    let (before, last) = ben.until(|it| is_presence(it, ANA_DESK, Some("unavailable")));
    heard.extend(before);
    heard.push(last);
    let all = heard.join("\n");
    for came in ["hello ben", "hello desk", "at lunch", "composing", "\"q0\"", "\"q5\"", "<result"]
    {
        assert!(all.contains(came), "{came} has not come:\n{all}");
    }
    let mut words: Vec<String> = connected
        .iter()
        .filter_map(|it| match it {
            Socket::Connected { theirs, .. } => Some(theirs.to_string()),
            Socket::Listening(_) | Socket::Other(_) | Socket::Unix(_) => None,
        })
        .collect();
    assert!(words.len() >= 2, "{connected:?}");
    words.push(fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned());
    // The address as text, as a number both ways round, in base64, and its name.
    words
        .extend(["127.0.0.1", "7f000001", "0100007f", "7F000001", "2130706433"].map(str::to_owned));
    words.extend(["fwAAAQ", "::1", "localhost"].map(str::to_owned));
    words.retain(|word| !word.is_empty());
    assert_eq!(found_word(&all, &words), None, "{all}");
    assert_eq!(
        found_word("<x from='127.0.0.1:9'/>", &words).map(String::as_str),
        Some("127.0.0.1")
    );
}

// ── What comes without being asked for

/// PRS-07: a person and an application in the contact list: each change of theirs comes to one who
/// sends nothing, and a change of the list comes to their other client.
#[test]
fn changes_are_pushed_without_polling() {
    let mut house = House::make(&Plan::of(2));
    house.add(Person { name: "rates", login: "svc.rates.1", groups: &[] });
    house.serve();
    let mut ben = Client::present(&house, "ben", "desk");
    let mut second = Client::present(&house, "ben", "phone");
    second.ask("get", None, "<query xmlns='jabber:iq:roster'/>");
    let item = "<item jid='rates@bank.example' name='Rates'><group>Services</group></item>";
    ben.ask("set", None, &format!("<query xmlns='jabber:iq:roster'>{item}</query>"));
    second.wait(|it| it.contains("jabber:iq:roster") && it.contains("Services"));
    for (name, address) in [("ana", ANA), ("rates", "rates@bank.example")] {
        let mut other = Client::present(&house, name, "one");
        let jid = other.jid.clone();
        watch(&mut ben, &mut other, address, &jid);
        ben.settle();
        // From here on the watcher sends not one byte.
        for (show, status) in [("dnd", "3 waiting"), ("away", "degraded"), ("chat", "well")] {
            let began = Instant::now();
            other.send(&format!(
                "<presence><show>{show}</show><status>{status}</status></presence>"
            ));
            let pushed = ben.wait(|it| is_presence(it, &jid, None));
            assert_eq!(xml::text(&pushed, "show").as_deref(), Some(show));
            assert_eq!(xml::text(&pushed, "status").as_deref(), Some(status));
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
        other.cut();
        ben.wait(|it| is_presence(it, &jid, Some("unavailable")));
        let other = Client::present(&house, name, "one");
        ben.wait(|it| is_presence(it, &jid, None));
        other.leave();
        ben.wait(|it| is_presence(it, &jid, Some("unavailable")));
    }
}

/// Reads what has come and answers the server's own questions, as a client does that lives.
fn live(client: &mut Client) {
    client.patience(50);
    loop {
        match client.next_or() {
            Ok(stanza) if xml::name(&stanza) == "iq" && stanza.contains("urn:xmpp:ping") => {
                let id = xml::attribute(&stanza, "id").unwrap();
                client.send(&format!("<iq type='result' id='{id}' to='{DOMAIN}'/>"));
            }
            Ok(_) => {}
            Err(Silence::Late) => return,
            Err(Silence::End) => panic!("{} was let go though it answers", client.jid),
        }
    }
}

/// PRS-15: a client whose line is dead goes off-line for who watches it within `idle_secs_max` and
/// `ping_secs_max`, one that only answers stays, and nothing of the dead session is left: no
/// presence, no connection, no resource in use, no message lost on it.
#[test]
fn a_dead_line_leaves_no_ghost() {
    let (idle, ping) = (30, 5);
    let plan = Plan::of(3).with("session.idle_secs_max", "30").with("session.ping_secs_max", "5");
    let house = House::start(&plan);
    let mut ben = Client::present(&house, "ben", "desk");
    let mut ana = Client::present(&house, "ana", "desk");
    let mut cleo = Client::present(&house, "cleo", "desk");
    watch(&mut ben, &mut ana, ANA, ANA_DESK);
    watch(&mut ben, &mut cleo, "cleo@bank.example", CLEO_DESK);
    ana.settle();
    cleo.settle();
    // Ana's client neither reads nor writes from here on; its connection stays.
    let began = Instant::now();
    let gone = loop {
        let came = ben.settle();
        assert!(!came.iter().any(|it| is_presence(it, CLEO_DESK, Some("unavailable"))));
        if came.iter().any(|it| is_presence(it, ANA_DESK, Some("unavailable"))) {
            break began.elapsed();
        }
        let late = began.elapsed() > Duration::from_secs(idle + ping + 5);
        assert!(!late, "still there after {:?}", began.elapsed());
        live(&mut cleo);
        thread::sleep(Duration::from_millis(200));
    };
    assert!(gone > Duration::from_secs(idle), "gone after {gone:?} already");
    // Who asks anew is told of nobody.
    ben.send(&format!("<presence to='{ANA}' type='probe'/>"));
    let came = ben.settle();
    assert!(!came.iter().any(|it| is_presence(it, ANA_DESK, None)), "a ghost: {came:?}");
    let (before, refused) =
        ben.ask_with("get", Some(ANA_DESK), "<query xmlns='jabber:iq:version'/>");
    assert_eq!(condition(&refused).0, "cancel/service-unavailable", "{before:?}");
    eventually("the dead connection is closed", 10, || {
        let connected = |it: &&Socket| matches!(it, Socket::Connected { .. });
        sockets(house.pid()).iter().filter(connected).count() == 2
    });
    // What is said to the dead session waits, and its name is free.
    ben.say(ANA_DESK, "m1", "are you there?");
    let mut again = Client::present(&house, "ana", "desk");
    assert_eq!(again.jid, ANA_DESK);
    again.hear("are you there?");
    let (mut came, _) = ben.until(|it| is_presence(it, ANA_DESK, None));
    came.extend(ben.settle());
    assert!(came.iter().all(|it| xml::name(it) != "presence"), "told of more: {came:?}");
    live(&mut cleo);
}
