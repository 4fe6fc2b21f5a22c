//! Windows of time, also on the days on which the clocks change (POL-16).

use super::{at, bank_saying, say, who};
use crate::{Guard, Hours, HoursFault, Setting};

fn hours(text: &str) -> Hours {
    Hours::parse(text).expect("hours")
}

/// POL-16: 07:29 refused, 07:30 allowed, 17:00 refused; on an ordinary day and on both days of the
/// year on which the clocks change, which in Europe are Sundays.
#[test]
fn the_morning_shift() {
    let book = bank_saying(vec![
        say("domain", Setting::ACCESS_HOURS, "", "free through"),
        say("group:morning", Setting::ACCESS_HOURS, "Mon-Sun 07:30-17:00 Europe/Berlin", ""),
    ]);
    for (day, offset) in
        [("2026-11-23", "+01:00"), ("2026-03-29", "+02:00"), ("2026-10-25", "+01:00")]
    {
        let profile = |time: &str| book.profile(&who("ann"), at(&format!("{day}T{time}{offset}")));
        assert!(!profile("07:29:59").open, "{day}");
        assert_eq!(profile("07:29:59").valid_until, Some(at(&format!("{day}T07:30:00{offset}"))));
        assert!(profile("07:30:00").open, "{day}");
        assert_eq!(profile("07:30:00").valid_until, Some(at(&format!("{day}T17:00:00{offset}"))));
        assert!(profile("16:59:59").open, "{day}");
        assert!(!profile("17:00:00").open, "{day}");
    }
}

/// A window that begins in the hour that is left out, and one in the hour that comes twice.
#[test]
fn windows_in_the_hour_of_the_change() {
    let spring = hours("02:15-02:45 Europe/Berlin");
    let before = at("2026-03-29T01:00:00+01:00");
    assert!(!spring.contains(at("2026-03-29T03:20:00+02:00")));
    assert_eq!(spring.boundary(before), Some(at("2026-03-30T02:15:00+02:00")));

    let across = hours("01:30-02:30 Europe/Berlin");
    assert!(across.contains(at("2026-03-29T01:59:00+01:00")));
    assert_eq!(
        across.boundary(at("2026-03-29T01:45:00+01:00")),
        Some(at("2026-03-29T03:00:00+02:00"))
    );

    let autumn = hours("02:15-02:45 Europe/Berlin");
    let mut seen = at("2026-10-25T02:00:00+02:00");
    let mut edges = Vec::new();
    for _ in 0..4 {
        seen = autumn.boundary(seen).expect("a boundary");
        edges.push(seen);
    }
    let expect = [
        "2026-10-25T02:15:00+02:00",
        "2026-10-25T02:45:00+02:00",
        "2026-10-25T02:15:00+01:00",
        "2026-10-25T02:45:00+01:00",
    ];
    assert_eq!(edges, expect.map(at));
}

/// POL-16: weekdays, zones and holidays.
#[test]
fn weekdays_and_holidays() {
    let shift = hours("Mon-Fri 07:30-17:00 Europe/Berlin except 2026-12-25, 2027-01-01");
    assert!(shift.contains(at("2026-12-24T12:00:00+01:00")));
    assert!(!shift.contains(at("2026-12-25T12:00:00+01:00")));
    let next = shift.boundary(at("2026-12-24T17:00:00+01:00"));
    assert_eq!(next, Some(at("2026-12-28T07:30:00+01:00")));
    // The same instant is a Monday in Tokyo and a Sunday in New York.
    let instant = at("2026-11-22T22:00:00Z");
    assert!(hours("Mon 00:00-24:00 Asia/Tokyo").contains(instant));
    assert!(!hours("Mon 00:00-24:00 America/New_York").contains(instant));
}

/// A night shift belongs to the day on which it begins and goes on over the end of the week.
#[test]
fn windows_over_midnight() {
    let night = hours("Sun 22:00-06:00 UTC");
    assert!(night.contains(at("2026-11-22T23:00:00Z")));
    assert!(night.contains(at("2026-11-23T05:59:59Z")));
    assert!(!night.contains(at("2026-11-23T06:00:00Z")));
    assert_eq!(night.boundary(at("2026-11-22T23:00:00Z")), Some(at("2026-11-23T06:00:00Z")));
    assert_eq!(night.to_string(), "Sun 22:00-06:00 UTC");
}

