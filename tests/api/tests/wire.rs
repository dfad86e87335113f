//! Proofs that need sockets: bodies, slow endpoints, panics, statuses and headers on the wire,
//! and that an endpoint which has run is always answered.

use super::{exchange, hosted, served};
use crate::support::host::MODES;
use crate::support::tokens::good;
use crate::support::{Connection, Handler, KeyServer, Response, request, wait_until};
use entra_handler::MAX_BODY_BYTES;
use serde_json::json;
use std::net::SocketAddr;

const CHUNKED: (&str, &str) = ("Transfer-Encoding", "chunked");
const EXPECTS: (&str, &str) = ("Expect", "100-continue");

fn serving() -> (Handler, KeyServer) {
    served("wire", &[])
}

/// The start of a request with a good token.
fn start(call: &str, headers: &[(&str, &str)]) -> String {
    let (method, target) = call.split_once(' ').expect("a method and a target");
    let bearer = format!("Bearer {}", good());
    request(
        method,
        target,
        &[headers, &[("Authorization", &bearer)]].concat(),
    )
}

/// The same with a body and its length.
fn whole(call: &str, body: &str) -> String {
    start(call, &[("Content-Length", &body.len().to_string())]) + body
}

fn in_chunks(body: &str) -> String {
    let chunk = |chunk: &[u8]| {
        format!(
            "{:x}\r\n{}\r\n",
            chunk.len(),
            String::from_utf8_lossy(chunk)
        )
    };
    body.as_bytes().chunks(5000).map(chunk).collect::<String>() + "0\r\n\r\n"
}

/// One call with a good token on a connection of its own.
fn call(address: SocketAddr, call: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let (method, target) = call.split_once(' ').expect("a method and a target");
    let bearer = format!("Bearer {}", good());
    let headers = [headers, &[("Authorization", bearer.as_str())]].concat();
    exchange(address, method, target, &headers, body)
}

fn number(address: SocketAddr, target: &str) -> u64 {
    let response = call(address, target, &[], "");
    response.json().as_u64().expect("a number")
}

/// How often the endpoint at this path has run.
fn runs(address: SocketAddr, path: &str) -> u64 {
    number(address, &format!("GET /runs?path={path}"))
}

fn held(address: SocketAddr) -> u64 {
    number(address, "GET /held")
}

fn release(address: SocketAddr, name: &str) {
    assert_eq!(
        call(address, &format!("POST /release/{name}"), &[], "").status,
        204
    );
}

/// `count` connections that each have this call waiting, one after the other.
fn holding(handler: &Handler, call: &str, count: usize) -> Vec<Connection> {
    let before = held(handler.address);
    let connections = (1..=count).map(|number| {
        let mut connection = handler.connect();
        connection.send(whole(call, ""));
        wait_until("the endpoint waits", || {
            held(handler.address) == before + number as u64
        });
        connection
    });
    connections.collect()
}

/// `count` connections whose bodies are being read.
fn uploading(handler: &Handler, call: &str, count: usize) -> Vec<Connection> {
    let connections = (0..count).map(|_| {
        let mut connection = handler.connect();
        connection.send(start(call, &[("Content-Length", "2000"), EXPECTS]));
        assert_eq!(connection.response().status, 100);
        connection.send("x".repeat(1000));
        connection
    });
    connections.collect()
}

#[track_caller]
fn must_be_busy(response: &Response) {
    response.must_be(503, "busy");
    assert_eq!(response.retry_after(), 1);
}

// ---- bodies ----

#[test]
fn a_body_arrives_whole_up_to_the_limit() {
    let (handler, _keys) = serving();
    let mut connection = handler.connect();
    for target in ["POST /open", "POST /echo", "POST /slow/echo"] {
        for length in [0, 1, 1024, 1025, 70_000, MAX_BODY_BYTES] {
            let body = "0123456789".repeat(length / 10 + 1)[..length].to_owned();
            for request in [
                whole(target, &body),
                start(target, &[CHUNKED]) + &in_chunks(&body),
            ] {
                connection.send(request);
                let response = connection.response();
                assert_eq!(response.status, 200, "{target} {length}");
                assert!(response.body == body, "{target} {length}");
            }
        }
    }
}

