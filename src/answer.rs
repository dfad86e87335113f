//! An answer and its one written form. Head and body leave in a single write: tiny_http's own
//! `respond` makes two of them from 1 KiB on, and the second then waits for the peer's delayed
//! acknowledgement.

use crate::settings::Origins;
use serde_json::Value;

/// An HTTP answer with a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beyond those that every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON; empty only with 204.
    pub body: String,
}

/// What of a request decides about the form of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form<'r> {
    /// `HEAD`: the head of the answer only (RFC 9110 section 9.3.2).
    pub is_head: bool,
    /// Whether the connection stays open after the answer, and says so to HTTP/1.0 clients.
    pub connection: Connection,
    /// The request's `Origin`.
    pub origin: Option<&'r str>,
}

/// What the answer says about its connection (RFC 9112 section 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// HTTP/1.1 keeps it open; nothing needs to be said.
    Persistent,
    /// HTTP/1.0 with `Connection: keep-alive`: has to be confirmed.
    KeepAlive,
    /// It ends after this answer.
    Close,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// An error body: `{"code": ..., "description": ...}`.
    pub fn error(status: u16, code: &str, description: &str) -> Answer {
        let (code, description) = (Value::from(code), Value::from(description));
        Answer::json(status, format!("{{\"code\":{code},\"description\":{description}}}"))
    }

    /// The same answer with one more header. Control characters are left out of its value, so that
    /// nothing from a claim ends the header and begins another (RFC 9110 section 5.5).
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        let mut value = value.into();
        value.retain(|char| !char.is_control());
        self.headers.push((name, value));
        self
    }

    /// Writes the whole answer to `out`, which is emptied first. `date` is the value of `Date`.
    pub fn write_to(&self, out: &mut Vec<u8>, form: Form, cors: &Cors, date: &str) {
        out.clear();
        let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
        let mut header = |name: &str, value: &str| [name, ": ", value, "\r\n"].into_iter().for_each(&mut put);
        header(status_line(self.status), date);
        // RFC 9110 section 8.6: no Content-Length with 204.
        if self.status != 204 {
            header("Content-Type", "application/json");
            header("Content-Length", &self.body.len().to_string());
        }
        header("Cache-Control", "no-store");
        header("X-Content-Type-Options", "nosniff");
        cors.headers(form.origin, &mut header);
        self.headers.iter().for_each(|(name, value)| header(name, value));
        match form.connection {
            Connection::Persistent => {}
            Connection::KeepAlive => header("Connection", "keep-alive"),
            Connection::Close => header("Connection", "close"),
        }
        put("\r\n");
        if !form.is_head && self.status != 204 {
            put(&self.body);
        }
    }
}

/// The CORS headers (Fetch standard, "CORS protocol").
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Origins,
}

impl Cors {
    /// From `ALLOWED_ORIGINS`.
    pub fn new(origins: Origins) -> Cors {
        Cors { origins }
    }

    fn headers(&self, origin: Option<&str>, header: &mut impl FnMut(&str, &str)) {
        let allowed = match &self.origins {
            Origins::Off => None,
            Origins::Any => Some("*"),
            Origins::Listed(listed) => {
                header("Vary", "Origin");
                listed.iter().map(String::as_str).find(|listed| Some(*listed) == origin)
            }
        };
        if let Some(allowed) = allowed {
            header("Access-Control-Allow-Origin", allowed);
            // Headers that a page may read besides the few that are always readable.
            header("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
        }
    }

    /// The answer to a preflight: `allow` are the methods of the resource.
    pub fn preflight(&self, allow: &str) -> Answer {
        let answer = Answer::json(204, "").with("Allow", allow);
        if self.origins == Origins::Off {
            return answer;
        }
        // `*` would not cover Authorization (Fetch standard, "CORS-preflight fetch").
        answer
            .with("Access-Control-Allow-Methods", allow)
            .with("Access-Control-Allow-Headers", "Authorization, Content-Type")
            .with("Access-Control-Max-Age", "3600")
    }
}

/// The status line (RFC 9112 section 4) and the name of the first header.
fn status_line(status: u16) -> &'static str {
    match status {
        200 => "HTTP/1.1 200 OK\r\nDate",
        204 => "HTTP/1.1 204 No Content\r\nDate",
        400 => "HTTP/1.1 400 Bad Request\r\nDate",
        401 => "HTTP/1.1 401 Unauthorized\r\nDate",
        403 => "HTTP/1.1 403 Forbidden\r\nDate",
        404 => "HTTP/1.1 404 Not Found\r\nDate",
        405 => "HTTP/1.1 405 Method Not Allowed\r\nDate",
        503 => "HTTP/1.1 503 Service Unavailable\r\nDate",
        _ => "HTTP/1.1 500 Internal Server Error\r\nDate",
    }
}
