//! Every status and code, with the challenge that belongs to it.

use crate::client::{Answer, request};
use crate::harness::Handler;
use crate::key_server::{KeyServer, Reply};
use crate::samples;
use crate::tokens::*;
use serde_json::json;

fn handler(more: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(samples::key_set());
    (Handler::with_keys(&keys, more), keys)
}

fn with_authorization(handler: &Handler, value: &str) -> Answer {
    handler.ask("GET", "/api", &[("Authorization", value)])
}

/// Fails unless the challenge is the one that belongs to the status and the code, and describes
/// itself as the body does.
#[track_caller]
fn check_challenge(answer: &Answer, scope: &str) {
    let challenge = answer.header("WWW-Authenticate");
    let expected = match (answer.status, answer.code().as_str()) {
        (401, "authorization_header_missing") => Some("Bearer".to_owned()),
        (401, _) => Some(format!(
            "Bearer error=\"invalid_token\", error_description=\"{}\"",
            answer.description()
        )),
        (403, _) => Some(format!(
            "Bearer error=\"insufficient_scope\", error_description=\"{}\"{scope}",
            answer.description()
        )),
        _ => None,
    };
    assert_eq!(challenge, expected.as_deref());
    // RFC 6750 section 3: error_description is %x20-21 / %x23-5B / %x5D-7E.
    let allowed = |char: char| matches!(char, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(
        answer.description().chars().all(allowed),
        "{}",
        answer.description()
    );
}

#[test]
fn each_token_gets_its_status_its_code_and_its_challenge() {
    let (handler, _keys) = handler(&[]);
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let answer = handler.api(&sample.token);
        let code = if answer.status == 200 {
            String::new()
        } else {
            answer.code()
        };
        if (answer.status, code.as_str()) != (sample.status, sample.code) {
            wrong.push(format!(
                "{}: {} {}",
                sample.name, answer.status, answer.body
            ));
        } else if answer.status != 200 {
            check_challenge(&answer, "");
            assert_eq!(answer.header("Retry-After"), None, "{}", sample.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_request_without_authorization_gets_a_challenge_without_an_error() {
    let (handler, _keys) = handler(&[]);
    for method in ["GET", "POST"] {
        let answer = handler.ask(method, "/api", &[]);
        answer.must_be(401, "authorization_header_missing");
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"));
    }
}

#[test]
fn a_header_that_is_not_one_bearer_token_is_an_invalid_header() {
    let (handler, _keys) = handler(&[]);
    let good = good();
    let values = [
        "Basic dXNlcjpwYXNz".to_owned(),
        format!("Token {good}"),
        format!("Bearer{good}"),
        format!("Bearer:{good}"),
        good.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {good} {good}"),
        format!("Bearer {good},"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer\t{good}"),
        format!("Bearer \"{good}\""),
        String::new(),
    ];
    for value in values {
        let answer = with_authorization(&handler, &value);
        answer.must_be(401, "invalid_header");
        check_challenge(&answer, "");
    }
}

#[test]
fn the_scheme_may_be_in_any_letter_case_and_followed_by_more_spaces() {
    let (handler, _keys) = handler(&[]);
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        assert_eq!(
            with_authorization(&handler, &format!("{scheme} {}", good())).status,
            200,
            "{scheme}"
        );
    }
    let lower = handler.ask(
        "GET",
        "/api",
        &[("authorization", &format!("Bearer {}", good()))],
    );
    assert_eq!(lower.status, 200);
}

#[test]
fn two_authorization_headers_are_refused_even_when_one_is_good() {
    let (handler, _keys) = handler(&[]);
    let bearer = format!("Bearer {}", good());
    for second in [bearer.as_str(), "Basic eDp5", ""] {
        for pair in [[bearer.as_str(), second], [second, bearer.as_str()]] {
            let answer = handler.ask("GET", "/api", &pair.map(|value| ("Authorization", value)));
            answer.must_be(401, "invalid_header");
        }
    }
}

#[test]
fn a_token_in_a_body_or_a_cookie_is_no_token() {
    let (handler, _keys) = handler(&[]);
    let (bearer, form) = (
        format!("Bearer {}", good()),
        format!("access_token={}", good()),
    );
    let posted = |headers: &[(&str, &str)], form: &str| {
        let length = form.len().to_string();
        let form_headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", &length),
        ];
        let mut client = handler.connect();
        client.send(request("POST", "/api", &[headers, &form_headers].concat()) + form);
        client.answer()
    };
    posted(&[], &form).must_be(401, "authorization_header_missing");
    posted(&[("Cookie", &form)], "").must_be(401, "authorization_header_missing");
    // Beside a token in the header nobody looks elsewhere.
    assert_eq!(
        posted(&[("Authorization", &bearer)], "access_token=x").status,
        200
    );
    posted(&[("Authorization", "Bearer x")], &form).must_be(401, "invalid_header");
}

#[test]
fn the_required_scopes_are_named_in_the_challenge() {
    let (handler, _keys) = handler(&[
        ("REQUIRED_SCOPES", "Tasks.Read,Tasks.Write"),
        ("REQUIRED_ROLES", "Admin"),
    ]);
    for claims in [v2(), v1(), app_only(v2()), without(v2(), "scp")] {
        let answer = handler.api(&signed(&claims));
        answer.must_be(403, "insufficient_scope");
        check_challenge(&answer, ", scope=\"Tasks.Read Tasks.Write\"");
    }
    assert_eq!(
        handler
            .api(&signed(&with(v2(), "scp", "a Tasks.Write")))
            .status,
        200
    );
}

#[test]
fn without_required_scopes_the_challenge_names_none() {
    let (handler, _keys) = handler(&[("REQUIRED_ROLES", "Admin")]);
    let answer = handler.api(&good());
    answer.must_be(403, "insufficient_scope");
    check_challenge(&answer, "");
}

#[test]
fn without_keys_the_answer_says_when_to_come_back_and_challenges_nobody() {
    let keys = KeyServer::start(Reply::Status(500, String::new()));
    let handler = Handler::with_keys(&keys, &[]);
    let answer = handler.api(&good());
    answer.must_be(503, "keys_unavailable");
    assert!((1..=5).contains(&answer.retry_after()), "{answer:?}");
    check_challenge(&answer, "");
}

#[test]
fn the_claims_of_a_refused_token_are_quoted_in_characters_that_a_header_may_have() {
    let (handler, _keys) = handler(&[]);
    let odd = "a\"b\\c\r\nSet-Cookie: x=y\u{7f}\u{e4}\u{202e}\0";
    for name in ["aud", "iss", "tid"] {
        let answer = handler.api(&signed(&with(v2(), name, odd)));
        answer.must_be(401, "invalid_claims");
        check_challenge(&answer, "");
        assert_eq!(answer.header("Set-Cookie"), None);
        assert!(
            answer.description().contains("a'b/c??Set-Cookie: x=y????"),
            "{}",
            answer.description()
        );
    }
    let answer = handler.api(&headed(&header(json!({ "kid": odd }))));
    answer.must_be(401, "invalid_header");
    check_challenge(&answer, "");
}

#[test]
fn a_long_claim_does_not_make_a_long_answer() {
    let (handler, _keys) = handler(&[]);
    for claims in [
        with(v2(), "aud", "x".repeat(8000)),
        with(v2(), "iss", "y".repeat(8000)),
    ] {
        let answer = handler.api(&signed(&claims));
        answer.must_be(401, "invalid_claims");
        check_challenge(&answer, "");
        assert!(answer.body.len() < 1200, "{} bytes", answer.body.len());
    }
}

#[test]
fn a_refusal_leaves_the_connection_open() {
    let (handler, _keys) = handler(&[]);
    let mut client = handler.connect();
    for value in [
        "Basic x",
        "Bearer x",
        &format!("Bearer {}", signed(&without(v2(), "scp"))),
    ] {
        client.send(request("GET", "/api", &[("Authorization", value)]));
        assert!([401, 403].contains(&client.answer().status));
    }
    client.send(request(
        "GET",
        "/api",
        &[("Authorization", &format!("Bearer {}", good()))],
    ));
    assert_eq!(client.answer().status, 200);
}