#[test]
fn a_longer_body_is_refused_and_the_connection_goes_on() {
    let (handler, _keys) = serving();
    let mut connection = handler.connect();
    for path in ["/open", "/echo", "/slow/echo"] {
        let target = format!("POST {path}");
        for length in [MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES] {
            let body = "x".repeat(length);
            for request in [
                whole(&target, &body),
                start(&target, &[CHUNKED]) + &in_chunks(&body),
            ] {
                connection.send(request);
                connection.response().must_be(413, "payload_too_large");
            }
        }
        assert_eq!(runs(handler.address, path), 0);
        connection.send(whole(&target, "short"));
        assert_eq!(connection.response().body, "short");
    }
}

#[test]
fn a_body_that_is_broken_reaches_no_endpoint() {
    let (handler, _keys) = serving();
    for path in ["/open", "/echo", "/slow/echo"] {
        let target = format!("POST {path}");
        for chunks in ["zz\r\n", "5\r\nhello!\r\n0\r\n\r\n", "-1\r\n"] {
            let mut connection = handler.connect();
            connection.send(start(&target, &[CHUNKED]) + chunks);
            let response = connection.response();
            response.must_be(400, "bad_request");
            assert_eq!(response.header("Connection"), Some("close"));
        }
        let mut connection = handler.connect();
        connection.send(start(&target, &[("Content-Length", "2000")]) + "x");
        connection.finish();
        assert!(connection.is_at_end(), "{path}");
        // Linux tells the end of the connection from the end of the chunks.
        if cfg!(target_os = "linux") {
            let mut connection = handler.connect();
            connection.send(start(&target, &[CHUNKED]) + "5\r\nhe");
            connection.finish();
            connection.response().must_be(400, "bad_request");
        }
        assert_eq!(runs(handler.address, path), 0, "{path}");
    }
}

#[test]
fn a_refused_request_runs_nothing_whatever_its_body() {
    let (handler, _keys) = serving();
    let mut connection = handler.connect();
    for body in ["x".repeat(10), "x".repeat(100_000)] {
        let length = [("Content-Length", &*body.len().to_string())];
        for (method, path, status) in [
            ("POST", "/echo", 401),
            ("POST", "/slow/echo", 401),
            ("PUT", "/echo", 405),
        ] {
            connection.send(request(method, path, &length) + &body);
            assert_eq!(connection.response().status, status, "{method} {path}");
        }
    }
    for path in ["/echo", "/slow/echo"] {
        assert_eq!(runs(handler.address, path), 0);
    }
}

#[test]
fn sixty_four_bodies_are_read_at_a_time() {
    let (handler, _keys) = serving();
    let mut uploads = uploading(&handler, "POST /echo", 64);
    let long = "x".repeat(2000);
    for target in ["POST /echo", "POST /slow/echo"] {
        must_be_busy(&call(handler.address, target, &[], &long));
    }
    // A request that needs no place is answered: a short body, none, and those of open routes.
    for (target, body) in [
        ("POST /echo", "short"),
        ("POST /open", &long),
        ("GET /status/200", ""),
    ] {
        assert_eq!(
            call(handler.address, target, &[], body).status,
            200,
            "{target}"
        );
    }
    for upload in &mut uploads {
        upload.send("x".repeat(1000));
        assert_eq!(upload.response().body, long);
    }
    assert_eq!(call(handler.address, "POST /echo", &[], &long).status, 200);
}

#[test]
fn anonymous_bodies_have_sixteen_places_of_their_own() {
    let (handler, _keys) = serving();
    let mut uploads = uploading(&handler, "POST /open", 16);
    let long = "x".repeat(2000);
    must_be_busy(&call(handler.address, "POST /open", &[], &long));
    assert_eq!(call(handler.address, "POST /echo", &[], &long).status, 200);
    // One that breaks off leaves its place.
    uploads.remove(0).finish();
    wait_until("there is a place", || {
        call(handler.address, "POST /open", &[], &long).status == 200
    });
}

// ---- slow endpoints ----

