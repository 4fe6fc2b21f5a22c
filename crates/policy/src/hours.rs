//! Hours: sets of instants written as weekly windows in a time zone, with holidays left out. Knows
//! calendars and zones, no clock and no setting; the zones are those built into the program.

use std::{cmp::Ordering, collections::BTreeSet, fmt};

use jiff::{
    Timestamp as Instant, ToSpan,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use model::Timestamp;

/// Windows in one text.
pub const WINDOWS_MAX: usize = 64;

/// Dates left out in one text.
pub const EXCEPTIONS_MAX: usize = 512;

/// Minutes of a day and of a week.
const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// How many days ahead a change is looked for. A set of instants that does not change for so long
/// is asked again then.
const DAYS_AHEAD: i64 = 400;

/// How many boundaries of single zones are tried for one boundary of their intersection.
const STEPS_MAX: usize = 64;

const DAY_NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A set of instants: all of `schedules` must hold. No schedule means always.
///
/// Text: `always`, `never`, or windows, as in `Mon-Fri 07:30-12:00; Mon-Thu 13:00-17:00
/// Europe/Berlin except 2026-12-25`. A window begins at its first minute and ends before its last;
/// one that ends before it begins goes on into the next day. Texts joined by ` and ` must all
/// hold. The text that is printed is the one normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hours {
    /// One for each zone, sorted by the zone's name.
    schedules: Vec<Schedule>,
}

/// When a statement or a rule counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Guard(pub Hours);

/// Weekly windows in one zone.
#[derive(Clone)]
struct Schedule {
    zone_name: Box<str>,
    zone: TimeZone,
    /// Minutes of the week from Monday 00:00, local time: sorted, apart, each `[from, to)`.
    week: Vec<(u16, u16)>,
    /// Local dates on which nothing is open. Only such whose weekday has a window.
    except: BTreeSet<Date>,
}

/// Why a text is not a set of hours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HoursFault {
    /// No time zone, as in `07:30-17:00`.
    ZoneMissing,
    /// Two time zones in one list of windows.
    ZonesDiffer,
    /// A time zone that nobody knows.
    ZoneUnknown(String),
    /// Not `HH:MM-HH:MM`, or an empty window.
    Window(String),
    /// Not a weekday or a span of weekdays.
    Days(String),
    /// Not a date `YYYY-MM-DD`.
    Date(String),
    /// More than [`WINDOWS_MAX`] windows or [`EXCEPTIONS_MAX`] dates.
    TooMany,
}

impl Hours {
    /// Every instant.
    #[must_use]
    pub fn always() -> Self {
        Self { schedules: Vec::new() }
    }

    /// No instant.
    #[must_use]
    pub fn never() -> Self {
        let (zone_name, zone) = ("UTC".into(), TimeZone::UTC);
        let nothing = Schedule { zone_name, zone, week: Vec::new(), except: BTreeSet::new() };
        Self { schedules: vec![nothing] }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, HoursFault> {
        let mut all = Self::always();
        for part in text.trim().split(" and ") {
            let part = match part.trim() {
                "always" => Self::always(),
                "never" => Self::never(),
                windows => Self { schedules: vec![Schedule::parse(windows)?] },
            };
            all = all.meet(&part);
        }
        Ok(all)
    }

    /// Whether `at` lies in the hours.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        let at = instant(at);
        self.schedules.iter().all(|schedule| schedule.contains(at))
    }

    /// The first instant after `at` at which [`Hours::contains`] may answer otherwise than at
    /// `at`; until then it does not. `None` when it never does.
    #[must_use]
    pub fn boundary(&self, at: Timestamp) -> Option<Timestamp> {
        let now = self.contains(at);
        let mut seen = at;
        for _ in 0..STEPS_MAX {
            let from = instant(seen);
            let next = self.schedules.iter().filter_map(|one| one.boundary(from)).min()?;
            seen = Timestamp::from_micros(next.as_microsecond());
            if self.contains(seen) != now {
                break;
            }
        }
        Some(seen)
    }

