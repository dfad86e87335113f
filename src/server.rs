//! The loop: one thread takes every request from tiny_http and decides it. What could make it
//! wait for somebody goes elsewhere: bodies ([`crate::body`]), key fetches ([`crate::fetch`]),
//! log lines ([`crate::log`]). Requests that need keys that are on their way are parked.

use crate::answer::{Answer, Cors, Form};
use crate::api::{self, Task};
use crate::audit_log::{AuditLog, Decision, facts};
use crate::bearer;
use crate::body::{self, Bodies, Body};
use crate::caretaker::Caretaker;
use crate::checks::{self, Case};
use crate::claims::Claims;
use crate::clock;
use crate::fetch;
use crate::head::Head;
use crate::jwks::KeySet;
use crate::keys::{Keys, Need};
use crate::limits::{
    MAPPED_BUFFER_BYTES, MAX_IN_A_ROW, MAX_PARKED, MAX_SLOW_SENDS, MAX_TURNS, PARK_TIMEOUT, SEND_TIMEOUT, SLOW_FOR,
    SLOW_SEND, SWEEP_EVERY,
};
use crate::log::Log;
use crate::memory::SignatureMemory;
use crate::outgoing::{self, Outgoing};
use crate::rejection::Rejection;
use crate::settings::Settings;
use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};
use tiny_http::{Request, Server};

/// Listens on 127.0.0.1 and serves for ever. Comes back only when the port cannot be had, with a
/// line that says why.
pub fn serve(settings: Settings) -> String {
    with_mapped_buffers();
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
/// that is set stays. It is read when a process starts, so the handler starts once more, in its place.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn with_mapped_buffers() {
    use std::os::unix::process::CommandExt;
    const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
    if std::env::var_os(THRESHOLD).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // Comes back only when it fails, as in a root without /proc: then it serves as it is.
        let _ = std::process::Command::new(program).env(THRESHOLD, MAPPED_BUFFER_BYTES.to_string()).exec();
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn with_mapped_buffers() {}

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
    bodies: Bodies,
    memory: SignatureMemory,
    caretaker: Caretaker,
    cors: Cors,
    date: (u64, String),
    out: Vec<u8>,
    audit: AuditLog,
    log: Log,
}

/// A request on its way to its answer.
struct Arrival {
    request: Request,
    /// When it could first be answered.
    since: Instant,
    /// Whether its body has been read.
    is_read: bool,
}

/// The requests of one connection. Answers leave in their order: one that came before its turn
/// would make the loop wait for itself.
#[derive(Default)]
struct Line {
    /// What the first request waits for.
    waits_for: Option<Wait>,
    /// Those behind it.
    behind: VecDeque<Request>,
    /// The thread that sends the answers, when the peer reads slowly, and when it was last used.
    slow: Option<(Sender<Outgoing>, Instant)>,
}

enum Wait {
    /// For keys.
    Keys(Arrival),
    /// Until its body has been read.
    Body,
    /// Until its answer has been sent.
    Send,
    /// For its connection's turn.
    Turn,
}

/// What other threads hand back.
enum Returned {
    /// The request whose body has been read, or nothing when it has been answered.
    Body(SocketAddr, Option<Request>),
    /// An answer has been sent, or its peer is gone.
    Sent(SocketAddr),
}

impl Arrival {
    fn new(request: Request) -> Arrival {
        Arrival { request, since: Instant::now(), is_read: false }
    }
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
            memory: SignatureMemory::default(),
            lines: HashMap::new(),
            ready: VecDeque::new(),
            in_a_row: 0,
            swept: Instant::now(),
            slow_sends: HashMap::new(),
            back: channel(),
            bodies: Bodies::start()?,
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
            if is_idle {
                self.in_a_row = 0;
                let patience = self.patience();
                self.receive(|server| server.recv_timeout(patience));
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
        while let Some(request) = self.received(self.server.try_recv()) {
            self.queue(request);
        }
        self.in_a_row = 0;
        true
    }

    fn received(&self, outcome: std::io::Result<Option<Request>>) -> Option<Request> {
        outcome.unwrap_or_else(|error| leave(&self.log, &format!("connections can no longer be accepted: {error}")))
    }

    /// How long the loop may sleep when nothing comes.
    fn patience(&self) -> Duration {
        match (self.ready.is_empty(), self.lines.is_empty()) {
            (false, _) => Duration::ZERO,
            (true, false) => SWEEP_EVERY,
            (true, true) => self.keys.until_refresh(Instant::now()).max(Duration::from_millis(2)),
        }
    }

    /// A request has come: it is taken, or waits behind others of its connection.
    fn arrive(&mut self, request: Request) {
        let peer = peer(&request);
        match self.lines.get_mut(&peer) {
            Some(line) if line.waits_for.is_some() => line.behind.push_back(request),
            _ => self.take(peer, Arrival::new(request)),
        }
    }

