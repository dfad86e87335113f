//! Everything that makes up for tiny_http 0.12; no other file names it. These faults are defended
//! against here:
//!
//! - It drains an unread body on the thread that drops the request, without a timeout and into a
//!   buffer of the declared length. So every body is read first, on a thread that may wait, and a
//!   request that declares more than [`MAX_DRAINED_BYTES`] is given up.
//! - When a body breaks off, it allocates what is left of it, untouched. [`steady_heap`] makes the
//!   allocator give such buffers back.
//! - It writes to sockets that block. On Linux an accepted socket inherits its listener's send
//!   timeout, so a send blocks for a moment at most; a worker sends the rest.
//! - It writes head and body of a larger response in two pieces, and the second one waits for an
//!   acknowledgement. Responses leave in one write, on sockets without Nagle's algorithm.
//! - Its pool of threads can leave a connection waiting, and its accepting thread can end: see
//!   [`Watchdog`].
//!
//! These faults remain. Most of them only a program on the same machine reaches, for the handler
//! listens on 127.0.0.1. The Functions host sends one request at a time on a connection, with headers
//! of at most 32 KiB and bodies of at most 100 MiB:
//!
//! - Memory alone limits the length of a header, of a chunk's size, and of the queue of requests sent
//!   ahead. Connections are served in the order in which requests arrive.
//! - A connection whose request was given up keeps its thread and two descriptors. So does one that is
//!   idle, or that says HTTP/2.0 or HTTP/3.0 in its request.
//! - A byte beyond ASCII in a target or a header ends the connection without an answer.
//! - Text that is no HTTP gets 400 and an `Expect` other than `100-continue` gets 417, without a body.
//! - The text behind a malformed body, or in the trailer of a chunked one, is read as the next request,
//!   and judged like any other.
//! - A connection is known by its peer's address: one that takes the port of another waits for what
//!   that one had begun.
//! - More than 128 connections that arrive at the same instant wait for a second: the backlog.

use crate::http::{Connection, Request};
use crate::json;
use crate::limits::MAX_DRAINED_BYTES;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Bytes of a body that tiny_http reads itself before it hands the request over.
const BODY_IN_MEMORY_BYTES: usize = 1024;

/// The least length that is declared longer than anybody may send.
const MORE_THAN_DRAINED: usize = MAX_DRAINED_BYTES + 1;

/// Longest time for which one send may block; the kernel rounds it up to its tick, 1 to 10
/// milliseconds. All peers are on this machine, so a full send buffer means that the peer does not
/// read.
const SEND_TIMEOUT: Duration = Duration::from_millis(1);

/// Longest pause before another try to send to a peer that does not read, on a worker.
const MAX_SEND_PAUSE: Duration = Duration::from_millis(100);

/// The port that the handler listens on.
pub(super) struct Server {
    inner: Arc<tiny_http::Server>,
    watchdog: Watchdog,
}

/// Ends the wait of [`Server::next_within`] from another thread.
#[derive(Clone)]
pub(super) struct Waker(Arc<tiny_http::Server>);

/// A request off the wire, and the way back to its peer.
pub(super) struct Incoming {
    inner: tiny_http::Request,
    body: Body,
    connection: Connection,
}

/// Where the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none, or none that would be read.
    None,
    /// It is in memory: reading it does not wait.
    InMemory,
    /// It has to be waited for.
    Unread,
    /// It is declared longer than anybody may send.
    TooLong,
    /// Its length is no number, or there are two: where it ends is unknown.
    Malformed,
}

/// How the reading of a body ended.
pub(super) enum BodyEnd {
    /// At its end. The bytes are None when there were more than were to be kept.
    Whole(Option<Vec<u8>>),
    /// At something that is no chunk, or at the end of the connection inside of one.
    Malformed,
    /// After more chunks than anybody may send.
    Endless,
    /// The peer is gone.
    BrokenOff,
}

