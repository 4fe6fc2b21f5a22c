//! What a guesser meets, and what they cannot do about it.

use std::net::{IpAddr, Ipv4Addr};

use model::Timestamp;
use proptest::prelude::*;

use super::{LOGIN_ALLOWANCE, SOURCE_ALLOWANCE, Throttle, Verdict};
use crate::{fault::SaslFault, login::Login};

const START: Timestamp = Timestamp::from_secs(1_795_000_000);

fn login(name: &str) -> Login {
    Login::parse(name).unwrap()
}

fn source(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
}

fn wait_secs(verdict: Verdict, now: Timestamp) -> i64 {
    match verdict {
        Verdict::Go => 0,
        Verdict::Wait { until } => until.micros_since(now) / 1_000_000,
    }
}

/// DIR-26: five free failures, growing delays, then a quarter of an hour.
#[test]
fn delays_grow_up_to_the_lock() {
    let mut throttle = Throttle::new();
    let ann = login("ann");
    let mut now = START;
    let mut delays = Vec::new();
    for number in 0..22 {
        // Always another source, so that only the login's count speaks.
        assert_eq!(throttle.check(&ann, source(number), now), Verdict::Go);
        throttle.failed(&ann, source(number), now);
        let delay = wait_secs(throttle.check(&ann, source(999), now), now);
        delays.push(delay);
        now = now.plus_secs(delay);
    }
    let expected =
        [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 900, 900, 900];
    assert_eq!(delays, expected);
}

/// DIR-26: a try that must wait is not run at all, and not counted either.
#[test]
fn a_waiting_try_is_not_run() {
    let mut throttle = Throttle::new();
    let ann = login("ann");
    for _ in 0..6 {
        let outcome: Result<(), _> =
            throttle.guard(&ann, source(1), START, || Err(SaslFault::NotAuthorized));
        assert_eq!(outcome, Err(SaslFault::NotAuthorized));
    }
    for _ in 0..100 {
        let mut ran = false;
        let outcome = throttle.guard(&ann, source(2), START, || {
            ran = true;
            Ok(())
        });
        assert_eq!((outcome, ran), (Err(SaslFault::TemporaryAuthFailure), false));
    }
    assert_eq!(throttle.guard(&ann, source(2), START.plus_secs(1), || Ok(7)), Ok(7));
}

/// Faults that are no guesses cost nothing.
#[test]
fn only_wrong_proofs_count() {
    let mut throttle = Throttle::new();
    let ann = login("ann");
    for _ in 0..100 {
        for fault in [SaslFault::MalformedRequest, SaslFault::Aborted, SaslFault::InvalidAuthzid] {
            let outcome: Result<(), _> = throttle.guard(&ann, source(1), START, || Err(fault));
            assert_eq!(outcome, Err(fault));
        }
    }
    assert_eq!(throttle.check(&ann, source(1), START), Verdict::Go);
}

/// DIR-26: a right password changes no answer, so the answers cannot tell who signs in.
#[test]
fn a_right_password_clears_nothing() {
    let (mut known, mut unknown) = (Throttle::new(), Throttle::new());
    let ann = login("ann");
    let mut now = START;
    for number in 0..30 {
        let _ = known.guard(&ann, source(5_000), now, || Ok(()));
        known.failed(&ann, source(number), now);
        unknown.failed(&ann, source(number), now);
        let verdict = known.check(&ann, source(number), now);
        assert_eq!(verdict, unknown.check(&ann, source(number), now));
        now = now.plus_secs(wait_secs(verdict, now));
    }
}

/// Two spellings of a login are one count.
#[test]
fn spellings_share_their_count() {
    let mut throttle = Throttle::new();
    for name in ["ann", "Ann", "ANN", "aNn", "anN", "ANn"] {
        throttle.failed(&login(name), source(1), START);
    }
    assert_ne!(throttle.check(&login("ann"), source(2), START), Verdict::Go);
}

/// One source that tries one password with many logins is stopped too.
#[test]
fn a_source_is_counted_over_all_logins() {
    let mut throttle = Throttle::new();
    let mut tries = 0;
    while throttle.check(&login(&format!("u{tries}")), source(1), START) == Verdict::Go {
        throttle.failed(&login(&format!("u{tries}")), source(1), START);
        tries += 1;
    }
    assert_eq!(tries, SOURCE_ALLOWANCE.free + 1);
    // Others are not touched by it.
    assert_eq!(throttle.check(&login("u999"), source(2), START), Verdict::Go);
}

