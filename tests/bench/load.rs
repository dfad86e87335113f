//! The load: one thread that asks over many keep-alive connections, one request at a time on
//! each, and compares every answer. It polls without sleeping, on a core of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::exchange::{Exchanges, Head};
use crate::statistics::percentile;

/// More than any answer has.
const BUFFER_BYTES: usize = 16 * 1024;

/// Without any answer for so long, those that are due count as wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time; the requests are used again and again.
    Elapsed(Duration),
    /// When every request has been sent once.
    Sent,
}

/// What a load has shown. Latencies are in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) wrong: usize,
}

/// Open connections to one server.
pub(crate) struct Clients {
    connections: Vec<Connection>,
    yields: bool,
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    filled: usize,
    asked: usize,
    at: Instant,
    is_busy: bool,
}

impl Clients {
    /// Opens connections one by one, each with an answer before the next: of those that come
    /// together tiny_http may leave some waiting.
    pub(crate) fn open(
        port: u16,
        count: usize,
        yields: bool,
        all: Exchanges,
        head: &Head,
    ) -> Result<Clients, String> {
        let mut clients = Clients {
            connections: Vec::new(),
            yields,
        };
        let first = Exchanges {
            requests: &all.requests[..1],
            ..all
        };
        for _ in 0..count {
            let connection =
                Connection::open(port).map_err(|error| format!("no connection: {error}"))?;
            let mut single = Clients {
                connections: vec![connection],
                yields,
            };
            single.drive(first, head, Until::Sent);
            clients.connections.append(&mut single.connections);
        }
        Ok(clients)
    }

    /// Keeps every connection busy until the end.
    pub(crate) fn drive(&mut self, all: Exchanges, head: &Head, until: Until) -> Load {
        let started = Instant::now();
        let more = |sent: usize, now: Instant| match until {
            Until::Elapsed(time) => now.duration_since(started) < time,
            Until::Sent => sent < all.requests.len(),
        };
        let (mut load, mut latencies) = (Load::default(), Vec::with_capacity(1 << 16));
        let (mut sent, mut busy, mut last) = (0, 0, started);
        for connection in &mut self.connections {
            if !more(sent, started) {
                break;
            }
            connection.ask(sent % all.requests.len(), all);
            (sent, busy) = (sent + 1, busy + 1);
        }
        while busy > 0 {
            let mut is_idle = true;
            for connection in self
                .connections
                .iter_mut()
                .filter(|connection| connection.is_busy)
            {
                let Some(is_right) = connection.poll(all, head) else {
                    continue;
                };
                (is_idle, last) = (false, Instant::now());
                latencies.push(last.duration_since(connection.at).as_nanos() as u32);
                load.wrong += usize::from(!is_right);
                if is_right && load.wrong == 0 && more(sent, last) {
                    connection.ask(sent % all.requests.len(), all);
                    sent += 1;
                } else {
                    connection.is_busy = false;
                    busy -= 1;
                }
            }
            if is_idle && last.elapsed() > PATIENCE {
                eprintln!("bench: {busy} answers did not come");
                load.wrong += busy;
                break;
            }
            if is_idle && self.yields {
                std::thread::yield_now();
            }
        }
        load.fill(&mut latencies, last.duration_since(started));
        load
    }
}

impl Load {
    fn fill(&mut self, latencies: &mut [u32], took: Duration) {
        self.requests = latencies.len();
        self.per_second = self.requests as f64 / took.as_secs_f64().max(1e-9);
        let mut micros = |share| f64::from(percentile(latencies, share)) / 1e3;
        (self.median, self.p99, self.max) = (micros(0.5), micros(0.99), micros(1.0));
    }
}

impl Connection {
    fn open(port: u16) -> std::io::Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let received = vec![0; BUFFER_BYTES];
        Ok(Connection {
            stream,
            received,
            filled: 0,
            asked: 0,
            at: Instant::now(),
            is_busy: false,
        })
    }

    /// Sends a request. What goes wrong shows when its answer is read.
    fn ask(&mut self, number: usize, all: Exchanges) {
        (self.filled, self.asked, self.is_busy, self.at) = (0, number, true, Instant::now());
        let mut rest = all.requests[number].as_slice();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error)
                    if error.kind() == ErrorKind::WouldBlock && self.at.elapsed() < PATIENCE => {}
                Err(_) => return,
            }
        }
    }

    /// Reads what has come; whether it is the right answer, once that is known.
    fn poll(&mut self, all: Exchanges, head: &Head) -> Option<bool> {
        let end = match self.stream.read(&mut self.received[self.filled..]) {
            Ok(0) => "the connection was closed".to_owned(),
            Ok(count) => {
                self.filled += count;
                let received = &self.received[..self.filled];
                match head.judge(received, all.body(self.asked)) {
                    Some(false) => {
                        String::from_utf8_lossy(&received[..received.len().min(400)]).into_owned()
                    }
                    verdict => return verdict,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => error.to_string(),
        };
        eprintln!("bench: wrong answer: {end}");
        Some(false)
    }
}
