//! Conversations of the RFCs, stanza by stanza: where a message goes, what is asked of the server
//! and of others, what is kept of one's own, and what nobody may claim.

use auth::{BindingKind, ClientBinding, Mechanism};

use crate::{
    client::{Client, Reach, Way, condition},
    house::{DOMAIN, House, Plan},
    xml,
};

const ANA: &str = "ana@bank.example";
const BEN: &str = "ben@bank.example";

/// The bodies of the messages among stanzas.
fn bodies(stanzas: &[String]) -> Vec<String> {
    let messages = stanzas.iter().filter(|stanza| xml::name(stanza) == "message");
    messages.filter_map(|stanza| xml::text(stanza, "body")).collect()
}

/// What two sessions have got after whoever wrote has been answered.
fn got(writer: &mut Client, one: &mut Client, two: &mut Client) -> (Vec<String>, Vec<String>) {
    // A last message to each full address comes behind all that went before.
    let ends = [one.jid.clone(), two.jid.clone()];
    for end in &ends {
        writer.say(end, "end", "END");
    }
    let read = |client: &mut Client| {
        let (before, _) = client.until(|it| xml::text(it, "body").as_deref() == Some("END"));
        bodies(&before)
    };
    (read(one), read(two))
}

/// RFC 6121 §8.5, MSG-06, MSG-12: bare address, full address, negative priority, a resource that is
/// gone; and what each type of message does there.
#[test]
fn messages_are_routed_as_the_rfc_says() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut one = Client::present(&house, "ben", "one");
    let mut two = Client::silent(&house, "ben", "two");
    two.send("<presence><priority>-1</priority></presence>");
    two.settle();
    ana.say(BEN, "m1", "bare");
    ana.say("ben@bank.example/two", "m2", "full");
    ana.say("ben@bank.example/gone", "m3", "gone");
    ana.send(&format!("<message to='{BEN}' type='headline'><body>news</body></message>"));
    ana.send("<message to='ben@bank.example/gone' type='headline'><body>old news</body></message>");
    let (first, second) = got(&mut ana, &mut one, &mut two);
    assert_eq!(first, ["bare", "gone", "news"]);
    assert_eq!(second, ["full"]);
    // RFC 6121 §8.5.2.1.1: a person is no room; and errors are never answered.
    ana.send(&format!("<message to='{BEN}' type='groupchat' id='g1'><body>all</body></message>"));
    assert_eq!(condition(&ana.refused("g1")).0, "cancel/service-unavailable");
    ana.send("<message to='nobody@bank.example' type='error' id='e1'><body>x</body></message>");
    ana.send(&format!("<message to='{DOMAIN}' type='chat' id='d1'><body>x</body></message>"));
    let (before, error) = ana.until(|it| xml::attribute(it, "id") == Some("d1"));
    assert_eq!(condition(&error).0, "cancel/service-unavailable");
    assert!(before.iter().all(|it| xml::attribute(it, "id") != Some("e1")), "{before:?}");
    // From negative to zero: what waited comes (the session has seen none of it).
    one.leave();
    ana.say(BEN, "m4", "waits");
    ana.kept(4);
    two.send("<presence/>");
    two.hear("waits");
}

/// XEP-0160, XEP-0085, XEP-0334: a headline, a chat state and what asks not to be stored are
/// nowhere afterwards; the rest waits and keeps its time.
#[test]
fn only_what_lasts_waits() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    ana.send(&format!("<message to='{BEN}' type='headline'><body>news</body></message>"));
    ana.send(&format!(
        "<message to='{BEN}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>\
         </message>"
    ));
    ana.send(&format!(
        "<message to='{BEN}' type='chat'><body>fleeting</body><no-store xmlns='urn:xmpp:hints'/>\
         </message>"
    ));
    ana.say(BEN, "m1", "lasting");
    ana.kept(1);
    let mut ben = Client::silent(&house, "ben", "desk");
    ben.send("<presence/>");
    let (before, waited) = ben.until(|it| xml::text(it, "body").as_deref() == Some("lasting"));
    assert!(bodies(&before).is_empty(), "{before:?}");
    let delay = xml::element(&waited, "delay").unwrap();
    assert_eq!(xml::attribute(delay, "from"), Some(DOMAIN));
    let (results, _) = ben.history(&[], "<max>10</max>");
    assert_eq!(results.len(), 1, "{results:?}");
    // Typing reaches who is there, and nobody's history.
    ana.send(&format!(
        "<message to='{BEN}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>\
         </message>"
    ));
    ben.wait(|it| it.contains("<composing"));
    assert_eq!(ben.history(&[], "<max>10</max>").0.len(), 1);
}

