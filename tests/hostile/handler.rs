//! The handler as a child process, and what the kernel says about it.

use crate::tokens::{AUDIENCE, TENANT};
use crate::wire::Wire;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// A guard against hanging for ever, never a measure of anything.
const GUARD: Duration = Duration::from_secs(20);

/// A handler that serves.
pub(crate) struct Handler {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Handler {
    /// Starts it on a free port with the keys at `jwks_uri`.
    pub(crate) fn start(jwks_uri: &str) -> Handler {
        (0..20).find_map(|_| Handler::try_start(jwks_uri)).expect("of twenty free ports one stays free")
    }

    fn try_start(jwks_uri: &str) -> Option<Handler> {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
        let settings = [("TENANT_ID", TENANT), ("API_AUDIENCE", AUDIENCE), ("JWKS_URI", jwks_uri)];
        command.env_clear().envs(settings).env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the handler starts");
        let mut handler = Handler { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        let deadline = Instant::now() + GUARD;
        while handler.public(Duration::from_secs(5)).is_none() {
            if handler.has_ended() {
                return None;
            }
            assert!(Instant::now() < deadline, "the handler does not answer");
            thread::sleep(Duration::from_millis(5));
        }
        (!handler.has_ended()).then_some(handler)
    }

    /// Time that `GET /public` on a connection of its own takes; None when it is not answered
    /// with 200 within `patience`.
    pub(crate) fn public(&self, patience: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut wire = Wire::to(self.address)?;
        wire.send(b"GET /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = wire.read_for(patience, |bytes| bytes.ends_with(b"}"));
        answer.starts_with(b"HTTP/1.1 200 ").then(|| start.elapsed())
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of this process").is_some()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago and that no other test of this process was given.
fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        if GIVEN.lock().expect("no panic while held").get_or_insert_default().insert(port) {
            return port;
        }
    }
}
