//! A connection to the handler.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds of `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Result<Wire> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        stream.set_nodelay(true)?;
        Ok(Wire {
            stream,
            received: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends no more than the buffers take within this time.
    pub(crate) fn send_for(&mut self, time: Duration, bytes: &[u8]) {
        let _ = self.stream.set_write_timeout(Some(time));
        let _ = self.stream.write_all(bytes);
    }

    /// Waits until something has come, and leaves it unread: dropped then, the connection is reset.
    pub(crate) fn wait_for_a_byte(&mut self, time: Duration) {
        let _ = self.stream.set_read_timeout(Some(time));
        let _ = self.stream.peek(&mut [0]);
    }

    /// All that comes within this time.
    pub(crate) fn rest(&mut self, time: Duration) -> Vec<u8> {
        let deadline = Instant::now() + time;
        while self.receive(deadline) {}
        std::mem::take(&mut self.received)
    }

    /// The next answer; None when it does not come in time.
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

    /// Ends the connection at once.
    pub(crate) fn hang_up(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// False at the end of the connection, or of the time.
    fn receive(&mut self, deadline: Instant) -> bool {
        let mut buffer = [0; 16 * 1024];
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
            return false;
        }
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(_) => false,
        }
    }
}

/// The first answer in `bytes`, when it is whole, and its length.
fn first_answer(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::parse)
    };
    let length = match header("Content-Length: ") {
        Some(length) => length.ok()? as usize,
        None => 0,
    };
    let body = String::from_utf8_lossy(bytes.get(end..end + length)?).into_owned();
    let retry_after =
        header("Retry-After: ").and_then(|seconds: std::result::Result<u64, _>| seconds.ok());
    Some((
        Answer {
            status,
            retry_after,
            body,
        },
        end + length,
    ))
}