/// RFC 6120 §8.1.2.1, XEP-0359 §4, DIR-12, DIR-13: a foreign sender, a forged id of the archive and
/// the sign-in name are seen by nobody.
#[test]
fn nobody_can_claim_to_be_somebody_else() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    ana.send(&format!(
        "<message to='{BEN}' type='chat' id='m1'><body>signed</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='{BEN}' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='{DOMAIN}' id='forged'/>\
         <delay xmlns='urn:xmpp:delay' from='{DOMAIN}' stamp='2001-01-01T00:00:00Z'/></message>"
    ));
    let heard = ben.hear("signed");
    assert!(!heard.contains("forged"), "{heard}");
    assert!(!heard.contains("2001-01-01"), "{heard}");
    assert_eq!(xml::attribute(&heard, "from"), Some("ana@bank.example/desk"));
    let id = xml::element(&heard, "stanza-id").unwrap();
    assert_eq!(xml::attribute(id, "by"), Some(BEN));
    let (results, _) = ben.history(&[], "<max>5</max>");
    let result = xml::element(&results[0], "result").unwrap();
    assert_eq!(xml::attribute(result, "id"), xml::attribute(id, "id"));
    assert!(!results[0].contains("forged"), "{}", results[0]);
    // All that Ben can learn of Ana, and her own address, name no login.
    let card = ben.ask("get", Some(ANA), "<vCard xmlns='vcard-temp'/>");
    let info = ben.ask("get", Some(ANA), "<query xmlns='http://jabber.org/protocol/disco#info'/>");
    for seen in [&heard, &card, &info, &results[0], &ana.jid] {
        assert!(!seen.contains("keller"), "{seen}");
    }
    // One's own full or bare address is fine as a sender, another is not (RFC 6120 §8.1.2.1).
    ana.send(&format!("<message from='{ANA}' to='{BEN}' type='chat'><body>own</body></message>"));
    assert_eq!(xml::attribute(&ben.hear("own"), "from"), Some("ana@bank.example/desk"));
    ana.send(&format!("<message from='{BEN}' to='{ANA}' type='chat'><body>x</body></message>"));
    let error = ana.wait(|it| it.starts_with("<stream:error"));
    assert!(error.contains("<invalid-from"), "{error}");
}

/// XEP-0030, 0012, 0049, 0054, 0092, 0199, 0202: what the server and an account answer.
#[test]
fn the_server_and_the_account_answer() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let server = ana.ask("get", Some(DOMAIN), info);
    for feature in ["urn:xmpp:ping", "urn:xmpp:carbons:2", "urn:xmpp:blocking", "urn:xmpp:time"] {
        assert!(server.contains(feature), "{feature}: {server}");
    }
    assert!(ana.ask("get", None, info).contains("urn:xmpp:mam:2"));
    let node = "<query xmlns='http://jabber.org/protocol/disco#info' node='none'/>";
    assert_eq!(condition(&ana.ask("get", Some(DOMAIN), node)).0, "cancel/item-not-found");
    let time = ana.ask("get", Some(DOMAIN), "<time xmlns='urn:xmpp:time'/>");
    assert!(xml::text(&time, "utc").unwrap().ends_with('Z'), "{time}");
    let version = ana.ask("get", Some(DOMAIN), "<query xmlns='jabber:iq:version'/>");
    assert_eq!(xml::text(&version, "name").as_deref(), Some("Chancery"));
    let last = ana.ask("get", Some(DOMAIN), "<query xmlns='jabber:iq:last'/>");
    assert!(xml::attribute(xml::element(&last, "query").unwrap(), "seconds").is_some(), "{last}");
    let unknown = ana.ask("get", Some(DOMAIN), "<query xmlns='urn:nobody:knows'/>");
    assert_eq!(condition(&unknown).0, "cancel/service-unavailable");
    // Private XML comes back as it was given, by its own name and namespace only.
    let note = "<note xmlns='urn:test:note' a='1'>x &lt; y<b/></note>";
    ana.ask("set", None, &format!("<query xmlns='jabber:iq:private'>{note}</query>"));
    let get =
        |name| format!("<query xmlns='jabber:iq:private'><{name} xmlns='urn:test:note'/></query>");
    assert!(ana.ask("get", None, &get("note")).contains("x &lt; y"));
    assert!(!ana.ask("get", None, &get("other")).contains("x &lt; y"));
    let foreign = ana.ask("get", Some(BEN), &get("note"));
    assert_eq!(condition(&foreign).0, "auth/forbidden");
    let card =
        "<vCard xmlns='vcard-temp'><FN>Ana Keller</FN><PHOTO><BINVAL>AAAA</BINVAL></PHOTO></vCard>";
    ana.ask("set", None, card);
    let mut ben = Client::present(&house, "ben", "desk");
    let seen = ben.ask("get", Some(ANA), "<vCard xmlns='vcard-temp'/>");
    assert_eq!(xml::text(&seen, "FN").as_deref(), Some("Ana Keller"));
    assert_eq!(condition(&ben.ask("set", Some(ANA), card)).0, "auth/forbidden");
    // Last activity is for those who may see the presence (RFC 6121 §4, XEP-0012 §4).
    let last = ben.ask("get", Some(ANA), "<query xmlns='jabber:iq:last'/>");
    let nobody = ben.ask("get", Some("nobody@bank.example"), "<query xmlns='jabber:iq:last'/>");
    assert_eq!(condition(&last).0, condition(&nobody).0);
}

