//! Requests as the Functions host forwards them, and the answers that are right for them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Requests, and the bodies of the right answers: one for each, or one for all.
#[derive(Clone, Copy)]
pub(crate) struct Exchanges<'a> {
    /// The requests.
    pub(crate) requests: &'a [Vec<u8>],
    /// The bodies.
    pub(crate) bodies: &'a [Vec<u8>],
}

impl<'a> Exchanges<'a> {
    /// Everything but the last `count`, and those; both are everything when there is no more.
    pub(crate) fn without_last(self, count: usize) -> [Exchanges<'a>; 2] {
        let Some(at) = self.requests.len().checked_sub(count).filter(|at| *at > 0) else {
            return [self; 2];
        };
        let requests = self.requests.split_at(at);
        let bodies = if self.bodies.len() > 1 {
            self.bodies.split_at(at)
        } else {
            (self.bodies, self.bodies)
        };
        [(requests.0, bodies.0), (requests.1, bodies.1)]
            .map(|(requests, bodies)| Exchanges { requests, bodies })
    }

    /// The body of the right answer to a request.
    pub(crate) fn body(&self, number: usize) -> &'a [u8] {
        &self.bodies[number % self.bodies.len()]
    }
}

/// The head of right answers: every byte but the value of `Date`.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    before: Vec<u8>,
    skipped: usize,
    after: Vec<u8>,
}

impl Head {
    /// Learns it from an answer that has been looked at.
    pub(crate) fn of(answer: &str) -> Head {
        const DATE: &str = "\r\nDate: ";
        let head = &answer[..answer.find("\r\n\r\n").map_or(answer.len(), |at| at + 4)];
        let start = head.find(DATE).map_or(0, |at| at + DATE.len());
        let skipped = if start > 0 {
            head[start..].find("\r\n").unwrap_or(0)
        } else {
            0
        };
        Head {
            before: head[..start].into(),
            skipped,
            after: head[start + skipped..].into(),
        }
    }

    /// Its length.
    pub(crate) fn len(&self) -> usize {
        self.before.len() + self.skipped + self.after.len()
    }

    /// Whether what has come is the right answer; None while that may still become so.
    pub(crate) fn judge(&self, received: &[u8], body: &[u8]) -> Option<bool> {
        let start = self.before.len().min(received.len());
        if received[..start] != self.before[..start] {
            return Some(false);
        }
        if received.len() < self.len() + body.len() {
            return None;
        }
        let (head, rest) = received.split_at(self.len());
        Some(head.ends_with(&self.after) && rest == body)
    }
}

/// A GET request with the headers that come through the Functions host.
pub(crate) fn request(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nHost: contoso.azurewebsites.net\r\n\
         User-Agent: bench/1.0, Azure-Functions-Host/4.1040.0\r\nAccept: */*\r\n{authorization}\
         X-Forwarded-For: 203.0.113.7:50312\r\nX-Forwarded-Proto: https\r\nX-Azure-Functions-HostVersion: 4.1040.0\r\n\
         X-Azure-Functions-InvocationId: 5d0b3f2c-8e1a-47c9-b6d4-90a7e2f13c58\r\n\r\n"
    )
    .into_bytes()
}

/// Asks once over a connection of its own; the answer as it came, whole by its `Content-Length`.
pub(crate) fn ask(port: u16, request: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let (mut received, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let count = stream.read(&mut part)?;
        received.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&received);
        if count == 0 || is_whole(&text) {
            return Ok(text.into_owned());
        }
    }
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    length
        .and_then(|length| length.parse().ok())
        .is_none_or(|length: usize| body.len() >= length)
}