impl Server {
    /// Listens on 127.0.0.1. `on_deaf` is called when the port no longer accepts connections.
    ///
    /// # Errors
    /// The port cannot be had, or a thread cannot; in words.
    pub(super) fn bind(port: u16, on_deaf: impl Fn() + Send + 'static) -> Result<Server, String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let cannot = |error: &dyn std::fmt::Display| format!("cannot listen on {address}: {error}");
        let listener = TcpListener::bind(address).and_then(with_send_options);
        let listener = listener.map_err(|error| cannot(&error))?;
        let inner = tiny_http::Server::from_listener(listener, None);
        let watchdog = Watchdog::start(address, on_deaf);
        Ok(Server {
            inner: Arc::new(inner.map_err(|error| cannot(&error))?),
            watchdog: watchdog.map_err(|error| cannot(&error))?,
        })
    }

    /// The next request, if there is one. It may swallow a call of [`Waker::wake`].
    ///
    /// # Errors
    /// Connections can no longer be accepted.
    pub(super) fn try_next(&mut self) -> io::Result<Option<Incoming>> {
        let next = self.inner.try_recv();
        self.seen(next)
    }

    /// The next request, or None after this time or a call of [`Waker::wake`].
    ///
    /// # Errors
    /// Connections can no longer be accepted.
    pub(super) fn next_within(&mut self, time: Duration) -> io::Result<Option<Incoming>> {
        // tiny_http takes less than a millisecond for no time, and would keep the loop turning.
        let next = self.inner.recv_timeout(time.max(Duration::from_millis(2)));
        self.seen(next)
    }

    /// For other threads.
    pub(super) fn waker(&self) -> Waker {
        Waker(self.inner.clone())
    }

    fn seen(
        &mut self,
        next: io::Result<Option<tiny_http::Request>>,
    ) -> io::Result<Option<Incoming>> {
        let next = next?.map(Incoming::new);
        if let Some(incoming) = &next {
            self.watchdog.saw(incoming.peer());
        }
        Ok(next)
    }
}

impl Waker {
    pub(super) fn wake(&self) {
        self.0.unblock();
    }
}

/// On Linux an accepted socket inherits these from its listener, and tiny_http sets neither. A send
/// that blocks would stop the loop, and small segments would wait for acknowledgements.
#[cfg(unix)]
fn with_send_options(listener: TcpListener) -> io::Result<TcpListener> {
    let socket = TcpStream::from(std::os::fd::OwnedFd::from(listener));
    socket.set_write_timeout(Some(SEND_TIMEOUT))?;
    socket.set_nodelay(true)?;
    Ok(TcpListener::from(std::os::fd::OwnedFd::from(socket)))
}

#[cfg(not(unix))]
fn with_send_options(listener: TcpListener) -> io::Result<TcpListener> {
    Ok(listener)
}

// ---- requests ----

impl Incoming {
    /// Follows tiny_http's own reading of the headers: where the body is, and whether another request
    /// may come on this connection.
    fn new(inner: tiny_http::Request) -> Incoming {
        let (mut connection, mut is_chunked, mut expects) = (None, false, false);
        let mut lengths = Vec::new();
        for (name, value) in headers(&inner) {
            if name.eq_ignore_ascii_case("Connection") {
                connection = connection.or(Some(value.to_ascii_lowercase()));
            }
            is_chunked |= name.eq_ignore_ascii_case("Transfer-Encoding");
            expects |= name.eq_ignore_ascii_case("Expect");
            if name.eq_ignore_ascii_case("Content-Length") {
                lengths.push(value);
            }
        }
        let says = |word| {
            connection
                .as_ref()
                .is_some_and(|value| value.contains(word))
        };
        let is_upgrade = says("upgrade");
        let is_old = *inner.http_version() == tiny_http::HTTPVersion(1, 0);
        // RFC 9112 section 6.3: tiny_http takes the first length, and one that is no number for none.
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_length = match lengths.as_slice() {
            [] => true,
            [one] => is_number(one) && inner.body_length().is_some(),
            _ => false,
        };
        let body = match inner.body_length().unwrap_or_default() {
            _ if is_upgrade => Body::None,
            _ if is_chunked => Body::Unread,
            _ if !is_length => Body::Malformed,
            0 => Body::None,
            MORE_THAN_DRAINED.. => Body::TooLong,
            length if length > BODY_IN_MEMORY_BYTES || expects => Body::Unread,
            _ => Body::InMemory,
        };
        let connection = match (says("keep-alive"), is_old) {
            _ if body == Body::Malformed => Connection::Close,
            _ if says("close") || is_upgrade => Connection::Close,
            (false, true) => Connection::Close,
            (true, true) => Connection::KeepAlive,
            (_, false) => Connection::Persistent,
        };
        Incoming {
            inner,
            body,
            connection,
        }
    }

