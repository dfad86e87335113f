//! Servers on one core, connections that are kept busy on another, and the bare server.

use crate::Result;
use crate::support::usage::Usage;
use crate::support::{Connection, GUARD, Setup};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The core for the servers; None when nothing could be pinned. `taskset` pins single threads, and
/// they hand it on to all that they start.
pub(crate) struct Cores(pub(crate) Option<usize>);

impl Cores {
    /// Pins the calling thread to the core for the load.
    pub(crate) fn divide() -> Cores {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut lines = status.lines();
        let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let list = list.unwrap_or_default().trim().split(['-', ',']);
        let mut cores = list.flat_map(str::parse);
        let server = cores.next();
        Cores(server.filter(|_| cores.last().is_some_and(pin)))
    }

    /// Works on a thread on the servers' core.
    pub(crate) fn on_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let pinned = || {
            self.0.map(pin);
            work()
        };
        thread::scope(|scope| scope.spawn(pinned).join()).expect("the work is done")
    }
}

/// Pins the calling thread.
fn pin(core: usize) -> bool {
    // A link to PID/task/TID.
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let id = thread.file_name().unwrap_or_default();
    let mut taskset = Command::new("taskset");
    taskset.args(["-p", "-c", &core.to_string()]).arg(id);
    taskset.output().is_ok_and(|output| output.status.success())
}

/// A program that serves: a handler, this one with the table that has a slow endpoint, or the bare
/// server with its response.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    Handler(PathBuf),
    Slow,
    Bare(String),
}

impl Program {
    pub(crate) fn handler(path: impl AsRef<Path>) -> Option<Program> {
        Some(Program::Handler(path.as_ref().canonicalize().ok()?))
    }

    /// Starts it on the servers' core and asks until it responds. Gives the time since just before
    /// the launch.
    pub(crate) fn launch(&self, talk: &Talk, keys: &str, cores: &Cores) -> Result<Launched> {
        let port = free_port();
        let this = std::env::current_exe().expect("a path");
        let mut command = match self {
            Program::Handler(path) => Setup::new(keys).program(path).command(),
            Program::Slow => Setup::new(keys)
                .program(this)
                .arguments(&["--slow"])
                .command(),
            Program::Bare(response) => {
                let mut command = Command::new(this);
                command.args(["--bare", &port.to_string(), response]);
                command
            }
        };
        command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let (start, child) = cores.on_server(|| (Instant::now(), command.spawn()));
        let mut server = Server(child.map_err(|error| format!("{self:?}: {error}"))?);
        let mut stdout = server.0.stdout.take().expect("piped");
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let mut load = Load::new(port);
        while let Err(problem) = load.open(talk) {
            let status = server.0.try_wait().map_err(|error| error.to_string())?;
            if status.is_some() || start.elapsed() > GUARD {
                return Err(format!("{self:?}: {problem}, {status:?}"));
            }
        }
        Ok((server, load, start.elapsed()))
    }
}

type Launched = (Server, Load, Duration);

/// A running server, killed when it is dropped.
pub(crate) struct Server(Child);

impl Server {
    /// CPU time of its threads: the first number of a schedstat, in nanoseconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.0.id()));
        let files = threads.into_iter().flatten().flatten();
        let nanos = files.filter_map(|thread| {
            let schedstat = std::fs::read_to_string(thread.path().join("schedstat"));
            schedstat.ok()?.split(' ').next()?.parse::<f64>().ok()
        });
        nanos.sum::<f64>() / 1e9
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        Usage::of(self.0.id()).map_or(f64::NAN, |usage| usage.rss_kib as f64 / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port below those that the system gives to connections: one that is tried while nobody listens
/// must not get the same port and so reach itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 8000) as u16;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Requests, and the responses that are right for them.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) status: &'static str,
    /// The bodies, or how they begin: one for each request, or one for all.
    pub(crate) bodies: Vec<Vec<u8>>,
    /// Each goes on all the time on a connection of its own, beside the others.
    pub(crate) calls: Vec<Vec<u8>>,
}

impl Talk {
    /// Whether it is the right response; None until it is whole.
    fn is_right(&self, number: usize, received: &[u8]) -> Option<bool> {
        let find = |text: &[u8]| received.windows(text.len()).position(|part| part == text);
        let (end, length) = (find(b"\r\n\r\n")? + 4, find(b"Content-Length: ")? + 16);
        let digits = received[length..].split(|byte| *byte == b'\r').next()?;
        let length: usize = str::from_utf8(digits).ok()?.parse().ok()?;
        let body = received.get(end..end + length)?;
        let expected = &self.bodies[number % self.bodies.len()];
        Some(&received[9..12] == self.status.as_bytes() && body.starts_with(expected))
    }
}

/// When a slice of the load ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Elapsed(Duration),
    Sent(usize),
}

/// The figures of one slice.
pub(crate) struct Slice {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    /// The median latency in microseconds.
    pub(crate) median: f64,
}

/// Keep-alive connections to one server, with one request at a time on each, from one thread that
/// polls without sleeping.
pub(crate) struct Load {
    port: u16,
    connections: Vec<Busy>,
    /// Number of the next request.
    next: usize,
}

