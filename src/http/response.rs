//! A response, and its bytes. All of them leave in a single write. tiny_http's own `respond` makes two
//! from 1 KiB on, and the second then waits for the peer's delayed acknowledgement.

use super::decoding::encode_non_ascii;
use super::{Cors, Request, Value};
use std::fmt::Display;
use std::io::Write;

/// The result of an endpoint. `?` leaves with the response that a missing parameter or a bad body
/// deserves.
pub type Reply = Result<Response, Response>;

/// Bytes of all headers of a response: the Functions host takes 64 KiB, and asks up to 40 times for a
/// response that has more.
const MAX_HEAD_BYTES: usize = 60 * 1024;

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The word of a response about its connection (RFC 9112 section 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// HTTP/1.1 keeps it open; nothing needs to be said.
    Persistent,
    /// HTTP/1.0 with `Connection: keep-alive`: has to be confirmed.
    KeepAlive,
    /// It ends after this response.
    Close,
}

impl Response {
    /// A response with a JSON body: a `Value`, or any text that is JSON.
    pub fn json(status: u16, value: impl Display) -> Response {
        Response::bytes(status, "application/json", value.to_string())
    }

    /// A response with any other body.
    pub fn bytes(
        status: u16,
        content_type: impl AsRef<str>,
        bytes: impl Into<Vec<u8>>,
    ) -> Response {
        Response {
            content_type: Some(header_value(content_type)),
            body: bytes.into(),
            ..Response::empty(status)
        }
    }

    /// A response without a body. A status that is no final one, 200 to 599, leaves as 500.
    pub fn empty(status: u16) -> Response {
        let is_final = (200..=599).contains(&status);
        Response {
            status: if is_final { status } else { 500 },
            content_type: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A response with an error body: `{"code": …, "description": …}`.
    pub fn error(status: u16, code: impl AsRef<str>, description: impl AsRef<str>) -> Response {
        let (code, description) = (code.as_ref(), description.as_ref());
        let (code, description) = (Value::from(code), Value::from(description));
        let body = format!("{{\"code\":{code},\"description\":{description}}}");
        Response::json(status, body)
    }

    /// The same response with one more header. Control characters are left out of the value, so that
    /// no text of a caller ends the header and begins another (RFC 9110 section 5.5). Headers of the
    /// connection and of the body's length are the handler's own and stay as they are.
    pub fn with(mut self, header: impl AsRef<str>, value: impl Display) -> Response {
        const OWN: [&str; 8] = [
            "Content-Length",
            "Transfer-Encoding",
            "Trailer",
            "Connection",
            "Keep-Alive",
            "Upgrade",
            "Date",
            "Access-Control-Allow-Origin",
        ];
        let (name, value) = (header.as_ref(), header_value(value.to_string()));
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        if is(&"Content-Type") {
            self.content_type = Some(value);
        } else if is_token(name) && !OWN.iter().any(is) {
            self.headers.push((name.to_owned(), value));
        }
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        if name.eq_ignore_ascii_case("Content-Type") {
            return self.content_type.as_deref();
        }
        let mut headers = self.headers.iter();
        let header = headers.find(|(have, _)| have.eq_ignore_ascii_case(name))?;
        Some(&header.1)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Writes the whole response to `request` into `out`, which is emptied first. `date` is the
    /// value of `Date`.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        request: &Request,
        connection: Connection,
        cors: &Cors,
        date: &str,
    ) {
        out.clear();
        // RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: these have no content.
        let has_body = !matches!(self.status, 204 | 205 | 304);
        let body = if has_body { self.body.as_slice() } else { &[] };
        let _ = write!(out, "HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        let mut header = |name: &str, value: &str| {
            let parts = [name, ": ", value, "\r\n"];
            parts
                .iter()
                .for_each(|part| out.extend_from_slice(part.as_bytes()));
        };
        header("Date", date);
        if let Some(content_type) = self.content_type.as_deref().filter(|_| has_body) {
            header("Content-Type", content_type);
        }
        // RFC 9110 section 8.6: none with 204; with 304 it would be the length of what is not sent.
        if !matches!(self.status, 204 | 304) {
            header("Content-Length", &body.len().to_string());
        }
        // Claims and refusals are for this caller alone.
        if self.header("Cache-Control").is_none() {
            header("Cache-Control", "no-store");
        }
        if self.header("X-Content-Type-Options").is_none() {
            header("X-Content-Type-Options", "nosniff");
        }
        let own = self.headers.iter().map(|(name, _)| name.as_str());
        cors.headers(request.header("Origin"), own, &mut header);
        self.headers
            .iter()
            .for_each(|(name, value)| header(name, value));
        match connection {
            Connection::Persistent => {}
            Connection::KeepAlive => header("Connection", "keep-alive"),
            Connection::Close => header("Connection", "close"),
        }
        out.extend_from_slice(b"\r\n");
        if out.len() > MAX_HEAD_BYTES {
            let words = "The endpoint's headers are too long";
            let failed = Response::error(500, "internal_error", words);
            return failed.write(out, request, connection, cors, date);
        }
        // RFC 9110 section 9.3.2: the head of the response only.
        if request.method() != "HEAD" {
            out.extend_from_slice(body);
        }
    }
}

fn header_value(value: impl AsRef<str>) -> String {
    let value = value.as_ref();
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return value.to_owned();
    }
    let mut value = value.to_owned();
    value.retain(|char| !char.is_control());
    if value.is_ascii() {
        return value;
    }
    encode_non_ascii(&value)
}

/// Whether this is the name of a header (RFC 9110 section 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_legal)
}

/// The reason phrase (RFC 9110 section 15); clients ignore it.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}
