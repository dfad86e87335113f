//! The loop: one thread takes every request and decides it. The path of a request is [`RequestLoop::admit`].

use super::audit::{AuditLog, Decision, Denied, facts};
use super::connection::{Waiting, WaitsFor, Worker};
use super::log::Log;
use super::places::{Place, Places};
use super::restart;
use super::transport::{Body, Incoming, SendCosts, Server};
use super::worker::{self, Call, Done, Job, Pending, Shared, Then, busy};
use crate::clock;
use crate::endpoints::MAX_BODY_BYTES;
use crate::http::{self, Api, Claims, Kind, Response, Route};
use crate::keys::{Fetched, Keys, Need, start_fetch};
use crate::limits::{MAX_PARKED, PARK_TIMEOUT};
use crate::policy::{Case, Context, Reason, Rejection, decide};
use crate::settings::Settings;
use crate::token::TokenCache;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Slow endpoints at work at one time: each has a thread, and waits for something that has limits of
/// its own.
const MAX_SLOW_ENDPOINTS: usize = 64;

/// Bodies that are being read for callers with a good token, at one time.
const MAX_BODIES: usize = 64;

/// Bodies that are being read for open routes, at one time: anonymous callers must not take the
/// places of the others.
const MAX_OPEN_BODIES: usize = 16;

/// Time after which slow endpoints in all places count as hung: the platform waits 230 seconds.
const HUNG_AFTER: Duration = Duration::from_secs(240);

/// Time between two looks at what has waited too long.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

pub(super) struct RequestLoop {
    settings: Settings,
    server: Server,
    keys: Keys,
    cache: TokenCache,
    fetched: (Sender<Fetched>, Receiver<Fetched>),
    /// Connections that wait for something, or have a worker.
    waiting: HashMap<SocketAddr, Waiting>,
    shared: Shared,
    done: Receiver<Done>,
    bodies: Places,
    open_bodies: Places,
    /// The clocks, read once for each request: reading them is a cost that shows.
    now: Instant,
    unix_now: f64,
    swept: Instant,
    costs: SendCosts,
    date: (u64, String),
    out: Vec<u8>,
    audit: AuditLog,
    log: Log,
}

/// Why a request gets no further now.
enum Stop {
    /// It has its response.
    Respond(Response),
    /// It waits for a fetch of keys.
    AwaitKeys,
}

impl From<Response> for Stop {
    fn from(response: Response) -> Stop {
        Stop::Respond(response)
    }
}

impl RequestLoop {
    pub(super) fn new(
        settings: Settings,
        routes: &'static [Route],
        server: Server,
        log: Log,
    ) -> RequestLoop {
        let (sender, done) = channel();
        let shared = Shared {
            api: Arc::new(Api::new(routes, &settings)),
            endpoints: Places::new(MAX_SLOW_ENDPOINTS),
            done: sender,
            waker: server.waker(),
        };
        let sources = settings.sources.len();
        let request_loop = RequestLoop {
            audit: AuditLog::new(settings.audit, log.clone()),
            keys: Keys::fetching_since(Instant::now(), sources),
            settings,
            server,
            cache: TokenCache::default(),
            fetched: channel(),
            waiting: HashMap::new(),
            shared,
            done,
            bodies: Places::new(MAX_BODIES),
            open_bodies: Places::new(MAX_OPEN_BODIES),
            now: Instant::now(),
            unix_now: clock::unix_now(),
            swept: Instant::now(),
            costs: SendCosts::default(),
            date: (0, String::new()),
            out: Vec::new(),
            log,
        };
        (0..sources).for_each(|source| request_loop.start_fetch(source));
        request_loop
    }

    pub(super) fn run(mut self) -> ! {
        loop {
            let next = self.server.try_next();
            let is_idle = !self.receive(next);
            while let Ok(done) = self.done.try_recv() {
                self.job_is_done(done);
            }
            while let Ok(fetched) = self.fetched.1.try_recv() {
                self.fetch_has_ended(fetched);
            }
            self.sweep();
            for source in self.keys.due(self.now) {
                self.start_fetch(source);
            }
            // Block only after the channels were checked: a wake-up that came earlier is lost in
            // `try_next`.
            if is_idle {
                let next = self.server.next_within(self.pause());
                self.receive(next);
            }
        }
    }

