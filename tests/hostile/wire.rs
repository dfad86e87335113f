//! A connection that sends the bytes it is given and reads what comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    /// What came after the answer that was read last.
    received: Vec<u8>,
}

/// Status and body of one answer.
pub(crate) type Answer = (u16, String);

impl Wire {
    /// None when nobody listens.
    pub(crate) fn to(address: SocketAddr) -> Option<Wire> {
        let stream = TcpStream::connect(address).ok()?;
        stream
            .set_write_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        stream.set_nodelay(true).expect("an option");
        Some(Wire {
            stream,
            received: Vec::new(),
        })
    }

    /// Sends as far as the peer takes it.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends as far as the buffers take it within this time.
    pub(crate) fn send_for(&mut self, time: Duration, bytes: &[u8]) {
        self.stream
            .set_write_timeout(Some(time))
            .expect("a timeout");
        self.send(bytes);
    }

    /// Takes no more than so many bytes of what has come.
    pub(crate) fn sip(&mut self, count: usize) {
        self.stream
            .set_read_timeout(Some(Duration::from_millis(1)))
            .expect("a timeout");
        let _ = self.stream.read(&mut vec![0; count]);
    }

    /// Sends on another thread, for more than the buffers hold; [`Wire::hang_up`] ends that.
    pub(crate) fn send_aside(&self, bytes: Vec<u8>) {
        let mut stream = self.stream.try_clone().expect("a descriptor");
        std::thread::spawn(move || stream.write_all(&bytes));
    }

    /// The next answer to anything but a HEAD request; None when it does not come in time.
    pub(crate) fn answer(&mut self, patience: Duration) -> Option<Answer> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some((answer, length)) = first_answer(&self.received) {
                self.received.drain(..length);
                return Some(answer);
            }
            if !self.receive(deadline) {
                return None;
            }
        }
    }

    /// All that comes until the end of the connection, or of the time.
    pub(crate) fn rest(&mut self, time: Duration) -> Vec<u8> {
        let deadline = Instant::now() + time;
        while self.receive(deadline) {}
        std::mem::take(&mut self.received)
    }

    /// Whether the peer ends the connection in time, whatever it sends before.
    pub(crate) fn ends(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.receive(deadline) {}
        Instant::now() < deadline
    }

    /// Drops the connection with an answer unread, which makes the kernel send a reset.
    pub(crate) fn reset(self, patience: Duration) {
        self.stream
            .set_read_timeout(Some(patience))
            .expect("a timeout");
        let _ = self.stream.peek(&mut [0]);
    }

    /// Ends the connection, also for a thread that still sends.
    pub(crate) fn hang_up(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// False at the end of the connection, or of the time.
    fn receive(&mut self, deadline: Instant) -> bool {
        let mut buffer = [0; 64 * 1024];
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        self.stream.set_read_timeout(Some(left)).expect("a timeout");
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
        }
    }
}

/// `GET /public` on a connection that stays open.
pub(crate) const PUBLIC: &[u8] = b"GET /public HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// `GET /api` with a token, as it is sent.
pub(crate) fn api(token: &str) -> Vec<u8> {
    format!("GET /api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

/// The first answer in `bytes`, when it is whole, and its length.
fn first_answer(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(Some(0), |length| length.parse::<usize>().ok())?;
    let body = String::from_utf8_lossy(bytes.get(end..end + length)?).into_owned();
    Some(((status, body), end + length))
}
