//! The loop: one thread takes every request from tiny_http and decides it. What could make it
//! wait for somebody goes elsewhere: bodies ([`crate::body`]), key fetches ([`crate::fetch`]),
//! log lines ([`crate::log`]), answers to peers that do not read ([`crate::outgoing`]). Requests that
//! wait for any of that stand in `server/lines.rs`; how one is answered is in `server/answers.rs`.

mod answers;
mod lines;

use crate::answer::Cors;
use crate::audit_log::AuditLog;
use crate::caretaker::Caretaker;
use crate::fetch;
use crate::jwks::KeySet;
use crate::keys::Keys;
use crate::limits::{HEAPS, MAPPED_BUFFER_BYTES, MAX_IN_A_ROW, PAUSE, SEND_TIMEOUT, SWEEP_EVERY};
use crate::log::Log;
use crate::settings::Settings;
use lines::{Arrival, Line, Returned};
use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};
use tiny_http::{Request, Server};

/// Listens on 127.0.0.1 and serves for ever. Comes back only when the port cannot be had, with a
/// line that says why.
pub fn serve(settings: Settings) -> String {
    with_a_steady_heap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
    let listener = TcpListener::bind(address).and_then(with_send_options);
    let server = listener.map_err(Into::into).and_then(|listener| Server::from_listener(listener, None));
    match server {
        Ok(server) => match Loop::new(settings, Arc::new(server), address) {
            Ok(served) => served.run(),
            Err(error) => format!("cannot start the threads that it takes to serve: {error}"),
        },
        Err(error) => format!("cannot listen on {address}: {error}"),
    }
}

/// When a body breaks off, tiny_http allocates what is left of it, up to `MAX_BODY_BYTES`, untouched,
/// and frees it at once. musl maps such a buffer and gives it back. glibc does so only until the first
/// one of up to 32 MiB has been freed, and from then on keeps them, one for every heap; a threshold
/// that is set stays. With it goes the number of heaps, each of which keeps what threads have used.
/// Both are read when a process starts, so the handler starts once more, in its place.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn with_a_steady_heap() {
    use std::os::unix::process::CommandExt;
    const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
    if std::env::var_os(THRESHOLD).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        let mut again = std::process::Command::new(program);
        again.env(THRESHOLD, MAPPED_BUFFER_BYTES.to_string()).env("MALLOC_ARENA_MAX", HEAPS.to_string());
        // Comes back only when it fails, as in a root without /proc: then it serves as it is.
        let _ = again.exec();
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn with_a_steady_heap() {}

/// On Linux an accepted socket inherits these from its listener, and tiny_http sets neither: a
/// send that blocks would stop the loop, and small segments would wait for acknowledgements.
#[cfg(unix)]
fn with_send_options(listener: TcpListener) -> std::io::Result<TcpListener> {
    let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener));
    socket.set_write_timeout(Some(SEND_TIMEOUT))?;
    socket.set_nodelay(true)?;
    Ok(TcpListener::from(std::os::fd::OwnedFd::from(socket)))
}

#[cfg(not(unix))]
fn with_send_options(listener: TcpListener) -> std::io::Result<TcpListener> {
    Ok(listener)
}

/// Status 200 makes the Functions host start the handler again, as often as needed. The log gets
/// a moment to write why.
fn leave(log: &Log, why: &str) -> ! {
    const RESTART: i32 = 200;
    log.err(format!("{why}; leaving with status {RESTART}, upon which the Functions host starts the handler again"));
    std::thread::sleep(Duration::from_millis(100));
    std::process::exit(RESTART)
}

struct Loop {
    settings: Settings,
    server: Arc<Server>,
    keys: Keys,
    fetch: Option<Receiver<Result<KeySet, String>>>,
    /// Connections that have to wait for something, or whose peer reads slowly.
    lines: HashMap<SocketAddr, Line>,
    /// Those of them whose next request may take its turn.
    ready: VecDeque<SocketAddr>,
    /// Requests that came without a pause.
    in_a_row: usize,
    swept: Instant,
    /// What sends to each peer have cost in this second, where it counts.
    slow_sends: HashMap<SocketAddr, Duration>,
    back: (Sender<Returned>, Receiver<Returned>),
    caretaker: Caretaker,
    cors: Cors,
    date: (u64, String),
    out: Vec<u8>,
    audit: AuditLog,
    log: Log,
}

