//! Requests that are read and responses that are written.

use super::{claims, random};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use tiny_http::{Header, Request, Response};

pub(super) type Reply = Response<Cursor<Vec<u8>>>;

/// The parameters of a request, from its query and from its body.
#[derive(Clone)]
pub(super) struct Form(HashMap<String, String>);

pub(super) fn read_form(request: &mut Request) -> Result<Form, Refusal> {
    const MOST_BYTES: u64 = 64 * 1024;
    let mut text = request
        .url()
        .split_once('?')
        .map_or_else(String::new, |(_, query)| format!("{query}&"));
    let read = request
        .as_reader()
        .take(MOST_BYTES)
        .read_to_string(&mut text);
    read.map_err(|error| Refusal::new("invalid_request", 90_015, error.to_string()))?;
    Ok(Form(
        form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect(),
    ))
}

impl Form {
    /// Empty when it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        match self.get(name) {
            "" => {
                let text =
                    format!("The request body must contain the following parameter: '{name}'.");
                Err(Refusal::new("invalid_request", 900_144, text))
            }
            value => Ok(value),
        }
    }
}

/// An error in the form of Entra's token endpoint.
pub(super) struct Refusal {
    /// OAuth 2.0's word.
    pub(super) error: &'static str,
    /// Stands after Entra's `AADSTS`.
    code: u32,
    text: String,
    /// A claims challenge.
    pub(super) claims: Option<Value>,
}

impl Refusal {
    pub(super) fn new(error: &'static str, code: u32, text: impl Into<String>) -> Refusal {
        Refusal {
            error,
            code,
            text: text.into(),
            claims: None,
        }
    }

    pub(super) fn not_found() -> Refusal {
        Refusal::new("invalid_request", 90_024, "There is no such endpoint.")
    }

    pub(super) fn description(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    pub(super) fn reply(&self) -> Reply {
        let (trace, correlation) = (claims::guid(random()), claims::guid(random()));
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "{} Trace ID: {trace} Correlation ID: {correlation}", self.description()
            ),
            "error_codes": [self.code],
            "trace_id": trace,
            "correlation_id": correlation,
        });
        if let Some(claims) = &self.claims {
            body["suberror"] = "basic_action".into();
            body["claims"] = claims.to_string().into();
        }
        let status = match self.code {
            7_000_218 => 401,
            90_024 => 404,
            _ => 400,
        };
        json_reply(status, &body)
    }
}

/// JSON that pages of every origin may read and nobody may keep.
pub(super) fn json_reply(status: u16, body: &Value) -> Reply {
    let reply = reply(status, "application/json; charset=utf-8", body.to_string());
    reply.with_header(header("Access-Control-Allow-Origin", "*"))
}

/// An HTML document.
pub(super) fn html(status: u16, title: &str, content: &str) -> Reply {
    let page = include_str!("page.html")
        .replace("{{title}}", title)
        .replace("{{content}}", content);
    reply(status, "text/html; charset=utf-8", page)
}

/// A location of visible ASCII characters.
pub(super) fn redirect(location: &str) -> Reply {
    reply(302, "text/plain", String::new()).with_header(header("Location", location))
}

/// Names and values as a query.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    query.replace('+', "%20")
}

/// Text for HTML content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

fn reply(status: u16, content_type: &str, body: String) -> Reply {
    let reply = Response::from_string(body).with_status_code(status);
    reply
        .with_header(header("Content-Type", content_type))
        .with_header(header("Cache-Control", "no-store"))
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("visible ASCII characters")
}
