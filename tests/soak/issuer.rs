//! A key server whose key rotates, and that fails when told to.

use crate::mint::TestKey;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The issuer: keys 1 to 3 take turns, one published at a time; key 4 never is.
pub(crate) struct Issuer {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    current: AtomicUsize,
    is_failing: AtomicBool,
    fetches: AtomicUsize,
    rotated: Mutex<Option<Instant>>,
}

impl Issuer {
    /// Starts on a free port.
    pub(crate) fn start() -> Issuer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State::default());
        let served = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &served);
            }
        });
        Issuer { address, state }
    }

    /// Where the key set is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// The number of the published key, and the time since it was published; None for the first.
    pub(crate) fn current(&self) -> (usize, Option<Duration>) {
        let rotated = *self.state.rotated.lock().expect("no panic while held");
        (self.state.current.load(Ordering::SeqCst) + 1, rotated.map(|at| at.elapsed()))
    }

    /// Publishes the next key in the place of the current one.
    pub(crate) fn rotate(&self) {
        let mut rotated = self.state.rotated.lock().expect("no panic while held");
        let next = (self.state.current.load(Ordering::SeqCst) + 1) % 3;
        self.state.current.store(next, Ordering::SeqCst);
        *rotated = Some(Instant::now());
    }

    /// Whether fetches fail from now on.
    pub(crate) fn fail(&self, is_failing: bool) {
        self.state.is_failing.store(is_failing, Ordering::SeqCst);
    }

    /// Number of fetches so far.
    pub(crate) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

/// In turn nothing, an error, and garbage while it fails.
fn answer(mut stream: TcpStream, state: &State) {
    let number = state.fetches.fetch_add(1, Ordering::SeqCst);
    let _ = stream.read(&mut [0; 4096]);
    let (status, body) = match (state.is_failing.load(Ordering::SeqCst), number % 3) {
        (false, _) => ("200 OK", key_set(state.current.load(Ordering::SeqCst) + 1)),
        (true, 0) => return,
        (true, 1) => ("503 Service Unavailable", String::new()),
        (true, _) => ("200 OK", "<html>".to_owned()),
    };
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

fn key_set(number: usize) -> String {
    json!({ "keys": [TestKey::number(number).jwk(None)] }).to_string()
}
