//! Answers and refusals.

use serde_json::{Value, json};
use tiny_http::{Header, Request, Response};

use crate::clock;
use crate::random;

/// An HTTP answer.
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    /// JSON text.
    pub(crate) fn json(status: u16, body: String) -> Answer {
        Answer::new(status, "application/json; charset=utf-8", body)
    }

    /// JSON text that holds secrets, readable by pages of every origin.
    pub(crate) fn secret_json(status: u16, body: String) -> Answer {
        Answer::json(status, body)
            .with("Cache-Control", "no-store")
            .with("Pragma", "no-cache")
            .with("Access-Control-Allow-Origin", "*")
    }

    /// An HTML document.
    pub(crate) fn html(status: u16, body: String) -> Answer {
        Answer::new(status, "text/html; charset=utf-8", body)
            .with("Cache-Control", "no-store")
            .with("Referrer-Policy", "same-origin")
            .with("X-Content-Type-Options", "nosniff")
    }

    /// 302 to a location of visible ASCII characters.
    pub(crate) fn redirect(location: String) -> Answer {
        Answer::new(302, "text/plain; charset=utf-8", String::new())
            .with("Location", location)
            .with("Cache-Control", "no-store")
    }

    /// 404.
    pub(crate) fn not_found() -> Answer {
        let body = json!({"error": "not_found", "error_description": "No such endpoint."});
        Answer::json(404, body.to_string())
    }

    /// 405 for an endpoint that has one method.
    pub(crate) fn wrong_method(allowed: &str) -> Answer {
        let text = format!("This endpoint accepts {allowed} requests only.");
        Refusal::new(405, "invalid_request", 900_561, text)
            .answer()
            .with("Allow", allowed)
    }

    /// This answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it; a client that has gone away is nobody's error.
    pub(crate) fn send(self, request: Request) {
        let mut response = Response::from_string(self.body).with_status_code(self.status);
        for (name, value) in self.headers {
            if let Ok(header) = Header::from_bytes(name, value) {
                response.add_header(header);
            }
        }
        let _ = request.respond(response);
    }

    fn new(status: u16, content_type: &str, body: String) -> Answer {
        Answer {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body,
        }
    }
}

/// An error in the form of Entra's token endpoint.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What is wrong, for people.
    pub(crate) text: String,
    status: u16,
    error: &'static str,
    code: u32,
}

impl Refusal {
    /// `error` is OAuth 2.0's word; `code` is the number after Entra's `AADSTS`.
    pub(crate) fn new(
        status: u16,
        error: &'static str,
        code: u32,
        text: impl Into<String>,
    ) -> Refusal {
        Refusal {
            text: text.into(),
            status,
            error,
            code,
        }
    }

    /// A parameter that is missing or empty.
    pub(crate) fn missing(name: &str) -> Refusal {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Refusal::new(400, "invalid_request", 900_144, text)
    }

    /// The JSON answer.
    pub(crate) fn answer(&self) -> Answer {
        let (trace, correlation, time) = (random::guid(), random::guid(), clock::timestamp());
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            self.code, self.text
        );
        let body = object(&[
            ("error", self.error.into()),
            ("error_description", description.into()),
            ("error_codes", json!([self.code])),
            ("timestamp", time.into()),
            ("trace_id", trace.into()),
            ("correlation_id", correlation.into()),
            (
                "error_uri",
                format!("https://login.microsoftonline.com/error?code={}", self.code).into(),
            ),
        ]);
        Answer::secret_json(self.status, body)
    }
}

/// A JSON object whose members keep their order.
pub(crate) fn object(members: &[(&str, Value)]) -> String {
    let member = |(name, value): &(&str, Value)| format!("{}:{value}", Value::from(*name));
    let members: Vec<String> = members.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}
