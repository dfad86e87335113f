//! Request bodies, which nobody needs and which must not hold anybody up.

use crate::client::{Client, request};
use crate::harness::Handler;
use crate::key_server::KeyServer;
use crate::tokens::*;

fn handler() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, &[]), keys)
}

/// The head of `POST /api` with a good token and these headers.
fn post(headers: &[(&str, &str)]) -> String {
    let bearer = format!("Bearer {}", good());
    request(
        "POST",
        "/api",
        &[headers, &[("Authorization", bearer.as_str())]].concat(),
    )
}

fn with_length(length: impl ToString) -> String {
    post(&[("Content-Length", &length.to_string())])
}

/// Fails unless others are answered, by the process that was there before.
#[track_caller]
fn check_alive(handler: &mut Handler) {
    assert_eq!(handler.get("/public").status, 200);
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(handler.ended(), None);
}

#[test]
fn bodies_of_any_length_are_taken_and_the_connection_goes_on() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    for length in [0, 1, 1023, 1024, 1025, 2048, 100_000, 3_000_000] {
        client.send(with_length(length));
        client.send("x".repeat(length));
        assert_eq!(client.answer().status, 200, "{length}");
        client.send(request("GET", "/public", &[]));
        assert_eq!(client.answer().status, 200, "after {length}");
    }
}

#[test]
fn a_body_does_not_change_the_answer() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
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
            client.send(request(
                method,
                path,
                &[("Content-Length", &length.to_string())],
            ));
            // A body that looks like a request is still a body.
            client.send(&"GET /nowhere HTTP/1.1\r\n\r\n".repeat(length)[..length]);
            assert_eq!(client.answer().status, status, "{method} {path} {length}");
        }
    }
}

