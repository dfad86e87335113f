//! Clients that misbehave. A scene lets some of them act together, in a given size, and asserts which
//! responses they get themselves. The tests and the soak watch what becomes of everybody else.

use crate::support::tokens::{good, of_length, signed, v2, with};
use crate::support::{Connection, GUARD, Handler, PUBLIC, Response, api_request, request};
use std::thread;
use std::time::Duration;

/// A handler that is put under pressure.
pub(crate) struct Site<'a> {
    pub(crate) handler: &'a Handler,
    /// Lets others ask so many times, and fails when they are held up.
    pub(crate) others: &'a (dyn Fn(usize) + Sync),
    /// For the scenes in which chance has a part; not 0.
    pub(crate) seed: u64,
}

impl Site<'_> {
    fn connect(&self) -> Connection {
        self.handler.connect()
    }

    /// Connections on which this was sent.
    fn crowd(&self, size: usize, first: impl AsRef<[u8]>) -> Vec<Connection> {
        let mut crowd: Vec<Connection> = (0..size).map(|_| self.connect()).collect();
        send_to_all(&mut crowd, first);
        crowd
    }

    /// Lets others ask while this goes on.
    fn wait(&self, rounds: usize) {
        (self.others)(rounds);
    }
}

fn send_to_all(crowd: &mut [Connection], bytes: impl AsRef<[u8]>) {
    for connection in crowd {
        connection.try_send(bytes.as_ref());
    }
}

#[track_caller]
fn must_get(connection: &mut Connection, status: u16, what: &str) {
    let response = connection.response_within(GUARD);
    let found = response.as_ref().map(|response| response.status);
    assert_eq!(found, Some(status), "{what}: {response:?}");
}

fn upload(length: impl ToString, headers: &[(&str, &str)]) -> String {
    let length = length.to_string();
    let headers = [headers, &[("Content-Length", &length)]].concat();
    request("POST", "/api", &headers)
}

// ---- uploads --------------------------------------------------------------------------------

/// Bodies that are declared and not sent, or sent in part: with and without a good token, some
/// after `Expect`. In the end half of the clients leave, the others only stop sending.
pub(crate) fn stalled_uploads(site: &Site, each: usize) {
    let bearer = format!("Bearer {}", good());
    let kinds: [&[(&str, &str)]; 3] = [
        &[],
        &[("Expect", "100-continue")],
        &[("Authorization", &bearer)],
    ];
    let mut uploads = Vec::new();
    for length in [1, 1024, 1025, 1_000_000, 100_000_000, 104_857_600] {
        for headers in kinds.iter().cycle().take(each) {
            let mut connection = site.connect();
            connection.send(upload(length, headers));
            if length > 1024 && uploads.len() % 2 == 0 {
                connection.send([b'x'; 700]);
            }
            uploads.push(connection);
        }
    }
    site.wait(50);
    let (left, finished): (Vec<_>, Vec<_>) = (0..).zip(uploads).partition(|(it, _)| it % 2 == 0);
    drop(left);
    finished.iter().for_each(|(_, it)| it.finish());
    site.wait(10);
}

/// Bodies of 30 MB that break off at their beginning: tiny_http allocates the rest.
pub(crate) fn broken_off_uploads(site: &Site, count: usize) {
    for round in 0..4 {
        let uploads = site.crowd(count, upload(31_457_280, &[]) + "and no more");
        site.wait(5);
        if round % 2 == 0 {
            uploads.iter().for_each(Connection::finish);
        }
    }
}

/// Lengths beyond 100 MiB: the handler has to give up each connection.
pub(crate) fn oversized_uploads(site: &Site, count: usize) {
    let lengths = [104_857_601, 1 << 40, 1 << 62, 1 << 63, u64::MAX];
    for length in lengths.iter().cycle().take(count) {
        drop(site.crowd(1, upload(length, &[])));
    }
    site.wait(20);
}

