//! HTTP/1.1 as a client speaks it: exactly the bytes that a test gives, and responses read whole.

use super::process::GUARD;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// `GET /public` on a connection that stays open.
pub const PUBLIC: &str = "GET /public HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A request without a body.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let line = |(name, value): &(&str, &str)| format!("{name}: {value}\r\n");
    let headers: String = headers.iter().map(line).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// A POST request with a body and its length.
pub fn post(target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let length = body.len().to_string();
    request(
        "POST",
        target,
        &[headers, &[("Content-Length", &length)]].concat(),
    ) + body
}

/// `GET /api` with a token.
pub fn api_request(token: &str) -> String {
    request(
        "GET",
        "/api",
        &[("Authorization", &format!("Bearer {token}"))],
    )
}

/// A connection.
pub struct Connection {
    stream: TcpStream,
    /// Bytes that came and belong to the next response.
    received: Vec<u8>,
}

impl Connection {
    /// None when nobody listens.
    pub fn to(address: SocketAddr) -> Option<Connection> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_write_timeout(Some(GUARD)).expect("a timeout");
        stream.set_nodelay(true).expect("an option");
        Some(Connection {
            stream,
            received: Vec::new(),
        })
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the peer takes it");
    }

    /// Sends as far as the peer takes it.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends as far as the buffers take it within this time.
    pub fn send_for(&mut self, time: Duration, bytes: impl AsRef<[u8]>) {
        self.stream
            .set_write_timeout(Some(time))
            .expect("a timeout");
        self.try_send(bytes);
    }

    /// Sends on another thread, for more than the buffers hold; [`Connection::hang_up`] ends it.
    pub fn send_aside(&self, bytes: impl Into<Vec<u8>>) {
        let mut stream = self.stream.try_clone().expect("a descriptor");
        let bytes = bytes.into();
        thread::spawn(move || stream.write_all(&bytes));
    }

    /// Says that nothing more will be sent.
    pub fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection, also for a thread that still sends.
    pub fn hang_up(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Waits for a byte and drops the connection with it unread: the kernel sends a reset.
    pub fn reset(self) {
        self.stream
            .set_read_timeout(Some(GUARD))
            .expect("a timeout");
        let _ = self.stream.peek(&mut [0]);
    }

    /// The next response to anything but a HEAD request.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.response_within(GUARD).expect("a response")
    }

    /// The same; None when it does not come in time, or not whole.
    pub fn response_within(&mut self, time: Duration) -> Option<Response> {
        let deadline = Instant::now() + time;
        loop {
            if let Some((response, length)) = Response::first(&self.received, true) {
                self.received.drain(..length);
                return Some(response);
            }
            if !self.receive(deadline) {
                return None;
            }
        }
    }

    /// The next response, to a HEAD request: without a body.
    #[track_caller]
    pub fn response_to_head(&mut self) -> Response {
        let deadline = Instant::now() + GUARD;
        loop {
            if let Some((response, length)) = Response::first(&self.received, false) {
                self.received.drain(..length);
                return response;
            }
            assert!(self.receive(deadline), "no response: {:?}", self.received);
        }
    }

    /// The last response on this connection; its body is all that comes after the headers.
    #[track_caller]
    pub fn last_response(&mut self) -> Response {
        let mut response = self.response_to_head();
        response.body = text(self.rest(GUARD));
        response
    }

    /// All that comes until the end of the connection, or of the time.
    pub fn rest(&mut self, time: Duration) -> Vec<u8> {
        let deadline = Instant::now() + time;
        while self.receive(deadline) {}
        std::mem::take(&mut self.received)
    }

    /// Whether the peer ends the connection in time, whatever it sends before.
    pub fn ends_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.receive(deadline) {}
        Instant::now() < deadline
    }

    /// Whether the peer ends the connection and has sent nothing more.
    pub fn is_at_end(&mut self) -> bool {
        self.ends_within(GUARD) && self.received.is_empty()
    }

    /// Whether nothing has come so far.
    pub fn is_silent(&mut self) -> bool {
        self.received.is_empty() && {
            self.receive(Instant::now() + Duration::from_millis(20));
            self.received.is_empty()
        }
    }

    /// Takes no more than so many bytes of what has come.
    pub fn sip(&mut self, count: usize) {
        self.stream
            .set_read_timeout(Some(Duration::from_millis(1)))
            .expect("a timeout");
        let _ = self.stream.read(&mut vec![0; count]);
    }

    /// False at the end of the connection, or of the time.
    fn receive(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        self.stream.set_read_timeout(Some(left)).expect("a timeout");
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
        }
    }
}

/// One response.
#[derive(Debug, Clone)]
pub struct Response {
    pub version: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// The first response in `bytes`, when it is whole, and its length.
    fn first(bytes: &[u8], with_body: bool) -> Option<(Response, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let mut response = Response::read(&text(bytes[..end].to_vec()));
        let has_none = !with_body || [100, 204, 304].contains(&response.status);
        let length = match response.header("Content-Length").filter(|_| !has_none) {
            Some(length) => length.parse().expect("a length"),
            None => 0,
        };
        response.body = text(bytes.get(end..end + length)?.to_vec());
        Some((response, end + length))
    }

    fn read(start: &str) -> Response {
        let mut lines = start.trim_end().split("\r\n");
        let mut parts = lines.next().unwrap_or_default().splitn(3, ' ');
        let version = parts.next().unwrap_or_default().to_owned();
        let status = parts.next().and_then(|status| status.parse().ok());
        let header = |line: &str| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no header: {line}"));
            (name.to_owned(), value.trim().to_owned())
        };
        let headers = lines.map(header).collect();
        let status = status.unwrap_or_else(|| panic!("no status: {start}"));
        Response {
            version,
            status,
            headers,
            body: String::new(),
        }
    }

    /// The value of a header that is there once, None when it is not there.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error body, which has a description and nothing else; empty for none.
    #[track_caller]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let Some(code) = body["code"].as_str() else {
            return String::new();
        };
        let described = body["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty());
        assert!(
            described && body.as_object().is_some_and(|body| body.len() == 2),
            "{body}"
        );
        code.to_owned()
    }

    pub fn description(&self) -> String {
        self.json()["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Seconds of `Retry-After`.
    #[track_caller]
    pub fn retry_after(&self) -> u64 {
        self.header("Retry-After")
            .expect("a Retry-After")
            .parse()
            .expect("whole seconds")
    }

    /// Fails unless this is the refusal with that status and code.
    #[track_caller]
    pub fn must_be(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{self:?}"
        );
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}