    /// The connection's other end; all peers of a TCP listener have an address.
    pub(super) fn peer(&self) -> SocketAddr {
        let unknown = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        self.inner.remote_addr().copied().unwrap_or(unknown)
    }

    /// The request without its body.
    pub(super) fn request(&self) -> Request {
        let (method, target) = (self.inner.method().as_str(), self.inner.url());
        Request::new(method, target, headers(&self.inner))
    }

    /// The values of all `Authorization` headers.
    pub(super) fn authorizations(&self) -> impl Iterator<Item = &str> {
        let is_it = |name: &str| name.eq_ignore_ascii_case("Authorization");
        headers(&self.inner).filter_map(move |(name, value)| is_it(name).then_some(value))
    }

    /// Where the body is.
    pub(super) fn body(&self) -> Body {
        self.body
    }

    /// How the response has to speak of the connection.
    pub(super) fn connection(&self) -> Connection {
        self.connection
    }

    /// Reads the body to its end, however long that takes, and keeps at most `keep` bytes of it.
    pub(super) fn read_body(&mut self, keep: usize) -> BodyEnd {
        if matches!(self.body, Body::None | Body::Malformed) {
            return BodyEnd::Whole(Some(Vec::new()));
        }
        let declared = self.inner.body_length();
        let mut buffer = [0; 16 * 1024];
        let (mut total, mut kept) = (0, Some(Vec::new()));
        loop {
            let count = match self.inner.as_reader().read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) if declared.is_none() => return BodyEnd::Malformed,
                Err(_) => return BodyEnd::BrokenOff,
            };
            total += count;
            match declared {
                Some(length) if count == 0 && total < length => return BodyEnd::BrokenOff,
                // The decoder of chunks calls their end and the end of the connection the same.
                None if count == 0 && self.is_cut(kept.as_deref(), keep) => {
                    return BodyEnd::Malformed;
                }
                _ if count == 0 => return BodyEnd::Whole(kept),
                // Only a chunked body can be longer than it was declared.
                _ if total > MAX_DRAINED_BYTES => return BodyEnd::Endless,
                _ if total > keep => kept = None,
                _ => {
                    let read = buffer.get(..count).unwrap_or_default();
                    kept.iter_mut()
                        .for_each(|kept| kept.extend_from_slice(read));
                }
            }
        }
    }

    /// Ends a request whose peer is gone, without a response.
    pub(super) fn close(self) {
        drop(self.inner.into_writer());
    }

    /// Gives the request up without reading its body and without a response. Its connection's thread
    /// and its two file descriptors stay until the process ends: tiny_http cannot close it.
    pub(super) fn abandon(self) {
        std::mem::forget(self.inner);
    }

    /// Sends as much as the peer takes at once: None when nothing is left to do, because all is sent
    /// or the peer is gone.
    pub(super) fn send(self, bytes: &[u8]) -> Option<Unsent> {
        let mut unsent = Unsent {
            writer: self.inner.into_writer(),
            bytes: Vec::new(),
            sent: 0,
        };
        match push(&mut unsent.writer, bytes, &mut unsent.sent) {
            Err(error) if is_full(&error) => {
                unsent.bytes = bytes.to_vec();
                Some(unsent)
            }
            _ => None,
        }
    }

    /// The response as a whole still to be sent.
    pub(super) fn unsent(self, bytes: Vec<u8>) -> Unsent {
        Unsent {
            writer: self.inner.into_writer(),
            bytes,
            sent: 0,
        }
    }

    /// Whether the chunks of a body that is kept have ended too early. JSON that is whole was not cut;
    /// for anything else the kernel is asked, which takes it milliseconds.
    fn is_cut(&self, kept: Option<&[u8]>, keep: usize) -> bool {
        let is_whole = kept.is_some_and(|body| json::check(body).is_ok());
        keep > 0 && !is_whole && self.peer_has_ended()
    }

    /// Whether the peer has ended its side of the connection, as far as Linux tells: the socket is then
    /// in the state CLOSE_WAIT. A client that is done with sending and waits for the
    /// response looks the same; with chunks that is rare.
    fn peer_has_ended(&self) -> bool {
        const CLOSE_WAIT: &str = "08";
        let end = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
        let remote = end(self.peer());
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        sockets.lines().any(|socket| {
            let mut fields = socket.split_ascii_whitespace().skip(2);
            fields.next() == Some(&remote) && fields.next() == Some(CLOSE_WAIT)
        })
    }
}