pub(crate) fn trickling_uploads(site: &Site, count: usize) {
    let bearer = format!("Bearer {}", good());
    let mut refused = site.crowd(count, upload(1100, &[]));
    let mut accepted = site.crowd(count, upload(1100, &[("Authorization", &bearer)]));
    for _ in 0..50 {
        send_to_all(&mut refused, [b'x'; 2]);
        send_to_all(&mut accepted, [b'x'; 2]);
        site.wait(1);
    }
    for (uploads, status) in [(&mut refused, 401), (&mut accepted, 200)] {
        send_to_all(uploads, [b'x'; 1000]);
        for upload in uploads {
            must_get(upload, status, "an upload that trickled");
        }
    }
}

/// Chunked bodies that are right, if odd: the connection goes on.
const ODD_CHUNKS: [&str; 5] = [
    "0\r\n\r\n",
    "000000005\r\nhello\r\n0\r\n\r\n",
    "5;name=value\r\nhello\r\n0;last\r\n\r\n",
    "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
    "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n0\r\n\r\n",
];

/// Chunked bodies that are none: the refusal of a request without a token, or the end of the
/// connection, which cannot go on.
const WRONG_CHUNKS: [&str; 9] = [
    "zz\r\n",
    "\r\n",
    "-1\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5 5\r\nhello\r\n0\r\n\r\n",
    "10000000000000000\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
];

/// Chunked bodies whose end never comes.
const ENDLESS_CHUNKS: [&str; 6] = [
    "",
    "5",
    "5\r\nhel",
    "ffffffffffffffff\r\nhello",
    "7fffffffffffffff\r\nhello",
    "5;a long extension without an end",
];

pub(crate) fn lying_chunks(site: &Site, growing: usize) {
    let sent = |body: &str| {
        let mut connection = site.connect();
        let start = request("POST", "/api", &[("Transfer-Encoding", "chunked")]);
        connection.send(start + body);
        connection
    };
    for body in ODD_CHUNKS {
        let mut connection = sent(body);
        must_get(&mut connection, 401, body);
        connection.send(PUBLIC);
        must_get(&mut connection, 200, "the request after it");
    }
    for body in WRONG_CHUNKS {
        let response = sent(body).response_within(GUARD);
        let is_last = |it: &Response| it.status == 401 && it.header("Connection") == Some("close");
        assert!(
            response.as_ref().is_none_or(is_last),
            "{body:?}: {response:?}"
        );
    }
    let mut endless: Vec<_> = ENDLESS_CHUNKS.iter().map(|body| sent(body)).collect();
    let mut growing: Vec<_> = (0..growing).map(|_| sent("")).collect();
    for _ in 0..40 {
        send_to_all(&mut growing, "1\r\nx\r\n".repeat(100));
        site.wait(1);
    }
    for connection in endless.iter_mut().chain(&mut growing) {
        assert!(connection.is_silent(), "a response before the end");
    }
}

// ---- starts of requests ---------------------------------------------------------------------

/// The fate of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Status(u16),
    /// The end of the connection, without a response.
    End,
    /// Nothing: the handler waits for more.
    Silence,
}
use Fate::{End, Silence, Status};

/// No good token is in them, so that 200 can only come from the open resources.
const ODD_STARTS: [(&str, Fate); 44] = [
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
        "POST /api HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 1000000000000000000000000000000\r\n\r\n",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Status(401),
    ),
    (
        "POST /api HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\nhello\r\n",
        Status(401),
    ),
];

pub(crate) fn odd_starts(site: &Site, rounds: usize) {
    for (bytes, fate) in ODD_STARTS.repeat(rounds) {
        let mut connection = site.connect();
        connection.send(bytes);
        match fate {
            Status(status) => must_get(&mut connection, status, bytes),
            End => assert!(connection.is_at_end(), "{bytes:?}"),
            Silence => {
                site.wait(5);
                assert!(connection.is_silent(), "{bytes:?}");
            }
        }
    }
}