    /// Whether every instant of `self` surely lies in `other`. Hours of different zones are not
    /// compared.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        let covered = |outer: &Schedule| self.schedules.iter().any(|inner| inner.is_within(outer));
        self.is_never() || other.schedules.iter().all(covered)
    }

    /// The instants that lie in both.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let mut schedules = self.schedules.clone();
        for schedule in &other.schedules {
            match schedules.iter_mut().find(|known| known.zone_name == schedule.zone_name) {
                Some(known) => known.narrow(schedule),
                None => schedules.push(schedule.clone()),
            }
        }
        for schedule in &mut schedules {
            schedule.drop_idle_exceptions();
        }
        if schedules.iter().any(|schedule| schedule.week.is_empty()) {
            return Self::never();
        }
        schedules.retain(|schedule| !schedule.is_always());
        schedules.sort_by(|one, two| one.zone_name.cmp(&two.zone_name));
        Self { schedules }
    }

    /// Whether no instant lies in the hours.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.schedules.iter().any(|schedule| schedule.week.is_empty())
    }

    /// Whether every instant lies in the hours.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.schedules.is_empty()
    }
}

impl Guard {
    /// Reads the text form of [`Hours`].
    pub fn parse(text: &str) -> Result<Self, HoursFault> {
        Hours::parse(text).map(Self)
    }
}

impl Schedule {
    fn parse(text: &str) -> Result<Self, HoursFault> {
        let (windows, exceptions) = text.split_once(" except ").unwrap_or((text, ""));
        let mut minutes = Vec::new();
        let mut zone: Option<&str> = None;
        for window in windows.split(';') {
            let named = parse_window(window, &mut minutes)?;
            match (zone, named) {
                (Some(known), Some(named)) if known != named => {
                    return Err(HoursFault::ZonesDiffer);
                }
                (_, named) => zone = zone.or(named),
            }
        }
        let zone = zone.ok_or(HoursFault::ZoneMissing)?;
        let zone = TimeZoneDatabase::bundled()
            .get(zone)
            .map_err(|_| HoursFault::ZoneUnknown(zone.to_owned()))?;
        let date = |text: &str| text.parse().map_err(|_| HoursFault::Date(text.to_owned()));
        let dates = exceptions.split([',', ' ']).filter(|text| !text.is_empty());
        let except = dates.map(date).collect::<Result<BTreeSet<Date>, _>>()?;
        if except.len() > EXCEPTIONS_MAX || minutes.len() > WINDOWS_MAX * DAY_NAMES.len() {
            return Err(HoursFault::TooMany);
        }
        let zone_name = zone.iana_name().unwrap_or("UTC").into();
        Ok(Self { zone_name, zone, week: merge(minutes), except })
    }

    fn contains(&self, at: Instant) -> bool {
        let local = self.zone.to_datetime(at);
        let minute = minute_of_week(local.date(), local.time());
        self.week.iter().any(|&(from, to)| (from..to).contains(&minute))
            && !self.except.contains(&local.date())
    }

    /// The first instant after `at` at which `contains` changes: walks from one local day to the
    /// next and looks at every edge of a window, at midnight and where the clocks change. Between
    /// those the local time runs on evenly and crosses no edge.
    fn boundary(&self, at: Instant) -> Option<Instant> {
        if self.is_always() || self.week.is_empty() {
            return None;
        }
        let now = self.contains(at);
        let today = self.zone.to_datetime(at).date();
        let mut changes = self.zone.following(at).map(|change| change.timestamp()).peekable();
        let mut last = None;
        for ahead in 0..DAYS_AHEAD {
            let day = today.checked_add(ahead.days()).ok()?;
            let mut edges = self.edges_of(day);
            while let Some(change) =
                changes.next_if(|&change| self.zone.to_datetime(change).date() <= day)
            {
                edges.push(change);
            }
            edges.sort_unstable();
            let changed = |edge: &&Instant| **edge > at && self.contains(**edge) != now;
            if let Some(edge) = edges.iter().find(changed) {
                return Some(*edge);
            }
            last = edges.last().copied().or(last);
        }
        last
    }

