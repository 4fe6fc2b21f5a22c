//! Unit tests of the nouns.

use crate::{Address, AddressFault, Conversation, MessageId, MessageIds, Resource, Timestamp};

fn check_address(input: &str, expect: Result<&str, AddressFault>) {
    let got = Address::parse(input);
    assert_eq!(got.as_ref().map(Address::as_str).map_err(|fault| *fault), expect, "{input:?}");
}

#[test]
fn addresses_are_prepared_once() {
    check_address("ana@bank.example", Ok("ana@bank.example"));
    check_address("Ana@Bank.Example.", Ok("ana@bank.example"));
    check_address("bank.example", Ok("bank.example"));
    check_address("Σ@bank.example", Ok("σ@bank.example"));
    check_address("ana@[::1]", Ok("ana@[::1]"));
    check_address("@bank.example", Err(AddressFault::Empty));
    check_address("ana@", Err(AddressFault::Empty));
    check_address("", Err(AddressFault::Empty));
    check_address("an a@bank.example", Err(AddressFault::Forbidden));
    check_address("a&b@bank.example", Err(AddressFault::Forbidden));
    check_address("ana@bank..example", Err(AddressFault::Empty));
    check_address("ana@-bank.example", Err(AddressFault::Forbidden));
    check_address("ana@bank/example", Err(AddressFault::Forbidden));
    check_address("ana@b@c", Err(AddressFault::Forbidden));
    check_address("ana@[nonsense]", Err(AddressFault::Forbidden));
    check_address(&format!("{}@bank.example", "a".repeat(1_024)), Err(AddressFault::TooLong));
}

#[test]
fn parts_of_an_address() {
    let ana = Address::parse("ana@bank.example").unwrap();
    assert_eq!((ana.local(), ana.domain()), (Some("ana"), "bank.example"));
    assert_eq!(ana.to_domain(), Address::parse("bank.example").unwrap());
    assert_eq!(ana.to_domain().local(), None);
}

#[test]
fn resources_keep_their_case() {
    assert_eq!(Resource::parse("Phone of Ana").unwrap().as_str(), "Phone of Ana");
    assert_eq!(Resource::parse("Büro & 🦆").unwrap().as_str(), "Büro & 🦆");
    assert_eq!(Resource::parse("🦆🛸e\u{301}\u{A0}🪿").unwrap().as_str(), "🦆🛸é 🪿");
    // A Greek dot becomes a middle dot, which may stand between two l only.
    assert_eq!(Resource::parse("~\u{387}"), Err(AddressFault::Forbidden));
    assert_eq!(Resource::parse("🦆\u{0}"), Err(AddressFault::Forbidden));
    assert_eq!(Resource::parse(""), Err(AddressFault::Empty));
    assert_eq!(Resource::parse("a\u{0}b"), Err(AddressFault::Forbidden));
}

#[test]
fn ids_grow_also_when_the_clock_goes_back() {
    let mut ids = MessageIds::after(None);
    let mut last = ids.next(Timestamp::from_secs(1_000), 7);
    for second in [1_001, 900, 1, 2_000, -5] {
        let next = ids.next(Timestamp::from_secs(second), 0xffff_ffff);
        assert!(next > last);
        last = next;
    }
    assert_eq!(last.to_string().parse(), Ok(last));
    assert_eq!(MessageId::from_i64(last.to_i64()), Some(last));
    assert_eq!("zz".parse::<MessageId>(), Err(()));
    assert_eq!("ffffffffffffffff".parse::<MessageId>(), Err(()));
}

#[test]
fn a_conversation_is_the_same_from_both_ends() {
    let (ana, ben) = (Address::parse("ana@b.example"), Address::parse("ben@b.example"));
    let (ana, ben) = (ana.unwrap(), ben.unwrap());
    assert_eq!(Conversation::direct(&ana, &ben), Conversation::direct(&ben, &ana));
}

#[test]
fn times_are_rfc_3339() {
    let text = "2026-11-21T09:12:03.000000Z";
    let time = Timestamp::parse_rfc3339(text).unwrap();
    assert_eq!(time.to_string(), text);
    assert_eq!(Timestamp::parse_rfc3339("2026-11-21T10:12:03+01:00"), Some(time));
    assert_eq!(Timestamp::parse_rfc3339("1969-07-21T02:56:15Z").unwrap().as_secs(), -14_159_025);
    assert_eq!(Timestamp::from_secs(951_782_400).to_string(), "2000-02-29T00:00:00.000000Z");
    for bad in ["", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T09:12:03", "x"] {
        assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad:?}");
    }
}
