//! Several requests on one connection, sent without waiting for the responses.

use crate::support::tokens::*;
use crate::support::*;

/// The statuses of the next responses.
fn statuses<const N: usize>(connection: &mut Connection) -> [u16; N] {
    [(); N].map(|()| connection.response().status)
}

#[test]
fn responses_come_in_the_order_of_the_requests() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    let nowhere = request("GET", "/nowhere", &[]);
    connection.send([&api_request(&good()), PUBLIC, &nowhere].concat().repeat(5));
    for _ in 0..5 {
        assert_eq!(connection.response().json()["ver"], "2.0");
        assert_eq!(
            connection.response().json()["message"],
            "Public endpoint - open to all"
        );
        connection.response().must_be(404, "not_found");
    }
}

#[test]
fn requests_behind_one_that_waits_for_keys_are_served_after_it() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let requests = [
        api_request(&good()),
        post("/public", &[], &"x".repeat(2000)),
        request("POST", "/nowhere", &[("Transfer-Encoding", "chunked")])
            + "5\r\nhello\r\n0\r\n\r\n",
        api_request(&signed(&v1())),
        request("HEAD", "/public", &[]),
        PUBLIC.to_owned(),
    ];
    let mut connections: Vec<_> = (0..5).map(|_| handler.connect()).collect();
    connections
        .iter_mut()
        .for_each(|connection| connection.send(requests.concat()));
    let mut asking = handler.connect();
    let headers = [("Content-Length", "2000"), ("Expect", "100-continue")];
    asking.send(api_request(&good()) + &request("POST", "/public", &headers));
    // Others do not wait with them.
    assert_eq!(handler.get("/public").status, 200);
    assert!(
        connections
            .iter_mut()
            .all(|connection| connection.is_silent())
            && asking.is_silent()
    );
    keys.release();
    for connection in &mut connections {
        assert_eq!(connection.response().json()["ver"], "2.0");
        assert_eq!(statuses(connection), [405, 404]);
        assert_eq!(connection.response().json()["ver"], "1.0");
        assert_eq!(connection.response_to_head().status, 200);
        assert_eq!(statuses(connection), [200]);
    }
    assert_eq!(statuses(&mut asking), [200, 100]);
    asking.send("x".repeat(2000) + PUBLIC);
    assert_eq!(statuses(&mut asking), [405, 200]);
}

#[test]
fn requests_behind_one_with_an_unknown_key_are_served_after_it() {
    let (handler, keys) = serving(&[]);
    assert_eq!(handler.api(&good()).status, 200);
    keys.hold();
    keys.reply(Reply::body(set(&[1, 2])));
    let mut connection = handler.connect();
    let tokens = [signed_with(2, &v2()), good(), signed_with(3, &v2())];
    let tokens = tokens.map(|token| api_request(&token)).concat();
    connection.send([PUBLIC, &tokens, PUBLIC].concat());
    assert_eq!(statuses(&mut connection), [200]);
    keys.wait_for_fetch(2);
    assert!(connection.is_silent());
    assert_eq!(handler.api(&good()).status, 200);
    keys.release();
    assert_eq!(statuses(&mut connection), [200, 200, 401, 200]);
}

#[test]
fn a_body_that_never_comes_behind_a_request_that_waits_holds_up_nobody() {
    let keys = KeyServer::held(set(&[1]));
    let mut handler = Handler::with_keys(&keys, &[]);
    let lengths = [
        "1",
        "1025",
        "100000000",
        "1099511627776",
        "9223372036854775808",
    ];
    let headers = lengths.map(|length| ("Content-Length", length));
    let mut connections = Vec::new();
    for header in headers
        .into_iter()
        .chain([("Transfer-Encoding", "chunked")])
    {
        let mut connection = handler.connect();
        connection.send(api_request(&good()) + &request("POST", "/public", &[header]));
        connections.push(connection);
    }
    assert_eq!(handler.get("/public").status, 200);
    keys.release();
    for connection in &mut connections {
        assert_eq!(connection.response().status, 200);
    }
    handler.must_serve();
}

#[test]
fn a_client_that_goes_away_while_it_waits_disturbs_nobody() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    for _ in 0..20 {
        drop(handler.api_sent(&good()));
        handler.api_sent(&good()).send(PUBLIC);
    }
    let mut waiting = handler.api_sent(&good());
    keys.release();
    assert_eq!(waiting.response().status, 200);
    assert_eq!(handler.api(&good()).status, 200);
}
