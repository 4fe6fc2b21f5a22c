//! What came out: medians over the rounds, ratios to the floor of the same round, and the goals.

use crate::options::Options;
use crate::peers::Kind;
use crate::{Outcome, messages, presence};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// One thing that is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Figure {
    Full,
    Paced,
    Median,
    P99,
    Presence,
    Login,
    Memory,
    FullRate,
    PacedRate,
    PresenceRate,
}

impl Figure {
    const ALL: [Self; 10] = [
        Self::Full,
        Self::Paced,
        Self::Median,
        Self::P99,
        Self::Presence,
        Self::Login,
        Self::Memory,
        Self::FullRate,
        Self::PacedRate,
        Self::PresenceRate,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Full => "µs a message, full load",
            Self::Paced => "µs a message, paced",
            Self::Median => "paced latency p50, µs",
            Self::P99 => "paced latency p99, µs",
            Self::Presence => "µs a presence notice",
            Self::Login => "µs a login",
            Self::Memory => "KiB an idle session",
            Self::FullRate => "messages a second, full",
            Self::PacedRate => "messages a second, paced",
            Self::PresenceRate => "notices a second",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Full => "full_us",
            Self::Paced => "paced_us",
            Self::Median => "paced_p50_us",
            Self::P99 => "paced_p99_us",
            Self::Presence => "presence_us",
            Self::Login => "login_us",
            Self::Memory => "session_kib",
            Self::FullRate => "full_rate",
            Self::PacedRate => "paced_rate",
            Self::PresenceRate => "presence_rate",
        }
    }

    /// Whether it is another figure when messages are kept.
    const fn stores(self) -> bool {
        matches!(
            self,
            Self::Full | Self::Paced | Self::Median | Self::P99 | Self::FullRate | Self::PacedRate
        )
    }

    /// Whether a ratio to the floor says something.
    const fn has_ratio(self) -> bool {
        matches!(self, Self::Full | Self::Paced | Self::Presence | Self::Login | Self::Memory)
    }

    /// The line of the table.
    pub(crate) fn line(self, keeps: bool) -> String {
        match (self.stores(), keeps) {
            (true, true) => format!("{}, kept", self.title()),
            (true, false) | (false, _) => self.title().to_owned(),
        }
    }

    /// How many floors the product may cost.
    const fn goal(self, keeps: bool) -> Option<f64> {
        match (self, keeps) {
            (Self::Full, false) | (Self::Presence, _) => Some(4.0),
            (Self::Full, true) => Some(15.0),
            (Self::Paced, true) => Some(2.5),
            (Self::Login, _) => Some(3.0),
            (Self::Memory, _) => Some(1.5),
            (Self::Paced, false)
            | (Self::Median | Self::P99, _)
            | (Self::FullRate | Self::PacedRate | Self::PresenceRate, _) => None,
        }
    }
}

