//! The handler as a child process: served on a free port and killed at the end, or run to its end.

use crate::client::{Answer, Client, request};
use crate::key_server::KeyServer;
use crate::tokens::{AUDIENCE, TENANT};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A guard against hanging for ever, never a measure of anything.
pub(crate) const GUARD: Duration = Duration::from_secs(30);

const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// A handler that serves.
pub(crate) struct Handler {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Handler {
    /// Starts the handler with these settings, a free port and no other environment.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Handler {
        Handler::started(|| command(&[], settings))
    }

    /// Starts it with no more than so many file descriptors.
    #[cfg(unix)]
    pub(crate) fn with_descriptors(count: usize, settings: &[(&str, &str)]) -> Handler {
        Handler::started(|| {
            let mut shell = Command::new("/bin/sh");
            shell.args([
                "-c",
                "ulimit -n \"$1\" && exec \"$0\"",
                env!("CARGO_BIN_EXE_handler"),
                &count.to_string(),
            ]);
            prepared(shell, settings)
        })
    }

    /// Starts it with the file or pipe of this name as its standard output.
    #[cfg(unix)]
    pub(crate) fn with_output(path: &str, settings: &[(&str, &str)]) -> Handler {
        Handler::started(|| {
            let mut shell = Command::new("/bin/sh");
            shell.args([
                "-c",
                "exec \"$0\" >\"$1\"",
                env!("CARGO_BIN_EXE_handler"),
                path,
            ]);
            prepared(shell, settings)
        })
    }

    fn started(command: impl Fn() -> Command) -> Handler {
        (0..20)
            .find_map(|_| Handler::try_start(command(), free_port()))
            .expect("of twenty free ports one stays free")
    }

    /// Starts it for `TENANT` and `AUDIENCE` with the keys of `server`; `more` is added or replaces.
    pub(crate) fn with_keys(server: &KeyServer, more: &[(&str, &str)]) -> Handler {
        let settings = usual(&server.url(), more);
        Handler::start(&borrowed(&settings))
    }

    /// Starts it by a command of `prepared`.
    #[cfg(unix)]
    pub(crate) fn by(command: impl Fn() -> Command) -> Handler {
        Handler::started(command)
    }

