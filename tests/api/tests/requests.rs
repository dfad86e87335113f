//! Paths and queries as an endpoint gets them: as they are sent, and under the Functions host, which
//! changes some on the way.

use super::{exchange, hosted, served};
use crate::support::ask::ask;
use crate::support::host::MODES;
use crate::support::tokens::good;
use crate::tables::wire::ROUTES;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Status and body of `GET`; of an error the code.
fn get(address: SocketAddr, target: &str) -> (u16, Value) {
    let bearer = format!("Bearer {}", good());
    let headers = [("Authorization", bearer.as_str())];
    let response = exchange(address, "GET", target, &headers, "");
    let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let code = body.get("code").cloned();
    (response.status, code.unwrap_or(body))
}

fn bad() -> (u16, Value) {
    (400, json!("bad_request"))
}

fn missing() -> (u16, Value) {
    (404, json!("not_found"))
}

fn ok(value: impl Into<Value>) -> (u16, Value) {
    (200, value.into())
}

/// A segment, and what comes of it: sent directly, forwarded, proxied.
fn segments() -> Vec<(&'static str, [(u16, Value); 3])> {
    let same = |outcome: (u16, Value)| [outcome.clone(), outcome.clone(), outcome];
    vec![
        ("plain", same(ok("plain"))),
        ("fixed", same(ok("the fixed one"))),
        ("a%20b", same(ok("a b"))),
        ("a+b", same(ok("a+b"))),
        ("caf%C3%A9", same(ok("caf\u{e9}"))),
        ("100%25", same(ok("100%"))),
        // An escape for a character that needs none is another path than the literal, and the host
        // undoes it.
        (
            "%66ixed",
            [ok("fixed"), ok("the fixed one"), ok("the fixed one")],
        ),
        // A slash within a segment never gets there; a host that proxies makes it another text.
        ("a%2Fb", [bad(), bad(), ok("a%2Fb")]),
        ("a%2fb", [bad(), bad(), ok("a%2fb")]),
        ("%252F", [ok("%2F"), bad(), ok("%2F")]),
        ("a%5Cb", [bad(), missing(), bad()]),
        // Dot segments: the host takes them out, and asks for another path.
        (
            "%2E%2E",
            [
                bad(),
                (200, json!({ "status": "ok" })),
                (200, json!({ "status": "ok" })),
            ],
        ),
        ("..%2F..", [bad(), bad(), ok("..%2F..")]),
        ("%FF", [bad(), bad(), ok("%FF")]),
        ("%0A", same(bad())),
        ("%C2%85", same(bad())),
        ("", same(missing())),
        ("a/", same(missing())),
        ("a//", same(missing())),
    ]
}

fn segments_arrive(address: SocketAddr, column: usize) {
    for (segment, outcomes) in segments() {
        let outcome = get(address, &format!("/text/{segment}"));
        assert_eq!(outcome, outcomes[column], "{segment:?} in column {column}");
    }
}

fn queries_arrive(address: SocketAddr) {
    for (query, outcome) in [
        ("", ok(json!([null, null]))),
        ("?", ok(json!([null, null]))),
        ("?text=a", ok(json!(["a", null]))),
        ("?text=", ok(json!(["", null]))),
        ("?text", ok(json!(["", null]))),
        ("?text=a+b%20c%2Bd", ok(json!(["a b c+d", null]))),
        ("?text=a%26b%3Dc", ok(json!(["a&b=c", null]))),
        ("?text=a=b", ok(json!(["a=b", null]))),
        ("?text=%C3%A9", ok(json!(["\u{e9}", null]))),
        ("?number=-128&text=x", ok(json!(["x", -128]))),
        ("?number=128", bad()),
        ("?number=", bad()),
        ("?text=%0D%0A", bad()),
        ("?other=1", ok(json!([null, null]))),
    ] {
        assert_eq!(get(address, &format!("/query{query}")), outcome, "{query}");
    }
}

#[test]
fn paths_and_queries_arrive() {
    let (handler, _keys) = served("wire", &[]);
    segments_arrive(handler.address, 0);
    queries_arrive(handler.address);
    for (target, outcome) in [
        // The host answers these itself, or changes them.
        ("/text/%00", bad()),
        ("/text/%", bad()),
        ("/text/%4", bad()),
        ("/text/%zz", bad()),
        ("/query?text=1&text=1", bad()),
        ("/query?text=%FF", bad()),
        ("/query?text=%", bad()),
        ("/query?%74ext=a", ok(json!(["a", null]))),
        ("/text/a#/b", ok("a")),
        ("http://elsewhere.example/text/a?b", ok("a")),
        ("/TEXT/a", missing()),
        ("//text/a", missing()),
        ("/text/../text/a", missing()),
    ] {
        assert_eq!(get(handler.address, target), outcome, "{target}");
    }
}

#[test]
fn the_functions_host_changes_some_of_them() {
    for (column, mode) in [1, 2].into_iter().zip(MODES) {
        let Some((host, _keys)) = hosted(mode, "wire", &[]) else {
            return;
        };
        segments_arrive(host.address, column);
        queries_arrive(host.address);
    }
}

#[test]
fn the_methods_of_a_path_are_those_of_all_its_rows() {
    let ask = |method: &str, target: &str| ask(method, target).routes(ROUTES);
    for (target, allow) in [
        ("/text/a", "GET, HEAD, DELETE, OPTIONS"),
        ("/text/fixed", "GET, HEAD, DELETE, OPTIONS"),
        ("/echo", "POST, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ] {
        let refused = ask("PATCH", target).send();
        assert_eq!(
            (refused.status(), refused.header("Allow")),
            (405, Some(allow)),
            "{target}"
        );
        let preflight = ask("OPTIONS", target).anonymous().send();
        assert_eq!(
            (preflight.status(), preflight.header("Allow")),
            (204, Some(allow)),
            "{target}"
        );
    }
    assert_eq!(ask("HEAD", "/text/a").send().status(), 200);
    // The first row that fits the path does not take the method, the second does.
    assert_eq!(ask("DELETE", "/text/fixed").send().json(), "fixed");
    let slash = ask("GET", "/text/a/").send();
    let words = "There is nothing at '/text/a/'; there is '/text/a', without the slash";
    assert_eq!(
        slash.json()["description"]
            .as_str()
            .map(|it| it.replace('"', "'")),
        Some(words.into())
    );
}
