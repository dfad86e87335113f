//! Several requests on one connection, sent without waiting for the answers.

use crate::client::request;
use crate::harness::{Handler, api_request};
use crate::key_server::{KeyServer, Reply};
use crate::tokens::*;

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let mut client = handler.connect();
    let three = [
        api_request(&good()),
        request("GET", "/public", &[]),
        request("GET", "/nowhere", &[]),
    ]
    .concat();
    client.send(three.repeat(5));
    for _ in 0..5 {
        assert_eq!(client.answer().json()["ver"], "2.0");
        assert_eq!(
            client.answer().json()["message"],
            "Public endpoint - open to all"
        );
        client.answer().must_be(404, "not_found");
    }
}

#[test]
fn requests_behind_one_that_waits_for_keys_are_answered_after_it() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let mut clients: Vec<_> = (0..5).map(|_| handler.connect()).collect();
    for client in &mut clients {
        client.send(
            [
                api_request(&good()),
                request("GET", "/public", &[]),
                api_request(&signed(&v1())),
                request("HEAD", "/public", &[]),
                request("GET", "/nowhere", &[]),
            ]
            .concat(),
        );
    }
    // Others do not wait with them.
    assert_eq!(handler.get("/public").status, 200);
    assert!(clients.iter_mut().all(|client| client.is_silent()));
    keys.release();
    for client in &mut clients {
        assert_eq!(client.answer().json()["ver"], "2.0");
        assert_eq!(
            client.answer().json()["message"],
            "Public endpoint - open to all"
        );
        assert_eq!(client.answer().json()["ver"], "1.0");
        assert_eq!(client.head().status, 200);
        client.answer().must_be(404, "not_found");
        client.send(request("GET", "/public", &[]));
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn requests_behind_one_with_an_unknown_key_are_answered_after_it() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    assert_eq!(handler.api(&good()).status, 200);
    keys.hold();
    keys.reply(Reply::Body(set(&[1, 2])));
    let mut client = handler.connect();
    let requests = [
        request("GET", "/public", &[]),
        api_request(&signed_with(2, &v2())),
        api_request(&good()),
        api_request(&signed_with(3, &v2())),
        request("GET", "/public", &[]),
    ];
    client.send(requests.concat());
    assert_eq!(client.answer().status, 200);
    keys.wait_for_fetch(2);
    assert!(client.is_silent());
    assert_eq!(handler.api(&good()).status, 200);
    keys.release();
    assert_eq!([client.answer().status, client.answer().status], [200, 200]);
    client.answer().must_be(401, "invalid_header");
    assert_eq!(
        client.answer().json()["message"],
        "Public endpoint - open to all"
    );
}

#[test]
fn bodies_behind_a_request_that_waits_are_read_and_answered_in_their_turn() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let (length, chunked) = (("Content-Length", "2000"), ("Transfer-Encoding", "chunked"));
    let mut client = handler.connect();
    let requests = [
        api_request(&good()),
        request("POST", "/public", &[length]) + &"x".repeat(2000),
        request("POST", "/nowhere", &[chunked]) + "5\r\nhello\r\n0\r\n\r\n",
        request("POST", "/public", &[("Content-Length", "5")]) + "hello",
        request("GET", "/public", &[]),
    ];
    client.send(requests.concat());
    let mut asking = handler.connect();
    asking.send(
        api_request(&good()) + &request("POST", "/public", &[length, ("Expect", "100-continue")]),
    );
    assert_eq!(handler.get("/public").status, 200);
    assert!(client.is_silent() && asking.is_silent());
    keys.release();
    assert_eq!(
        [(); 5].map(|()| client.answer().status),
        [200, 405, 404, 405, 200]
    );
    assert_eq!([(); 2].map(|()| asking.answer().status), [200, 100]);
    asking.send("x".repeat(2000) + &request("GET", "/public", &[]));
    assert_eq!([(); 2].map(|()| asking.answer().status), [405, 200]);
}

#[test]
fn a_body_that_never_comes_behind_a_request_that_waits_holds_up_neither_it_nor_others() {
    let keys = KeyServer::held(set(&[1]));
    let mut handler = Handler::with_keys(&keys, &[]);
    let lengths = [
        "1",
        "1025",
        "100000000",
        "1099511627776",
        "9223372036854775808",
    ];
    let heads = lengths.map(|length| request("POST", "/public", &[("Content-Length", length)]));
    let chunked = request("POST", "/public", &[("Transfer-Encoding", "chunked")]);
    let mut clients: Vec<_> = heads
        .into_iter()
        .chain([chunked])
        .map(|head| {
            let mut client = handler.connect();
            client.send(api_request(&good()) + &head);
            client
        })
        .collect();
    assert_eq!(handler.get("/public").status, 200);
    keys.release();
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(handler.ended(), None);
}

#[test]
fn a_client_that_leaves_while_it_waits_disturbs_nobody() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    for _ in 0..20 {
        drop(handler.api_sent(&good()));
        let mut client = handler.api_sent(&good());
        client.send(request("GET", "/public", &[]));
    }
    let mut waiting = handler.api_sent(&good());
    keys.release();
    assert_eq!(waiting.answer().status, 200);
    assert_eq!(handler.api(&good()).status, 200);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let long = api_request(&of_length(16 * 1024));
    // 12 KB of claims come back for each; the buffers of a connection hold a few megabytes.
    let deaf: Vec<_> = (0..2)
        .map(|_| {
            let mut client = handler.connect();
            let requests = long.clone();
            std::thread::spawn(move || {
                for _ in 0..600 {
                    client.try_send(&requests);
                }
                client
            })
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(handler.get("/public").status, 200);
        assert_eq!(handler.api(&good()).status, 200);
    }
    drop(handler);
    for thread in deaf {
        thread.join().expect("no panic");
    }
}