/// tiny_http keeps a line and all headers in memory, however long.
pub(crate) fn huge_starts(site: &Site, each: usize) {
    let long = |bytes: usize| "x".repeat(bytes);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    let requests = [
        (get("/public", &format!("X: {}\r\n", long(8_000_000))), 200),
        (get("/public", &"a: b\r\n".repeat(100_000)), 200),
        (get(&format!("/{}", long(1_000_000)), ""), 404),
        (format!("{} /api HTTP/1.1\r\n\r\n", long(100_000)), 405),
        (get("/api", &bearer(&long(1_000_000))), 401),
        (get("/api", &bearer("x").repeat(10_000)), 401),
    ];
    thread::scope(|scope| {
        for (request, status) in requests.iter().cycle().take(each * requests.len()) {
            let mut connection = site.connect();
            scope.spawn(move || {
                connection.send(request);
                must_get(&mut connection, *status, &request[..30]);
            });
        }
    });
}

pub(crate) fn trickling_starts(site: &Site, count: usize) {
    let mut crowd = site.crowd(count, "");
    for byte in PUBLIC.as_bytes() {
        send_to_all(&mut crowd, [*byte]);
        site.wait(1);
    }
    for connection in &mut crowd {
        must_get(connection, 200, "a start that trickled");
    }
}

/// HTTP/2 and HTTP/3: tiny_http waits for itself when it wants to say 505, and each connection
/// stays until the process ends.
pub(crate) fn other_versions(site: &Site, count: usize) {
    let starts = [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        "GET /api HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /public HTTP/3.0\r\nHost: localhost\r\n\r\n",
    ];
    for start in starts.iter().cycle().take(count) {
        let silent = site.crowd(1, start)[0].is_silent();
        assert!(silent, "{start:?}");
    }
    site.wait(20);
}

// ---- crowds ---------------------------------------------------------------------------------

pub(crate) fn idle_connections(site: &Site, size: usize) {
    hesitate(site, size, 0);
}

pub(crate) fn half_request_lines(site: &Site, size: usize) {
    hesitate(site, size, "GET /pu".len());
}

/// Connections that say so much of a request, then nothing for a while, and in the end the rest.
fn hesitate(site: &Site, size: usize, length: usize) {
    let (first, rest) = PUBLIC.split_at(length);
    let mut crowd = site.crowd(size, first);
    site.wait(50);
    send_to_all(&mut crowd, rest);
    for connection in &mut crowd {
        must_get(connection, 200, "a connection that hesitated");
    }
}

/// Connections that come at the same instant and all stay open until the last has its response.
/// tiny_http's pool alone leaves some of them waiting for ever.
pub(crate) fn burst(site: &Site, size: usize) {
    let token = api_request(&good());
    let mut crowd = site.crowd(size, "");
    for (number, connection) in crowd.iter_mut().enumerate() {
        connection.send(if number % 2 == 0 { &token } else { PUBLIC });
    }
    for connection in &mut crowd {
        must_get(connection, 200, "one of a burst");
    }
}

/// Clients that are gone while the handler still has something for them.
pub(crate) fn resets(site: &Site, rounds: usize) {
    let more = [
        "".to_owned(),
        "GET /api HT".to_owned(),
        "GET /api HTTP/1.1\r\nAuthorization: Bea".to_owned(),
        upload(1000, &[]) + "hello",
        upload(5000, &[]) + "hello",
        upload(100_000_000, &[]) + "hello",
        request("POST", "/api", &[("Transfer-Encoding", "chunked")]) + "ff\r\nhello",
        PUBLIC.repeat(50),
        api_request(&good()).repeat(5),
    ];
    for more in more.iter().cycle().take(more.len() * rounds) {
        // The response to the first request stays unread, which makes it a reset.
        let mut connection = site.connect();
        connection.send(PUBLIC.to_owned() + more);
        connection.reset();
    }
    site.wait(10);
}