    /// Takes a request that has come; false when there is none.
    fn receive(&mut self, next: std::io::Result<Option<Incoming>>) -> bool {
        (self.now, self.unix_now) = (Instant::now(), clock::unix_now());
        let next = next.unwrap_or_else(|error| {
            restart(
                &self.log,
                &format!("connections can no longer be accepted: {error}"),
            )
        });
        let Some(incoming) = next else {
            return false;
        };
        match self.waiting.get_mut(&incoming.peer()) {
            Some(waiting) if waiting.waits_for.is_some() => waiting.behind.push_back(incoming),
            _ => self.take(incoming),
        }
        true
    }

    /// How long the loop may sleep when nothing comes.
    fn pause(&self) -> Duration {
        if !self.waiting.is_empty() {
            return SWEEP_EVERY;
        }
        self.keys.until_refresh(Instant::now())
    }

    // ---- one request ----

    /// Takes up a request that is the first of its connection.
    fn take(&mut self, incoming: Incoming) {
        if incoming.body() == Body::TooLong {
            self.log.err("warning: a body longer than anybody may send was declared; its connection is given up".into());
            return incoming.abandon();
        }
        let request = incoming.request();
        self.go_on(Pending {
            incoming,
            request,
            since: self.now,
        });
    }

    /// Takes a request as far as it gets. A panic on the way costs it a 500, which tiny_http sends,
    /// and nobody else anything.
    fn go_on(&mut self, pending: Pending) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.go_on_unguarded(pending)));
    }

    fn go_on_unguarded(&mut self, mut pending: Pending) {
        match self.admit(&mut pending) {
            Ok(call) => self.call(pending, call),
            Err(Stop::Respond(response)) => self.respond(pending, response),
            Err(Stop::AwaitKeys) => {
                let waiting = self.waiting.entry(pending.incoming.peer()).or_default();
                waiting.waits_for = Some(WaitsFor::Keys(Box::new(pending)));
            }
        }
    }

    /// From a request to the permission to run its endpoint. In turn: the route (404, 405), the token
    /// (401, 503), the permissions (403), the body's length (400), a place for it (503).
    fn admit(&mut self, pending: &mut Pending) -> Result<Call, Stop> {
        let route = self.shared.api.find(&mut pending.request)?;
        let claims = match route.kind() {
            Kind::Open => None,
            Kind::Protected | Kind::Slow => Some(self.authorize(pending, route)?),
        };
        if pending.incoming.body() == Body::Malformed {
            return Err(worker::malformed().into());
        }
        let places = self.take_places(pending, route);
        if let Some(claims) = &claims {
            let denied = places.is_none().then_some(Denied::BUSY);
            if self.audit.wants(denied.is_none()) {
                let facts = facts(claims.token(), true);
                self.record(pending, route, denied, Some(facts));
            }
        }
        let (body, at_work) = places.ok_or_else(busy)?;
        Ok(Call {
            route,
            claims,
            body,
            at_work,
        })
    }

    /// A place for a body that has to be waited for, and one for a slow endpoint that can begin at
    /// once. None when a place is needed and none is left.
    fn take_places(
        &self,
        pending: &Pending,
        route: &Route,
    ) -> Option<(Option<Place>, Option<Place>)> {
        let bodies = match route.kind() {
            Kind::Open => &self.open_bodies,
            Kind::Protected | Kind::Slow => &self.bodies,
        };
        let is_slow = route.kind() == Kind::Slow;
        Some(match pending.incoming.body() {
            Body::Unread => (Some(bodies.take()?), None),
            _ if is_slow => (None, Some(self.shared.endpoints.take()?)),
            _ => (None, None),
        })
    }

    /// From the `Authorization` header to claims.
    fn authorize(&mut self, pending: &Pending, route: &'static Route) -> Result<Claims, Stop> {
        let token = match http::token(pending.incoming.authorizations()) {
            Ok(token) => token,
            Err(rejection) => return Err(self.refuse(pending, route, &rejection, None)),
        };
        let now = self.now;
        let context = Context {
            settings: &self.settings,
            keys: self.keys.usable(now),
            needs: route.needs(),
            now: self.unix_now,
        };
        let mut case = Case::new(token, &context);
        let mut rejection = match decide(&mut case, &mut self.cache) {
            Ok(claims) => return Ok(claims),
            Err(rejection) => rejection,
        };
        let token = case.token().ok().filter(|_| self.audit.wants(false));
        let facts = token.map(|token| facts(token, case.is_verified()));
        let source = case.source().unwrap_or_default();
        let need = match rejection.reason {
            Reason::KeysUnavailable { .. } => self.keys.need_any(source, now),
            Reason::UnknownKey { .. } if case.is_worth_a_fetch() => {
                self.keys.need_unknown(source, now)
            }
            _ => Need::Unknown,
        };
        if need == Need::Fetch {
            self.start_fetch(source);
        }
        match need {
            Need::Fetch | Need::Wait if self.may_park(pending) => return Err(Stop::AwaitKeys),
            Need::Fetch | Need::Wait => {
                rejection.reason = Reason::KeysUnavailable { retry_after: 1 }
            }
            Need::Unavailable(retry_after) => {
                rejection.reason = Reason::KeysUnavailable { retry_after };
            }
            Need::Unknown => {}
        }
        Err(self.refuse(pending, route, &rejection, facts))
    }

    fn may_park(&self, pending: &Pending) -> bool {
        let parked = self
            .waiting
            .values()
            .filter_map(Waiting::waits_for_keys_since);
        pending.since.elapsed() < PARK_TIMEOUT && parked.count() < MAX_PARKED
    }

    fn refuse(
        &self,
        pending: &Pending,
        route: &'static Route,
        rejection: &Rejection,
        facts: Option<String>,
    ) -> Stop {
        self.record(pending, route, Some(Denied::by(rejection)), facts);
        let resource = self.settings.resource.as_ref();
        http::refused(rejection, route.needs(), resource).into()
    }

    fn record(
        &self,
        pending: &Pending,
        route: &'static Route,
        denied: Option<Denied>,
        facts: Option<String>,
    ) {
        self.audit.decided(Decision {
            denied,
            route: route.pattern(),
            invocation: pending.request.header("X-Azure-Functions-InvocationId"),
            took: pending.since.elapsed(),
            facts,
        });
    }

    // ---- its response ----

    /// Runs an endpoint here, if neither it nor anything before it has to wait.
    fn call(&mut self, mut pending: Pending, call: Call) {
        let must_wait = call.body.is_some() || call.at_work.is_some();
        if must_wait || self.has_worker(&pending) {
            return self.hand_over(pending, Then::Call(call));
        }
        let body = pending.incoming.read_body(MAX_BODY_BYTES);
        let response = match worker::kept(body) {
            Ok(body) => {
                pending.request.set_body(body);
                call.run(&pending.request)
            }
            Err(response) => response,
        };
        self.send(pending, &response);
    }

    /// Sends a response from here, if nothing has to be waited for.
    fn respond(&mut self, pending: Pending, response: Response) {
        let must_wait = pending.incoming.body() == Body::Unread;
        if must_wait || self.has_worker(&pending) {
            return self.hand_over(pending, Then::Respond(response));
        }
        self.send(pending, &response);
    }

    fn has_worker(&self, pending: &Pending) -> bool {
        let waiting = self.waiting.get(&pending.incoming.peer());
        waiting.is_some_and(|waiting| waiting.worker.is_some())
    }

    /// Sends a response. A peer that is gone is no matter; one that does not read, or reads slowly,
    /// gets a worker.
    fn send(&mut self, pending: Pending, response: &Response) {
        let seconds = self.unix_now as u64;
        if self.date.0 != seconds {
            self.date = (seconds, clock::http_date(seconds));
        }
        let (peer, connection) = (pending.incoming.peer(), pending.incoming.connection());
        let cors = self.shared.api.cors();
        response.write(
            &mut self.out,
            &pending.request,
            connection,
            cors,
            &self.date.1,
        );
        let start = Instant::now();
        let unsent = pending.incoming.send(&self.out);
        let is_slow = self.costs.is_slow(peer, start.elapsed());
        match unsent {
            Some(unsent) => self.give(peer, Job::Send(unsent)),
            None if is_slow => drop(self.worker(peer)),
            None => {}
        }
    }

    /// Gives a request to the worker of its connection.
    fn hand_over(&mut self, pending: Pending, then: Then) {
        self.give(
            pending.incoming.peer(),
            Job::Handle(Box::new(pending), then),
        );
    }

    fn give(&mut self, peer: SocketAddr, job: Job) {
        let Some(jobs) = self.worker(peer) else {
            // Without threads no connection can be served: dropping the job here would block.
            std::mem::forget(job);
            restart(&self.log, "there are no threads to be had");
        };
        if jobs.send(job).is_ok()
            && let Some(waiting) = self.waiting.get_mut(&peer)
        {
            waiting.waits_for = Some(WaitsFor::Worker);
        }
    }

    /// The worker of a connection, started if there is none; None when there is no thread to be had.
    fn worker(&mut self, peer: SocketAddr) -> Option<Sender<Job>> {
        let waiting = self.waiting.entry(peer).or_default();
        if waiting.worker.is_none() {
            let jobs = worker::start(peer, self.shared.clone()).ok()?;
            let used = Instant::now();
            waiting.worker = Some(Worker { jobs, used });
        }
        waiting.worker.as_ref().map(|worker| worker.jobs.clone())
    }

    // ---- what has come in the meantime ----

    fn job_is_done(&mut self, done: Done) {
        if let Some(waiting) = self.waiting.get_mut(&done.peer) {
            waiting.waits_for = None;
            if let Some(worker) = waiting.worker.as_mut().filter(|_| done.has_waited) {
                worker.used = Instant::now();
            }
            self.take_next(done.peer);
        }
    }

    /// Takes up the requests behind one that has its response, until one of them has to wait.
    fn take_next(&mut self, peer: SocketAddr) {
        while let Some(waiting) = self.waiting.get_mut(&peer) {
            if waiting.waits_for.is_some() {
                return;
            }
            let Some(incoming) = waiting.behind.pop_front() else {
                if waiting.is_over() {
                    self.waiting.remove(&peer);
                }
                return;
            };
            self.take(incoming);
        }
    }

    fn start_fetch(&self, source: usize) {
        let Some(location) = self.settings.sources.get(source) else {
            return;
        };
        let waker = self.shared.waker.clone();
        let trust = self.settings.trust.clone();
        let sender = self.fetched.0.clone();
        start_fetch(source, location.clone(), trust, sender, move || {
            waker.wake()
        });
    }

    /// Keeps the keys that were fetched, and decides the requests that wait for them.
    fn fetch_has_ended(&mut self, fetched: Fetched) {
        if let Err(reason) = &fetched.outcome {
            self.log
                .err(format!("the signing keys could not be fetched: {reason}"));
        }
        self.keys
            .ended(fetched.source, Instant::now(), fetched.outcome.ok());
        self.retry(|_| true);
    }

    /// Takes up the requests that have waited for keys since such a moment.
    fn retry(&mut self, is_meant: impl Fn(Instant) -> bool) {
        let waiting = self.waiting.iter();
        let parked =
            waiting.filter(|(_, waiting)| waiting.waits_for_keys_since().is_some_and(&is_meant));
        let peers: Vec<SocketAddr> = parked.map(|(peer, _)| *peer).collect();
        for peer in peers {
            let waiting = self.waiting.get_mut(&peer);
            if let Some(pending) = waiting.and_then(Waiting::take_pending) {
                self.go_on(*pending);
                self.take_next(peer);
            }
        }
    }

    /// Now and then: answers requests that have waited too long, ends workers that nobody needs, and
    /// starts anew when all slow endpoints hang.
    fn sweep(&mut self) {
        if self.waiting.is_empty() || self.swept.elapsed() < SWEEP_EVERY {
            return;
        }
        self.swept = Instant::now();
        self.retry(|since| since.elapsed() >= PARK_TIMEOUT);
        self.waiting.retain(|_, waiting| !waiting.is_over());
        if self.shared.endpoints.are_all_taken_for(HUNG_AFTER) {
            let seconds = HUNG_AFTER.as_secs();
            restart(
                &self.log,
                &format!("all slow endpoints have hung for {seconds} seconds"),
            );
        }
    }
}