#[test]
fn a_slow_endpoint_holds_up_nobody() {
    let (handler, _keys) = serving();
    let mut slow = holding(&handler, "POST /hold/one", 1);
    for target in [
        "GET /status/200",
        "POST /echo",
        "POST /slow/echo",
        "POST /open",
    ] {
        assert_eq!(
            call(handler.address, target, &[], "").status,
            200,
            "{target}"
        );
    }
    assert!(slow[0].is_silent());
    release(handler.address, "one");
    assert_eq!(slow[0].response().json(), json!({ "held": "one" }));
}

#[test]
fn sixty_four_slow_endpoints_work_at_a_time() {
    let (handler, _keys) = serving();
    let mut slow = holding(&handler, "POST /hold/all", 64);
    for body in ["", "short", &"x".repeat(2000)] {
        must_be_busy(&call(handler.address, "POST /slow/echo", &[], body));
        assert_eq!(call(handler.address, "POST /echo", &[], body).status, 200);
    }
    assert_eq!(runs(handler.address, "/slow/echo"), 0);
    release(handler.address, "all");
    for connection in &mut slow {
        assert_eq!(connection.response().status, 200);
    }
    assert_eq!(runs(handler.address, "/hold/all"), 64);
    // Each connection goes on, and there are places again.
    for connection in &mut slow {
        connection.send(whole("POST /slow/echo", "again"));
    }
    for connection in &mut slow {
        assert_eq!(connection.response().body, "again");
    }
}

#[test]
fn responses_on_one_connection_keep_their_order() {
    let (handler, _keys) = serving();
    let mut connection = holding(&handler, "POST /hold/first", 1).remove(0);
    let long = "x".repeat(5000);
    connection.send(start("GET /status/201", &[]) + &whole("POST /slow/echo", "third"));
    connection.send(whole("POST /echo", &long) + &start("GET /nowhere", &[]));
    connection.send(start("GET /panic", &[]) + &start("GET /status/202", &[]));
    assert!(connection.is_silent());
    assert_eq!(runs(handler.address, "/status/201"), 0);
    release(handler.address, "first");
    assert_eq!(connection.response().json(), json!({ "held": "first" }));
    assert_eq!(connection.response().status, 201);
    assert_eq!(connection.response().body, "third");
    assert_eq!(connection.response().body, long);
    let statuses = [(); 3].map(|()| connection.response().status);
    assert_eq!(statuses, [404, 500, 202]);
}

#[test]
fn a_client_that_goes_away_leaves_its_place() {
    let (mut handler, _keys) = serving();
    let gone = holding(&handler, "POST /hold/gone", 64);
    gone.into_iter().for_each(Connection::hang_up);
    // The endpoints go on: nobody tells them.
    must_be_busy(&call(handler.address, "POST /slow/echo", &[], ""));
    release(handler.address, "gone");
    wait_until("there is a place", || {
        call(handler.address, "POST /slow/echo", &[], "").status == 200
    });
    assert_eq!(
        (held(handler.address), runs(handler.address, "/hold/gone")),
        (0, 64)
    );
    assert_eq!(handler.ended(), None);
}

#[test]
fn a_panic_is_500_and_a_line_with_its_place() {
    let (handler, _keys) = serving();
    let mut connection = handler.connect();
    for target in ["GET /panic", "POST /slow/panic", "GET /panic"] {
        connection.send(whole(target, ""));
        let response = connection.response();
        response.must_be(500, "internal_error");
        assert_eq!(
            response.description(),
            "The endpoint failed; the log says where"
        );
    }
    connection.send(whole("POST /slow/echo", "more"));
    assert_eq!(connection.response().body, "more");
    let source = include_str!("../tables/wire.rs");
    let line = source
        .lines()
        .position(|line| line.contains("panic!("))
        .expect("it panics")
        + 1;
    let said = format!("handler: a panic at tests/api/tables/wire.rs:{line}");
    let (_, stderr) = handler.into_lines();
    let panics = stderr.iter().filter(|line| **line == said);
    assert_eq!(panics.count(), 3, "{stderr:?}");
}

// ---- responses ----

