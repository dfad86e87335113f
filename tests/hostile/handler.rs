//! The handler as a child process.

use crate::tokens::{AUDIENCE, TENANT};
use crate::usage::Usage;
use crate::wire::Wire;
use std::collections::HashSet;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// A guard against hanging for ever, never a measure of anything.
pub(crate) const GUARD: Duration = Duration::from_secs(20);

/// The handler with its output thrown away.
const QUIET: &str = "exec \"$0\" >/dev/null 2>&1";

/// A handler that serves.
pub(crate) struct Handler {
    child: Child,
    pub(crate) address: SocketAddr,
    /// When the kernel started the process, in its own ticks.
    born: String,
}

impl Handler {
    /// Starts it on a free port with the keys at `jwks_uri`.
    pub(crate) fn start(jwks_uri: &str) -> Handler {
        Handler::launched(jwks_uri, QUIET, &[])
    }

    /// Starts it with a line of the shell in which `exec "$0"` becomes the handler, and with more
    /// settings.
    pub(crate) fn launched(jwks_uri: &str, script: &str, more: &[(&str, &str)]) -> Handler {
        let on = |port| Handler::on_port(port, jwks_uri, script, more);
        (0..20)
            .find_map(|_| on(free_port()))
            .expect("of twenty free ports one stays free")
    }

    /// Starts it on this port with its output thrown away.
    pub(crate) fn again(port: u16, jwks_uri: &str) -> Option<Handler> {
        Handler::on_port(port, jwks_uri, QUIET, &[])
    }

    /// None when somebody else has the port.
    fn on_port(port: u16, jwks_uri: &str, script: &str, more: &[(&str, &str)]) -> Option<Handler> {
        let child = command(port, jwks_uri, script, more)
            .spawn()
            .expect("the shell starts");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut handler = Handler {
            child,
            address,
            born: String::new(),
        };
        let deadline = Instant::now() + GUARD;
        while handler.public(Duration::from_secs(5)).is_none() {
            if handler.ended().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "the handler does not answer");
            thread::sleep(Duration::from_millis(5));
        }
        handler.born = handler.start_time();
        // Whoever answered has to be this child.
        handler.ended().is_none().then_some(handler)
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Wire {
        Wire::to(self.address).expect("the port accepts connections")
    }

    /// Time that `GET /public` on a connection of its own takes; None when it is not answered
    /// with 200 within `patience`.
    pub(crate) fn public(&self, patience: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut wire = Wire::to(self.address)?;
        wire.send(b"GET /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        (wire.answer(patience)?.0 == 200).then(|| start.elapsed())
    }

    /// Status and body of what `GET /api` with this token is answered.
    pub(crate) fn api(&self, token: &str) -> (u16, String) {
        let mut wire = self.connect();
        wire.send(&crate::wire::api(token));
        wire.answer(GUARD).expect("an answer")
    }

    /// What the process uses at the moment.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }

    /// Fails unless this is still the process that was started.
    pub(crate) fn must_be_the_same(&mut self) {
        assert_eq!(self.ended(), None, "the handler has ended");
        assert_eq!(self.start_time(), self.born, "it is another process");
    }

    /// How it ended, when it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its standard output, which nobody has read so far.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("taken once")
    }

    /// All that it wrote to standard error, once it has ended.
    pub(crate) fn last_words(&mut self) -> String {
        let mut words = String::new();
        let mut pipe = self.child.stderr.take().expect("taken once");
        pipe.read_to_string(&mut words).expect("UTF-8");
        words
    }

    fn start_time(&self) -> String {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name, in parentheses, may hold spaces; the 20th field after it is the start time.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields
            .split_ascii_whitespace()
            .nth(19)
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs the handler on this port to its end: its status and what it wrote to standard error.
pub(crate) fn run_to_the_end(port: u16) -> (Option<i32>, String) {
    let output = command(port, "/dev/null", "exec \"$0\"", &[])
        .output()
        .expect("the shell starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn command(port: u16, jwks_uri: &str, script: &str, more: &[(&str, &str)]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_handler")]);
    let settings = [
        ("TENANT_ID", TENANT),
        ("API_AUDIENCE", AUDIENCE),
        ("JWKS_URI", jwks_uri),
    ];
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(settings)
        .envs(more.iter().copied());
    command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A port that was free a moment ago and that no other test of this process was given.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        if GIVEN
            .lock()
            .expect("no panic while held")
            .get_or_insert_default()
            .insert(port)
        {
            return port;
        }
    }
}
