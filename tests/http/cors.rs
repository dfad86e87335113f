//! CORS: the headers of every response to a page, by `ALLOWED_ORIGINS`.

use crate::support::tokens::*;
use crate::support::*;

const APP: &str = "https://app.example.com";
const LOCAL: &str = "http://localhost:5173";

/// The setting, the origins that may call and the others; the empty one is no origin at all.
const ORIGINS: [(&str, &[&str], &[&str]); 4] = [
    ("", &[APP, "null", ""], &[]),
    ("*", &[APP, "null", ""], &[]),
    (
        "https://app.example.com, http://localhost:5173",
        &[APP, LOCAL],
        &[
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "null",
            "",
        ],
    ),
    ("none", &[], &[APP, "null", ""]),
];

/// A response of each status to a page of this origin, with what was asked for.
fn responses(handler: &Handler, origin: &str, more: &[(&str, u16)]) -> Vec<(String, Response)> {
    let (good, powerless) = (good(), signed(&without(v2(), "scp")));
    let calls = [
        ("GET /public", 200),
        ("HEAD /public", 200),
        ("OPTIONS /api", 204),
        ("OPTIONS /public", 204),
        ("GET /api", 401),
        ("GET /api Bearer x", 401),
        ("GET /nowhere", 404),
        ("DELETE /api", 405),
    ];
    let calls = calls.iter().chain(more);
    let ask = |(call, status): &(&str, u16)| {
        let (method, target) = call.split_once(' ').expect("a method");
        let (path, authorization) = target.split_once(' ').unwrap_or((target, ""));
        let value = authorization
            .replace("GOOD", &good)
            .replace("POWERLESS", &powerless);
        let mut headers = vec![("Origin", origin), ("Authorization", &value)];
        headers.retain(|(_, value)| !value.is_empty());
        if method == "OPTIONS" {
            headers.push(("Access-Control-Request-Method", "GET"));
            headers.push(("Access-Control-Request-Headers", "authorization"));
        }
        let response = handler.ask(method, path, &headers);
        assert_eq!(response.status, *status, "{call}");
        (call.to_string(), response)
    };
    calls.map(ask).collect()
}

/// Fails unless the CORS headers are those for an origin that may call, or may not.
fn check(setting: &str, origin: &str, may_call: bool, (call, response): (String, Response)) {
    let what = format!("{setting:?} {origin:?} {call} {response:?}");
    let is_list = setting.contains("://");
    let allowed = may_call.then_some(if is_list { origin } else { "*" });
    assert_eq!(
        response.header("Access-Control-Allow-Origin"),
        allowed,
        "{what}"
    );
    let vary = response.header("Vary").unwrap_or_default();
    assert_eq!(vary.contains("Origin"), is_list, "{what}");
    let exposed = response
        .header("Access-Control-Expose-Headers")
        .unwrap_or_default();
    let is_exposed = ["WWW-Authenticate", "Retry-After"].map(|name| exposed.contains(name));
    assert_eq!(is_exposed, [may_call; 2], "{what}");
    // `*` would not cover Authorization, and credentials would forbid it.
    assert_eq!(
        response.header("Access-Control-Allow-Credentials"),
        None,
        "{what}"
    );
    let is_preflight = response.status == 204 && setting != "none";
    let methods = response.header("Allow").filter(|_| is_preflight);
    assert_eq!(
        response.header("Access-Control-Allow-Methods"),
        methods,
        "{what}"
    );
    let headers = response
        .header("Access-Control-Allow-Headers")
        .unwrap_or_default();
    let headers = headers.to_ascii_lowercase();
    let names_both = ["authorization", "content-type"].map(|name| headers.contains(name));
    assert_eq!(names_both, [is_preflight; 2], "{what}");
}

const WITH_KEYS: [(&str, u16); 2] = [
    ("GET /api Bearer GOOD", 200),
    ("GET /api Bearer POWERLESS", 403),
];
const WITHOUT_KEYS: [(&str, u16); 1] = [("GET /api Bearer GOOD", 503)];

#[test]
fn every_response_has_the_headers_that_allowed_origins_grants() {
    let without_keys = KeyServer::start(Reply::close());
    for (setting, callers, others) in ORIGINS {
        let settings = [("ALLOWED_ORIGINS", setting)];
        let (handler, _keys) = serving(&settings);
        let keyless = Handler::with_keys(&without_keys, &settings);
        for (origins, may_call) in [(callers, true), (others, false)] {
            for origin in origins {
                let mut all = responses(&handler, origin, &WITH_KEYS);
                all.extend(responses(&keyless, origin, &WITHOUT_KEYS));
                for response in all {
                    check(setting, origin, may_call, response);
                }
            }
        }
    }
}
