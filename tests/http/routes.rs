//! Every row of the table of routes.

use crate::client::{Answer, request};
use crate::harness::Handler;
use crate::key_server::KeyServer;
use crate::tokens::{good, set};

const PATHS: [&str; 4] = ["/api", "/public", "/healthz", "/"];
const PUBLIC: &str = r#"{"message":"Public endpoint - open to all"}"#;

fn allow(path: &str) -> &'static str {
    if path == "/api" {
        "GET, HEAD, POST, OPTIONS"
    } else {
        "GET, HEAD, OPTIONS"
    }
}

fn handler() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, &[]), keys)
}

fn bearer() -> String {
    format!("Bearer {}", good())
}

#[test]
fn public_is_open_to_all_and_says_so() {
    let (handler, _keys) = handler();
    for headers in [
        &[][..],
        &[("Authorization", "Bearer nonsense")],
        &[("Authorization", "Basic eDp5")],
    ] {
        let answer = handler.ask("GET", "/public", headers);
        assert_eq!((answer.status, answer.body.as_str()), (200, PUBLIC));
    }
}

#[test]
fn api_answers_get_and_post_with_the_claims_and_is_not_stored() {
    let (handler, _keys) = handler();
    for method in ["GET", "POST"] {
        let answer = handler.ask(method, "/api", &[("Authorization", &bearer())]);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["preferred_username"], "alice@contoso.example");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header("WWW-Authenticate"), None);
        assert_eq!(answer.header("Retry-After"), None);
    }
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let (handler, _keys) = handler();
    let steady = |answer: &Answer| {
        let headers = answer
            .headers
            .iter()
            .filter(|(name, _)| name != "Date")
            .cloned()
            .collect::<Vec<_>>();
        (answer.status, headers)
    };
    let bearer = bearer();
    for path in PATHS.into_iter().chain(["/nowhere"]) {
        for headers in [&[("Authorization", bearer.as_str())][..], &[]] {
            let (head, get) = (
                handler.ask("HEAD", path, headers),
                handler.ask("GET", path, headers),
            );
            assert_eq!(steady(&head), steady(&get), "{path}");
            assert_eq!(head.body, "", "{path}");
            assert_eq!(
                head.header("Content-Length"),
                Some(get.body.len().to_string().as_str()),
                "{path}"
            );
        }
    }
}

#[test]
fn options_is_a_preflight_on_every_path() {
    let (handler, _keys) = handler();
    for path in PATHS {
        let answer = handler.ask("OPTIONS", path, &[]);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.header("Allow"), Some(allow(path)), "{path}");
        let allowed = answer
            .header("Access-Control-Allow-Headers")
            .expect("a preflight answer")
            .to_ascii_lowercase();
        assert!(
            allowed.split(", ").any(|name| name == "authorization"),
            "{allowed}"
        );
        // RFC 9110 section 8.6.
        assert_eq!(answer.header("Content-Length"), None, "{path}");
    }
    handler
        .ask("OPTIONS", "/nowhere", &[])
        .must_be(404, "not_found");
}

#[test]
fn another_method_is_refused_with_those_that_are_allowed() {
    let (handler, _keys) = handler();
    let bearer = bearer();
    for path in PATHS {
        let others = ["PUT", "DELETE", "PATCH", "TRACE", "get", "BREW"].into_iter();
        for method in others.chain((path != "/api").then_some("POST")) {
            let answer = handler.ask(method, path, &[("Authorization", &bearer)]);
            answer.must_be(405, "method_not_allowed");
            assert_eq!(answer.header("Allow"), Some(allow(path)), "{method} {path}");
        }
    }
}

#[test]
fn another_path_is_not_found() {
    let (handler, _keys) = handler();
    let others = [
        "/nowhere",
        "/api/",
        "/API",
        "/apis",
        "/public/x",
        "//",
        "/%61pi",
        "/api%3F",
        "*",
        "/favicon.ico",
    ];
    for path in others {
        for method in ["GET", "POST", "PUT"] {
            handler
                .ask(method, path, &[("Authorization", &bearer())])
                .must_be(404, "not_found");
        }
    }
}

#[test]
fn a_query_is_no_part_of_the_path() {
    let (handler, _keys) = handler();
    assert_eq!(handler.get("/public?").body, PUBLIC);
    assert_eq!(handler.get("/public?a=b&c=/api?").body, PUBLIC);
    handler
        .get("/api?code=function-key")
        .must_be(401, "authorization_header_missing");
    handler.get("/nowhere?/public").must_be(404, "not_found");
    assert_eq!(handler.get("/?x").status, 200);
}

#[test]
fn a_token_in_the_query_is_no_token() {
    let (handler, _keys) = handler();
    handler
        .get(&format!("/api?access_token={}", good()))
        .must_be(401, "authorization_header_missing");
}

