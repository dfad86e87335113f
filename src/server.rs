//! The loop: one thread takes every request from tiny_http and decides it. What could make it
//! wait for somebody goes elsewhere: bodies ([`crate::body`]), key fetches ([`crate::fetch`]),
//! log lines ([`crate::log`]). Requests that need keys that are on their way are parked.

use crate::answer::{Answer, Cors};
use crate::api::{self, Task};
use crate::audit_log::{AuditLog, Decision, facts};
use crate::bearer;
use crate::body::{self, Body};
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
    parked: Vec<Parked>,
    bodies: (Sender<Request>, Receiver<Request>),
    muted: Muted,
    memory: SignatureMemory,
    caretaker: Caretaker,
    cors: Cors,
    date: (u64, String),
    out: Vec<u8>,
    audit: AuditLog,
    log: Log,
}

/// What becomes of a request.
enum Next {
    /// Its answer is in `out`.
    Send,
    /// It waits for keys.
    Park,
    /// It ends without an answer: nothing is written to its connection.
    Discard,
    /// Its body is read first, elsewhere.
    ReadBody,
    /// Its body cannot be read.
    Abandon,
}

struct Parked {
    request: Request,
    since: Instant,
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
            bodies: channel(),
            muted: Muted::default(),
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
                Ok(Some(request)) => self.guarded(|it| it.received(request)),
                Ok(None) => {}
                Err(error) => leave(&self.log, &format!("connections can no longer be accepted: {error}")),
            }
            while let Ok(request) = self.bodies.1.try_recv() {
                self.guarded(|it| it.handle(request, Instant::now()));
            }
            self.guarded(Loop::end_fetch);
            self.guarded(Loop::end_waiting);
            if self.keys.refresh_is_due(Instant::now()) {
                self.start_fetch();
            }
        }
    }

    /// A panic while one request is handled costs that request a 500 and nobody else anything.
    fn guarded(&mut self, work: impl FnOnce(&mut Loop)) {
        let _ = catch_unwind(AssertUnwindSafe(|| work(self)));
    }

    /// How long the loop may sleep when nothing comes.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let parked = self.parked.iter().map(|parked| PARK_TIMEOUT.saturating_sub(now.duration_since(parked.since)));
        parked.chain([self.keys.until_refresh(now)]).min().unwrap_or_default().max(Duration::from_millis(2))
    }

    fn received(&mut self, request: Request) {
        self.caretaker.saw(request.remote_addr());
        let head = Head::of(&request);
        let next = match head.body(&request) {
            Body::Done => self.next(&request, &head, Instant::now()),
            Body::Pending => Next::ReadBody,
            Body::TooLong => Next::Abandon,
        };
        self.go_on(request, next, Instant::now());
    }

    /// A request whose body has been read, or that was parked; `since` is when it could first be
    /// answered.
    fn handle(&mut self, request: Request, since: Instant) {
        let next = self.next(&request, &Head::of(&request), since);
        self.go_on(request, next, since);
    }

    fn go_on(&mut self, request: Request, next: Next, since: Instant) {
        match next {
            Next::Send => self.send(request),
            Next::Park => self.parked.push(Parked { request, since }),
            Next::Discard => drop(request.into_writer()),
            Next::ReadBody => body::drain(request, self.bodies.0.clone(), self.wake()),
            Next::Abandon => {
                self.log.err("warning: a body of more than 100 MiB was declared; its connection is given up".into());
                body::abandon(request);
            }
        }
    }

    fn next(&mut self, request: &Request, head: &Head, since: Instant) -> Next {
        let peer = request.remote_addr();
        if self.muted.contains(peer) {
            return Next::Discard;
        }
        // Answers leave in the order of their requests: one behind a parked request of its own
        // connection would make the loop wait for itself.
        let is_behind = self.parked.iter().any(|parked| parked.request.remote_addr() == peer);
        let is_full = self.parked.len() >= MAX_PARKED;
        let answer = if is_behind { None } else { self.answer(request, head, since) };
        let answer = match answer {
            Some(answer) => answer,
            None if !is_full => return Next::Park,
            None if is_behind => {
                self.muted.add(peer);
                return Next::Discard;
            }
            None => api::refused(&Rejection::KeysUnavailable { retry_after: 1 }),
        };
        let seconds = clock::unix_now() as u64;
        if self.date.0 != seconds {
            self.date = (seconds, clock::http_date(seconds));
        }
        answer.write_to(&mut self.out, head.form(request), &self.cors, &self.date.1);
        Next::Send
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
                self.audit.decided(decided("authorization", Some(&rejection)), None);
                return Some(api::refused(&rejection));
            }
        };
        let now = Instant::now();
        let case = Case::new(token, &self.settings, self.keys.usable(now), clock::unix_now());
        let mut case = case.with_memory(&mut self.memory);
        let outcome = checks::decide(&mut case);
        let wanted = self.audit.wants(outcome.is_ok());
        let facts = if wanted { facts(&case) } else { None };
        let mut refusal = match outcome {
            Ok(claims) => {
                self.audit.decided(decided("", None), facts);
                return Some(endpoint(claims));
            }
            Err(refusal) => refusal,
        };
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
        for Parked { request, since } in std::mem::take(&mut self.parked) {
            self.guarded(|it| it.handle(request, since));
        }
    }

    /// Answers what has been parked for too long. Arrivals are in order.
    fn end_waiting(&mut self) {
        while self.parked.first().is_some_and(|parked| parked.since.elapsed() >= PARK_TIMEOUT) {
            let Parked { request, since } = self.parked.remove(0);
            self.guarded(|it| it.handle(request, since));
        }
    }
}