fn headers(request: &tiny_http::Request) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers().iter();
    headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()))
}

// ---- responses ----

/// A response that a peer did not take at once.
pub(super) struct Unsent {
    writer: Box<dyn Write + Send>,
    bytes: Vec<u8>,
    sent: usize,
}

impl Unsent {
    /// Sends the rest, however long the peer takes, and says whether it had to wait. Ends when the
    /// peer is gone, too.
    pub(super) fn finish(mut self) -> bool {
        let mut pause = SEND_TIMEOUT;
        let mut has_waited = false;
        loop {
            let before = self.sent;
            match push(&mut self.writer, &self.bytes, &mut self.sent) {
                Err(error) if is_full(&error) => std::thread::sleep(pause),
                _ => return has_waited,
            }
            has_waited = true;
            pause = if self.sent > before {
                SEND_TIMEOUT
            } else {
                (pause * 2).min(MAX_SEND_PAUSE)
            };
        }
    }
}

/// Writes on from `sent`, which counts the bytes that were taken, also after the buffer was full.
fn push(writer: &mut dyn Write, bytes: &[u8], sent: &mut usize) -> io::Result<()> {
    while let Some(rest) = bytes.get(*sent..).filter(|rest| !rest.is_empty()) {
        match writer.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => *sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    writer.flush()
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The time that sends to each peer have cost within a second. A peer that reads just fast enough
/// for every send to end in time would slow down everybody else.
#[derive(Default)]
pub(super) struct SendCosts {
    peers: HashMap<SocketAddr, Duration>,
    since: Option<Instant>,
}

impl SendCosts {
    /// Whether a peer is slow, now that a send to it has taken so long.
    pub(super) fn is_slow(&mut self, peer: SocketAddr, took: Duration) -> bool {
        /// A send that takes longer than this counts.
        const SLOW_SEND: Duration = Duration::from_millis(2);
        /// A peer whose sends within a second add up to this is slow.
        const MAX_COST: Duration = Duration::from_millis(20);
        if took < SLOW_SEND {
            return false;
        }
        if self
            .since
            .is_none_or(|since| since.elapsed() > Duration::from_secs(1))
        {
            self.peers.clear();
            self.since = Some(Instant::now());
        }
        let cost = self.peers.entry(peer).or_default();
        *cost += took;
        *cost >= MAX_COST
    }
}

// ---- the watchdog ----

/// A thread that calls at the handler's own port, for two faults of tiny_http.
///
/// Its pool of connection threads counts threads as free that have been given work but not yet
/// woken. Of connections that arrive together, some then wait in a queue until another one ends:
/// behind keep-alive connections, for ever. A connection that comes when no thread is free gets a new
/// thread, which serves the queue afterwards. So the watchdog makes connections that end at once. It
/// goes on for as long as each of them brings a new thread, for then somebody may be waiting.
///
/// Its accepting thread ends on the first error, and dies silently when it runs out of file
/// descriptors half-way. The port then refuses connections, which the watchdog notices.
struct Watchdog {
    newcomers: Arc<AtomicBool>,
    thread: Thread,
    /// One bit for each port from which a request has come since `forgotten`.
    seen: Vec<u64>,
    forgotten: Instant,
}

impl Watchdog {
    /// Time between two calls.
    const EVERY: Duration = Duration::from_millis(250);
    /// Most calls in one round.
    const CALLS: usize = 128;
    /// The pause before a round, in which the rest of a burst arrives.
    const PAUSE: Duration = Duration::from_millis(5);
    /// Time after which a peer counts as new again: its port may be another's.
    const FORGETS_AFTER: Duration = Duration::from_secs(1);
    /// Calls that fail in a row, for want of file descriptors for instance, before it gives up: 10
    /// seconds of them.
    const FAILURES: usize = 40;
    /// Bytes of stack: there are no deep calls.
    const STACK_BYTES: usize = 128 * 1024;

    fn start(address: SocketAddr, on_deaf: impl Fn() + Send + 'static) -> io::Result<Watchdog> {
        let newcomers = Arc::new(AtomicBool::new(false));
        let flag = newcomers.clone();
        let thread = std::thread::Builder::new().name("watchdog".into());
        let thread = thread.stack_size(Self::STACK_BYTES);
        let thread = thread.spawn(move || call_regularly(address, &flag, on_deaf))?;
        Ok(Watchdog {
            newcomers,
            thread: thread.thread().clone(),
            seen: vec![0; 1024],
            forgotten: Instant::now(),
        })
    }

    /// A request came from this peer. A new one may be part of a burst.
    fn saw(&mut self, peer: SocketAddr) {
        if self.forgotten.elapsed() > Self::FORGETS_AFTER {
            self.seen.fill(0);
            self.forgotten = Instant::now();
        }
        let port = peer.port();
        let Some(word) = self.seen.get_mut(usize::from(port / 64)) else {
            return;
        };
        let bit = 1 << (port % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.newcomers.store(true, Ordering::Relaxed);
            self.thread.unpark();
        }
    }
}

fn call_regularly(address: SocketAddr, newcomers: &AtomicBool, on_deaf: impl Fn()) {
    let mut failures = 0;
    loop {
        std::thread::park_timeout(Watchdog::EVERY);
        if newcomers.swap(false, Ordering::Relaxed) {
            // The rest of the burst arrives meanwhile, and one round serves it all.
            std::thread::sleep(Watchdog::PAUSE);
        }
        for _ in 0..Watchdog::CALLS {
            let before = threads();
            failures = match call(address) {
                Ok(()) => 0,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => Watchdog::FAILURES,
                Err(_) => failures + 1,
            };
            if failures >= Watchdog::FAILURES {
                return on_deaf();
            }
            if failures > 0 || threads() <= before {
                break;
            }
        }
    }
}

/// Connects, and waits until the other side has seen the end of the connection.
fn call(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, Watchdog::EVERY)?;
    stream.set_read_timeout(Some(Watchdog::EVERY))?;
    stream.shutdown(Shutdown::Write)?;
    // A call that waits in the queue itself is no failure.
    let _ = stream.read(&mut [0]);
    Ok(())
}

/// The number of threads of this process, as Linux tells it; 0 elsewhere.
fn threads() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let count = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"));
    count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or_default()
}

// ---- the heap ----

/// Makes the allocator give large buffers back. musl maps such a buffer and gives it back. glibc does
/// so only until the first one of up to 32 MiB has been freed. From then on it keeps one for every
/// heap, unless the threshold is set. So the threshold is set, and the number of heaps is bounded.
/// glibc reads both when a process starts, so the handler starts once more, in its place.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn steady_heap() {
    use std::os::unix::process::CommandExt;
    /// Bytes from which a buffer is mapped: glibc's own figure, made fast.
    const MAPPED_BUFFER_BYTES: usize = 128 * 1024;
    /// The loop's own heap, and one for all other threads.
    const HEAPS: usize = 2;
    const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
    if std::env::var_os(THRESHOLD).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut again = std::process::Command::new(program);
    again.args(std::env::args_os().skip(1));
    again.env(THRESHOLD, MAPPED_BUFFER_BYTES.to_string());
    again.env("MALLOC_ARENA_MAX", HEAPS.to_string());
    // Comes back only when it fails, as in a root without /proc: then it serves as it is.
    let _ = again.exec();
}

/// Nothing to do: other allocators give large buffers back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn steady_heap() {}