/// RFC 6121 §8.5.3.2, PRS-03: a question reaches another's session if its owner is seen by the
/// asker; each answer reaches the asker once; an iq is always answered.
#[test]
fn questions_pass_between_sessions_of_contacts() {
    let house = House::start(&Plan::of(3));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    let version = "<query xmlns='jabber:iq:version'/>";
    let closed = ben.ask("get", Some("ana@bank.example/desk"), version);
    assert_eq!(condition(&closed).0, "cancel/service-unavailable");
    ben.send(&format!("<presence to='{ANA}' type='subscribe'/>"));
    ana.wait(|it| xml::attribute(it, "type") == Some("subscribe"));
    ana.send(&format!("<presence to='{BEN}' type='subscribed'/>"));
    ben.wait(|it| xml::attribute(it, "type") == Some("subscribed"));
    ben.send(&format!("<iq type='get' id='v1' to='ana@bank.example/desk'>{version}</iq>"));
    let asked = ana.wait(|it| xml::name(it) == "iq" && xml::attribute(it, "type") == Some("get"));
    assert_eq!(xml::attribute(&asked, "from"), Some("ben@bank.example/desk"), "{asked}");
    let answer = "<iq type='result' id='v1' to='ben@bank.example/desk'>\
                  <query xmlns='jabber:iq:version'><name>T</name></query></iq>";
    ana.send(answer);
    let got = ben.wait(|it| xml::attribute(it, "id") == Some("v1"));
    assert_eq!(xml::attribute(&got, "from"), Some("ana@bank.example/desk"), "{got}");
    // A second answer, or one to nothing, goes nowhere.
    ana.send(answer);
    ana.settle();
    assert!(ben.settle().iter().all(|it| xml::attribute(it, "id") != Some("v1")));
    // To the bare address the server answers for its owner, and to who is not there too.
    assert!(
        ben.ask("get", Some(ANA), "<query xmlns='http://jabber.org/protocol/disco#info'/>")
            .contains("account")
    );
    let gone = ben.ask("get", Some("ana@bank.example/gone"), version);
    assert_eq!(condition(&gone).0, "cancel/service-unavailable");
    let archive = ben.ask("set", Some(ANA), "<query xmlns='urn:xmpp:mam:2'/>");
    assert_eq!(condition(&archive).0, "auth/forbidden");
    let elsewhere = ben.ask("get", Some("x@elsewhere.example/y"), version);
    assert_eq!(condition(&elsewhere).0, "cancel/remote-server-not-found");
}