    /// A request has come while many others wait: it waits behind those of its connection, or for its
    /// connection's turn.
    fn queue(&mut self, request: Request) {
        let peer = peer(&request);
        let line = self.lines.entry(peer).or_default();
        line.behind.push_back(request);
        if line.waits_for.is_none() {
            line.waits_for = Some(Wait::Turn);
            self.ready.push_back(peer);
        }
    }

    /// What the first request of a connection has waited for has come.
    fn resume(&mut self, peer: SocketAddr, arrival: Arrival) {
        self.take(peer, arrival);
        if self.lines.get(&peer).is_some_and(|line| line.waits_for.is_none()) {
            self.next_turn(peer);
        }
    }

    /// The first request of a connection is done: those behind it take their turn.
    fn next_turn(&mut self, peer: SocketAddr) {
        for _ in 0..MAX_TURNS {
            let Some(line) = self.lines.get_mut(&peer) else { return };
            line.waits_for = None;
            let Some(request) = line.behind.pop_front() else {
                if line.slow.is_none() {
                    self.lines.remove(&peer);
                }
                return;
            };
            self.take(peer, Arrival::new(request));
            if self.lines.get(&peer).is_some_and(|line| line.waits_for.is_some()) {
                return;
            }
        }
        if let Some(line) = self.lines.get_mut(&peer) {
            line.waits_for = Some(Wait::Turn);
            self.ready.push_back(peer);
        }
    }

