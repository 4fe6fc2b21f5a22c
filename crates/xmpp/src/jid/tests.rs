//! Addresses as they stand in stanzas (RFC 7622 §3).

use model::AddressFault;
use proptest::prelude::*;

use super::Jid;

#[test]
fn an_address_is_cut_at_the_first_slash_and_the_first_at_before_it() {
    for (text, local, domain, resource) in [
        ("ann@bank.example/desk", Some("ann"), "bank.example", Some("desk")),
        ("ann@bank.example", Some("ann"), "bank.example", None),
        ("bank.example", None, "bank.example", None),
        ("bank.example/a@b", None, "bank.example", Some("a@b")),
        ("a@bank.example/b/c@d", Some("a"), "bank.example", Some("b/c@d")),
        ("Ann@Bank.Example./Desk", Some("ann"), "bank.example", Some("Desk")),
        ("[::1]/x", None, "[::1]", Some("x")),
    ] {
        let jid = Jid::parse(text).unwrap();
        assert_eq!(jid.address.local(), local, "{text}");
        assert_eq!(jid.address.domain(), domain, "{text}");
        assert_eq!(jid.resource.as_ref().map(model::Resource::as_str), resource, "{text}");
        assert_eq!(jid.is_bare(), resource.is_none());
        assert_eq!(jid.to_bare().to_string(), jid.address.to_string());
        assert_eq!(Jid::parse(&jid.to_string()), Ok(jid));
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for (text, fault) in [
        ("", AddressFault::Empty),
        ("@bank.example", AddressFault::Empty),
        ("ann@", AddressFault::Empty),
        ("ann@bank.example/", AddressFault::Empty),
        ("/desk", AddressFault::Empty),
        ("ann@b@bank.example", AddressFault::Forbidden),
        ("a\"b@bank.example", AddressFault::Forbidden),
        ("ann@bank.example/\u{0}", AddressFault::Forbidden),
        ("an n@bank.example", AddressFault::Forbidden),
    ] {
        assert_eq!(Jid::parse(text), Err(fault), "{text}");
    }
    let long = "x".repeat(1_024);
    assert_eq!(Jid::parse(&format!("{long}@b.example")), Err(AddressFault::TooLong));
    assert_eq!(Jid::parse(&format!("b.example/{long}")), Err(AddressFault::TooLong));
}

proptest! {
    #[test]
    fn what_is_printed_is_read(text in "\\PC{0,12}@?[a-z\u{e4}.]{0,8}/?\\PC{0,8}") {
        if let Ok(jid) = Jid::parse(&text) {
            prop_assert_eq!(Jid::parse(&jid.to_string()), Ok(jid));
        }
    }
}