#[test]
fn a_target_in_absolute_form_is_served_like_its_path() {
    let (handler, _keys) = handler();
    for origin in [
        "http://localhost",
        "http://127.0.0.1:3000",
        "https://api.example.com",
        "HTTP://X",
    ] {
        assert_eq!(handler.get(&format!("{origin}/public")).body, PUBLIC);
        assert_eq!(handler.get(&format!("{origin}/public?x=y")).body, PUBLIC);
        handler
            .get(&format!("{origin}/api"))
            .must_be(401, "authorization_header_missing");
        assert_eq!(handler.get(&format!("{origin}/")).status, 200);
        assert_eq!(handler.get(origin).status, 200);
        assert_eq!(handler.get(&format!("{origin}?x")).status, 200);
        handler
            .get(&format!("{origin}/nowhere"))
            .must_be(404, "not_found");
        handler
            .get(&format!("{origin}//public"))
            .must_be(404, "not_found");
    }
}

#[test]
fn every_answer_is_dated_json_of_the_length_it_says() {
    let (handler, _keys) = handler();
    let bearer = bearer();
    let requests = [
        ("GET", "/public", "Basic x", 200),
        ("GET", "/api", bearer.as_str(), 200),
        ("POST", "/api", &bearer, 200),
        ("GET", "/api", "Basic x", 401),
        ("GET", "/healthz", "Basic x", 200),
        ("GET", "/", "Basic x", 200),
        ("PUT", "/api", &bearer, 405),
        ("GET", "/nowhere", &bearer, 404),
    ];
    for (method, path, authorization, status) in requests {
        let answer = handler.ask(method, path, &[("Authorization", authorization)]);
        assert_eq!(
            (answer.version.as_str(), answer.status),
            ("HTTP/1.1", status),
            "{method} {path}"
        );
        assert_eq!(
            answer.header("Content-Type"),
            Some("application/json"),
            "{method} {path}"
        );
        assert_eq!(
            answer.header("Content-Length"),
            Some(answer.body.len().to_string().as_str()),
            "{method} {path}"
        );
        assert!(answer.json().is_object(), "{method} {path}");
        assert!(
            is_http_date(answer.header("Date").expect("a Date")),
            "{answer:?}"
        );
        assert_eq!(status >= 400, !answer.code().is_empty(), "{answer:?}");
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, RFC 9110 section 5.6.7.
fn is_http_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    shape.len() == 29 && &shape[3..7] == ", 00" && &shape[11..] == " 0000 00:00:00 GMT"
}

#[test]
fn a_connection_is_kept_for_more_requests() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    for _ in 0..3 {
        client.send(request("GET", "/public", &[]));
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.as_str()), (200, PUBLIC));
        assert_ne!(answer.header("Connection"), Some("close"));
        client.send(request("GET", "/api", &[("Authorization", &bearer())]));
        assert_eq!(client.answer().status, 200);
        client.send(request("HEAD", "/public", &[]));
        assert_eq!(client.head().header("Content-Length"), Some("43"));
        client.send(request("OPTIONS", "/api", &[]));
        assert_eq!(client.answer().status, 204);
        client.send(request("GET", "/nowhere", &[]));
        client.answer().must_be(404, "not_found");
    }
}

#[test]
fn connection_close_is_said_and_done() {
    let (handler, _keys) = handler();
    for value in ["close", "Close"] {
        let mut client = handler.connect();
        client.send(request("GET", "/public", &[("Connection", value)]));
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (200, Some("close"))
        );
        assert!(client.is_at_end());
    }
}

#[test]
fn http_1_0_ends_after_one_answer_unless_it_asks_for_more() {
    let (handler, _keys) = handler();
    let mut client = handler.connect();
    client.send("GET /public HTTP/1.0\r\n\r\n");
    let answer = client.answer_and_end();
    assert_eq!((answer.status, answer.body.as_str()), (200, PUBLIC));

    let mut client = handler.connect();
    for _ in 0..2 {
        client.send("GET /public HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.as_str()), (200, PUBLIC));
        assert_eq!(
            answer
                .header("Connection")
                .map(str::to_ascii_lowercase)
                .as_deref(),
            Some("keep-alive")
        );
    }
}

#[test]
fn health_and_public_need_no_key_and_no_key_server() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    keys.wait_for_fetch(1);
    for path in ["/", "/healthz", "/public"] {
        for method in ["GET", "HEAD", "OPTIONS", "PUT"] {
            let status = handler.ask(method, path, &[]).status;
            assert_eq!(
                status,
                [200, 204, 405]
                    [usize::from(method == "OPTIONS") + 2 * usize::from(method == "PUT")]
            );
        }
    }
    // What is refused without a key is refused at once.
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    handler.api("nonsense").must_be(401, "invalid_header");
    handler
        .ask("PUT", "/api", &[])
        .must_be(405, "method_not_allowed");
    assert_eq!(keys.fetches(), 1);
}
