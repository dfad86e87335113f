//! A token that was accepted once is checked as strictly every time it comes again.

use crate::support::mint::b64;
use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;

/// A handler with key 1, to which this token was sent often.
fn accepted(token: &str) -> (Handler, KeyServer) {
    let (handler, keys) = serving(&[]);
    for _ in 0..3 {
        assert_eq!(handler.api(token).status, 200);
    }
    (handler, keys)
}

#[test]
fn a_token_is_refused_once_it_has_expired_however_often_it_was_accepted() {
    let (handler, _keys) = serving(&[("CLOCK_SKEW_SECONDS", "0")]);
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
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let (start, payload) = input.split_once('.').expect("three parts");
    let roles = with(v2(), "roles", json!(["Admin"])).to_string();
    let others = [
        format!("{start}.{}.{signature}", b64(roles)),
        format!(
            "{}.{payload}.{signature}",
            b64(header(json!({ "typ": "at+jwt" })).to_string())
        ),
        format!("{input}.{}", b64([1; 256])),
        format!("{input}.{}", b64(key(2).sign(input.as_bytes()))),
        format!("{token}A"),
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
    let changes = [
        (key(3).jwk(None), "invalid_header"),
        (jwk(3, json!({ "kid": key(1).kid })), "invalid_header"),
        (jwk(1, json!({ "use": "enc" })), "invalid_header"),
        (
            jwk(1, json!({ "issuer": v2_issuer(OTHER_TENANT) })),
            "invalid_claims",
        ),
    ];
    for (changed, code) in changes {
        let token = good();
        let (handler, keys) = accepted(&token);
        keys.reply(Reply::body(set_of(vec![changed, key(2).jwk(None)])));
        // A token with a new key has the keys fetched.
        assert_eq!(handler.api(&signed_with(2, &v2())).status, 200);
        handler.api(&token).must_be(401, code);
    }
}
