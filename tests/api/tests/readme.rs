//! The endpoints of README.md and of api/NGINX.md, with the test that the README shows.

use crate::support::ask::{self, Ask};
use crate::tables::readme::ROUTES;

/// As the README's own file has it, where `ROUTES` are those of `src/endpoints.rs`.
fn ask(method: &str, target: &str) -> Ask {
    ask::ask(method, target).routes(ROUTES)
}

#[test]
fn an_item_is_for_those_who_may_read_items() {
    let item = ask("GET", "/api/items/7");
    assert_eq!(item.clone().scope("Items.Read").send().status(), 200);
    assert_eq!(item.clone().role("Items.Read.All").send().status(), 200);
    assert_eq!(item.scope("Items.Write").send().status(), 403);
    let unknown = ask("GET", "/api/items/seven").scope("Items.Read");
    assert_eq!(unknown.send().status(), 404);
}

#[test]
fn the_readme_shows_what_the_item_is() {
    let alice = ask("GET", "/api/items/7?limit=3").scope("Items.Read");
    let alice = alice.claim("oid", "a11ce000-0000-4000-8000-000000000001");
    let page = include_str!("../../../README.md");
    let response = alice.send();
    assert!(page.lines().any(|line| line == response.text()));
}

#[test]
fn a_proxy_learns_who_calls() {
    for oid in ["a11ce000-0000-4000-8000-000000000001", ""] {
        let response = ask("GET", "/auth").claim("oid", oid).send();
        assert_eq!(
            (response.status(), response.header("X-Auth-Oid")),
            (204, Some(oid))
        );
    }
}