    /// The instants of one local day at which a window may begin or end. A time that the clocks
    /// pass twice is two instants.
    fn edges_of(&self, day: Date) -> Vec<Instant> {
        let first = minute_of_week(day, Time::midnight());
        let inside = |minute: &u16| (first..first + DAY).contains(minute);
        let minutes = self.week.iter().flat_map(|&(from, to)| [from, to]).filter(inside);
        let mut edges = Vec::new();
        for minute in std::iter::once(first).chain(minutes) {
            let of_day = i64::from(minute - first);
            let Ok(local) = day.at(0, 0, 0, 0).checked_add(of_day.minutes()) else { continue };
            let offsets = match self.zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => [offset, offset],
                AmbiguousOffset::Gap { before, after }
                | AmbiguousOffset::Fold { before, after } => [before, after],
            };
            edges.extend(offsets.iter().filter_map(|offset| offset.to_timestamp(local).ok()));
        }
        edges
    }

    /// Keeps what `other`, of the same zone, holds as well.
    fn narrow(&mut self, other: &Self) {
        let both = |&(from, to): &(u16, u16)| {
            let clip = move |&(start, end): &(u16, u16)| (from.max(start), to.min(end));
            other.week.iter().map(clip).filter(|(from, to)| from < to).collect::<Vec<_>>()
        };
        self.week = merge(self.week.iter().flat_map(both).collect());
        self.except.extend(&other.except);
    }

    /// A date on whose weekday nothing is open anyway says nothing; without it equal sets have
    /// equal texts.
    fn drop_idle_exceptions(&mut self) {
        let week = std::mem::take(&mut self.week);
        self.except.retain(|date| {
            let first = minute_of_week(*date, Time::midnight());
            week.iter().any(|&(from, to)| from < first + DAY && to > first)
        });
        self.week = week;
    }

    fn is_always(&self) -> bool {
        self.except.is_empty() && matches!(self.week.as_slice(), [(0, WEEK)])
    }

    fn is_within(&self, other: &Self) -> bool {
        let covered = |&(from, to): &(u16, u16)| {
            other.week.iter().any(|&(start, end)| start <= from && to <= end)
        };
        let mut left = self.clone();
        left.except.clone_from(&other.except);
        left.drop_idle_exceptions();
        self.zone_name == other.zone_name
            && self.week.iter().all(covered)
            && left.except.is_subset(&self.except)
    }

    /// Windows as a person would write them: the days on which they begin, and from when to when.
    fn windows(&self) -> Vec<(Vec<usize>, u16, u16)> {
        let mut pieces: Vec<(u16, u16)> = Vec::new();
        for &(from, to) in &joined_over_sunday(&self.week) {
            let (mut from, to) = (from, to);
            let one_day = to - from < DAY;
            while !one_day && from < to {
                let midnight = (from / DAY + 1) * DAY;
                pieces.push((from, midnight.min(to)));
                from = midnight;
            }
            if one_day {
                pieces.push((from, to));
            }
        }
        pieces.sort_unstable();
        let mut windows: Vec<(Vec<usize>, u16, u16)> = Vec::new();
        for (from, to) in pieces {
            let day = usize::from(from / DAY % 7);
            let (from, to) = (from % DAY, if to % DAY == 0 { DAY } else { to % DAY });
            match windows.iter_mut().find(|known| (known.1, known.2) == (from, to)) {
                Some(known) => known.0.push(day),
                None => windows.push((vec![day], from, to)),
            }
        }
        windows.iter_mut().for_each(|window| window.0.sort_unstable());
        windows
    }
}

/// Reads `Mon-Fri 07:30-12:00,13:00-17:00 Europe/Berlin`; days and zone may be missing. Adds the
/// minutes and returns the zone.
fn parse_window<'a>(
    text: &'a str,
    minutes: &mut Vec<(u16, u16)>,
) -> Result<Option<&'a str>, HoursFault> {
    let fault = || HoursFault::Window(text.trim().to_owned());
    let mut words = text.split_whitespace().peekable();
    let starts_with_letter = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let days = match words.next_if(starts_with_letter) {
        Some(days) => parse_days(days)?,
        None => (0..DAY_NAMES.len()).collect(),
    };
    let times = words.next().ok_or_else(fault)?;
    let zone = words.next();
    if words.next().is_some() {
        return Err(fault());
    }
    for span in times.split(',') {
        let (from, to) = span.split_once('-').ok_or_else(fault)?;
        let from = parse_minute(from).filter(|from| *from < DAY).ok_or_else(fault)?;
        let to = parse_minute(to).filter(|to| *to != from && *to != 0).ok_or_else(fault)?;
        for &day in &days {
            let midnight = u16::try_from(day).unwrap_or(0) * DAY;
            let to = if to < from { to + DAY } else { to };
            minutes.push((midnight + from, (midnight + to).min(WEEK)));
            if midnight + to > WEEK {
                minutes.push((0, midnight + to - WEEK));
            }
        }
    }
    Ok(zone)
}