#[test]
fn chunked_bodies_are_taken_and_the_connection_goes_on() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    let large = format!("{:x}\r\n{}\r\n0\r\n\r\n", 100_000, "x".repeat(100_000));
    let many = "1\r\nx\r\n".repeat(3000) + "0\r\n\r\n";
    for body in ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", &large, &many] {
        client.send(post(&[("Transfer-Encoding", "chunked")]));
        client.send(body);
        assert_eq!(client.answer().status, 200);
        client.send(request("GET", "/public", &[]));
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn the_answer_comes_when_the_body_has_come() {
    let (mut handler, _keys) = handler();
    let declared = [(with_length(2000), "x".repeat(1000), "x".repeat(1000))];
    let chunked = [(
        post(&[("Transfer-Encoding", "chunked")]),
        "5\r\nhel".to_owned(),
        "lo\r\n0\r\n\r\n".to_owned(),
    )];
    for (head, first, rest) in declared.into_iter().chain(chunked) {
        let mut client = handler.connect();
        client.send(head);
        client.send(first);
        check_alive(&mut handler);
        assert!(client.is_silent());
        client.send(rest);
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    for length in [5, 1024, 1025, 100_000] {
        client.send(post(&[
            ("Content-Length", &length.to_string()),
            ("Expect", "100-continue"),
        ]));
        assert_eq!(client.answer().status, 100, "{length}");
        client.send("x".repeat(length));
        assert_eq!(client.answer().status, 200, "{length}");
    }
    client.send(post(&[
        ("Transfer-Encoding", "chunked"),
        ("expect", "100-Continue"),
    ]));
    assert_eq!(client.answer().status, 100);
    client.send("5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_client_that_asks_and_then_sends_nothing_holds_up_nobody() {
    let (mut handler, _keys) = handler();
    let mut waiting = Vec::new();
    for length in ["5", "1025", "100000000"] {
        for _ in 0..5 {
            let mut client = handler.connect();
            client.send(post(&[
                ("Content-Length", length),
                ("Expect", "100-continue"),
            ]));
            waiting.push(client);
            check_alive(&mut handler);
        }
    }
}

/// Lengths just below and above every bound, and far beyond.
fn lengths() -> Vec<String> {
    let mib_100 = 100 * 1024 * 1024;
    let exact: [u128; 14] = [
        1,
        1024,
        1025,
        100_000,
        mib_100,
        mib_100 + 1,
        1 << 31,
        1 << 32,
        1 << 40,
        1 << 62,
        (1 << 63) - 1,
        1 << 63,
        (1 << 64) - 1,
        1 << 64,
    ];
    exact
        .map(|length| length.to_string())
        .into_iter()
        .chain([format!("1{}", "0".repeat(30))])
        .collect()
}

#[test]
fn a_body_that_is_declared_and_never_sent_holds_up_nobody() {
    let (mut handler, _keys) = handler();
    let mut silent: Vec<Client> = Vec::new();
    for length in lengths() {
        for part in ["", "x"] {
            for _ in 0..3 {
                let mut client = handler.connect();
                client.send(with_length(&length));
                client.send(part);
                silent.push(client);
            }
            check_alive(&mut handler);
        }
    }
    for body in [
        "",
        "5",
        "5\r\nhe",
        "ffffffffffffffff\r\nx",
        "7fffffffffffffff\r\n",
    ] {
        let mut client = handler.connect();
        client.send(post(&[("Transfer-Encoding", "chunked")]));
        client.send(body);
        silent.push(client);
        check_alive(&mut handler);
    }
    // Whether or not they are there.
    drop(silent);
    for _ in 0..20 {
        check_alive(&mut handler);
    }
}

#[test]
fn a_client_that_leaves_within_its_body_disturbs_nobody() {
    let (mut handler, _keys) = handler();
    for length in lengths() {
        for part in ["", "some"] {
            let mut client = handler.connect();
            client.send(with_length(&length));
            client.try_send(part);
            client.finish();
            drop(client);
        }
        check_alive(&mut handler);
    }
}

#[test]
fn a_chunked_body_that_is_no_such_thing_disturbs_nobody() {
    let (mut handler, _keys) = handler();
    let bodies = [
        "zz\r\n",
        "-1\r\nx\r\n",
        "5 hello",
        "\r\n\r\n",
        "10000000000000000\r\nx",
        "5\r\nhello, world\r\n0\r\n\r\n",
    ];
    for body in bodies {
        let mut client = handler.connect();
        client.send(post(&[("Transfer-Encoding", "chunked")]));
        client.try_send(body);
        client.finish();
        check_alive(&mut handler);
    }
}

#[test]
fn a_chunked_body_that_is_no_such_thing_is_refused_like_anything_else() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    client.send(post(&[
        ("Transfer-Encoding", "chunked"),
        ("Origin", "https://x.example"),
    ]));
    client.send("zz\r\n");
    let answer = client.answer();
    answer.must_be(400, "bad_request");
    let headers = ["Content-Type", "Connection", "Access-Control-Allow-Origin"]
        .map(|name| answer.header(name));
    assert_eq!(
        headers,
        [Some("application/json"), Some("close"), Some("*")]
    );
}

#[test]
fn a_length_that_is_no_number_disturbs_nobody() {
    let (mut handler, _keys) = handler();
    for length in [
        "-1",
        "ten",
        "0x10",
        "1e3",
        "",
        "5, 5",
        "+5",
        "99999999999999999999999999999999999999999999",
    ] {
        let mut client = handler.connect();
        client.send(with_length(length));
        client.finish();
        check_alive(&mut handler);
    }
}

#[test]
fn a_connection_that_is_to_be_upgraded_is_answered_and_ended() {
    let (mut handler, _keys) = handler();
    for length in ["0", "5", "1025", "100000000000"] {
        let mut client = handler.connect();
        client.send(post(&[
            ("Content-Length", length),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
        ]));
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (200, Some("close")),
            "{length}"
        );
        check_alive(&mut handler);
    }
}

#[test]
fn what_is_no_http_disturbs_nobody() {
    let (mut handler, _keys) = handler();
    let mut open = Vec::new();
    let noise: [&[u8]; 9] = [
        b"",
        b"\r\n\r\n",
        b"GET",
        b"GET /public",
        b"GET /public HTTP/1.1\r\nHost",
        b"GET /public HTTP/9.9\r\n\r\n",
        b"GET /public HTTP/1.1\r\nNo colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff\xfe HTTP/1.1\r\nX: \xff\r\n\r\n",
    ];
    for bytes in noise {
        for leaves in [true, false] {
            let mut client = handler.connect();
            client.try_send(bytes);
            if leaves {
                client.finish();
            }
            open.push(client);
        }
        check_alive(&mut handler);
    }
}