#[test]
fn always_and_never() {
    assert!(Hours::always().contains(at("2026-11-22T23:00:00Z")));
    assert_eq!(Hours::always().boundary(at("2026-11-22T23:00:00Z")), None);
    assert!(!Hours::never().contains(at("2026-11-22T23:00:00Z")));
    assert_eq!(Hours::never().boundary(at("2026-11-22T23:00:00Z")), None);
    assert_eq!(hours("00:00-24:00 UTC"), Hours::always());
    assert_eq!(hours("Mon 08:00-09:00 UTC and Tue 08:00-09:00 UTC"), Hours::never());
    let far = model::Timestamp::from_micros(i64::MAX);
    assert_eq!(hours("Mon 08:00-09:00 UTC").boundary(far), None);
}

/// Texts are read, printed in one normal form and read again to the same.
#[test]
fn texts_of_hours() {
    for (text, normal) in [
        ("always", "always"),
        ("never", "never"),
        ("mon-fri 07:30-17:00 Europe/Berlin", "Mon-Fri 07:30-17:00 Europe/Berlin"),
        ("07:30-17:00 UTC", "Mon-Sun 07:30-17:00 UTC"),
        ("Mon,Wed,Fri 08:00-09:00 UTC", "Mon,Wed,Fri 08:00-09:00 UTC"),
        (
            "Mon-Fri 07:30-12:00,13:00-17:00 Europe/Berlin",
            "Mon-Fri 07:30-12:00; Mon-Fri 13:00-17:00 Europe/Berlin",
        ),
        (
            "Mon-Fri 07:30-17:00 Europe/Berlin; Sat 09:00-12:00 Europe/Berlin except 2026-12-25",
            "Mon-Fri 07:30-17:00; Sat 09:00-12:00 Europe/Berlin except 2026-12-25",
        ),
        ("Mon-Fri 22:00-06:00 UTC", "Mon-Fri 22:00-06:00 UTC"),
        ("00:00-24:00 UTC except 2026-12-25", "Mon-Sun 00:00-24:00 UTC except 2026-12-25"),
        // A Friday that was closed anyway.
        ("Mon 08:00-09:00 UTC except 2026-12-25", "Mon 08:00-09:00 UTC"),
        (
            "Mon 08:00-12:00 UTC and Mon 08:00-12:00 Asia/Tokyo",
            "Mon 08:00-12:00 Asia/Tokyo and Mon 08:00-12:00 UTC",
        ),
    ] {
        assert_eq!(hours(text).to_string(), normal);
        assert_eq!(hours(normal), hours(text));
    }
    let fault = |text| Hours::parse(text).expect_err(text);
    assert_eq!(fault("07:30-17:00"), HoursFault::ZoneMissing);
    assert_eq!(fault(""), HoursFault::Window(String::new()));
    assert_eq!(fault("08:00-08:00 UTC"), HoursFault::Window("08:00-08:00 UTC".to_owned()));
    assert_eq!(fault("Mon 25:00-26:00 UTC"), HoursFault::Window("Mon 25:00-26:00 UTC".to_owned()));
    assert_eq!(fault("Mon 7:30-17:00 UTC"), HoursFault::Window("Mon 7:30-17:00 UTC".to_owned()));
    assert_eq!(fault("Mun 07:30-17:00 UTC"), HoursFault::Days("Mun".to_owned()));
    assert_eq!(fault("07:30-17:00 Mars/Base"), HoursFault::ZoneUnknown("Mars/Base".to_owned()));
    assert_eq!(fault("07:30-17:00 UTC except soon"), HoursFault::Date("soon".to_owned()));
    assert_eq!(fault("01:00-02:00 UTC; 03:00-04:00 Asia/Tokyo"), HoursFault::ZonesDiffer);
    let many = vec!["08:00-08:01"; 65].join(",") + " UTC";
    assert_eq!(fault(&many), HoursFault::TooMany);
    assert_eq!(
        Guard::parse("Mon 08:00-09:00 UTC").map(|it| it.to_string()),
        Ok("Mon 08:00-09:00 UTC".to_owned())
    );
}

/// ⊑ on hours: fewer instants are stricter; other zones are not compared.
#[test]
fn hours_within_hours() {
    let within = |one: &str, two: &str| hours(one).within(&hours(two));
    assert!(within("Mon 08:00-09:00 UTC", "Mon-Fri 07:00-17:00 UTC"));
    assert!(!within("Mon-Fri 07:00-17:00 UTC", "Mon 08:00-09:00 UTC"));
    assert!(within("never", "Mon 08:00-09:00 UTC") && within("Mon 08:00-09:00 UTC", "always"));
    assert!(!within("Mon 08:00-09:00 UTC", "Mon 08:00-09:00 Asia/Tokyo"));
    assert!(!within("Fri 08:00-09:00 UTC", "Fri 08:00-09:00 UTC except 2026-12-25"));
    assert!(within("Mon 08:00-09:00 UTC", "Mon-Fri 08:00-09:00 UTC except 2026-12-25"));
}
