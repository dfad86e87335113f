//! Heads of requests that are odd, wrong, huge, or incomplete.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, Tolerance, must_settle};
use std::thread;
use std::time::Duration;

/// What has to come of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// An answer with this status.
    Status(u16),
    /// The end of the connection, without an answer.
    End,
    /// Nothing: the handler waits for more.
    Silence,
}
use Fate::{End, Silence, Status};

/// Requests without a good token, so that 200 could only come from the open resources.
const ODD: [(&str, Fate); 42] = [
    ("\r\n\r\n", Status(400)),
    ("\0\0\0\0\r\n\r\n", Status(400)),
    ("GET\r\n\r\n", Status(400)),
    ("GET /public\r\n\r\n", Status(400)),
    ("GET  /public HTTP/1.1\r\n\r\n", Status(400)),
    ("GET /public HTTP/1.2\r\n\r\n", Status(400)),
    ("GET /public HTTP/11\r\n\r\n", Status(400)),
    ("GET /public http/1.1\r\n\r\n", Status(400)),
    ("GET /public HTTP/0.9\r\n\r\n", Status(200)),
    ("GET /public HTTP/1.0\r\n\r\n", Status(200)),
    ("GET /public HTTP/1.1\n\n", Silence),
    ("GET /public HTTP/1.1\r\nHost: x\n\n", Silence),
    ("GET /public HTTP/1.1\r\nHost: x\r\n", Silence),
    ("GET /api HTTP/1.1", Silence),
    ("GET /\0 HTTP/1.1\r\n\r\n", Status(404)),
    ("GET /publi\u{e7} HTTP/1.1\r\n\r\n", End),
    ("GET /public HTTP/1.1\r\nX: \u{e7}\r\n\r\n", End),
    ("GET /public HTTP/1.1\r\nX: a\0b\r\n\r\n", Status(200)),
    ("GET /public HTTP/1.1\r\nno colon\r\n\r\n", Status(400)),
    ("GET /public HTTP/1.1\r\nX : space\r\n\r\n", Status(400)),
    (
        "GET /public HTTP/1.1\r\nX: folded\r\n line\r\n\r\n",
        Status(400),
    ),
    ("GET /public HTTP/1.1\r\n: nameless\r\n\r\n", Status(200)),
    ("GET http://localhost/public HTTP/1.1\r\n\r\n", Status(200)),
    ("GET http://localhost/api HTTP/1.1\r\n\r\n", Status(401)),
    ("GET ftp://localhost/public HTTP/1.1\r\n\r\n", Status(404)),
    ("OPTIONS * HTTP/1.1\r\n\r\n", Status(404)),
    ("CONNECT localhost:443 HTTP/1.1\r\n\r\n", Status(404)),
    ("TRACE /api HTTP/1.1\r\n\r\n", Status(405)),
    ("get /api HTTP/1.1\r\n\r\n", Status(405)),
    (
        "GET /api HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        Status(401),
    ),
    (
        "GET /api HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nConnection: upgrade\r\nContent-Length: 2000\r\n\r\nbody",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\nhello",
        Status(417),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 5000\r\n\r\nabc",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length:   5  \r\n\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\nhello\r\n",
        Status(400),
    ),
];

fn handler() -> (Handler, Issuer) {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    (handler, issuer)
}

/// The fate of these bytes.
fn fate(handler: &Handler, bytes: &[u8]) -> Fate {
    let mut wire = handler.connect();
    wire.send(bytes);
    if let Some((status, _)) = wire.answer(Duration::from_millis(400)) {
        return Status(status);
    }
    match wire.ends(Duration::from_millis(50)) {
        true => End,
        false => Silence,
    }
}

#[test]
fn odd_heads_have_the_fate_they_should_and_hold_up_nobody() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    for (request, expected) in ODD {
        let mut found = fate(&handler, request.as_bytes());
        if found == Silence && expected != Silence {
            // Once more, should the machine have been busy.
            thread::sleep(Duration::from_secs(1));
            found = fate(&handler, request.as_bytes());
        }
        assert_eq!(found, expected, "{request:?}");
    }
    probe.end("odd heads");
    must_settle(&mut handler, &before, NEARLY_NOTHING, "odd heads");
}

/// tiny_http keeps a line and all headers in memory, however long: a client has to send every
/// byte of it. The memory comes back.
#[test]
fn huge_heads_are_read_to_their_end_and_hold_up_nobody() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let long = |bytes: usize| "x".repeat(bytes);
    let requests = [
        (
            format!("GET /public HTTP/1.1\r\nX: {}\r\n\r\n", long(8_000_000)),
            200,
        ),
        (
            format!("GET /public HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100_000)),
            200,
        ),
        (format!("GET /{} HTTP/1.1\r\n\r\n", long(1_000_000)), 404),
        (format!("{} /api HTTP/1.1\r\n\r\n", long(100_000)), 405),
        (
            format!(
                "GET /api HTTP/1.1\r\nAuthorization: Bearer {}\r\n\r\n",
                long(1_000_000)
            ),
            401,
        ),
        (
            format!(
                "GET /api HTTP/1.1\r\n{}\r\n",
                "Authorization: Bearer x\r\n".repeat(10_000)
            ),
            401,
        ),
    ];
    let send = |(request, status): &(String, u16)| {
        let mut wire = handler.connect();
        wire.send(request.as_bytes());
        let answer = wire.answer(Duration::from_secs(30)).map(|answer| answer.0);
        assert_eq!(answer, Some(*status), "{}...", &request[..40]);
    };
    thread::scope(|scope| {
        for request in &requests {
            scope.spawn(move || send(request));
        }
    });
    probe.end("huge heads");
    let more = Tolerance {
        kib: 64 * 1024,
        ..NEARLY_NOTHING
    };
    must_settle(&mut handler, &before, more, "huge heads");
}
