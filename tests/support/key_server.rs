//! A key server on loopback that replies as it is told, also badly, and counts the fetches.

use super::process::wait_until;
use super::server::{Received, Server, Stream, response};
use serde_json::json;
use std::collections::HashMap;
use std::io::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two bytes that drip. A response of a hundred bytes takes longer than a fetch may.
const DRIP: Duration = Duration::from_millis(100);

const JSON: &str = "Content-Type: application/json\r\n";

/// The bytes of one reply, and when they come.
#[derive(Clone)]
pub struct Reply {
    delay: Duration,
    at_once: Arc<[u8]>,
    /// These come after the others, one now and then.
    drip: Arc<[u8]>,
    /// Whether the connection then stays open.
    stays: bool,
}

impl Reply {
    /// Exactly these bytes, and the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        let nothing = Arc::from([]);
        Reply {
            delay: Duration::ZERO,
            at_once: bytes.into().into(),
            drip: nothing,
            stays: false,
        }
    }

    /// 200 and this body, such as a key set.
    pub fn body(body: impl AsRef<str>) -> Reply {
        Reply::raw(response("200 OK", JSON, body.as_ref()))
    }

    /// This status, and a good-looking body all the same.
    pub fn status(status: u16, body: impl AsRef<str>) -> Reply {
        Reply::raw(response(&format!("{status} Status"), JSON, body.as_ref()))
    }

    /// A redirect to this address.
    pub fn redirect(to: &str) -> Reply {
        Reply::raw(response("302 Found", &format!("Location: {to}\r\n"), ""))
    }

    /// 200 and so many blanks, with or without their length.
    pub fn blanks(count: usize, has_length: bool) -> Reply {
        let length = if has_length {
            format!("Content-Length: {count}\r\n")
        } else {
            String::new()
        };
        let mut bytes = format!("HTTP/1.1 200 OK\r\n{length}\r\n").into_bytes();
        bytes.resize(bytes.len() + count, b' ');
        Reply::raw(bytes)
    }

    /// 200 and this as the body in chunks, exactly as it stands: sizes may lie.
    pub fn chunks(chunks: &str) -> Reply {
        Reply::raw(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        ))
    }

    /// The connection ends within the body.
    pub fn truncated(body: &str) -> Reply {
        let whole = response("200 OK", JSON, body);
        Reply::raw(&whole.as_bytes()[..whole.len() - body.len() / 2])
    }

    /// 200 and this body, which drips, but not before so many bytes of the response.
    pub fn dripping(body: &str, from: usize) -> Reply {
        let whole = response("200 OK", JSON, body);
        let (at_once, drip) = whole.as_bytes().split_at(from.min(whole.len()));
        Reply {
            drip: drip.into(),
            ..Reply::raw(at_once)
        }
    }

    /// The connection ends before a response.
    pub fn close() -> Reply {
        Reply::raw([])
    }

    /// No response and no end.
    pub fn silence() -> Reply {
        Reply {
            stays: true,
            ..Reply::raw([])
        }
    }

    /// The same reply after a pause.
    pub fn after(self, delay: Duration) -> Reply {
        Reply { delay, ..self }
    }
}

pub struct KeyServer {
    server: Server,
    scheme: &'static str,
    /// Each has a path of its own: a request meant for an earlier server on this port is no fetch.
    path: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By path; another path gets 404.
    replies: HashMap<String, Reply>,
    /// While true, nobody gets a reply.
    is_held: bool,
    has_ended: bool,
}

impl KeyServer {
    /// Replies with this key set.
    pub fn with(set: String) -> KeyServer {
        KeyServer::start(Reply::body(set))
    }

    /// The same, but not before [`KeyServer::release`].
    pub fn held(set: String) -> KeyServer {
        let server = KeyServer::with(set);
        server.hold();
        server
    }

    pub fn start(reply: Reply) -> KeyServer {
        KeyServer::listen(reply, "http")
    }

    /// With TLS and a certificate of the test authority.
    pub fn start_tls(reply: Reply) -> KeyServer {
        KeyServer::listen(reply, "https")
    }

    fn listen(reply: Reply, scheme: &'static str) -> KeyServer {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let path = format!("/{}/keys", STARTED.fetch_add(1, Ordering::Relaxed));
        let shared = Arc::<Shared>::default();
        let script = shared.clone();
        let respond =
            move |request: &Received, stream: &mut dyn Stream| script.respond(request, stream);
        let start = if scheme == "https" {
            Server::start_tls
        } else {
            Server::start
        };
        let server = KeyServer {
            server: start(respond),
            scheme,
            path,
            shared,
        };
        server.reply(reply);
        server
    }

    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address)
    }

    /// The address of the key set.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// From now on, replies with this to whom wants the key set.
    pub fn reply(&self, reply: Reply) {
        self.reply_at(&self.path, reply);
    }

    /// From now on, replies with this at another path.
    pub fn reply_at(&self, path: &str, reply: Reply) {
        self.shared.state().replies.insert(path.to_owned(), reply);
    }

    /// Publishes the metadata of an issuer at this path, which names the keys of this server.
    /// Gives the issuer.
    pub fn issuer(&self, path: &str) -> String {
        let issuer = format!("{}{path}", self.origin());
        let metadata = json!({ "issuer": issuer, "jwks_uri": self.url() }).to_string();
        let path = format!(
            "{}/.well-known/openid-configuration",
            path.trim_end_matches('/')
        );
        self.reply_at(&path, Reply::body(metadata));
        issuer
    }

    pub fn hold(&self) {
        self.shared.state().is_held = true;
    }

    pub fn release(&self) {
        self.shared.state().is_held = false;
        self.shared.changed.notify_all();
    }

    /// Number of fetches of the key set so far.
    pub fn fetches(&self) -> usize {
        self.fetches_of(&self.path)
    }

    /// Number of requests for a path so far.
    pub fn fetches_of(&self, path: &str) -> usize {
        self.received()
            .iter()
            .filter(|request| request.path() == path)
            .count()
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.server.received()
    }

    /// Waits for the fetch of this number.
    #[track_caller]
    pub fn wait_for_fetch(&self, number: usize) {
        wait_until("the keys are fetched", || self.fetches() >= number);
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.shared.state().has_ended = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, request: &Received, stream: &mut dyn Stream) -> Result<()> {
        let mut state = self.state();
        while state.is_held && !state.has_ended {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let reply = state.replies.get(request.path()).cloned();
        drop(state);
        let reply = reply.unwrap_or_else(|| Reply::status(404, ""));
        self.has_ended_after(reply.delay);
        stream.write_all(&reply.at_once)?;
        for byte in reply.drip.iter() {
            stream.flush()?;
            if self.has_ended_after(DRIP) {
                return Ok(());
            }
            stream.write_all(&[*byte])?;
        }
        while reply.stays && !self.has_ended_after(Duration::from_secs(1)) {}
        Ok(())
    }

    fn has_ended_after(&self, time: Duration) -> bool {
        let state = self.state();
        let wait = self
            .changed
            .wait_timeout_while(state, time, |state| !state.has_ended);
        wait.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }
}
