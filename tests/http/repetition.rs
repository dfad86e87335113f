//! A token that was accepted once is checked as strictly every time it comes again.

use crate::harness::{Handler, wait_until};
use crate::key_server::{KeyServer, Reply};
use crate::mint::b64;
use crate::tokens::*;
use serde_json::json;

/// A handler with key 1, to which this token was sent often.
fn accepted(token: &str) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    for _ in 0..3 {
        assert_eq!(handler.api(token).status, 200);
    }
    (handler, keys)
}

#[test]
fn a_token_is_refused_once_it_has_expired_however_often_it_was_accepted() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[("CLOCK_SKEW_SECONDS", "0")]);
    // More seconds on a machine so slow that the token has expired when it is first looked at.
    for seconds in [2, 5, 15] {
        let token = signed(&with(v2(), "exp", clock() + seconds));
        if handler.api(&token).status == 200 {
            wait_until("the token expires", || handler.api(&token).status != 200);
            return handler.api(&token).must_be(401, "token_expired");
        }
    }
    panic!("no token was accepted");
}

#[test]
fn a_token_that_was_changed_is_refused_however_often_the_original_was_accepted() {
    let token = good();
    let (handler, keys) = accepted(&token);
    let parts: Vec<&str> = token.split('.').collect();
    let [header_part, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    let others = [
        format!(
            "{header_part}.{}.{signature}",
            b64(with(v2(), "roles", json!(["Admin"])).to_string())
        ),
        format!(
            "{}.{payload}.{signature}",
            b64(header(json!({ "typ": "at+jwt" })).to_string())
        ),
        format!("{header_part}.{payload}.{}", b64([1; 256])),
        format!(
            "{header_part}.{payload}.{}",
            b64(key(2).sign(format!("{header_part}.{payload}").as_bytes()))
        ),
        format!("{header_part}.{payload}.{signature}A"),
        token[..token.len() - 2].to_owned(),
    ];
    for changed in others {
        handler.api(&changed).must_be(401, "invalid_header");
        assert_eq!(handler.api(&token).status, 200);
    }
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn a_token_is_refused_once_its_key_is_gone_or_changed_however_often_it_was_accepted() {
    let kid = &key(1).kid;
    let changes = [
        (vec![key(3).jwk(None)], "invalid_header"),
        (vec![jwk(3, json!({ "kid": kid }))], "invalid_header"),
        (vec![jwk(1, json!({ "use": "enc" }))], "invalid_header"),
        (vec![jwk(1, json!({ "alg": "RS512" }))], "invalid_header"),
        (vec![jwk(1, json!({ "kid": "renamed" }))], "invalid_header"),
        (
            vec![
                jwk(1, json!({ "kid": "renamed" })),
                jwk(3, json!({ "kid": kid })),
            ],
            "invalid_header",
        ),
        (
            vec![jwk(1, json!({ "issuer": v2_issuer(OTHER_TENANT) }))],
            "invalid_claims",
        ),
    ];
    for (changed, code) in changes {
        let token = good();
        let (handler, keys) = accepted(&token);
        keys.reply(Reply::Body(set_of(
            [changed.clone(), vec![key(2).jwk(None)]].concat(),
        )));
        // A token with a new key has the keys fetched.
        assert_eq!(handler.api(&signed_with(2, &v2())).status, 200);
        let answer = handler.api(&token);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, code),
            "{changed:?}"
        );
    }
}

#[test]
fn many_different_tokens_are_all_accepted_and_answered_with_their_own_claims() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let tokens: Vec<(String, String)> = (0..40)
        .map(|number| with(v2(), "sub", format!("user {number}")))
        .map(|claims| (signed(&claims), claims.to_string()))
        .collect();
    let mut client = handler.connect();
    for _ in 0..3 {
        for (token, claims) in &tokens {
            client.send(crate::harness::api_request(token));
            assert_eq!(&client.answer().body, claims);
        }
    }
}
