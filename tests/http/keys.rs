//! When keys are fetched, and who waits for them.

use crate::client::Client;
use crate::harness::Handler;
use crate::key_server::{KeyServer, Reply};
use crate::mint::mint;
use crate::tokens::*;
use serde_json::json;

/// A handler that has key 1.
fn with_key_1() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    assert_eq!(handler.api(&good()).status, 200);
    (handler, keys)
}

fn of_key(number: usize) -> String {
    signed_with(number, &v2())
}

#[test]
fn keys_are_fetched_once_at_start_without_being_asked_for() {
    let keys = KeyServer::with(set(&[1, 2]));
    let handler = Handler::with_keys(&keys, &[]);
    keys.wait_for_fetch(1);
    for _ in 0..10 {
        assert_eq!(handler.api(&of_key(1)).status, 200);
        assert_eq!(handler.api(&of_key(2)).status, 200);
        assert_eq!(handler.get("/public").status, 200);
    }
    assert_eq!(keys.targets(), ["/keys"]);
}

#[test]
fn a_request_that_comes_before_the_first_keys_waits_for_them() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let mut waiting = handler.api_sent(&good());
    let mut refused = handler.api_sent(&signed(&with(v2(), "exp", 0)));
    assert_eq!(handler.get("/public").status, 200);
    assert!(waiting.is_silent() && refused.is_silent());
    keys.release();
    assert_eq!(waiting.answer().status, 200);
    refused.answer().must_be(401, "token_expired");
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn many_requests_that_wait_for_the_first_keys_are_all_answered() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let (good, unsigned) = (
        good(),
        headed(&header(json!({ "kid": key(1).kid, "typ": "JOSE" }))),
    );
    let mut waiting: Vec<Client> = (0..100).map(|_| handler.api_sent(&good)).collect();
    let mut refused: Vec<Client> = (0..10).map(|_| handler.api_sent(&unsigned)).collect();
    // Nobody who needs no key waits behind them.
    assert_eq!(handler.get("/healthz").status, 200);
    for client in &mut refused {
        client.answer().must_be(401, "invalid_header");
    }
    keys.release();
    for client in &mut waiting {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn a_new_key_is_fetched_in_time_for_the_first_token_that_names_it() {
    let (handler, keys) = with_key_1();
    let old = of_key(1);
    assert_eq!(handler.api(&old).status, 200);
    keys.reply(Reply::Body(set(&[2, 3])));
    assert_eq!(handler.api(&of_key(2)).status, 200);
    assert_eq!(keys.fetches(), 2);
    // The new set is the whole truth: key 1 is gone, and no fetch is made for it.
    assert_eq!(handler.api(&of_key(3)).status, 200);
    handler.api(&old).must_be(401, "invalid_header");
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_key_that_is_nowhere_is_fetched_for_once_and_then_refused() {
    let (handler, keys) = with_key_1();
    for _ in 0..5 {
        let answer = handler.api(&of_key(2));
        answer.must_be(401, "invalid_header");
        assert_eq!(answer.header("Retry-After"), None);
        handler.api(&of_key(3)).must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 2);
    // Even when the key server has them meanwhile: the next fetch is a minute away.
    keys.reply(Reply::Body(set(&[1, 2])));
    handler.api(&of_key(2)).must_be(401, "invalid_header");
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn after_a_failed_fetch_unknown_keys_get_503_and_known_ones_are_served() {
    let (handler, keys) = with_key_1();
    keys.reply(Reply::Status(500, set(&[1, 2])));
    for number in [2, 2, 3] {
        let answer = handler.api(&of_key(number));
        answer.must_be(503, "keys_unavailable");
        assert!((1..=60).contains(&answer.retry_after()), "{answer:?}");
        assert_eq!(answer.header("WWW-Authenticate"), None);
        assert_eq!(handler.api(&good()).status, 200);
    }
    assert_eq!(keys.fetches(), 2);
    // What is wrong whatever its key is refused, not put off.
    handler
        .api(&signed_with(2, &with(v2(), "exp", 0)))
        .must_be(401, "invalid_header");
    handler
        .api(&signed_with(2, &with(v2(), "aud", "x")))
        .must_be(401, "invalid_header");
}

#[test]
fn while_a_fetch_hangs_known_keys_and_open_paths_are_served() {
    let (handler, keys) = with_key_1();
    keys.hold();
    keys.reply(Reply::Body(set(&[1, 2])));
    let mut first = handler.api_sent(&of_key(2));
    keys.wait_for_fetch(2);
    let mut second = handler.api_sent(&of_key(2));
    let mut third = handler.api_sent(&of_key(3));
    assert_eq!(handler.api(&good()).status, 200);
    for path in ["/", "/healthz", "/public"] {
        assert_eq!(handler.get(path).status, 200);
    }
    handler.api("nonsense").must_be(401, "invalid_header");
    handler
        .api(&signed(&with(v2(), "exp", 0)))
        .must_be(401, "token_expired");
    assert!(first.is_silent() && second.is_silent() && third.is_silent());
    keys.release();
    assert_eq!(first.answer().status, 200);
    assert_eq!(second.answer().status, 200);
    third.answer().must_be(401, "invalid_header");
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_token_that_would_be_refused_anyway_causes_no_fetch() {
    let (handler, keys) = with_key_1();
    let claims = [
        with(v2(), "iss", "https://issuer.example/"),
        of_tenant(v2(), OTHER_TENANT),
        without(v2(), "iss"),
        with(v2(), "aud", "api://other"),
        without(v2(), "aud"),
        with(v2(), "exp", now() - HOUR),
        without(v2(), "exp"),
        with(v2(), "exp", "4000000000"),
    ];
    for claims in claims {
        handler
            .api(&signed_with(2, &claims))
            .must_be(401, "invalid_header");
    }
    let malformed = [
        json!({ "alg": "none" }),
        json!({ "crit": [] }),
        json!({ "typ": "JOSE" }),
        json!({ "kid": "" }),
    ];
    for mut changes in malformed {
        if changes["kid"].is_null() {
            changes["kid"] = "nowhere".into();
        }
        handler
            .api(&headed(&header(changes)))
            .must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 1);
    // None of them has used up the one fetch that an unknown key may cause.
    keys.reply(Reply::Body(set(&[2])));
    assert_eq!(handler.api(&of_key(2)).status, 200);
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_known_key_with_a_bad_signature_causes_no_fetch() {
    let (handler, keys) = with_key_1();
    keys.reply(Reply::Body(set(&[1, 2])));
    let forged = mint(key(2), &header(json!({})).to_string(), &v2().to_string());
    handler.api(&forged).must_be(401, "invalid_header");
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn many_unknown_keys_at_once_cause_one_fetch() {
    let (handler, keys) = with_key_1();
    keys.hold();
    let unknown = |number: usize| headed(&header(json!({ "kid": format!("unknown {number}") })));
    let mut waiting: Vec<Client> = (0..30)
        .map(|number| handler.api_sent(&unknown(number)))
        .collect();
    keys.wait_for_fetch(2);
    assert_eq!(handler.api(&good()).status, 200);
    keys.release();
    for client in &mut waiting {
        client.answer().must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 2);
}
