//! A request, read.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tiny_http::Request;

use crate::answer::Refusal;
use crate::form::{Form, decode};

/// Bytes of a body that are read at most.
const BODY_LIMIT: u64 = 64 * 1024;

/// What of a request the endpoints look at.
pub(crate) struct Call {
    /// Method; `HEAD` is told as `GET`, its answer goes out without the body.
    pub(crate) method: String,
    /// The path after its first slash, split at the others.
    pub(crate) segments: Vec<String>,
    /// The query.
    pub(crate) query: Form,
    /// The body, with the credentials of HTTP Basic authentication put in.
    pub(crate) form: Form,
    /// IP address of the client.
    pub(crate) ip: String,
    origin: Option<String>,
}

impl Call {
    /// Reads a request to its end.
    pub(crate) fn read(request: &mut Request) -> Result<Call, Refusal> {
        let mut body = Vec::new();
        let mut reader = request.as_reader().take(BODY_LIMIT + 1);
        let failed = reader.read_to_end(&mut body).is_err();
        if failed || body.len() as u64 > BODY_LIMIT {
            let text = format!("The body could not be read, or has over {BODY_LIMIT} bytes.");
            return Err(Refusal::new(413, "invalid_request", 90015, text));
        }
        let url = request.url();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut form = Form::parse(&String::from_utf8_lossy(&body));
        if let Some((id, secret)) = header(request, "Authorization").and_then(|text| basic(&text)) {
            form.default("client_id", id);
            form.default("client_secret", secret);
        }
        Ok(Call {
            method: match request.method().as_str() {
                "HEAD" => "GET".to_owned(),
                method => method.to_owned(),
            },
            segments: path.split('/').map(decode).collect(),
            query: Form::parse(query),
            form,
            ip: request
                .remote_addr()
                .map_or_else(String::new, |address| address.ip().to_string()),
            origin: header(request, "Origin"),
        })
    }

    /// Whether a page of another site sent this form: its click is not a person's consent.
    pub(crate) fn is_foreign(&self, base: &str) -> bool {
        let twin = base.replace("//localhost", "//127.0.0.1");
        let origin = self.origin.as_deref();
        origin.is_some_and(|origin| origin != base && origin != twin)
    }
}

fn header(request: &Request, name: &'static str) -> Option<String> {
    let mut headers = request.headers().iter();
    headers
        .find(|header| header.field.equiv(name))
        .map(|header| header.value.to_string())
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let bytes = STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let credentials = (decode(id), decode(secret));
    scheme.eq_ignore_ascii_case("Basic").then_some(credentials)
}
