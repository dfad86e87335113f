//! The headers that the handler looks at, read in one pass.

use crate::answer::{Connection, Form};
use crate::body::Body;
use tiny_http::{HTTPVersion, Request};

/// What the headers of a request say, read in one pass.
#[derive(Debug, Default)]
pub struct Head<'r> {
    /// The values of the first two `Authorization` headers: two are one too many already.
    pub authorization: [Option<&'r str>; 2],
    /// The Functions host's id of the invocation; behind the id that a client sent, if it sent one.
    pub invocation: Option<&'r str>,
    origin: Option<&'r str>,
    connection: Option<&'r str>,
    is_chunked: bool,
    expects_continue: bool,
}

impl<'r> Head<'r> {
    /// Reads the headers of a request.
    pub fn of(request: &'r Request) -> Head<'r> {
        let mut head = Head::default();
        for header in request.headers() {
            let (name, value) = (header.field.as_str().as_str(), header.value.as_str());
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            match name.len() {
                13 if is("Authorization") => {
                    head.authorization = [head.authorization[0].or(Some(value)), head.authorization[0].and(Some(value))]
                }
                6 if is("Origin") => head.origin = Some(value),
                6 if is("Expect") => head.expects_continue = true,
                10 if is("Connection") => head.connection = head.connection.or(Some(value)),
                17 if is("Transfer-Encoding") => head.is_chunked = true,
                30 if is("X-Azure-Functions-InvocationId") => head.invocation = Some(value),
                _ => {}
            }
        }
        head
    }

    fn connection_says(&self, word: &str) -> bool {
        let contains =
            |value: &str| value.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        self.connection.is_some_and(contains)
    }

    /// What has to be done about the body of this request.
    pub fn body(&self, request: &Request) -> Body {
        Body::of(request.body_length(), self.connection_says("upgrade"), self.is_chunked, self.expects_continue)
    }

    /// The form of the answer. Follows tiny_http's own decision whether another request may come on this connection.
    pub fn form(&self, request: &Request) -> Form<'r> {
        let is_old = *request.http_version() == HTTPVersion(1, 0);
        let connection = match (self.connection_says("keep-alive"), is_old) {
            _ if self.connection_says("close") || self.connection_says("upgrade") => Connection::Close,
            (false, true) => Connection::Close,
            (true, true) => Connection::KeepAlive,
            (_, false) => Connection::Persistent,
        };
        Form { is_head: request.method().as_str() == "HEAD", connection, origin: self.origin }
    }

    /// The form of an answer after which the connection cannot go on.
    pub fn last_form(&self, request: &Request) -> Form<'r> {
        Form { connection: Connection::Close, ..self.form(request) }
    }
}
