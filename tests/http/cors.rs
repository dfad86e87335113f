//! What browsers are told, by `ALLOWED_ORIGINS`.

use crate::client::Answer;
use crate::harness::Handler;
use crate::key_server::{KeyServer, Reply};
use crate::tokens::{good, set, signed, v2, without};

const APP: &str = "https://app.example.com";
const LOCAL: &str = "http://localhost:5173";
const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// One answer of each status, preflight included, to a page of this origin.
fn answers(handler: &Handler, origin: Option<&str>) -> Vec<Answer> {
    let (good, powerless) = (
        format!("Bearer {}", good()),
        format!("Bearer {}", signed(&without(v2(), "scp"))),
    );
    let requests = [
        ("GET", "/public", "", 200),
        ("GET", "/api", good.as_str(), 200),
        ("HEAD", "/api", &good, 200),
        ("OPTIONS", "/api", "", 204),
        ("OPTIONS", "/public", "", 204),
        ("GET", "/api", "", 401),
        ("GET", "/api", "Bearer x", 401),
        ("GET", "/api", &powerless, 403),
        ("GET", "/nowhere", "", 404),
        ("DELETE", "/api", "", 405),
    ];
    let ask = |(method, path, token, status): (&str, &str, &str, u16)| {
        let mut headers = Vec::new();
        headers.extend(origin.map(|origin| ("Origin", origin)));
        headers.extend((!token.is_empty()).then_some(("Authorization", token)));
        if method == "OPTIONS" {
            headers.push(("Access-Control-Request-Method", "GET"));
            headers.push(("Access-Control-Request-Headers", "authorization"));
        }
        let answer = handler.ask(method, path, &headers);
        assert_eq!(answer.status, status, "{method} {path}");
        answer
    };
    requests.map(ask).into()
}

fn handler(allowed_origins: &str) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (
        Handler::with_keys(&keys, &[("ALLOWED_ORIGINS", allowed_origins)]),
        keys,
    )
}

/// Whether the answer depends on the origin, by its own word.
fn varies(answer: &Answer) -> bool {
    answer.header("Vary").is_some_and(|names| {
        names
            .split(", ")
            .any(|name| name.eq_ignore_ascii_case("Origin"))
    })
}

#[test]
fn by_default_and_with_a_star_any_origin_may_call() {
    for setting in ["", "*"] {
        let (handler, _keys) = handler(setting);
        for origin in [Some(APP), Some("null"), None] {
            for answer in answers(&handler, origin) {
                assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"), "{answer:?}");
                assert!(!varies(&answer), "{answer:?}");
            }
        }
    }
}

#[test]
fn a_listed_origin_is_named_in_every_answer() {
    let (handler, _keys) = handler(&format!("{APP}, {LOCAL}"));
    for origin in [APP, LOCAL] {
        for answer in answers(&handler, Some(origin)) {
            assert_eq!(answer.header(ALLOW_ORIGIN), Some(origin), "{answer:?}");
            assert!(varies(&answer), "{answer:?}");
        }
    }
}

#[test]
fn an_origin_that_is_not_listed_is_not_allowed() {
    let (handler, _keys) = handler(&format!("{APP},{LOCAL}"));
    let others = [
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://APP.example.com",
        "null",
    ];
    for origin in others.map(Some).into_iter().chain([None]) {
        for answer in answers(&handler, origin) {
            assert_eq!(answer.header(ALLOW_ORIGIN), None, "{origin:?} {answer:?}");
            assert!(varies(&answer), "{origin:?} {answer:?}");
        }
    }
}

#[test]
fn with_none_no_answer_says_anything_about_origins() {
    let (handler, _keys) = handler("none");
    for answer in answers(&handler, Some(APP)) {
        let cors = answer
            .headers
            .iter()
            .find(|(name, _)| name.to_ascii_lowercase().starts_with("access-control"));
        assert_eq!(cors, None);
        assert!(!varies(&answer));
    }
}

#[test]
fn a_preflight_names_what_the_real_request_needs() {
    for setting in ["*", APP] {
        let (handler, _keys) = handler(setting);
        for (path, methods) in [
            ("/api", "GET, HEAD, POST, OPTIONS"),
            ("/public", "GET, HEAD, OPTIONS"),
        ] {
            let headers = [("Origin", APP), ("Access-Control-Request-Method", "GET")];
            let answer = handler.ask("OPTIONS", path, &headers);
            assert_eq!(answer.header("Access-Control-Allow-Methods"), Some(methods));
            let allowed = answer
                .header("Access-Control-Allow-Headers")
                .expect("named")
                .to_ascii_lowercase();
            assert!(
                allowed
                    .split(',')
                    .any(|name| name.trim() == "authorization"),
                "{allowed}"
            );
            // `*` would not cover Authorization, and credentials would forbid it.
            assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
        }
    }
}

#[test]
fn a_page_may_read_why_it_was_refused() {
    for setting in ["*", APP] {
        let (handler, _keys) = handler(setting);
        let answer = handler.ask("GET", "/api", &[("Origin", APP)]);
        let exposed = answer
            .header("Access-Control-Expose-Headers")
            .expect("headers are exposed");
        assert!(
            exposed.contains("WWW-Authenticate") && exposed.contains("Retry-After"),
            "{exposed}"
        );
    }
}

#[test]
fn an_answer_without_keys_has_the_headers_too() {
    for (setting, expected) in [
        ("*", Some("*")),
        (APP, Some(APP)),
        (LOCAL, None),
        ("none", None),
    ] {
        let keys = KeyServer::start(Reply::Close);
        let handler = Handler::with_keys(&keys, &[("ALLOWED_ORIGINS", setting)]);
        let answer = handler.ask(
            "GET",
            "/api",
            &[
                ("Origin", APP),
                ("Authorization", &format!("Bearer {}", good())),
            ],
        );
        answer.must_be(503, "keys_unavailable");
        assert_eq!(answer.header(ALLOW_ORIGIN), expected, "{setting}");
        assert_eq!(
            varies(&answer),
            setting == APP || setting == LOCAL,
            "{setting}"
        );
    }
}
