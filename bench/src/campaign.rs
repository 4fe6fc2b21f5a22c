//! In which order things are measured: all servers run, and each figure is taken of one after another,
//! round by round, so that what disturbs the machine disturbs them alike.

use crate::memory;
use crate::messages::{self, Flow};
use crate::options::{Options, Workload};
use crate::peers::{Kind, Peer, Place};
use crate::process::Server;
use crate::report::{Figure, Report};
use crate::session::Target;
use crate::{Outcome, logins, presence, process, profile, report, wire};
use std::time::Duration;

/// Accounts that every workload needs.
const ACCOUNTS_MIN: usize = presence::OWNER + presence::WATCHERS + 1;

/// Measures everything that was asked and prints it.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    process::raise_open_files()?;
    let accounts = accounts(options);
    let chancery = options.chancery.clone();
    let place = Place::make(wire::client_config()?, chancery, accounts, options.keep)?;
    let peers = options.kinds.iter().map(|kind| Peer::new(*kind, &place));
    let mut peers = peers.collect::<Outcome<Vec<Peer>>>()?;
    let mut report = Report::default();
    report::announce(options);
    // Memory comes before anything is written: what a server reads at its start it may keep, and two
    // thousand sessions that were there make a collector slower for a while.
    if options.workloads.contains(&Workload::Memory) {
        for round in 0..options.rounds {
            let only = [Workload::Memory];
            phase(options, &place, &mut peers, &mut report, (round, false), &only).await?;
        }
    }
    for round in 0..options.rounds {
        for &keeps in &options.storages {
            let workloads = wanted(options, keeps);
            if !workloads.is_empty() {
                phase(options, &place, &mut peers, &mut report, (round, keeps), &workloads).await?;
            }
        }
    }
    report.print(options);
    match &options.json {
        Some(file) => report.write_json(file, options),
        None => Ok(()),
    }
}

/// As many as the workloads need: making them takes its time.
fn accounts(options: &Options) -> usize {
    let needed = options.workloads.iter().map(|workload| match workload {
        Workload::Memory => memory::accounts(options.scale.idle_sessions),
        Workload::Full | Workload::Paced => messages::accounts(options.rounds),
        Workload::Presence | Workload::Login => ACCOUNTS_MIN,
    });
    needed.max().unwrap_or(ACCOUNTS_MIN)
}

/// What keeping makes no difference to is measured once, without it if possible.
fn wanted(options: &Options, keeps: bool) -> Vec<Workload> {
    let once = !keeps || !options.storages.contains(&false);
    let others = options.workloads.iter().copied().filter(|other| *other != Workload::Memory);
    others.filter(|workload| once || workload.stores()).collect()
}

async fn phase(
    options: &Options,
    place: &Place,
    peers: &mut [Peer],
    report: &mut Report,
    (round, keeps): (usize, bool),
    workloads: &[Workload],
) -> Outcome<()> {
    let storage = if keeps { "history and archive" } else { "nothing stored" };
    for peer in &mut *peers {
        eprintln!("── round {}, {storage}: starting {}", round + 1, peer.kind.name());
        peer.start(place, keeps)?;
    }
    for &workload in workloads {
        for peer in &mut *peers {
            let name = peer.kind.name();
            let found = one(options, peer, workload, keeps, round).await?;
            for (figure, value) in found {
                eprintln!("   {name:<16} {:<28} {value:>10.1}", figure.line(keeps));
                report.add(peer.kind, figure, keeps, round, value);
            }
        }
    }
    for peer in &mut *peers {
        peer.stop();
    }
    Ok(())
}

type Found = Vec<(Figure, f64)>;

async fn one(
    options: &Options,
    peer: &mut Peer,
    workload: Workload,
    keeps: bool,
    round: usize,
) -> Outcome<Found> {
    if workload == Workload::Presence && !std::mem::replace(&mut peer.subscribed, true) {
        presence::subscribe(&peer.target).await?;
    }
    let name = peer.kind.name();
    let Some(server) = &mut peer.server else { return Err(format!("{name} does not run")) };
    if let Some(how) = server.ended() {
        return Err(format!("{name} has ended ({how})"));
    }
    let profiled = options.profile && peer.kind == Kind::Chancery && round == 0;
    if !profiled || workload == Workload::Memory {
        return measured(options, &peer.target, server, workload, round).await;
    }
    // The profiler costs time itself, so what it watches is done once more and not counted.
    let found = measured(options, &peer.target, server, workload, round).await?;
    let storage = if keeps { "on" } else { "off" };
    let title = format!("{} with storage {storage}", workload.name());
    let file = std::env::temp_dir().join(format!("chancery-{}-{storage}.perf", workload.name()));
    let seconds = options.scale.warm_secs + seconds(options, workload);
    let recording = profile::record(server.id(), seconds, &file);
    let again = measured(options, &peer.target, server, workload, round).await;
    match recording {
        Ok(recording) => recording.show(&title)?,
        Err(why) => eprintln!("   no profile: {why}"),
    }
    again.map(|_| found)
}

const fn seconds(options: &Options, workload: Workload) -> u64 {
    match workload {
        Workload::Full => options.scale.full_secs,
        Workload::Paced => options.scale.paced_secs,
        Workload::Presence => options.scale.presence_secs,
        Workload::Login | Workload::Memory => 5,
    }
}

async fn measured(
    options: &Options,
    target: &Target,
    server: &Server,
    workload: Workload,
    round: usize,
) -> Outcome<Found> {
    let scale = &options.scale;
    let warm = Duration::from_secs(scale.warm_secs);
    let window = Duration::from_secs(seconds(options, workload));
    let micros = |nanos: f64| nanos / 1_000.0;
    Ok(match workload {
        Workload::Memory => {
            let bytes = memory::measure(target, server, scale.idle_sessions).await?;
            vec![(Figure::Memory, bytes / 1_024.0)]
        }
        Workload::Login => {
            vec![(Figure::Login, micros(logins::measure(target, server, scale.logins).await?))]
        }
        Workload::Presence => {
            let found = presence::measure(target, server, warm, window).await?;
            vec![(Figure::Presence, micros(found.nanos_each)), (Figure::PresenceRate, found.rate)]
        }
        Workload::Full => {
            let found = messages::measure(target, server, Flow::Full, round, warm, window).await?;
            vec![(Figure::Full, micros(found.nanos_each)), (Figure::FullRate, found.rate)]
        }
        Workload::Paced => {
            let found = messages::measure(target, server, Flow::Paced, round, warm, window).await?;
            let at = |share: f64| {
                let last = found.latencies.len().saturating_sub(1);
                let index = (last as f64 * share) as usize;
                f64::from(found.latencies.get(index).copied().unwrap_or(0))
            };
            vec![
                (Figure::Paced, micros(found.nanos_each)),
                (Figure::PacedRate, found.rate),
                (Figure::Median, at(0.5)),
                (Figure::P99, at(0.99)),
            ]
        }
    })
}