/// Every final status arrives with its header and its body, if such a status has one.
fn statuses_arrive(address: SocketAddr) {
    let mut connection = Connection::to(address).expect("the port accepts connections");
    for status in 200..=599 {
        connection.send(start(&format!("GET /status/{status}"), &[]));
        let response = connection.response();
        assert_eq!(response.status, status);
        assert_eq!(
            response.header("X-Status"),
            Some(status.to_string().as_str())
        );
        let body = match status {
            204 | 205 | 304 => String::new(),
            _ => json!({ "status": status }).to_string(),
        };
        assert_eq!(response.body, body);
    }
    for status in [0, 99, 100, 101, 199, 600, 999, 65535] {
        connection.send(start(&format!("GET /status/{status}"), &[]));
        assert_eq!(connection.response().status, 500, "{status}");
    }
}

/// No text ends a header, and none has a byte that the host would refuse.
fn headers_arrive(address: SocketAddr) {
    for (value, arrives) in [
        ("plain", "plain"),
        ("a\r\nX-Evil: 1\r\n\r\nbody", "aX-Evil: 1body"),
        ("a\0b\u{7f}\tc\u{85}", "abc"),
        ("caf\u{e9} \u{1f600}", "caf%C3%A9 %F0%9F%98%80"),
    ] {
        let json = [("Content-Type", "application/json")];
        let body = json!({ "value": value }).to_string();
        let response = call(address, "POST /header", &json, &body);
        let found = (
            response.status,
            response.header("X-Value"),
            response.header("X-Evil"),
        );
        assert_eq!(found, (200, Some(arrives), None), "{value:?}");
        assert_eq!(response.body, "");
    }
    // More than the host takes: it would ask again, ten times.
    let before = runs(address, "/header");
    let body = json!({ "value": "x".repeat(70_000) }).to_string();
    let json = [("Content-Type", "application/json")];
    call(address, "POST /header", &json, &body).must_be(500, "internal_error");
    assert_eq!(runs(address, "/header"), before + 1);
}

#[test]
fn every_status_and_every_header_arrives() {
    let (handler, _keys) = serving();
    statuses_arrive(handler.address);
    headers_arrive(handler.address);
}

// ---- under the Functions host ----

/// The host sends a request again when its connection ends without a response.
fn answered_exactly_once(address: SocketAddr) {
    let calls = [
        ("POST /open", "/open", 200),
        ("POST /echo", "/echo", 200),
        ("POST /slow/echo", "/slow/echo", 200),
        ("GET /panic", "/panic", 500),
        ("POST /slow/panic", "/slow/panic", 500),
        ("GET /status/401", "/status/401", 401),
        ("GET /status/503", "/status/503", 503),
        ("GET /status/599", "/status/599", 599),
        ("GET /status/700", "/status/700", 500),
        ("POST /header", "/header", 415),
    ];
    for (target, path, status) in calls {
        let before = runs(address, path);
        assert_eq!(call(address, target, &[], "").status, status, "{target}");
        assert_eq!(runs(address, path), before + 1, "{target}");
    }
    // Its client goes away, and nobody runs it again.
    let mut gone = Connection::to(address).expect("the port accepts connections");
    gone.send(whole("POST /hold/gone", ""));
    wait_until("the endpoint waits", || held(address) == 1);
    gone.hang_up();
    release(address, "gone");
    wait_until("the endpoint has ended", || held(address) == 0);
    assert_eq!(call(address, "POST /slow/echo", &[], "").status, 200);
    assert_eq!((held(address), runs(address, "/hold/gone")), (0, 1));
}

#[test]
fn an_endpoint_that_has_run_is_answered_exactly_once() {
    let (handler, _keys) = serving();
    answered_exactly_once(handler.address);
}

#[test]
fn the_same_under_the_functions_host() {
    for mode in MODES {
        let Some((host, _keys)) = hosted(mode, "wire", &[]) else {
            return;
        };
        answered_exactly_once(host.address);
        statuses_arrive(host.address);
        headers_arrive(host.address);
        let long = "0123456789".repeat(100_000);
        for target in ["POST /open", "POST /echo", "POST /slow/echo"] {
            let response = call(
                host.address,
                target,
                &[("Content-Type", "text/plain")],
                &long,
            );
            assert!(response.body == long, "{mode} {target}");
            let longer = "x".repeat(MAX_BODY_BYTES + 1);
            call(host.address, target, &[], &longer).must_be(413, "payload_too_large");
        }
    }
}
