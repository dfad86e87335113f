//! The loop: one thread takes every request from tiny_http and decides it. What could make it
//! wait for somebody goes elsewhere: bodies ([`crate::body`]), key fetches ([`crate::fetch`]),
//! log lines ([`crate::log`]). Requests that need keys that are on their way are parked.

use crate::answer::{Answer, Cors, Form};
use crate::api::{self, Task};
use crate::audit_log::{AuditLog, Decision, facts};
use crate::bearer;
use crate::body::{self, Body, Returned};
use crate::caretaker::Caretaker;
use crate::checks::{self, Case};
use crate::claims::Claims;
use crate::clock;
use crate::fetch;
use crate::head::Head;
use crate::jwks::KeySet;
use crate::keys::{Keys, Need};
use crate::limits::{MAX_PARKED, PARK_TIMEOUT, SEND_TIMEOUT};
use crate::log::Log;
use crate::memory::SignatureMemory;
use crate::muted::Muted;
use crate::rejection::Rejection;
use crate::settings::Settings;
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};
use tiny_http::{Request, Server};

/// Listens on 127.0.0.1 and serves for ever. Comes back only when the port cannot be had, with a
/// line that says why.
pub fn serve(settings: Settings) -> String {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
    let listener = TcpListener::bind(address).and_then(with_send_options);
    let server = listener.map_err(Into::into).and_then(|listener| Server::from_listener(listener, None));
    match server {
        Ok(server) => Loop::new(settings, Arc::new(server), address).run(),
        Err(error) => format!("cannot listen on {address}: {error}"),
    }
}

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
    /// Requests that wait, in the order of their arrival.
    parked: Vec<Arrival>,
    /// Peers whose request is away for its body.
    reading: Vec<SocketAddr>,
    bodies: (Sender<Returned>, Receiver<Returned>),
    muted: Muted,
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
    /// Whether its body has been read; if so, nothing on its connection comes before it.
    is_read: bool,
}

/// What becomes of a request.
enum Next {
    /// Its answer is in `out`.
    Send,
    /// It waits for keys.
    WaitForKeys,
    /// It waits for the request before it on its connection.
    WaitForTurn,
    /// It ends without an answer: nothing is written to its connection.
    Discard,
    /// Its body is read first, elsewhere.
    ReadBody,
    /// Its body is declared longer than can be read.
    GiveUp,
}

