//! A request, as an endpoint sees it.

use super::decoding::decode;
use super::{Response, Value};
use crate::json;
use crate::text::quoted;
use std::ops::Range;
use std::str::FromStr;

/// Bytes of the target and the headers that the Functions host usually sends, without the token.
const USUAL_BYTES: usize = 1024;

/// Headers that the Functions host usually sends.
const USUAL_HEADERS: usize = 16;

/// A request. The values in it come from the caller; reading one that is wrong gives the response
/// that it deserves, with which `?` leaves the endpoint.
#[derive(Debug)]
pub struct Request {
    /// Method, target and headers, one after the other.
    text: String,
    method: Range<usize>,
    path: Range<usize>,
    query: Range<usize>,
    headers: Vec<Header>,
    /// The path of the route's pattern, once the route is known.
    pattern: &'static str,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Header {
    name: Range<usize>,
    value: Range<usize>,
}

impl Request {
    /// A request without its body. `Authorization` is left out: the token is for the policy alone.
    pub fn new<'r>(
        method: &str,
        target: &str,
        headers: impl Iterator<Item = (&'r str, &'r str)>,
    ) -> Request {
        let (path, query) = split_target(target);
        let mut text = String::with_capacity(USUAL_BYTES);
        let mut keep = |part: &str| {
            let start = text.len();
            text.push_str(part);
            start..text.len()
        };
        let (method, path, query) = (keep(method), keep(path), keep(query));
        let mut kept = Vec::with_capacity(USUAL_HEADERS);
        for (name, value) in headers {
            if !name.eq_ignore_ascii_case("Authorization") {
                let (name, value) = (keep(name), keep(value));
                kept.push(Header { name, value });
            }
        }
        Request {
            text,
            method,
            path,
            query,
            headers: kept,
            pattern: "",
            body: Vec::new(),
        }
    }

    /// The method as it was sent: `HEAD` is `HEAD`.
    pub fn method(&self) -> &str {
        self.part(&self.method)
    }

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        self.part(&self.path)
    }

    /// The parameter `{name}` of the route's pattern, percent-decoded once.
    ///
    /// # Errors
    /// 404 when it is no `T`; 400 when it cannot be decoded, or would not be safe as the name of a
    /// file.
    pub fn param<T: FromStr>(&self, name: &str) -> Result<T, Response> {
        let is_it = |part: &str| {
            let inner = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            inner == Some(name)
        };
        let Some(place) = self.pattern.split('/').position(is_it) else {
            let words = format!("The route has no parameter {{{name}}}");
            return Err(Response::error(500, "internal_error", words));
        };
        let part = self.path().split('/').nth(place).unwrap_or_default();
        let is_safe = |text: &String| {
            let is_drive = cfg!(windows) && text.contains(':');
            !matches!(text.as_str(), "." | "..") && !text.contains(['/', '\\']) && !is_drive
        };
        let Some(text) = decode(part).filter(is_safe) else {
            return Err(unreadable("path", name));
        };
        text.parse().map_err(|_| {
            let words = format!("There is nothing with the {name} {}", quoted(&text));
            Response::error(404, "not_found", words)
        })
    }

    /// The parameter of this name in the query, percent-decoded once; None when it is not there. A
    /// name without `=` has an empty value.
    ///
    /// # Errors
    /// 400 when it is no `T`, cannot be decoded, or is there twice.
    pub fn query<T: FromStr>(&self, name: &str) -> Result<Option<T>, Response> {
        let pairs = self.part(&self.query).split('&');
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        // In a query a plus sign is a blank (URL standard, application/x-www-form-urlencoded).
        let decode = |text: &str| decode(&text.replace('+', " "));
        let mut values = pairs.filter(|(key, _)| decode(key).is_some_and(|key| key == name));
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            let words = format!(
                "The query has the parameter {} more than once",
                quoted(name)
            );
            return Err(Response::error(400, "bad_request", words));
        }
        let value = decode(value).and_then(|value| value.parse().ok());
        value.map(Some).ok_or_else(|| unreadable("query", name))
    }

    /// The first header of this name, in any letter case; never `Authorization`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The values of all headers of this name.
    pub(super) fn headers<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r str> {
        let is_it = |header: &&Header| self.part(&header.name).eq_ignore_ascii_case(name);
        let headers = self.headers.iter().filter(is_it);
        headers.map(|header| self.part(&header.value))
    }

    /// The body, empty when there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 when the `Content-Type` is not JSON. 400 when the body is no JSON, has a member twice, or is
    /// nested too deeply.
    pub fn json(&self) -> Result<Value, Response> {
        let media_type = self.header("Content-Type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        if media_type != "application/json" && !media_type.ends_with("+json") {
            let words = "The body must be JSON, with Content-Type: application/json";
            return Err(Response::error(415, "unsupported_media_type", words));
        }
        let bad = |fault: String| {
            let words = format!("The request's body {fault}");
            Response::error(400, "bad_request", words)
        };
        let text = json::check(&self.body).map_err(|fault| bad(fault.to_string()))?;
        let value = serde_json::from_str(text);
        value.map_err(|_| bad("has a value that is out of range".into()))
    }

    /// Notes the route that was found.
    pub(super) fn set_pattern(&mut self, pattern: &'static str) {
        self.pattern = pattern;
    }

    /// Adds the body that was read.
    pub fn set_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

fn unreadable(place: &str, name: &str) -> Response {
    let words = format!(
        "The parameter {} in the {place} cannot be read",
        quoted(name)
    );
    Response::error(400, "bad_request", words)
}

/// Path and query of a target in origin or absolute form (RFC 9112 section 3.2).
fn split_target(target: &str) -> (&str, &str) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path.starts_with('/') {
        return (path, query);
    }
    let rest = match path.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        _ => return (path, query),
    };
    let path = rest.find('/').and_then(|slash| rest.get(slash..));
    (path.unwrap_or("/"), query)
}
