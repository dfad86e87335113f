//! The endpoint that the README shows for nginx, as a reader of it would write it into `src/api.rs`.

use crate::bench::*;
use entra_handler::answer::Answer;
use entra_handler::api::{Endpoint, Route};
use entra_handler::checks;
use entra_handler::claims::Claims;

const README: &str = include_str!("../../README.md");
const THIS_FILE: &str = include_str!("who.rs");

const ROUTES: &[Route] = &[
    // README
    Route { path: "/auth", methods: &["GET"], endpoint: Endpoint::Protected(who) },
    // end
];

// README
fn who(claims: Claims) -> Answer {
    // A claim may hold anything, a header no line end.
    let oid = claims.text("oid").filter(|oid| oid.bytes().all(|byte| byte.is_ascii_graphic())).unwrap_or_default();
    Answer::json(204, "").with("X-Auth-Oid", oid)
}
// end

#[test]
fn the_readme_shows_exactly_this_endpoint() {
    let snippets = THIS_FILE.split("// README\n").skip(1).filter_map(|part| part.split("// end\n").next());
    let told: Vec<bool> = snippets.map(|snippet| README.contains(snippet.trim_end_matches(' ').trim_start())).collect();
    assert_eq!(told, [true, true]);
}

#[test]
fn it_names_the_caller_in_one_header_or_nobody() {
    let Endpoint::Protected(endpoint) = ROUTES[0].endpoint else { panic!("it is protected") };
    let cases = [
        (r#""d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27""#, "d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27"),
        (r#""d4e8f1a3\r\nX-Auth-Role: admin""#, ""),
        (r#""d4e8f1a3 \u00e9""#, ""),
        ("7", ""),
    ];
    for (claim, named) in cases {
        let (bench, token) = (Bench::new(), signed(&payload(&[("oid", claim)])));
        let claims = checks::decide(&mut bench.case(&token)).expect("a good token");
        assert_eq!(endpoint(claims), Answer::json(204, "").with("X-Auth-Oid", named), "{claim}");
    }
}