/// A subscriber's whole IPv6 network is one source, and an IPv4 address is one however written.
#[test]
fn sources_cannot_be_multiplied() {
    let pairs = [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ];
    for (first, second, same) in pairs {
        let (first, second): (IpAddr, IpAddr) = (first.parse().unwrap(), second.parse().unwrap());
        assert_eq!(super::source_key(first) == super::source_key(second), same, "{first} {second}");
    }
}

/// A failure is forgiven after its time, and everything after a night.
#[test]
fn time_forgives() {
    let mut throttle = Throttle::new();
    let ann = login("ann");
    for number in 0..LOGIN_ALLOWANCE.lock {
        throttle.failed(&ann, source(number), START);
    }
    assert_eq!(wait_secs(throttle.check(&ann, source(99), START), START), 900);
    let after = START.plus_secs(900);
    assert_eq!(throttle.check(&ann, source(99), after), Verdict::Go);
    // The quarter of an hour forgave one; the next failure is the twentieth again.
    throttle.failed(&ann, source(99), after);
    assert_eq!(wait_secs(throttle.check(&ann, source(98), after), after), 900);
    let night = after.plus_secs(20 * LOGIN_ALLOWANCE.forgive_secs);
    for number in 0..LOGIN_ALLOWANCE.free {
        throttle.failed(&ann, source(number), night);
        assert_eq!(throttle.check(&ann, source(98), night), Verdict::Go);
    }
}

/// The memory is bounded, and flooding it with new names does not free a locked login.
#[test]
fn flooding_does_not_clear_a_victim() {
    let mut throttle = Throttle::with_capacity(64, 64);
    let victim = login("victim");
    for number in 0..20 {
        throttle.failed(&victim, source(number), START);
    }
    for number in 0..10_000 {
        throttle.failed(&login(&format!("flood{number}")), source(100 + number), START);
        assert!(throttle.logins.entries.len() <= 64 && throttle.sources.entries.len() <= 64);
        assert_eq!(throttle.logins.entries.len(), throttle.logins.by_clear.len());
    }
    assert_eq!(wait_secs(throttle.check(&victim, source(50_000), START), START), 900);
}

/// A clock that runs to its ends panics nothing, and once it is right again nobody stays locked.
#[test]
fn a_strange_clock_is_survived() {
    let mut throttle = Throttle::new();
    let ann = login("ann");
    for micros in [i64::MIN, 0, -1, i64::MAX, START.plus_secs(31_000_000).as_micros()] {
        let now = Timestamp::from_micros(micros);
        for _ in 0..30 {
            throttle.failed(&ann, source(1), now);
            let _ = throttle.check(&ann, source(1), now);
        }
    }
    assert_eq!(throttle.check(&ann, source(1), START), Verdict::Go);
    throttle.failed(&ann, source(1), START);
    assert_eq!(wait_secs(throttle.check(&ann, source(1), START), START), 900);
}

proptest! {
    /// DIR-26: whatever the times and sources, tries at one login within a day stay few.
    #[test]
    fn tries_in_a_day_are_few(steps in proptest::collection::vec((0_i64..2_000, 0_u32..400), 1..600)) {
        let mut throttle = Throttle::new();
        let ann = login("ann");
        let (mut now, mut tries) = (START, 0_i64);
        for (secs, from) in steps {
            now = now.plus_secs(secs);
            if now.micros_since(START) > 86_400_000_000 {
                break;
            }
            if throttle.check(&ann, source(from), now) == Verdict::Go {
                throttle.failed(&ann, source(from), now);
                tries += 1;
            }
        }
        prop_assert!(tries <= 20 + 86_400 / 900 + 1, "{tries}");
    }

    /// The two indexes of the counts never part.
    #[test]
    fn indexes_agree(steps in proptest::collection::vec((0_i64..5_000, 0_u32..20), 1..200)) {
        let mut throttle = Throttle::with_capacity(8, 8);
        let mut now = START;
        for (secs, who) in steps {
            now = now.plus_secs(secs);
            throttle.failed(&login(&format!("u{who}")), source(who), now);
            for counts in [&throttle.logins, &throttle.sources] {
                prop_assert!(counts.entries.len() <= 8);
                prop_assert_eq!(counts.entries.len(), counts.by_clear.len());
                for (key, count) in &counts.entries {
                    prop_assert!(counts.by_clear.contains(&(count.clear_at, *key)));
                }
            }
        }
    }
}
