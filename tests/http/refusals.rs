//! Refusals over the wire: status, code, challenge, and their words.

use crate::samples::{key_set, samples};
use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;

/// The parameters of a challenge, each `name=value`.
fn parameters(challenge: &str) -> Vec<String> {
    let parameters = challenge.strip_prefix("Bearer").expect("the scheme");
    let parts = parameters.split('"').collect::<Vec<_>>();
    let pairs = parts.chunks_exact(2);
    pairs
        .map(|pair| pair[0].trim_start_matches([',', ' ']).to_owned() + pair[1])
        .collect()
}

/// Fails unless this is that refusal, with the challenge that belongs to it and repeats its words.
#[track_caller]
fn check(response: &Response, status: u16, code: &str, scope: &str) {
    response.must_be(status, code);
    let words = response.description();
    let error = match (status, code) {
        (503, _) => return assert_eq!(response.header("WWW-Authenticate"), None),
        (401, "authorization_header_missing") => "",
        (401, _) => "error=invalid_token",
        _ => "error=insufficient_scope",
    };
    let mut expected = vec![
        error.to_owned(),
        format!("error_description={words}"),
        scope.into(),
    ];
    expected.retain(|parameter| !parameter.is_empty() && !error.is_empty());
    let challenge = response.header("WWW-Authenticate").expect("a challenge");
    assert_eq!(parameters(challenge), expected);
    assert_eq!(response.header("Retry-After"), None);
    // RFC 6750 section 3: error_description is %x20-21 / %x23-5B / %x5D-7E.
    let is_allowed = |char: char| matches!(char, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(words.chars().all(is_allowed), "{words}");
    assert!(response.body.len() < 1200, "{}", response.body);
}

#[test]
fn each_token_gets_its_status_its_code_and_its_challenge() {
    let keys = KeyServer::with(key_set());
    let handler = Handler::with_keys(&keys, &[]);
    for sample in samples() {
        let response = handler.api(&sample.token);
        match sample.code {
            "" => assert_eq!(response.status, 200, "{}", sample.name),
            code => check(&response, sample.status, code, ""),
        }
    }
}

#[test]
fn a_request_without_one_bearer_token_gets_its_challenge() {
    let (handler, _keys) = serving(&[]);
    let missing = handler.get("/api");
    check(&missing, 401, "authorization_header_missing", "");
    let good = good();
    #[rustfmt::skip]
    let values = [
        "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "GOOD", "Token GOOD", "BearerGOOD",
        "Bearer:GOOD", "Bearer GOOD GOOD", "Bearer GOOD,", "Bearer GOOD, Bearer GOOD",
        "Bearer\tGOOD", "Bearer \"GOOD\"",
    ];
    for value in values.map(|value| value.replace("GOOD", &good)) {
        check(&handler.call("GET /api", &value), 401, "invalid_header", "");
    }
    let bearer = format!("Bearer {good}");
    for other in [bearer.as_str(), "Basic eDp5", ""] {
        for pair in [[bearer.as_str(), other], [other, bearer.as_str()]] {
            let headers = pair.map(|value| ("Authorization", value));
            check(
                &handler.ask("GET", "/api", &headers),
                401,
                "invalid_header",
                "",
            );
        }
    }
    for (name, scheme) in [("Authorization", "bearer"), ("authorization", "BEARER  ")] {
        let value = format!("{scheme} {good}");
        assert_eq!(
            handler.ask("GET", "/api", &[(name, &value)]).status,
            200,
            "{scheme}"
        );
    }
}

#[test]
fn a_token_in_a_query_a_body_or_a_cookie_is_no_token() {
    let (handler, _keys) = serving(&[]);
    let form = format!("access_token={}", good());
    let posted = |header: (&str, &str), form: &str| {
        let form_type = ("Content-Type", "application/x-www-form-urlencoded");
        let mut connection = handler.connect();
        connection.send(post("/api", &[header, form_type], form));
        connection.response()
    };
    let missing = "authorization_header_missing";
    handler.get(&format!("/api?{form}")).must_be(401, missing);
    posted(("X", "y"), &form).must_be(401, missing);
    posted(("Cookie", &form), "").must_be(401, missing);
    // Beside a token in the header nobody looks elsewhere.
    let bearer = format!("Bearer {}", good());
    assert_eq!(
        posted(("Authorization", &bearer), "access_token=x").status,
        200
    );
    posted(("Authorization", "Bearer x"), &form).must_be(401, "invalid_header");
}

#[test]
fn the_required_scopes_are_named_in_the_challenge() {
    let (scopes, roles) = (
        ("REQUIRED_SCOPES", "A.Read,A.Write"),
        ("REQUIRED_ROLES", "Admin"),
    );
    let named = "scope=A.Read A.Write";
    for (settings, scope) in [(&[scopes, roles][..], named), (&[roles], "")] {
        let (handler, _keys) = serving(settings);
        for claims in [v2(), v1(), app_only(v2()), without(v2(), "scp")] {
            let response = handler.api(&signed(&claims));
            check(&response, 403, "insufficient_scope", scope);
        }
        let admin = with(v2(), "roles", json!(["Admin"]));
        assert_eq!(handler.api(&signed(&admin)).status, 200);
    }
}

#[test]
fn without_keys_the_response_says_when_to_come_back_and_challenges_nobody() {
    let keys = KeyServer::start(Reply::status(500, ""));
    let response = Handler::with_keys(&keys, &[]).api(&good());
    check(&response, 503, "keys_unavailable", "");
    assert!((1..=5).contains(&response.retry_after()), "{response:?}");
}

#[test]
fn refused_claims_are_quoted_in_characters_that_a_header_may_have_and_cut() {
    let (handler, _keys) = serving(&[]);
    let odd = "a\"b\\c\r\nSet-Cookie: x=y\u{7f}\u{e4}\u{202e}\0";
    let response = handler.api(&signed(&with(v2(), "aud", odd)));
    check(&response, 401, "invalid_claims", "");
    assert_eq!(response.header("Set-Cookie"), None);
    let words = response.description();
    assert!(words.contains("a'b/c??Set-Cookie: x=y????"), "{words}");
    let response = handler.api(&headed(&header(json!({ "kid": odd }))));
    check(&response, 401, "invalid_header", "");
    let response = handler.api(&signed(&with(v2(), "iss", "x".repeat(8000))));
    check(&response, 401, "invalid_claims", "");
}
