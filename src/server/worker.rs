//! Waiting: a connection that has to wait for somebody gets a worker, a thread of its own. It reads
//! bodies, runs slow endpoints, and sends to peers that do not read; the loop does none of that.

use super::places::{Place, Places};
use super::transport::{Body, BodyEnd, Incoming, Unsent, Waker};
use crate::clock;
use crate::endpoints::MAX_BODY_BYTES;
use crate::http::{Api, Claims, Connection, Kind, Request, Response, Route};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// A request on its way to its response.
pub(super) struct Pending {
    pub(super) incoming: Incoming,
    pub(super) request: Request,
    /// When the loop took it up.
    pub(super) since: Instant,
}

/// The permission to run the endpoint of a route.
pub(super) struct Call {
    pub(super) route: &'static Route,
    /// None on an open route.
    pub(super) claims: Option<Claims>,
    /// The place of the body, when it has to be waited for.
    pub(super) body: Option<Place>,
    /// The place of a slow endpoint that is at work.
    pub(super) at_work: Option<Place>,
}

/// The step that follows once the body was read.
pub(super) enum Then {
    /// The body is thrown away, and this is the response.
    Respond(Response),
    /// The body is kept, and the endpoint runs.
    Call(Call),
}

/// The work of a worker.
pub(super) enum Job {
    /// Take a request from its body to its response.
    Handle(Box<Pending>, Then),
    /// Send the rest of a response.
    Send(Unsent),
}

/// The end of a job. The loop then takes the next request of the connection.
pub(super) struct Done {
    pub(super) peer: SocketAddr,
    /// Whether the job had to wait for somebody.
    pub(super) has_waited: bool,
}

/// The things that all workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) api: Arc<Api>,
    /// Places for slow endpoints.
    pub(super) endpoints: Places,
    pub(super) done: Sender<Done>,
    pub(super) waker: Waker,
}

/// Starts the worker of a connection. It ends with the sender that is given back.
///
/// # Errors
/// There is no thread to be had.
pub(super) fn start(peer: SocketAddr, shared: Shared) -> std::io::Result<Sender<Job>> {
    let (sender, jobs) = channel();
    let thread = std::thread::Builder::new().name("worker".into());
    thread.spawn(move || work(peer, &jobs, &shared))?;
    Ok(sender)
}

fn work(peer: SocketAddr, jobs: &Receiver<Job>, shared: &Shared) {
    for job in jobs {
        // A panic costs this request a 500, which tiny_http sends, and nobody else anything.
        let outcome = catch_unwind(AssertUnwindSafe(|| match job {
            Job::Handle(pending, then) => handle(*pending, then, shared),
            Job::Send(unsent) => unsent.finish(),
        }));
        let has_waited = outcome.unwrap_or(true);
        let _ = shared.done.send(Done { peer, has_waited });
        shared.waker.wake();
    }
}

/// Whether it had to wait.
fn handle(mut pending: Pending, then: Then, shared: &Shared) -> bool {
    let is_quick = matches!(then, Then::Respond(_)) && pending.incoming.body() != Body::Unread;
    let mut connection = pending.incoming.connection();
    let keep = match then {
        Then::Respond(_) => 0,
        Then::Call(_) => MAX_BODY_BYTES,
    };
    let end = pending.incoming.read_body(keep);
    match end {
        BodyEnd::BrokenOff => {
            pending.incoming.close();
            return true;
        }
        // Where the next request begins is unknown.
        BodyEnd::Malformed | BodyEnd::Endless => connection = Connection::Close,
        BodyEnd::Whole(_) => {}
    }
    let body = kept(end);
    let response = match (then, body) {
        (Then::Respond(response), _) => response,
        (Then::Call(_), Err(response)) => response,
        (Then::Call(call), Ok(body)) => call.run_with(body, &mut pending.request, shared),
    };
    let mut bytes = Vec::new();
    let date = clock::http_date(clock::unix_now() as u64);
    let cors = shared.api.cors();
    response.write(&mut bytes, &pending.request, connection, cors, &date);
    drop(response);
    let has_waited = pending.incoming.unsent(bytes).finish();
    has_waited || !is_quick
}

impl Call {
    /// Runs the endpoint.
    pub(super) fn run(&self, request: &Request) -> Response {
        self.route.call(request, self.claims.as_ref())
    }

    /// Runs the endpoint on a body that was read. Both places are free again when it has ended; a
    /// peer that does not take the response holds none.
    fn run_with(mut self, body: Vec<u8>, request: &mut Request, shared: &Shared) -> Response {
        if self.route.kind() == Kind::Slow && self.at_work.is_none() {
            self.at_work = shared.endpoints.take();
            if self.at_work.is_none() {
                return busy();
            }
        }
        request.set_body(body);
        let response = self.run(request);
        request.set_body(Vec::new());
        response
    }
}

/// There is no place left.
pub(super) fn busy() -> Response {
    let words = "Too many requests are at work at the moment; try again in a second";
    Response::error(503, "busy", words).with("Retry-After", 1)
}

/// The body that was kept, or the response to one that cannot be.
pub(super) fn kept(end: BodyEnd) -> Result<Vec<u8>, Response> {
    match end {
        BodyEnd::Whole(Some(body)) => Ok(body),
        BodyEnd::Whole(None) | BodyEnd::Endless => Err(too_large()),
        BodyEnd::Malformed | BodyEnd::BrokenOff => Err(malformed()),
    }
}

fn too_large() -> Response {
    let words = format!("The request's body is longer than {MAX_BODY_BYTES} bytes");
    Response::error(413, "payload_too_large", words)
}

pub(super) fn malformed() -> Response {
    let words = "The request's body is not of the length or of the chunks that its headers say";
    Response::error(400, "bad_request", words)
}
