//! The handler as a child process: served on a free port and killed at the end, or run to its end.

use super::http::{Connection, Response, api_request, request};
use super::key_server::KeyServer;
use super::process::{GUARD, Process, free_port, wait_until};
use super::tokens::{AUDIENCE, TENANT, set};
use super::usage::Usage;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// How a handler is started: its settings, and nothing else, are its environment.
#[derive(Clone)]
pub struct Setup {
    program: PathBuf,
    script: Option<String>,
    arguments: Vec<String>,
    settings: Vec<(String, String)>,
    has_unread_stdout: bool,
}

impl Setup {
    /// No settings at all. The handler is the one of this build, or the one that the environment
    /// variable `HANDLER` names.
    pub fn bare() -> Setup {
        let built = option_env!("CARGO_BIN_EXE_handler").unwrap_or("target/release/handler");
        Setup {
            program: std::env::var_os("HANDLER").map_or(built.into(), PathBuf::from),
            script: None,
            arguments: Vec::new(),
            settings: Vec::new(),
            has_unread_stdout: false,
        }
    }

    /// `TENANT`, `AUDIENCE`, and keys from there.
    pub fn new(jwks_uri: &str) -> Setup {
        let usual = [
            ("TENANT_ID", TENANT),
            ("API_AUDIENCE", AUDIENCE),
            ("JWKS_URI", jwks_uri),
        ];
        Setup::bare().with(&usual)
    }

    /// More settings; a later value replaces an earlier one.
    pub fn with(mut self, settings: &[(&str, &str)]) -> Setup {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        self.settings.extend(settings.iter().map(owned));
        self
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Setup {
        self.arguments = arguments
            .iter()
            .map(|argument| argument.to_string())
            .collect();
        self
    }

    /// Another program than the handler of this build.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Setup {
        self.program = program.into();
        self
    }

    /// A line of the shell, in which `exec "$0"` becomes the handler: limits, other outputs.
    pub fn script(mut self, script: &str) -> Setup {
        self.script = Some(script.to_owned());
        self
    }

    /// No more than so many file descriptors.
    pub fn descriptors(self, count: usize) -> Setup {
        self.script(&format!("ulimit -n {count} && exec \"$0\""))
    }

    /// Nobody reads its standard output, until the test does.
    pub fn unread_stdout(mut self) -> Setup {
        self.has_unread_stdout = true;
        self
    }

    pub fn command(&self) -> Command {
        let mut command = match &self.script {
            None => Command::new(&self.program),
            Some(script) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", script]).arg(&self.program);
                shell
            }
        };
        command.args(&self.arguments).env_clear();
        if self.script.is_some() {
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it on a free port, and waits until it responds.
    pub fn start(&self) -> Handler {
        let started = (0..20).find_map(|_| self.start_on(free_port()));
        started.expect("of twenty free ports one stays free")
    }

    /// Starts it on this port; None when somebody else has the port.
    pub fn start_on(&self, port: u16) -> Option<Handler> {
        let mut command = self.command();
        command.env(PORT, port.to_string()).stdin(Stdio::null());
        let process = match self.has_unread_stdout {
            true => Process::start_unread(command),
            false => Process::start(command),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut handler = Handler { process, address };
        let deadline = Instant::now() + GUARD;
        while !responds(address) {
            if let Some(status) = handler.ended() {
                let said = handler.stderr.until_the_end();
                let is_taken = said.iter().any(|line| line.contains("cannot listen"));
                assert!(is_taken, "ended with {status}: {said:?}");
                return None;
            }
            assert!(Instant::now() < deadline, "the handler does not respond");
            thread::sleep(Duration::from_millis(2));
        }
        // The response has to come from this child.
        handler.ended().is_none().then_some(handler)
    }

    /// Runs it to its end with this as its standard input.
    pub fn run(&self, input: impl AsRef<[u8]>) -> Outcome {
        let mut command = self.command();
        command.stdin(Stdio::piped());
        let mut process = Process::start(command);
        let mut stdin = process.child.stdin.take().expect("piped");
        // A handler that never reads its input breaks the pipe, which is its right.
        let _ = stdin.write_all(input.as_ref());
        drop(stdin);
        let status = process.wait().code().expect("ended by itself");
        let text = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect();
        let stdout = text(process.stdout.until_the_end());
        Outcome {
            status,
            stdout,
            stderr: text(process.stderr.until_the_end()),
        }
    }
}

/// How a run to the end went.
#[derive(Debug)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A handler with these settings and key 1, and its key server.
pub fn serving(settings: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, settings), keys)
}

