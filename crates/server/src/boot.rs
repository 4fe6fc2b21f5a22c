//! How the server begins and ends, read aloud: directory, certificate, store, archive, ports, hub,
//! control, signals. What each part does is elsewhere.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::archive::{Log, LogFault, Sealer, SegmentLimits};
use edge::{
    control,
    listen::{self, House, Opening, Settings, Strangers},
    tls::Tls,
};
use hub::{Hub, Parts, Running, TICK_SECS, clock};
use store::Store;
use tokio::{
    net::{TcpListener, UnixListener},
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use xmpp::session::SessionConfig;

use crate::{commands::Scene, config::Listen, fault::Fault, logging, place::Place, random, screen};

/// Seconds that clients have to take leave when the server ends.
const LEAVE_SECS_MAX: u64 = 5;

/// Milliseconds between two looks at whether they have.
const LEAVE_MILLIS: u64 = 20;

/// Bytes of the path of a Unix socket, as the system has it (`sun_path`), with the final zero.
const SOCKET_PATH_BYTES_MAX: usize = 108;

/// `serve`.
pub(crate) fn serve(scene: &Scene) -> Result<(), Fault> {
    let place = scene.place()?;
    logging::start(scene.log.as_deref().unwrap_or(&place.config.log.level))?;
    let server = Server::start(&place, &place.config.listen)?;
    screen::print(&server.ready());
    server.run()
}

/// Everything that lives while the server does.
pub(crate) struct Server {
    domain: String,
    ports: Vec<(TcpListener, Opening)>,
    addresses: Vec<(SocketAddr, Opening)>,
    hub: Arc<Hub>,
    store: Store,
    threads: Running,
    house: Arc<House>,
    closing: watch::Sender<bool>,
    control: UnixListener,
    socket: PathBuf,
    runtime: Runtime,
}

impl Server {
    /// The boot list. What can fail without a trace comes first.
    pub(crate) fn start(place: &Place, listen: &Listen) -> Result<Self, Fault> {
        let directory = place.directory()?;
        let tls = certificate(place)?;
        let decoy = place.decoy()?;
        let store = place.store()?;
        let (sealer, log) = archive(place)?;
        check_log(place, &store, log.as_ref())?;
        let runtime = runtime()?;
        let ports = runtime.block_on(ports(listen))?;
        let addresses = addresses(&ports)?;
        let known = store.clone();
        let parts = Parts { directory, store, sealer, log, decoy, random: random::fill };
        let (hub, threads) = Hub::start(parts).map_err(Fault::Environment)?;
        let (closing, closed) = watch::channel(false);
        let house = Arc::new(house(place, Arc::clone(&hub), tls, closed));
        let socket = place.control_socket();
        let control = runtime.block_on(async { control_socket(&socket) });
        let control = match control {
            Ok(control) => control,
            Err(fault) => {
                threads.stop();
                return Err(fault);
            }
        };
        let domain = place.config.domain.clone();
        Ok(Self {
            domain,
            ports,
            addresses,
            hub,
            store: known,
            threads,
            house,
            closing,
            control,
            socket,
            runtime,
        })
    }

    /// The one line that says that clients may come; scripts wait for it.
    pub(crate) fn ready(&self) -> String {
        let named = |(address, opening): &(SocketAddr, Opening)| match opening {
            Opening::StartTls => format!("{address} (STARTTLS)"),
            Opening::Direct => format!("{address} (TLS)"),
        };
        let addresses: Vec<String> = self.addresses.iter().map(named).collect();
        format!("serving {} on {}", self.domain, addresses.join(", "))
    }

    /// Whether nothing was ever said here.
    pub(crate) fn is_new(&self) -> Result<bool, Fault> {
        let counts = self.store.reader().counts();
        counts
            .map(|counts| counts.messages == 0)
            .map_err(|fault| Fault::Environment(fault.to_string()))
    }

    /// The one door, for those who have something to say before the first client.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Runs something of the house to its end.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Serves until a signal says to end, then ends in order: no new clients, the open sessions
    /// closed, what is under way written.
    pub(crate) fn run(self) -> Result<(), Fault> {
        let Self { ports, hub, threads, house, closing, control, socket, runtime, .. } = self;
        let waited = runtime.block_on(async {
            for (listener, opening) in ports {
                tokio::spawn(listen::listen(listener, opening, Arc::clone(&house)));
            }
            tokio::spawn(control::serve(control, Arc::clone(&house)));
            tokio::spawn(tick(Arc::clone(&hub), house.closing.clone()));
            tokio::select! {
                waited = signals(&hub) => waited,
                thread = hub.failed() => Err(Fault::Environment(format!(
                    "the {thread} thread has failed, so nothing is recorded any more; the log says \
                     why, and a start goes on with what was recorded"
                ))),
            }
        });
        tracing::info!("ending");
        if closing.send(true).is_err() {
            tracing::debug!("nobody listens any more");
        }
        threads.stop();
        runtime.block_on(async {
            let looks = LEAVE_SECS_MAX * 1_000 / LEAVE_MILLIS;
            for _ in 0..looks {
                if Arc::strong_count(&house) == 1 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(LEAVE_MILLIS)).await;
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        // What is left over only says «nobody answers» to the next command.
        let _ = fs::remove_file(&socket);
        tracing::info!("ended");
        waited
    }
}

fn runtime() -> Result<Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Fault::Environment(format!("cannot start the threads of the server: {why}")))
}

fn certificate(place: &Place) -> Result<Tls, Fault> {
    let tls = &place.config.tls;
    Tls::load(&place.path(&tls.certificate), &place.path(&tls.key))
        .map_err(|fault| Fault::Environment(fault.to_string()))
}

/// What seals, and where the sealed goes.
fn archive(place: &Place) -> Result<(Sealer, Option<Log>), Fault> {
    let config = &place.config.archive;
    if !config.enabled {
        return Ok((Sealer::off(), None));
    }
    let limits = SegmentLimits {
        age_secs_max: i64::from(config.segment_secs),
        bytes_max: u64::from(config.segment_mib) << 20,
    };
    let sealer = Sealer::new(place.custodians()?, limits)
        .map_err(|fault| Fault::Environment(format!("nothing can be sealed: {fault}")))?;
    let folder = place.log_folder();
    let log = Log::open(&folder, place.log_key()?, &place.config.domain)
        .map_err(|fault| log_fault(&fault, &folder))?;
    Ok((sealer, Some(log)))
}

/// The log must have every record that the store has handed over. A log that was lost or put back
/// from an old backup would otherwise begin anew.
fn check_log(place: &Place, store: &Store, log: Option<&Log>) -> Result<(), Fault> {
    let Some(log) = log else { return Ok(()) };
    let counts = store.reader().counts();
    let counts = counts.map_err(|fault| Fault::Environment(fault.to_string()))?;
    let moved = counts.records.saturating_sub(counts.outbox);
    if log.size() >= moved {
        return Ok(());
    }
    Err(Fault::Environment(format!(
        "the archive's log in {} has {} records, but {moved} were moved there; put the newer log \
         back",
        place.log_folder().display(),
        log.size()
    )))
}

fn log_fault(fault: &LogFault, folder: &Path) -> Fault {
    let folder = folder.display();
    let hint = match fault {
        LogFault::InUse => "; stop the other one first",
        LogFault::Full => "; make room",
        LogFault::Io { .. } => "",
        LogFault::Checkpoint(_)
        | LogFault::Origin { .. }
        | LogFault::Damaged { .. }
        | LogFault::Gap { .. }
        | LogFault::Conflict { .. }
        | LogFault::Record { .. } => {
            "; `chancery archive verify` says what is wrong, then put it back from a backup"
        }
    };
    Fault::Environment(format!("the archive's log in {folder}: {fault}{hint}"))
}

async fn ports(listen: &Listen) -> Result<Vec<(TcpListener, Opening)>, Fault> {
    let wanted = listen.starttls.iter().map(|address| (*address, Opening::StartTls));
    let direct = listen.direct_tls.iter().map(|address| (*address, Opening::Direct));
    let mut ports = Vec::new();
    for (address, opening) in wanted.chain(direct) {
        let listener = listen::bind(address).await;
        let listener = listener.map_err(|fault| Fault::Environment(fault.to_string()))?;
        ports.push((listener, opening));
    }
    Ok(ports)
}

/// The ports as they are, which for port 0 only the system knows.
fn addresses(ports: &[(TcpListener, Opening)]) -> Result<Vec<(SocketAddr, Opening)>, Fault> {
    let address = |(listener, opening): &(TcpListener, Opening)| {
        listener.local_addr().map(|address| (address, *opening))
    };
    let addresses: std::io::Result<_> = ports.iter().map(address).collect();
    addresses.map_err(|why| Fault::Environment(format!("a port has no address: {why}")))
}

fn house(place: &Place, hub: Arc<Hub>, tls: Tls, closing: watch::Receiver<bool>) -> House {
    let session = &place.config.session;
    let sessions = SessionConfig {
        domain: hub.domain().clone(),
        other_domains: Vec::new(),
        stanza_bytes_max: session.stanza_bytes_max as usize,
        negotiation_timeout_secs: i64::from(session.sign_in_secs_max),
        idle_timeout_secs: i64::from(session.idle_secs_max),
        ping_timeout_secs: i64::from(session.ping_secs_max),
        pre_approval: true,
        capabilities: Some(edge::capabilities()),
        decoy: hub.decoy().clone(),
    };
    let settings = Settings {
        stanza_bytes_max: session.stanza_bytes_max as usize,
        sign_in_secs_max: session.sign_in_secs_max,
        write_secs_max: session.write_secs_max,
    };
    House {
        hub,
        tls,
        random: random::fill,
        closing,
        sessions: Arc::new(sessions),
        settings,
        strangers: Strangers::default(),
        started: clock::now(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn control_socket(socket: &Path) -> Result<UnixListener, Fault> {
    if socket.as_os_str().len() >= SOCKET_PATH_BYTES_MAX {
        return Err(Fault::Usage(format!(
            "the path {} is too long for a socket; give data.folder a shorter one",
            socket.display()
        )));
    }
    control::bind(socket).map_err(|why| Fault::io("make the control socket", socket, &why))
}

/// What the passing of time changes.
async fn tick(hub: Arc<Hub>, mut closing: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(TICK_SECS));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            _ = ticks.tick() => hub.tick(),
        }
    }
}

/// Returns when the server is to end.
async fn signals(hub: &Arc<Hub>) -> Result<(), Fault> {
    let hear = |kind: SignalKind| {
        signal(kind).map_err(|why| Fault::Environment(format!("cannot hear signals: {why}")))
    };
    let (mut end, mut interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    let mut reload = hear(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = end.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = reload.recv() => match hub.reload().await {
                Ok(version) => tracing::info!(version, "read accounts, groups and policies again"),
                Err(fault) => tracing::error!(%fault, "the old version stays in force"),
            },
        }
    }
}