    /// None when somebody else has the port meanwhile.
    fn try_start(mut command: Command, port: u16) -> Option<Handler> {
        let mut child = command
            .env(PORT, port.to_string())
            .stdin(Stdio::null())
            .spawn()
            .expect("the handler starts");
        let stdout = Lines::of(child.stdout.take().expect("piped"));
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut handler = Handler {
            child,
            address,
            stdout,
            stderr,
        };
        let deadline = Instant::now() + GUARD;
        while !answers(address) {
            if let Some(status) = handler.ended() {
                let said = handler.stderr.until_the_end();
                assert!(
                    said.iter().any(|line| line.contains("cannot listen")),
                    "ended with {status}: {said:?}"
                );
                return None;
            }
            assert!(Instant::now() < deadline, "the handler does not answer");
            thread::sleep(Duration::from_millis(2));
        }
        // Whoever answered has to be this child.
        handler.ended().is_none().then_some(handler)
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Client {
        Client::to(self.address)
    }

    /// One request on a connection of its own, read to the end of the connection.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = [headers, &[("Connection", "close")]].concat();
        let mut client = self.connect();
        client.send(request(method, target, &headers));
        client.answer_and_end()
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[])
    }

    /// `GET /api` with a token.
    pub(crate) fn api(&self, token: &str) -> Answer {
        self.ask(
            "GET",
            "/api",
            &[("Authorization", &format!("Bearer {token}"))],
        )
    }

    /// A connection on which `GET /api` with a token was sent, and nothing read yet.
    pub(crate) fn api_sent(&self, token: &str) -> Client {
        let mut client = self.connect();
        client.send(api_request(token));
        client
    }

    /// How it ended, when it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Ends it, and gives every line that it wrote to standard output and standard error.
    pub(crate) fn into_lines(mut self) -> (Vec<String>, Vec<String>) {
        self.flush_log();
        self.kill();
        (self.stdout.until_the_end(), self.stderr.until_the_end())
    }

    /// Waits until every line logged so far is written: they leave in order, and a body that is
    /// declared too long is a line.
    pub(crate) fn flush_log(&self) {
        let before = self.stderr.count("100 MiB");
        let mut client = self.connect();
        client.send(request(
            "POST",
            "/api",
            &[("Content-Length", "1099511627776")],
        ));
        wait_until("the log is written", || {
            self.stderr.count("100 MiB") > before
        });
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `GET /api` with a token, as it is sent.
pub(crate) fn api_request(token: &str) -> String {
    request(
        "GET",
        "/api",
        &[("Authorization", &format!("Bearer {token}"))],
    )
}

/// The settings of most tests.
pub(crate) fn usual(jwks_uri: &str, more: &[(&str, &str)]) -> HashMap<String, String> {
    let usual = [
        ("TENANT_ID", TENANT),
        ("API_AUDIENCE", AUDIENCE),
        ("JWKS_URI", jwks_uri),
    ];
    usual
        .iter()
        .chain(more)
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

pub(crate) fn borrowed(settings: &HashMap<String, String>) -> Vec<(&str, &str)> {
    settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// What a handler that has ended leaves behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the handler to its end.
pub(crate) fn run(
    arguments: &[&str],
    settings: &[(&str, &str)],
    input: impl AsRef<[u8]>,
) -> Outcome {
    run_command(command(arguments, settings), input)
}

/// Runs a command of `prepared` to its end.
pub(crate) fn run_command(mut command: Command, input: impl AsRef<[u8]>) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the handler starts");
    let stdout = Lines::of(child.stdout.take().expect("piped"));
    let stderr = Lines::of(child.stderr.take().expect("piped"));
    let status = end(&mut child, input.as_ref());
    let text = |mut lines: Lines| {
        lines
            .until_the_end()
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    };
    Outcome {
        status: status.code().expect("ended by itself"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// Runs the handler to its end with this as its standard error, and gives its exit status.
pub(crate) fn run_with(
    arguments: &[&str],
    settings: &[(&str, &str)],
    input: &str,
    stderr: File,
) -> i32 {
    let mut child = command(arguments, settings)
        .stdin(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .expect("it starts");
    let _stdout = Lines::of(child.stdout.take().expect("piped"));
    end(&mut child, input.as_bytes())
        .code()
        .expect("ended by itself")
}

fn end(child: &mut Child, input: &[u8]) -> ExitStatus {
    // A handler that never reads its input breaks the pipe, which is its right.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let deadline = Instant::now() + GUARD;
    loop {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the handler goes on instead of ending");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn command(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command.args(arguments);
    prepared(command, settings)
}

/// With these settings, no other environment, and its outputs in pipes.
pub(crate) fn prepared(mut command: Command, settings: &[(&str, &str)]) -> Command {
    command.env_clear().envs(settings.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
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

/// Whether an HTTP server answers there. A mere connection proves nothing: one to a port without
/// a listener can, by chance, be a connection to itself.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(GUARD));
    let mut answer = [0; 12];
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"HTTP/1.1 200"
}

/// Waits for a condition; fails when it does not come about.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + GUARD;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The lines of a pipe, read by a thread.
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Lines {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let read = move || {
            for line in BufReader::new(pipe).lines() {
                sink.lock()
                    .expect("no panic while held")
                    .push(line.expect("UTF-8"));
            }
        };
        Lines {
            lines,
            reader: Some(thread::spawn(read)),
        }
    }

    /// The lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while held").clone()
    }

    /// Number of lines so far that contain `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }

    /// All lines, once the other end is closed.
    fn until_the_end(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with its pipe");
        }
        self.all()
    }
}
