//! Request bodies: nobody needs them, and they hold up nobody.

use crate::support::tokens::*;
use crate::support::*;

const CHUNKED: (&str, &str) = ("Transfer-Encoding", "chunked");

/// The headers of `POST /api` with a good token, and these.
fn post_api(headers: &[(&str, &str)]) -> String {
    let bearer = format!("Bearer {}", good());
    request(
        "POST",
        "/api",
        &[headers, &[("Authorization", bearer.as_str())]].concat(),
    )
}

fn with_length(length: impl ToString) -> String {
    post_api(&[("Content-Length", &length.to_string())])
}

#[test]
fn bodies_of_any_length_are_taken_and_the_connection_goes_on() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    for length in [0, 1, 1023, 1024, 1025, 2048, 100_000, 1_000_000] {
        connection.send(with_length(length) + &"x".repeat(length));
        assert_eq!(connection.response().status, 200, "{length}");
        connection.send(PUBLIC);
        assert_eq!(connection.response().status, 200, "after {length}");
    }
    let large = format!("{:x}\r\n{}\r\n0\r\n\r\n", 100_000, "x".repeat(100_000));
    let many = "1\r\nx\r\n".repeat(3000) + "0\r\n\r\n";
    for body in ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", &large, &many] {
        connection.send(post_api(&[CHUNKED]) + body + PUBLIC);
        let statuses = [connection.response().status, connection.response().status];
        assert_eq!(statuses, [200, 200]);
    }
}

#[test]
fn a_body_does_not_change_the_response() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    for length in [10, 1025, 50_000] {
        let cases = [
            ("POST", "/api", 401),
            ("GET", "/api", 401),
            ("GET", "/public", 200),
            ("POST", "/public", 405),
            ("PUT", "/api", 405),
            ("POST", "/nowhere", 404),
        ];
        for (method, path, status) in cases {
            connection.send(request(
                method,
                path,
                &[("Content-Length", &length.to_string())],
            ));
            // A body that looks like a request is still a body.
            connection.send(&"GET /nowhere HTTP/1.1\r\n\r\n".repeat(length)[..length]);
            assert_eq!(
                connection.response().status,
                status,
                "{method} {path} {length}"
            );
        }
    }
}

#[test]
fn the_response_comes_when_the_body_has_come() {
    let (mut handler, _keys) = serving(&[]);
    let half = "x".repeat(1000);
    let cases = [
        (with_length(2000), half.as_str(), half.as_str()),
        (post_api(&[CHUNKED]), "5\r\nhel", "lo\r\n0\r\n\r\n"),
    ];
    for (start, first, rest) in cases {
        let mut connection = handler.connect();
        connection.send(start + first);
        handler.must_serve();
        assert!(connection.is_silent());
        connection.send(rest);
        assert_eq!(connection.response().status, 200);
    }
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    for length in [5, 1024, 1025, 100_000] {
        let length_header = ("Content-Length", &*length.to_string());
        connection.send(post_api(&[length_header, ("Expect", "100-continue")]));
        assert_eq!(connection.response().status, 100, "{length}");
        connection.send("x".repeat(length));
        assert_eq!(connection.response().status, 200, "{length}");
    }
    connection.send(post_api(&[CHUNKED, ("expect", "100-Continue")]));
    assert_eq!(connection.response().status, 100);
    connection.send("5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(connection.response().status, 200);
}

#[test]
fn chunks_that_are_none_are_refused_like_anything_else() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    connection.send(post_api(&[CHUNKED, ("Origin", "https://x.example")]) + "zz\r\n");
    let response = connection.response();
    response.must_be(400, "bad_request");
    let names = ["Content-Type", "Connection", "Access-Control-Allow-Origin"];
    let headers = names.map(|name| response.header(name));
    assert_eq!(
        headers,
        [Some("application/json"), Some("close"), Some("*")]
    );
}

#[test]
fn a_connection_that_is_to_be_upgraded_is_served_and_ended() {
    let (mut handler, _keys) = serving(&[]);
    for length in ["0", "5", "1025", "100000000000"] {
        let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
        let mut connection = handler.connect();
        connection.send(post_api(
            &[&[("Content-Length", length)][..], &upgrade].concat(),
        ));
        let response = connection.response();
        assert_eq!(
            (response.status, response.header("Connection")),
            (200, Some("close"))
        );
        handler.must_serve();
    }
}