impl Loop {
    fn new(settings: Settings, server: Arc<Server>, address: SocketAddr) -> Loop {
        let log = Log::start();
        let faults = log.clone();
        // Connection threads of tiny_http may panic; that is a line in the log, not the end.
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
            faults.err(format!("a thread panicked at {}", place.unwrap_or_default()));
        }));
        let deaf = log.clone();
        let mut served = Loop {
            caretaker: Caretaker::start(address, move || leave(&deaf, "the port no longer accepts connections")),
            cors: Cors::new(settings.origins.clone()),
            audit: AuditLog::new(settings.audit, log.clone()),
            keys: Keys::fetching_since(Instant::now()),
            settings,
            server,
            fetch: None,
            memory: SignatureMemory::default(),
            parked: Vec::new(),
            reading: Vec::new(),
            bodies: channel(),
            muted: Muted::on(address.port()),
            date: (0, String::new()),
            out: Vec::new(),
            log,
        };
        served.start_fetch();
        served
    }

    fn run(mut self) -> ! {
        loop {
            match self.server.recv_timeout(self.patience()) {
                Ok(Some(request)) => {
                    let since = Instant::now();
                    self.caretaker.saw(request.remote_addr(), since);
                    self.take(Arrival { request, since, is_read: false });
                }
                Ok(None) => {}
                Err(error) => leave(&self.log, &format!("connections can no longer be accepted: {error}")),
            }
            while let Ok(returned) = self.bodies.1.try_recv() {
                self.end_body(returned);
            }
            self.end_fetch();
            if self.parked.iter().any(|parked| parked.since.elapsed() >= PARK_TIMEOUT) {
                self.retry_parked();
            }
            if self.keys.refresh_is_due(Instant::now()) {
                self.start_fetch();
            }
        }
    }

    /// How long the loop may sleep when nothing comes.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let parked = self.parked.iter().map(|parked| PARK_TIMEOUT.saturating_sub(now.duration_since(parked.since)));
        parked.chain([self.keys.until_refresh(now)]).min().unwrap_or_default().max(Duration::from_millis(2))
    }

    /// Takes a request as far as it gets. A panic meanwhile costs it a 500, and nobody else
    /// anything.
    fn take(&mut self, arrival: Arrival) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.take_unguarded(arrival)));
    }

    fn take_unguarded(&mut self, arrival: Arrival) {
        let head = Head::of(&arrival.request);
        let body = if arrival.is_read { Body::Done } else { head.body(&arrival.request) };
        let peer = arrival.request.remote_addr();
        // Answers leave in the order of their requests: one that came before its turn would make
        // the loop wait for itself.
        let is_behind = !arrival.is_read && self.is_waiting(peer);
        let next = match body {
            _ if self.muted.contains(peer) => Next::Discard,
            _ if is_behind && self.parked.len() >= MAX_PARKED => {
                self.muted.add(peer);
                Next::Discard
            }
            _ if is_behind => Next::WaitForTurn,
            Body::Done => self.prepare(&arrival, &head),
            Body::Pending => Next::ReadBody,
            Body::TooLong => Next::GiveUp,
        };
        match next {
            Next::Send => self.send(arrival.request),
            Next::WaitForTurn => self.parked.push(arrival),
            Next::WaitForKeys => {
                let follower = self.parked.iter().position(|parked| parked.request.remote_addr() == peer);
                self.parked.insert(follower.unwrap_or(self.parked.len()), arrival);
            }
            Next::Discard if body == Body::Done => drop(arrival.request.into_writer()),
            Next::Discard => body::abandon(arrival.request),
            Next::ReadBody => {
                let peer = peer.copied();
                self.write(&api::bad_body(), head.last_form(&arrival.request));
                if body::read(arrival.request, self.out.clone(), self.bodies.0.clone(), self.wake()) {
                    self.reading.extend(peer);
                }
            }
            Next::GiveUp => {
                self.log.err("warning: a body of more than 100 MiB was declared; its connection is given up".into());
                body::abandon(arrival.request);
            }
        }
    }

    /// Whether an earlier request of this peer has not been answered yet.
    fn is_waiting(&self, peer: Option<&SocketAddr>) -> bool {
        self.parked.iter().any(|parked| parked.request.remote_addr() == peer)
            || self.reading.iter().any(|reading| Some(reading) == peer)
    }

    /// Puts the answer of a request into `out`, unless it has to wait for keys.
    fn prepare(&mut self, arrival: &Arrival, head: &Head) -> Next {
        let answer = match self.answer(&arrival.request, head, arrival.since) {
            Some(answer) => answer,
            None if self.parked.len() < MAX_PARKED => return Next::WaitForKeys,
            None => api::refused(&Rejection::KeysUnavailable { retry_after: 1 }),
        };
        self.write(&answer, head.form(&arrival.request));
        Next::Send
    }

    /// Puts an answer into `out`.
    fn write(&mut self, answer: &Answer, form: Form) {
        let seconds = clock::unix_now() as u64;
        if self.date.0 != seconds {
            self.date = (seconds, clock::http_date(seconds));
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

    /// Sends what is in `out`. A peer that is gone is no matter; one that does not read is.
    fn send(&mut self, request: Request) {
        let peer = request.remote_addr().copied();
        let mut writer = request.into_writer();
        let sent = writer.write_all(&self.out).and_then(|()| writer.flush());
        if sent.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)) {
            self.muted.add(peer.as_ref());
        }
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
        self.retry_parked();
    }

    /// A body has been read, or its connection has ended: whoever waits behind it may go on.
    fn end_body(&mut self, Returned { peer, request }: Returned) {
        self.reading.retain(|reading| Some(*reading) != peer);
        if let Some(request) = request {
            self.take(Arrival { request, since: Instant::now(), is_read: true });
        }
        if self.parked.iter().any(|parked| parked.request.remote_addr() == peer.as_ref()) {
            self.retry_parked();
        }
    }

    /// Takes up all parked requests anew, in their order; those that have to wait on park again.
    fn retry_parked(&mut self) {
        for arrival in std::mem::take(&mut self.parked) {
            self.take(arrival);
        }
    }
}