/// Reads `Mon`, `Mon-Fri`, `Sat-Mon` or `Mon,Wed,Fri`.
fn parse_days(text: &str) -> Result<Vec<usize>, HoursFault> {
    let fault = || HoursFault::Days(text.to_owned());
    let day = |name: &str| {
        DAY_NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)).ok_or_else(fault)
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7 + 1;
        days.extend((first..first + count).map(|day| day % 7));
    }
    Ok(days)
}

/// Reads `HH:MM` up to `24:00`.
fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| -> Option<u16> {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= DAY)
}

fn minute_of_week(date: Date, time: Time) -> u16 {
    let whole = |part: i8| u16::try_from(part).unwrap_or(0);
    whole(date.weekday().to_monday_zero_offset()) * DAY
        + whole(time.hour()) * 60
        + whole(time.minute())
}

/// Sorts spans and joins those that touch.
fn merge(mut spans: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    spans.sort_unstable();
    let mut merged: Vec<(u16, u16)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => merged.push((from, to)),
        }
    }
    merged
}

/// The spans with the one that begins on Monday 00:00 put behind the one that ends on Sunday
/// 24:00, if there are both.
fn joined_over_sunday(week: &[(u16, u16)]) -> Vec<(u16, u16)> {
    match week {
        [(0, monday), middle @ .., (sunday, WEEK)] => {
            middle.iter().copied().chain([(*sunday, WEEK + monday)]).collect()
        }
        _ => week.to_vec(),
    }
}

/// Times that the calendar does not reach count as its ends.
fn instant(at: Timestamp) -> Instant {
    let end = if at.as_micros() < 0 { Instant::MIN } else { Instant::MAX };
    Instant::from_microsecond(at.as_micros()).unwrap_or(end)
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        (&self.zone_name, &self.week, &self.except)
            == (&other.zone_name, &other.week, &other.except)
    }
}

impl Eq for Schedule {}

impl std::hash::Hash for Schedule {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.zone_name, &self.week, &self.except).hash(state);
    }
}

/// Mon, Wed-Fri: a span stands for three days or more, or two.
fn write_days(f: &mut fmt::Formatter<'_>, days: &[usize]) -> fmt::Result {
    let name = |day: usize| DAY_NAMES.get(day).copied().unwrap_or_default();
    let mut left = days;
    let mut comma = "";
    while let Some(&first) = left.first() {
        let run = left.iter().zip(first..).take_while(|(day, expect)| **day == *expect).count();
        match run.cmp(&1) {
            Ordering::Less | Ordering::Equal => write!(f, "{comma}{}", name(first))?,
            Ordering::Greater => write!(f, "{comma}{}-{}", name(first), name(first + run - 1))?,
        }
        left = left.get(run..).unwrap_or_default();
        comma = ",";
    }
    Ok(())
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (days, from, to)) in self.windows().iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "; " })?;
            write_days(f, days)?;
            write!(f, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)?;
        }
        write!(f, " {}", self.zone_name)?;
        for (index, date) in self.except.iter().enumerate() {
            write!(f, "{}{date}", if index == 0 { " except " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_always() {
            return f.write_str("always");
        }
        if self.is_never() {
            return f.write_str("never");
        }
        for (index, schedule) in self.schedules.iter().enumerate() {
            write!(f, "{}{schedule}", if index == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for HoursFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZoneMissing => f.write_str("the hours name no time zone, such as Europe/Berlin"),
            Self::ZonesDiffer => {
                f.write_str("the windows name different time zones; join two lists with \"and\"")
            }
            Self::ZoneUnknown(zone) => write!(f, "there is no time zone {zone:?}"),
            Self::Window(text) => write!(f, "{text:?} is not a window such as Mon-Fri 07:30-17:00"),
            Self::Days(text) => write!(f, "{text:?} is not a weekday or a span such as Mon-Fri"),
            Self::Date(text) => write!(f, "{text:?} is not a date such as 2026-12-25"),
            Self::TooMany => write!(
                f,
                "the hours have more than {WINDOWS_MAX} windows or {EXCEPTIONS_MAX} dates"
            ),
        }
    }
}

impl std::error::Error for HoursFault {}