    /// Takes a request whose turn it is as far as it gets, and notes what it has to wait for. A panic
    /// meanwhile costs it a 500, and nobody else anything.
    fn take(&mut self, peer: SocketAddr, arrival: Arrival) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.take_unguarded(peer, arrival)));
        let waits_for = outcome.unwrap_or_default();
        if waits_for.is_some() {
            self.lines.entry(peer).or_default().waits_for = waits_for;
        } else if let Some(line) = self.lines.get_mut(&peer) {
            line.waits_for = None;
        }
    }

    fn take_unguarded(&mut self, peer: SocketAddr, arrival: Arrival) -> Option<Wait> {
        let head = Head::of(&arrival.request);
        match if arrival.is_read { Body::Done } else { head.body(&arrival.request) } {
            Body::Done => {}
            Body::Pending => {
                self.write(&api::bad_body(), head.last_form(&arrival.request));
                return self.read_body(peer, arrival.request);
            }
            Body::TooLong => {
                self.log.err("warning: a body of more than 100 MiB was declared; its connection is given up".into());
                body::abandon(arrival.request);
                return None;
            }
        }
        let answer = match self.answer(&arrival.request, &head, arrival.since) {
            Some(answer) => answer,
            None if self.waiting_for_keys().count() < MAX_PARKED => return Some(Wait::Keys(arrival)),
            None => api::refused(&Rejection::KeysUnavailable { retry_after: 1 }),
        };
        self.write(&answer, head.form(&arrival.request));
        self.send(peer, arrival.request)
    }

    fn waiting_for_keys(&self) -> impl Iterator<Item = (&SocketAddr, Instant)> {
        self.lines.iter().filter_map(|(peer, line)| match &line.waits_for {
            Some(Wait::Keys(arrival)) => Some((peer, arrival.since)),
            _ => None,
        })
    }

    fn read_body(&self, peer: SocketAddr, request: Request) -> Option<Wait> {
        let (back, wake) = (self.back.0.clone(), self.wake());
        let on_end = move |request| {
            let _ = back.send(Returned::Body(peer, request));
            wake();
        };
        self.bodies.read(request, self.out.clone(), on_end).then_some(Wait::Body)
    }

    /// Puts an answer into `out`.
    fn write(&mut self, answer: &Answer, form: Form) {
        let seconds = clock::unix_now() as u64;
        if self.date.0 != seconds {
            self.date = (seconds, clock::http_date(seconds));
            self.slow_sends.clear();
        }
        answer.write_to(&mut self.out, form, &self.cors, &self.date.1);
    }

    /// The answer, or None when it has to wait for keys.
    fn answer(&mut self, request: &Request, head: &Head, since: Instant) -> Option<Answer> {
        match api::task(request.method().as_str(), request.url()) {
            Task::Answer(answer) => Some(answer),
            Task::Preflight(methods) => Some(self.cors.preflight(&api::allow(methods))),
            Task::Check(endpoint) => self.check(head, endpoint, since),
        }
    }

    fn check(&mut self, head: &Head, endpoint: fn(Claims) -> Answer, since: Instant) -> Option<Answer> {
        let decided =
            |check, rejection| Decision { rejection, check, invocation: head.invocation, took: since.elapsed() };
        let token = match bearer::token(head.authorization.into_iter().flatten()) {
            Ok(token) => token,
            Err(rejection) => {
                self.audit.decided(decided(bearer::CHECK_NAME, Some(&rejection)), None);
                return Some(api::refused(&rejection));
            }
        };
        let now = Instant::now();
        let case = Case::new(token, &self.settings, self.keys.usable(now), clock::unix_now());
        let mut case = case.with_memory(&mut self.memory);
        let outcome = checks::decide(&mut case);
        let mut refusal = match outcome {
            Ok(claims) => {
                if self.audit.wants(true) {
                    self.audit.decided(decided("", None), facts(claims.token(), true));
                }
                return Some(endpoint(claims));
            }
            Err(refusal) => refusal,
        };
        let wanted = case.token().filter(|_| self.audit.wants(false));
        let facts = wanted.and_then(|token| facts(token, case.is_verified()));
        let need = match refusal.rejection {
            Rejection::KeysUnavailable { .. } => Some(self.keys.need_any(now)),
            Rejection::UnknownKey { .. } if case.worth_a_fetch() => Some(self.keys.need_unknown(now)),
            _ => None,
        };
        if need == Some(Need::Fetch) {
            self.start_fetch();
        }
        match need {
            Some(Need::Fetch | Need::Wait) if since.elapsed() < PARK_TIMEOUT => return None,
            Some(Need::Fetch | Need::Wait) => refusal.rejection = Rejection::KeysUnavailable { retry_after: 1 },
            Some(Need::Unavailable(retry_after)) => refusal.rejection = Rejection::KeysUnavailable { retry_after },
            Some(Need::Unknown) | None => {}
        }
        self.audit.decided(decided(refusal.check, Some(&refusal.rejection)), facts);
        Some(api::refused(&refusal.rejection))
    }

    /// Sends what is in `out`. A peer that is gone is no matter; one that does not read gets a thread
    /// of its own.
    fn send(&mut self, peer: SocketAddr, request: Request) -> Option<Wait> {
        let writer = request.into_writer();
        if let Some((thread, used)) = self.lines.get_mut(&peer).and_then(|line| line.slow.as_mut()) {
            *used = Instant::now();
            return thread.send(Outgoing::new(writer, &self.out)).is_ok().then_some(Wait::Send);
        }
        let start = Instant::now();
        let left = Outgoing::send(writer, &self.out);
        let took = start.elapsed();
        let is_slow = took >= SLOW_SEND && {
            let total = self.slow_sends.entry(peer).or_default();
            *total += took;
            *total >= MAX_SLOW_SENDS
        };
        if left.is_none() && !is_slow {
            return None;
        }
        let (back, wake) = (self.back.0.clone(), self.wake());
        let on_sent = move || {
            let _ = back.send(Returned::Sent(peer));
            wake();
        };
        let Ok(thread) = outgoing::start(on_sent) else { leave(&self.log, "there are no threads to be had") };
        let waits_for = left.and_then(|left| thread.send(left).is_ok().then_some(Wait::Send));
        self.lines.entry(peer).or_default().slow = Some((thread, start));
        waits_for
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
        match &outcome {
            Ok(keys) => self.memory.keep_only(keys),
            Err(reason) => self.log.err(format!("the signing keys could not be fetched: {reason}")),
        }
        self.keys.ended(Instant::now(), outcome.ok());
        self.retry(|_| true);
    }

    /// Takes up the requests that have waited for keys since such a moment.
    fn retry(&mut self, since: impl Fn(Instant) -> bool) {
        let peers: Vec<SocketAddr> =
            self.waiting_for_keys().filter(|(_, then)| since(*then)).map(|(peer, _)| *peer).collect();
        for peer in peers {
            let waits_for = self.lines.get_mut(&peer).and_then(|line| line.waits_for.take());
            if let Some(Wait::Keys(arrival)) = waits_for {
                self.resume(peer, arrival);
            }
        }
    }

    /// Now and then: answers what has waited too long, and forgets slow peers that were not heard of.
    fn sweep(&mut self) {
        if self.lines.is_empty() || self.swept.elapsed() < SWEEP_EVERY {
            return;
        }
        self.swept = Instant::now();
        self.retry(|since| since.elapsed() >= PARK_TIMEOUT);
        self.lines.retain(|_, line| {
            line.waits_for.is_some() || line.slow.as_ref().is_some_and(|(_, used)| used.elapsed() < SLOW_FOR)
        });
    }
}

/// The peer of a request; all peers of a TCP listener have an address.
fn peer(request: &Request) -> SocketAddr {
    request.remote_addr().copied().unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}
