//! A connection that sends the bytes it is given and reads what comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection.
pub(crate) struct Wire(TcpStream);

impl Wire {
    /// None when nobody listens.
    pub(crate) fn to(address: SocketAddr) -> Option<Wire> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        Some(Wire(stream))
    }

    /// Sends as far as the peer takes it.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// What comes until `is_enough`, the end of the connection, or the end of the time.
    pub(crate) fn read_for(&mut self, time: Duration, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let deadline = Instant::now() + time;
        let mut received = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        while !is_enough(&received) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.0.set_read_timeout(Some(left)).expect("a timeout");
            match self.0.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        received
    }
}

/// `GET /api` with a token, as it is sent.
pub(crate) fn api(token: &str) -> Vec<u8> {
    format!("GET /api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// The answers in `bytes`, each its status and its body, as far as they are whole; and what
/// follows them.
pub(crate) fn answers(mut bytes: &[u8]) -> (Vec<(u16, &[u8])>, &[u8]) {
    let mut answers = Vec::new();
    while let Some((answer, rest)) = first_answer(bytes) {
        answers.push(answer);
        bytes = rest;
    }
    (answers, bytes)
}

fn first_answer(bytes: &[u8]) -> Option<((u16, &[u8]), &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(Some(0), |length| length.parse::<usize>().ok())?;
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(((status, body), &bytes[end + 4 + length..]))
}
