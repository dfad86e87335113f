//! The endpoints that the README adds, as a reader would write them into `src/api.rs`, and the test
//! that goes with them, as a reader would write it into `tests/core/hello.rs`.

use crate::bench::{Bench, payload, signed};
use entra_handler::answer::Answer;
use entra_handler::api::{Endpoint, Route, role_missing};
use entra_handler::claims::Claims;

const README: &str = include_str!("../../README.md");
const THIS_FILE: &str = include_str!("endpoint.rs");

const ROUTES: &[Route] = &[
    // README
    Route { path: "/api/hello", methods: &["GET", "HEAD"], endpoint: Endpoint::Protected(hello) },
    Route { path: "/api/reports", methods: &["GET", "HEAD"], endpoint: Endpoint::Protected(reports) },
    // end
];

// README
/// Greets any caller that passed the checks.
fn hello(claims: Claims) -> Answer {
    let oid = claims.text("oid").unwrap_or_default();
    Answer::json(200, serde_json::json!({ "hello": oid }).to_string())
}

/// For those who have the app role Reports.Read, be they users or programs.
fn reports(claims: Claims) -> Answer {
    if !claims.has_role("Reports.Read") {
        return role_missing(&claims, "Reports.Read");
    }
    Answer::json(200, r#"{"reports":["2026-10","2026-11"]}"#)
}
// end

/// Stands for `bench::get`, which asks the routes of `src/api.rs`.
fn get(path: &str, claims: &[(&str, &str)]) -> Answer {
    Bench::new().answer(ROUTES, path, &signed(&payload(claims)))
}

// README
#[test]
fn hello_greets_by_object_id() {
    let answer = get("/api/hello", &[("oid", "\"d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27\"")]);
    assert_eq!(answer.body, r#"{"hello":"d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27"}"#);
}

#[test]
fn reports_are_for_their_readers_only() {
    assert_eq!(get("/api/reports", &[("roles", r#"["Reports.Read"]"#)]).status, 200);
    assert_eq!(get("/api/reports", &[("roles", r#"["Reports.Write"]"#)]).status, 403);
}
// end

#[test]
fn the_readme_shows_exactly_these_endpoints_and_this_test() {
    let snippets = THIS_FILE.split("// README\n").skip(1).filter_map(|part| part.split("// end\n").next());
    let told: Vec<bool> = snippets.map(|snippet| README.contains(snippet.trim())).collect();
    assert_eq!(told, [true, true, true]);
}

#[test]
fn the_claims_endpoint_is_asked_in_the_same_way() {
    let roles = [("roles", r#"["Reports.Read"]"#)];
    assert_eq!(crate::bench::get("/api", &roles), Answer::json(200, payload(&roles)));
}

#[test]
fn a_missing_role_is_answered_as_the_checks_would() {
    let says = "The token carries the delegated permissions (scp) 'access_as_user'; needed is the app role (roles) \
        'Reports.Read'. Assign it to the user or to the client application, then ask for a new token";
    let challenge = format!("Bearer error=\"insufficient_scope\", error_description=\"{says}\"");
    let refused = Answer::error(403, "insufficient_scope", says).with("WWW-Authenticate", challenge);
    assert_eq!(get("/api/reports", &[]), refused);
}

#[test]
fn a_header_cannot_be_split_by_what_stands_in_a_claim() {
    let answer = Answer::json(200, "{}").with("X-Auth-Oid", "a\r\nSet-Cookie: b\0");
    assert_eq!(answer.headers, [("X-Auth-Oid", "aSet-Cookie: b".to_owned())]);
}