impl Loop {
    fn new(settings: Settings, server: Arc<Server>, address: SocketAddr) -> std::io::Result<Loop> {
        let log = Log::start()?;
        for warning in &settings.warnings {
            log.err(format!("warning: {warning}"));
        }
        let faults = log.clone();
        // Connection threads of tiny_http may panic; that is a line in the log, not the end.
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
            faults.err(format!("a thread panicked at {}", place.unwrap_or_default()));
        }));
        let deaf = log.clone();
        let mut served = Loop {
            caretaker: Caretaker::start(address, move || leave(&deaf, "the port no longer accepts connections"))?,
            cors: Cors::new(settings.origins.clone()),
            audit: AuditLog::new(settings.audit, log.clone()),
            keys: Keys::fetching_since(Instant::now()),
            settings,
            server,
            fetch: None,
            lines: HashMap::new(),
            ready: VecDeque::new(),
            in_a_row: 0,
            swept: Instant::now(),
            slow_sends: HashMap::new(),
            back: channel(),
            date: (0, String::new()),
            out: Vec::new(),
            log,
        };
        served.start_fetch();
        Ok(served)
    }

    fn run(mut self) -> ! {
        loop {
            let is_idle = !self.receive(Server::try_recv);
            while let Ok(returned) = self.back.1.try_recv() {
                match returned {
                    Returned::Sent(peer) => {
                        if let Some((_, used)) = self.lines.get_mut(&peer).and_then(|line| line.slow.as_mut()) {
                            *used = Instant::now();
                        }
                        self.next_turn(peer);
                    }
                    Returned::Body(peer, None) => self.next_turn(peer),
                    Returned::Body(peer, Some(request)) => {
                        self.resume(peer, Arrival { is_read: true, ..Arrival::new(request) });
                    }
                }
            }
            if let Some(peer) = self.ready.pop_front() {
                self.next_turn(peer);
            }
            self.end_fetch();
            self.sweep();
            if self.keys.refresh_is_due(Instant::now()) {
                self.start_fetch();
            }
            // Only now: `try_recv` swallows a call of `unblock`, whose reason was looked at above.
            if is_idle && self.ready.is_empty() {
                let (start, patience) = (Instant::now(), self.patience());
                self.receive(|server| server.recv_timeout(patience));
                // A call of `unblock` may have stood before many requests.
                if start.elapsed() >= PAUSE {
                    self.in_a_row = 0;
                }
            }
        }
    }

    /// Takes the next request that is there; false when there is none. tiny_http queues the requests
    /// of all connections together: when that queue does not get empty, it is emptied into lines,
    /// which take turns.
    fn receive(&mut self, how: impl Fn(&Server) -> std::io::Result<Option<Request>>) -> bool {
        let Some(request) = self.received(how(&self.server)) else { return false };
        self.caretaker.saw(request.remote_addr(), Instant::now());
        self.in_a_row += 1;
        if self.in_a_row < MAX_IN_A_ROW && self.ready.is_empty() {
            self.arrive(request);
            return true;
        }
        self.queue(request);
        for _ in 0..MAX_IN_A_ROW {
            let Some(request) = self.received(self.server.try_recv()) else {
                self.in_a_row = 0;
                break;
            };
            self.queue(request);
        }
        true
    }

    fn received(&self, outcome: std::io::Result<Option<Request>>) -> Option<Request> {
        outcome.unwrap_or_else(|error| leave(&self.log, &format!("connections can no longer be accepted: {error}")))
    }

    /// How long the loop may sleep when nothing comes.
    fn patience(&self) -> Duration {
        if !self.lines.is_empty() {
            return SWEEP_EVERY;
        }
        self.keys.until_refresh(Instant::now()).max(Duration::from_millis(2))
    }

    fn wake(&self) -> impl Fn() + Send + 'static {
        let server = self.server.clone();
        move || server.unblock()
    }

    fn start_fetch(&mut self) {
        self.fetch = Some(fetch::start(&self.settings.key_source, self.wake()));
    }

    /// Takes the outcome of a fetch that has ended, and decides what was parked for it.
    fn end_fetch(&mut self) {
        let outcome = match self.fetch.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(outcome)) => outcome,
            Some(Err(TryRecvError::Disconnected)) => Err("the fetch could not be run".into()),
        };
        self.fetch = None;
        if let Err(reason) = &outcome {
            self.log.err(format!("the signing keys could not be fetched: {reason}"));
        }
        self.keys.ended(Instant::now(), outcome.ok());
        self.retry(|_| true);
    }
}
