//! A client that sends exactly the bytes it is given.

use crate::harness::GUARD;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was received and belongs to the next answer.
    received: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Client {
        Client::try_to(address).expect("the port accepts connections")
    }

    pub(crate) fn try_to(address: SocketAddr) -> Option<Client> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(GUARD)).expect("a timeout");
        stream.set_write_timeout(Some(GUARD)).expect("a timeout");
        Some(Client {
            stream,
            received: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the peer takes what is sent");
    }

    /// Sends as far as the peer takes it.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next answer to anything but a HEAD request.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if answer.status != 204 && answer.status != 100 {
            let length = answer
                .header("Content-Length")
                .expect("a Content-Length")
                .parse()
                .expect("a number");
            while self.received.len() < length {
                assert!(
                    self.receive() > 0,
                    "the connection ended within a body: {answer:?}"
                );
            }
            answer.body = text(self.received.drain(..length).collect());
        }
        answer
    }

    /// The next answer, to a HEAD request: without a body.
    pub(crate) fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self
                .received
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break end;
            }
            assert!(
                self.receive() > 0,
                "the connection ended within the head of an answer: {:?}",
                self.received
            );
        };
        let head = text(self.received.drain(..end + 4).collect());
        Answer::read(&head)
    }

    /// The last answer on this connection; its body is all that comes after the head.
    pub(crate) fn answer_and_end(&mut self) -> Answer {
        let mut answer = self.head();
        while self.receive() > 0 {}
        answer.body = text(std::mem::take(&mut self.received));
        answer
    }

    /// Whether what comes first, within a second, is this.
    pub(crate) fn starts_with(&mut self, start: &str) -> bool {
        self.stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .expect("a timeout");
        let mut bytes = vec![0; start.len()];
        self.stream.read_exact(&mut bytes).is_ok() && bytes == start.as_bytes()
    }

    /// Whether the peer has ended the connection and everything from it was read. Waits for that.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.received.is_empty() && self.receive() == 0
    }

    /// Whether nothing has come so far.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a timeout");
        let mut byte = [0];
        let outcome = self.stream.peek(&mut byte);
        self.stream
            .set_read_timeout(Some(GUARD))
            .expect("a timeout");
        let waits = |error: std::io::Error| {
            matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            )
        };
        self.received.is_empty() && outcome.is_err_and(waits)
    }

    fn receive(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut buffer) {
                Ok(count) => break count,
                // A read with a timeout is not taken up again by itself after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break 0,
                Err(error) => panic!("no answer: {error}"),
            }
        };
        self.received.extend_from_slice(&buffer[..count]);
        count
    }
}

impl Answer {
    fn read(head: &str) -> Answer {
        let mut lines = head.trim_end().split("\r\n");
        let mut start = lines.next().unwrap_or_default().splitn(3, ' ');
        let version = start.next().unwrap_or_default().to_owned();
        let status = start
            .next()
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status: {head}"));
        let header = |line: &str| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no header: {line}"));
            (name.to_owned(), value.trim().to_owned())
        };
        Answer {
            version,
            status,
            headers: lines.map(header).collect(),
            body: String::new(),
        }
    }

    /// The value of a header that is there once, None when it is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error body, which has a description and nothing else; empty when there is none.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let Some(code) = body["code"].as_str() else {
            return String::new();
        };
        assert!(
            body["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{}",
            self.body
        );
        assert_eq!(
            body.as_object().map(|body| body.len()),
            Some(2),
            "{}",
            self.body
        );
        code.to_owned()
    }

    pub(crate) fn description(&self) -> String {
        self.json()["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Seconds of `Retry-After`.
    pub(crate) fn retry_after(&self) -> u64 {
        self.header("Retry-After")
            .expect("a Retry-After")
            .parse()
            .expect("whole seconds")
    }

    /// Fails unless this is the refusal with that status and code.
    #[track_caller]
    pub(crate) fn must_be(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{self:?}"
        );
    }
}

/// A request without a body, as it is sent.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}