/// Figures, each with one value of each round.
#[derive(Default)]
pub(crate) struct Report {
    values: BTreeMap<(Figure, bool, &'static str), BTreeMap<usize, f64>>,
}

/// Width of a column of the table.
const COLUMN: usize = 18;

/// Width of the first column.
const TITLE: usize = 32;

/// Says what is about to happen.
pub(crate) fn announce(options: &Options) {
    let names: Vec<&str> = options.kinds.iter().map(|kind| kind.name()).collect();
    eprintln!("{} rounds of {}; load {}", options.rounds, names.join(", "), load());
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

impl Report {
    /// Takes a value.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        figure: Figure,
        keeps: bool,
        round: usize,
        value: f64,
    ) {
        let keeps = keeps && figure.stores();
        self.values.entry((figure, keeps, kind.name())).or_default().insert(round, value);
    }

    fn median(&self, figure: Figure, keeps: bool, kind: Kind) -> Option<f64> {
        let values = self.values.get(&(figure, keeps, kind.name()))?;
        median(values.values().copied().collect())
    }

    /// The median of the ratios to the floor of the same round.
    fn ratio(&self, figure: Figure, keeps: bool, kind: Kind) -> Option<f64> {
        let values = self.values.get(&(figure, keeps, kind.name()))?;
        let floors = self.values.get(&(figure, keeps, Kind::Floor.name()))?;
        let ratios = values.iter().filter_map(|(round, value)| {
            let floor = floors.get(round).filter(|floor| **floor > 0.0)?;
            Some(value / floor)
        });
        median(ratios.collect())
    }

    /// Prints the table.
    pub(crate) fn print(&self, options: &Options) {
        println!(
            "\nMedians of {} rounds; in brackets the ratio to the floor of the same round. \
             {} pairs, {}-byte messages, paced at {} a second; {} watchers; load {}.\n",
            options.rounds,
            messages::PAIRS,
            crate::stanza::MESSAGE_BYTES,
            messages::PACE,
            presence::WATCHERS,
            load()
        );
        let mut head = format!("{:<TITLE$}", "");
        for kind in &options.kinds {
            let _ = write!(head, "{:>COLUMN$}", kind.name());
        }
        println!("{head}   goal");
        for figure in Figure::ALL {
            for keeps in [false, true] {
                self.print_line(options, figure, keeps);
            }
        }
    }

    fn print_line(&self, options: &Options, figure: Figure, keeps: bool) {
        let any = options.kinds.iter().any(|kind| self.median(figure, keeps, *kind).is_some());
        if !any {
            return;
        }
        let mut line = format!("{:<TITLE$}", figure.line(keeps));
        for kind in &options.kinds {
            let cell = match self.median(figure, keeps, *kind) {
                None => "–".to_owned(),
                Some(value) => self.cell(figure, keeps, *kind, value),
            };
            let _ = write!(line, "{cell:>COLUMN$}");
        }
        println!("{line}   {}", self.verdict(options, figure, keeps));
    }

    fn cell(&self, figure: Figure, keeps: bool, kind: Kind, value: f64) -> String {
        let ratio = self.ratio(figure, keeps, kind).filter(|_| figure.has_ratio());
        match ratio.filter(|_| kind != Kind::Floor) {
            Some(ratio) => format!("{value:.1} ({ratio:.1}×)"),
            None if value >= 1_000.0 => format!("{value:.0}"),
            None => format!("{value:.1}"),
        }
    }

    fn verdict(&self, options: &Options, figure: Figure, keeps: bool) -> String {
        let said = |met: Option<bool>| match met {
            None => "",
            Some(true) => ", met",
            Some(false) => ", MISSED",
        };
        if let Some(goal) = figure.goal(keeps) {
            let ratio = self.ratio(figure, keeps, Kind::Chancery);
            return format!("{goal}×{}", said(ratio.map(|ratio| ratio <= goal)));
        }
        if figure != Figure::P99 {
            return String::new();
        }
        let rivals = options.kinds.iter().filter(|kind| kind.is_rival());
        let better = rivals.filter_map(|kind| self.median(figure, keeps, *kind)).reduce(f64::min);
        let Some(better) = better else { return "under the better peer".to_owned() };
        let ours = self.median(figure, keeps, Kind::Chancery);
        format!("under {better:.0}{}", said(ours.map(|ours| ours < better)))
    }

    /// Writes every value.
    pub(crate) fn write_json(&self, file: &Path, options: &Options) -> Outcome<()> {
        let mut lines = Vec::new();
        for ((figure, keeps, kind), values) in &self.values {
            let list: Vec<String> = values.values().map(|value| format!("{value:.3}")).collect();
            lines.push(format!(
                "    {{\"figure\": \"{}\", \"kept\": {keeps}, \"server\": \"{kind}\", \
                 \"rounds\": [{}]}}",
                figure.name(),
                list.join(", ")
            ));
        }
        let text = format!(
            "{{\n  \"rounds\": {},\n  \"load\": \"{}\",\n  \"figures\": [\n{}\n  ]\n}}\n",
            options.rounds,
            load(),
            lines.join(",\n")
        );
        std::fs::write(file, text).map_err(|why| format!("{}: {why}", file.display()))
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(middle.wrapping_sub(1)).map(|lower| f64::midpoint(*lower, upper))
}