impl Load {
    fn new(port: u16) -> Load {
        let connections = Vec::new();
        Load {
            port,
            connections,
            next: 0,
        }
    }

    /// Opens one more connection, on which a request gets its response before the next is opened:
    /// of those that come together, tiny_http may leave some waiting.
    pub(crate) fn open(&mut self, talk: &Talk) -> Result<()> {
        let connection = Busy::open(self.port).map_err(|error| error.to_string())?;
        let others = std::mem::replace(&mut self.connections, vec![connection]);
        self.run(talk, Until::Sent(1))?;
        self.connections.extend(others);
        Ok(())
    }

    /// Keeps every connection busy. A wrong response ends it all.
    pub(crate) fn run(&mut self, talk: &Talk, until: Until) -> Result<Slice> {
        let (started, first) = (Instant::now(), self.next);
        let (mut latencies, mut last) = (Vec::with_capacity(1 << 14), started);
        let has_more = |next: usize, now: Instant| match until {
            Until::Elapsed(time) => now - started < time,
            Until::Sent(count) => next - first < count,
        };
        for connection in &mut self.connections {
            if has_more(self.next, started) {
                connection.ask(self.next, talk)?;
                self.next += 1;
            }
        }
        while self.connections.iter().any(|it| it.asked.is_some()) {
            for connection in &mut self.connections {
                let Some(latency) = connection.poll(talk)? else {
                    continue;
                };
                latencies.push(latency.as_secs_f64() * 1e6);
                last = Instant::now();
                if has_more(self.next, last) {
                    connection.ask(self.next, talk)?;
                    self.next += 1;
                }
            }
        }
        latencies.sort_unstable_by(f64::total_cmp);
        Ok(Slice {
            requests: latencies.len() as f64,
            seconds: (last - started).as_secs_f64(),
            median: latencies[latencies.len() / 2],
        })
    }

    /// Keeps these calls going, until the server is gone.
    pub(crate) fn keep_calling(&self, calls: &[Vec<u8>]) {
        for call in calls {
            let (call, port) = (call.clone(), self.port);
            thread::spawn(move || -> Option<()> {
                let mut connection = Connection::to((Ipv4Addr::LOCALHOST, port).into())?;
                loop {
                    connection.try_send(&call);
                    assert_eq!(connection.response_within(GUARD)?.status, 200);
                }
            });
        }
    }

    /// The response that came last on the connection that was opened last.
    pub(crate) fn last_response(&self) -> String {
        let connection = &self.connections[0];
        String::from_utf8_lossy(&connection.received[..connection.filled]).into_owned()
    }
}

struct Busy {
    stream: TcpStream,
    received: Vec<u8>,
    filled: usize,
    /// The request that waits for its response, and since when.
    asked: Option<(usize, Instant)>,
}

impl Busy {
    fn open(port: u16) -> std::io::Result<Busy> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let received = vec![0; 16 * 1024];
        Ok(Busy {
            stream,
            received,
            filled: 0,
            asked: None,
        })
    }

    fn ask(&mut self, number: usize, talk: &Talk) -> Result<()> {
        (self.filled, self.asked) = (0, Some((number, Instant::now())));
        let request = &talk.requests[number % talk.requests.len()];
        // The buffers of a connection hold many of them.
        let outcome = self.stream.write_all(request);
        outcome.map_err(|error| format!("a request could not be sent: {error}"))
    }

    /// Reads what has come; the latency once the right response is whole.
    fn poll(&mut self, talk: &Talk) -> Result<Option<Duration>> {
        let Some((number, at)) = self.asked else {
            return Ok(None);
        };
        let outcome = self.stream.read(&mut self.received[self.filled..]);
        let latency = at.elapsed();
        match outcome {
            Err(error) if error.kind() == ErrorKind::WouldBlock && latency < GUARD => Ok(None),
            Ok(count) if count > 0 => {
                self.filled += count;
                let received = &self.received[..self.filled];
                let is_right = talk.is_right(number, received);
                if is_right == Some(false) {
                    let received = String::from_utf8_lossy(received);
                    return Err(format!("a wrong response: {received}"));
                }
                self.asked = self.asked.filter(|_| is_right.is_none());
                Ok(is_right.map(|_| latency))
            }
            other => Err(format!("no response after {latency:?}: {other:?}")),
        }
    }
}

/// The bound: the least program around tiny_http. It gives every request this response, with the
/// socket options that the handler sets.
pub(crate) fn serve_bare(port: &str, response: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    #[cfg(unix)]
    let listener = {
        // Accepted sockets inherit the options of the one that listens.
        let socket = TcpStream::from(std::os::fd::OwnedFd::from(listener));
        socket.set_write_timeout(Some(Duration::from_millis(50)))?;
        socket.set_nodelay(true)?;
        TcpListener::from(std::os::fd::OwnedFd::from(socket))
    };
    let server = tiny_http::Server::from_listener(listener, None).map_err(std::io::Error::other)?;
    loop {
        let mut writer = server.recv()?.into_writer();
        let _ = writer
            .write_all(response.as_bytes())
            .and_then(|()| writer.flush());
    }
}
