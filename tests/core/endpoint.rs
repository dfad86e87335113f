//! The endpoint of the README, as a reader of it would write it into `src/api.rs`.

use crate::bench::*;
use entra_handler::answer::Answer;
use entra_handler::api::{Endpoint, Route};
use entra_handler::checks;
use entra_handler::claims::Claims;

const README: &str = include_str!("../../README.md");
const THIS_FILE: &str = include_str!("endpoint.rs");

const ROUTES: &[Route] = &[
    // README
    Route { path: "/api/hello", methods: &["GET", "HEAD"], endpoint: Endpoint::Protected(hello) },
    // end
];

// README
fn hello(claims: Claims) -> Answer {
    if !claims.has_scope("user_impersonation") && !claims.has_role("Greeter") {
        return Answer::error(403, "insufficient_scope", "hello needs user_impersonation or the app role Greeter");
    }
    let oid = claims.text("oid").unwrap_or_default();
    Answer::json(200, serde_json::json!({ "hello": oid }).to_string())
}
// end

#[test]
fn the_readme_shows_exactly_this_endpoint() {
    let snippets = THIS_FILE.split("// README\n").skip(1).filter_map(|part| part.split("// end\n").next());
    let told: Vec<bool> = snippets.map(|snippet| README.contains(snippet.trim_end_matches(' ').trim_start())).collect();
    assert_eq!(told, [true, true]);
}

#[test]
fn it_greets_who_may_be_greeted_and_nobody_else() {
    let Endpoint::Protected(endpoint) = ROUTES[0].endpoint else { panic!("it is protected") };
    let ask = |changes: &[(&str, &str)]| {
        let (bench, token) = (Bench::new(), signed(&payload(changes)));
        let claims = checks::decide(&mut bench.case(&token)).expect("a good token");
        endpoint(claims)
    };
    let oid = ("oid", "\"d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27\"");
    let greeting = Answer::json(200, r#"{"hello":"d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27"}"#);
    assert_eq!(ask(&[oid, ("scp", "\"read user_impersonation\"")]), greeting);
    assert_eq!(ask(&[oid, ("scp", ""), ("roles", "[\"Greeter\"]")]), greeting);
    assert_eq!(ask(&[oid, ("scp", "\"read\"")]).status, 403);
}