/// A handler that serves.
pub struct Handler {
    process: Process,
    pub address: SocketAddr,
}

impl Handler {
    /// Starts it for `TENANT` and `AUDIENCE` with the keys of `server`, and these settings.
    pub fn with_keys(server: &KeyServer, settings: &[(&str, &str)]) -> Handler {
        Setup::new(&server.url()).with(settings).start()
    }

    /// A new connection.
    pub fn connect(&self) -> Connection {
        Connection::to(self.address).expect("the port accepts connections")
    }

    /// One request on a connection of its own, read to the end of the connection.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        let headers = [headers, &[("Connection", "close")]].concat();
        let mut connection = self.connect();
        connection.send(request(method, target, &headers));
        connection.last_response()
    }

    /// A call such as `GET /api`, with this `Authorization` unless it is empty.
    pub fn call(&self, call: &str, authorization: &str) -> Response {
        let (method, target) = call.split_once(' ').expect("a method and a target");
        let header = [("Authorization", authorization)];
        self.ask(
            method,
            target,
            if authorization.is_empty() {
                &[]
            } else {
                &header
            },
        )
    }

    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[])
    }

    /// `GET /api` with a token.
    pub fn api(&self, token: &str) -> Response {
        self.ask(
            "GET",
            "/api",
            &[("Authorization", &format!("Bearer {token}"))],
        )
    }

    /// A connection on which `GET /api` with a token was sent, and nothing read yet.
    pub fn api_sent(&self, token: &str) -> Connection {
        let mut connection = self.connect();
        connection.send(api_request(token));
        connection
    }

    /// Whether `GET /public` on a connection of its own gets 200 in time.
    pub fn is_up(&self, time: Duration) -> bool {
        let Some(mut connection) = Connection::to(self.address) else {
            return false;
        };
        connection.try_send(request("GET", "/public", &[("Connection", "close")]));
        connection
            .response_within(time)
            .is_some_and(|response| response.status == 200)
    }

    /// Fails unless this process goes on and serves others.
    #[track_caller]
    pub fn must_serve(&mut self) {
        assert_eq!(
            self.ended(),
            None,
            "the handler has ended: {:?}",
            self.stderr.all()
        );
        assert!(self.is_up(GUARD), "the handler does not respond");
        assert_eq!(
            self.ended(),
            None,
            "the handler has ended: {:?}",
            self.stderr.all()
        );
    }

    /// Ends it, and gives every line that it wrote to standard output and standard error.
    pub fn into_lines(mut self) -> (Vec<String>, Vec<String>) {
        self.flush_log();
        self.kill();
        (self.stdout.until_the_end(), self.stderr.until_the_end())
    }

    /// Waits until every line logged so far is written: they leave in order, and a body that is
    /// declared too long is a line.
    pub fn flush_log(&self) {
        let before = self.stderr.count("was declared");
        let mut connection = self.connect();
        connection.send(request(
            "POST",
            "/api",
            &[("Content-Length", "1099511627776")],
        ));
        wait_until("the log is written", || {
            self.stderr.count("was declared") > before
        });
    }

    /// The threads, descriptors and memory that it has at the moment.
    pub fn usage(&self) -> Usage {
        Usage::of(self.child.id()).expect("/proc, and a process that runs")
    }
}

impl Deref for Handler {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Handler {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Whether an HTTP server responds there. A mere connection proves nothing: one to a port without
/// a listener can, by chance, be a connection to itself.
fn responds(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(GUARD));
    let mut start = [0; 12];
    let sent = stream.write_all(request("GET", "/", &[("Connection", "close")]).as_bytes());
    sent.is_ok() && stream.read_exact(&mut start).is_ok() && &start == b"HTTP/1.1 200"
}