/// Numbers that look random and follow from a seed (xorshift64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Random bytes, and requests with some bytes changed. Their token has the signature of another
/// one, so that nothing made from it may ever be accepted.
pub(crate) fn random_bytes(site: &Site, rounds: usize) {
    let mut numbers = Numbers(site.seed);
    let [mine, other] = ["mine", "another"].map(|sub| signed(&with(v2(), "sub", sub)));
    let input = mine.rsplit_once('.').expect("a token").0;
    let forged = format!("{input}.{}", other.rsplit('.').next().expect("a signature"));
    let bearer = format!("Bearer {forged}");
    let headers = [
        ("Authorization", &*bearer),
        ("Transfer-Encoding", "chunked"),
    ];
    for _ in 0..rounds {
        let mut crowd = Vec::new();
        for kind in 0..30 {
            let mut bytes = match kind % 3 {
                0 => (0..numbers.below(3000))
                    .map(|_| numbers.below(256) as u8)
                    .collect(),
                1 => (api_request(&forged) + PUBLIC).into_bytes(),
                _ => (request("POST", "/api", &headers) + "3\r\nabc\r\n0\r\n\r\n").into_bytes(),
            };
            for _ in 0..numbers.below(6) * (kind % 3) {
                let place = numbers.below(bytes.len());
                bytes[place] = numbers.below(256) as u8;
            }
            crowd.extend(site.crowd(1, &bytes));
        }
        site.wait(3);
        for mut connection in crowd {
            let said = connection.rest(Duration::from_millis(2));
            let said = String::from_utf8_lossy(&said);
            assert!(
                !said.contains("\"sub\""),
                "a forged token was accepted: {said}"
            );
        }
    }
}

// ---- readers --------------------------------------------------------------------------------

/// So many responses of 12 KB are more than the buffers of a connection hold.
const MORE_THAN_FITS: usize = 600;

/// Clients that ask for more than the buffers hold, and read late: every response is whole and in
/// order, or it would be taken for the response to another request.
pub(crate) fn late_readers(site: &Site, size: usize) {
    let mut clients = site.crowd(size, "");
    for client in &clients {
        let last = api_request(&signed(&with(v2(), "sub", "a later request")));
        client.send_aside(api_request(&of_length(16_000)).repeat(MORE_THAN_FITS) + &last);
    }
    site.wait(100);
    for client in &mut clients {
        for number in 0..MORE_THAN_FITS {
            let response = client.response();
            let (status, body) = (response.status, response.body);
            assert!(
                status == 200 && body.len() > 8000,
                "response {number}: {body}"
            );
            assert!(
                !body.contains("HTTP/1.1"),
                "response {number} has another in it"
            );
        }
        assert!(client.response().body.contains("a later request"));
    }
}

/// Clients that never read, and as many that read a little all the time.
pub(crate) fn deaf_readers(site: &Site, size: usize) {
    let mut clients = site.crowd(2 * size, "");
    for client in &clients {
        client.send_aside(api_request(&of_length(16_000)).repeat(MORE_THAN_FITS));
    }
    for _ in 0..100 {
        clients[size..].iter_mut().for_each(|slow| slow.sip(1000));
        site.wait(1);
    }
    clients.into_iter().for_each(Connection::hang_up);
}

/// Requests with every kind of body, all sent before the first response is read.
pub(crate) fn pipelined_uploads(site: &Site, rounds: usize) {
    let chunked = |body: &str| request("POST", "/api", &[("Transfer-Encoding", "chunked")]) + body;
    let long = "x".repeat(40_000);
    let round = [
        (PUBLIC.to_owned(), 200),
        (upload(5, &[]) + "hello", 401),
        (chunked("5\r\nhello\r\n0\r\n\r\n"), 401),
        (upload(40_000, &[]) + &long, 401),
        (api_request(&good()), 200),
        (chunked(&format!("9c40\r\n{long}\r\n0\r\n\r\n")), 401),
        (upload(0, &[]), 401),
    ];
    let all: String = round.iter().map(|(request, _)| request.as_str()).collect();
    let mut clients = site.crowd(4, "");
    for client in &clients {
        client.send_aside(all.repeat(rounds));
    }
    for (request, status) in round.iter().cycle().take(rounds * round.len()) {
        for client in &mut clients {
            must_get(client, *status, request.lines().next().unwrap_or_default());
        }
    }
}