/// XEP-0313, XEP-0059, HST-01: paging forth and back, by person and by time, with counts and ends.
#[test]
fn the_history_is_read_in_both_directions() {
    let house = House::start(&Plan::of(3));
    let mut ana = Client::present(&house, "ana", "desk");
    for number in 1..=7 {
        ana.say(BEN, "m", &format!("b{number}"));
    }
    ana.say("cleo@bank.example", "m", "to cleo");
    let mut cleo = Client::present(&house, "cleo", "desk");
    cleo.hear("to cleo");
    let said = |results: &[String]| -> Vec<String> {
        results.iter().filter_map(|it| xml::text(it, "body")).collect()
    };
    let ids = |results: &[String]| -> Vec<String> {
        let id = |it: &String| xml::attribute(xml::element(it, "result")?, "id").map(str::to_owned);
        results.iter().filter_map(id).collect()
    };
    let with = [("with", BEN)];
    let (first, end) = ana.history(&with, "<max>3</max>");
    assert_eq!(said(&first), ["b1", "b2", "b3"]);
    assert_eq!(xml::text(&end, "count").as_deref(), Some("7"), "{end}");
    assert!(!end.contains("complete='true'"), "{end}");
    let after = xml::text(&end, "last").unwrap();
    assert_eq!(Some(&after), ids(&first).last());
    let (next, _) = ana.history(&with, &format!("<max>3</max><after>{after}</after>"));
    assert_eq!(said(&next), ["b4", "b5", "b6"]);
    let (last, end) = ana.history(&with, "<max>3</max><before/>");
    assert_eq!(said(&last), ["b5", "b6", "b7"]);
    let before = xml::text(&end, "first").unwrap();
    let (earlier, _) = ana.history(&with, &format!("<max>3</max><before>{before}</before>"));
    assert_eq!(said(&earlier), ["b2", "b3", "b4"]);
    let (all, end) = ana.history(&[], "<max>50</max>");
    assert_eq!(all.len(), 8);
    assert!(end.contains("complete='true'"), "{end}");
    assert_eq!(said(&ana.history(&[("start", "2999-01-01T00:00:00Z")], "").0), [""; 0]);
    assert_eq!(ana.history(&[("end", "2999-01-01T00:00:00Z")], "").0.len(), 8);
    let (_, wrong) = ana.history(&[], "<max>3</max><after>no-such-id</after>");
    assert_eq!(condition(&wrong).0, "cancel/item-not-found");
    let (_, wrong) = ana.history(&[("start", "yesterday")], "");
    assert!(condition(&wrong).0.starts_with("modify/"), "{wrong}");
    // Each sees their own side only.
    let mut ben = Client::silent(&house, "ben", "desk");
    assert_eq!(ben.history(&[], "").0.len(), 7);
}

/// DIR-25, SEC-01, SEC-04, SEC-06: all four mechanisms over both ways to TLS; a binding to another
/// channel or a claim that none was offered is refused.
#[test]
fn all_mechanisms_and_bindings_work_and_lies_do_not() {
    let house = House::start(&Plan::of(1));
    let (login, password) = (house.login("ana"), house.password("ana"));
    let kinds = [BindingKind::TlsExporter, BindingKind::TlsServerEndPoint];
    for way in [Way::StartTls, Way::Direct] {
        let plain = [Mechanism::ScramSha256, Mechanism::ScramSha1].map(|it| (it, None));
        let plus = [Mechanism::ScramSha256Plus, Mechanism::ScramSha1Plus];
        let plus = plus.iter().flat_map(|it| kinds.map(|kind| (*it, Some(kind))));
        for (mechanism, kind) in plain.into_iter().chain(plus) {
            let mut client = Client::dial(&house, way).unwrap();
            let features = client.open().unwrap();
            assert!(features.contains(mechanism.name()), "{features}");
            assert!(features.contains("tls-exporter"), "{features}");
            let binding = kind.map_or(ClientBinding::Unsupported, |kind| client.binding(kind));
            let done = client.sign_in(mechanism, login, &password, &binding).unwrap();
            assert_eq!(done, Ok(()), "{way:?} {mechanism:?} {kind:?}");
            client.open().unwrap();
            client.bind(None).unwrap();
            assert!(client.jid.starts_with("ana@bank.example/"), "{}", client.jid);
        }
    }
    let forged = ClientBinding::Used(BindingKind::TlsExporter, vec![7; 32]);
    for (mechanism, binding) in [
        (Mechanism::ScramSha256Plus, &forged),
        (Mechanism::ScramSha256, &ClientBinding::NotOffered),
    ] {
        let mut client = Client::dial(&house, Way::Direct).unwrap();
        client.open().unwrap();
        let done = client.sign_in(mechanism, login, &password, binding).unwrap();
        assert!(done.unwrap_err().contains("<not-authorized"), "{mechanism:?}");
    }
}

/// RFC 6120 §7.7.2, §4.9.3.3: the same resource again takes the place of the older session, which is
/// told; a session says goodbye and all before it is kept.
#[test]
fn a_resource_is_taken_over_and_streams_end_well() {
    let house = House::start(&Plan::of(2));
    let mut old = Client::present(&house, "ana", "desk");
    let mut new = Client::present(&house, "ana", "desk");
    if new.jid == "ana@bank.example/desk" {
        let error = old.wait(|it| it.starts_with("<stream:error"));
        assert!(error.contains("<conflict"), "{error}");
    }
    new.say(BEN, "m1", "last words");
    new.leave();
    let mut ben = Client::present(&house, "ben", "desk");
    ben.hear("last words");
    // Many clients of one person, and a resource with any letters.
    let reach = Reach::of(&house, "ana");
    let odd = reach.try_silent("Büro &amp; ☎").unwrap();
    assert_eq!(odd.jid, "ana@bank.example/Büro & ☎");
}
