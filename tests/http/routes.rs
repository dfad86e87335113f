//! The routes: status, headers and body of every request, and connections that go on or end.

use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;
use std::thread;

const PUBLIC_BODY: &str = r#"{"message":"Public endpoint - open to all"}"#;

/// Every path and the methods that it allows.
const ROUTES: [(&str, &str); 4] = [
    ("/api", "GET, HEAD, POST, OPTIONS"),
    ("/public", "GET, HEAD, OPTIONS"),
    ("/healthz", "GET, HEAD, OPTIONS"),
    ("/", "GET, HEAD, OPTIONS"),
];

/// A request a line: method, target, `Authorization` (`GOOD` is a good token, `-` none), status and
/// code. `ORIGIN` stands for each of `ORIGINS`.
const REQUESTS: &str = "
    # Open to all.
    GET     /public                 -           200
    GET     /public                 Bearer:x    200
    GET     /healthz                Basic:x     200
    GET     /                       GOOD        200
    OPTIONS /public                 -           204
    OPTIONS /healthz                -           204
    OPTIONS /                       -           204
    # With a token.
    GET     /api                    GOOD        200
    POST    /api                    GOOD        200
    GET     /api                    -           401 authorization_header_missing
    POST    /api                    -           401 authorization_header_missing
    GET     /api                    Basic:x     401 invalid_header
    OPTIONS /api                    -           204
    # Another method is refused with those that are allowed.
    PUT     /api                    GOOD        405 method_not_allowed
    DELETE  /api                    -           405 method_not_allowed
    TRACE   /api                    GOOD        405 method_not_allowed
    get     /api                    GOOD        405 method_not_allowed
    BREW    /api                    GOOD        405 method_not_allowed
    POST    /public                 GOOD        405 method_not_allowed
    PATCH   /public                 -           405 method_not_allowed
    POST    /healthz                -           405 method_not_allowed
    DELETE  /                       -           405 method_not_allowed
    # Another path is not found.
    GET     /nowhere                GOOD        404 not_found
    POST    /nowhere                GOOD        404 not_found
    OPTIONS /nowhere                -           404 not_found
    GET     /api/                   GOOD        404 not_found
    PUT     /api/                   GOOD        404 not_found
    GET     /API                    GOOD        404 not_found
    GET     /apis                   GOOD        404 not_found
    GET     /public/x               -           404 not_found
    GET     //                      -           404 not_found
    GET     //public                -           404 not_found
    GET     /%61pi                  GOOD        404 not_found
    GET     /api%3F                 GOOD        404 not_found
    GET     *                       -           404 not_found
    # A query is no part of the path.
    GET     /public?                -           200
    GET     /public?a=b&c=/api?     -           200
    GET     /api?code=function-key  -           401 authorization_header_missing
    GET     /nowhere?/public        -           404 not_found
    GET     /?x                     -           200
    # A target in absolute form is served like its path.
    GET     ORIGIN/public           -           200
    GET     ORIGIN/public?x=y       -           200
    GET     ORIGIN/api              -           401 authorization_header_missing
    GET     ORIGIN/                 -           200
    GET     ORIGIN                  -           200
    GET     ORIGIN?x                -           200
    GET     ORIGIN/nowhere          -           404 not_found
    GET     ORIGIN//public          -           404 not_found
";

const ORIGINS: [&str; 4] = [
    "http://localhost",
    "http://127.0.0.1:3000",
    "https://api.example",
    "HTTP://X",
];

#[test]
fn each_request_gets_its_status_its_code_and_what_every_response_has() {
    let (handler, _keys) = serving(&[]);
    let good = format!("Bearer {}", good());
    let rows = REQUESTS.lines().map(str::trim);
    for row in rows.filter(|row| !row.is_empty() && !row.starts_with('#')) {
        let count = if row.contains("ORIGIN") {
            ORIGINS.len()
        } else {
            1
        };
        for origin in &ORIGINS[..count] {
            let row = row.replace("ORIGIN", origin);
            let cells: Vec<&str> = row.split_whitespace().collect();
            let authorization = cells[2].trim_matches('-').replace(':', " ");
            let authorization = authorization.replace("GOOD", &good);
            let response = handler.call(&cells[..2].join(" "), &authorization);
            let found = [response.status.to_string(), response.code()];
            let code = cells.get(4).copied().unwrap_or_default();
            assert_eq!(found, [cells[3], code], "{row}: {response:?}");
            check_headers(cells[1], &response, &row);
        }
    }
}

/// Holds what every response of this status has.
fn check_headers(target: &str, response: &Response, row: &str) {
    let date = response.header("Date").expect("a Date");
    let shape = date.replace(|char: char| char.is_ascii_digit(), "0");
    // RFC 9110 section 5.6.7.
    let is_date = shape[3..].starts_with(", 00 ") && shape.ends_with(" 0000 00:00:00 GMT");
    assert!(is_date && shape.len() == 29, "{row}: {date}");
    let status = response.status;
    let (methods, length) = (
        ROUTES.iter().find(|(path, _)| *path == target),
        response.body.len(),
    );
    // RFC 9110 section 8.6: no Content-Length with 204.
    let length = (status != 204).then(|| length.to_string());
    let json = (status != 204).then_some("application/json");
    let allowed = methods.filter(|_| [204, 405].contains(&status));
    let expected = [
        ("Content-Length", length.as_deref()),
        ("Content-Type", json),
        ("Allow", allowed.map(|(_, methods)| *methods)),
        ("Retry-After", None),
    ];
    for (name, value) in expected {
        assert_eq!(response.header(name), value, "{row}: {name}");
    }
    let challenge = response.header("WWW-Authenticate");
    assert_eq!(challenge.is_some(), status == 401, "{row}");
    let body = response.body.as_str();
    let is_right = match (status, target) {
        (204, _) => body.is_empty(),
        (200, target) if target.contains("public") => body == PUBLIC_BODY,
        _ => response.json().is_object(),
    };
    assert!(
        is_right && response.version == "HTTP/1.1",
        "{row}: {response:?}"
    );
}

#[test]
fn head_is_as_get_without_the_body() {
    let (handler, _keys) = serving(&[]);
    let steady = |response: &Response| {
        let mut headers = response.headers.clone();
        headers.retain(|(name, _)| name != "Date");
        (response.status, headers)
    };
    for path in ["/api", "/public", "/healthz", "/", "/nowhere"] {
        for authorization in [&format!("Bearer {}", good()), ""] {
            let head = handler.call(&format!("HEAD {path}"), authorization);
            let get = handler.call(&format!("GET {path}"), authorization);
            assert_eq!((steady(&head), &*head.body), (steady(&get), ""), "{path}");
        }
    }
}

#[test]
fn api_responds_with_the_claims_as_the_issuer_wrote_them_and_is_not_stored() {
    let (handler, _keys) = serving(&[]);
    let (issuer, hour) = (v2_issuer(TENANT), now() + HOUR);
    let required = format!(r#""aud":"{AUDIENCE}","iss":"{issuer}","exp":{hour},"scp":"x""#);
    let numbers = "[12345678901234567890,0.10,1.0,1E5,1e+05,-0,-0.0,1e400,3.14159265358979323846]";
    let escapes = r#""\u00e4\u0041\/\"\\\b\f\n\r\t\ud83d\ude00\u0000""#;
    let payloads = [
        v2().to_string(),
        app_only(v1()).to_string(),
        format!("  {{ \t{required}\r\n , \"a\" :\n[ ] , \"b\":{{ }} }}\r\n"),
        format!(r#"{{"z":1,{required},"numbers":{numbers},"escapes":{escapes}}}"#),
        format!("{{{required},\"raw\":\"äß€漢😀\u{2028}\u{7f}\u{feff}\",\"ключ\":\"значение\"}}"),
        format!(r#"{{{required},"nested":{{"a":[{{"c":[[[]]]}},null,true]}},"\u0065sc":1}}"#),
        with(v2(), "groups", json!(vec![TENANT; 200])).to_string(),
    ];
    for payload in payloads {
        let bearer = format!("Bearer {}", mint::token(key(1), &payload));
        for call in ["GET /api", "POST /api"] {
            let response = handler.call(call, &bearer);
            assert_eq!((response.status, &response.body), (200, &payload));
            assert_eq!(response.header("Cache-Control"), Some("no-store"));
        }
    }
}

#[test]
fn a_connection_is_kept_for_more_requests_also_after_refusals() {
    let (handler, _keys) = serving(&[]);
    let mut connection = handler.connect();
    let requests = [
        (PUBLIC.to_owned(), 200),
        (api_request(&good()), 200),
        (request("OPTIONS", "/api", &[]), 204),
        (request("GET", "/nowhere", &[]), 404),
        (request("GET", "/api", &[]), 401),
        (api_request(&signed(&without(v2(), "scp"))), 403),
    ];
    for _ in 0..3 {
        connection.send(request("HEAD", "/public", &[]));
        let response = connection.response_to_head();
        assert_eq!(response.header("Content-Length"), Some("43"));
        assert_ne!(response.header("Connection"), Some("close"));
        for (request, status) in &requests {
            connection.send(request);
            assert_eq!(connection.response().status, *status);
        }
    }
}

#[test]
fn a_connection_ends_when_the_client_says_so_and_with_http_1_0() {
    let (handler, _keys) = serving(&[]);
    for value in ["close", "Close"] {
        let mut connection = handler.connect();
        connection.send(request("GET", "/public", &[("Connection", value)]));
        let response = connection.response();
        assert_eq!(
            (response.status, response.header("Connection")),
            (200, Some("close"))
        );
        assert!(connection.is_at_end());
    }
    let mut connection = handler.connect();
    connection.send("GET /public HTTP/1.0\r\n\r\n");
    assert_eq!(connection.last_response().body, PUBLIC_BODY);
    let mut connection = handler.connect();
    for _ in 0..2 {
        connection.send("GET /public HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let response = connection.response();
        let kept = response.header("Connection").map(str::to_ascii_lowercase);
        assert_eq!(
            (response.status, kept.as_deref()),
            (200, Some("keep-alive"))
        );
    }
}

#[test]
fn clients_side_by_side_each_get_their_own_responses() {
    let (handler, _keys) = serving(&[]);
    let handler = &handler;
    let talk = move |number: usize| {
        let claims = with(v2(), "sub", format!("user {number}"));
        let requests = api_request(&signed(&claims)) + "GET /api HTTP/1.1\r\n\r\n";
        let mut connection = handler.connect();
        for _ in 0..50 {
            connection.send(&requests);
            assert_eq!(connection.response().body, claims.to_string());
            let refusal = connection.response();
            refusal.must_be(401, "authorization_header_missing");
        }
    };
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || talk(number));
        }
    });
}

#[test]
fn open_paths_and_hopeless_requests_need_no_key_and_no_key_server() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    keys.wait_for_fetch(1);
    for path in ["/", "/healthz", "/public"] {
        for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("PUT", 405)] {
            let response = handler.ask(method, path, &[]);
            assert_eq!(response.status, status, "{method} {path}");
        }
    }
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    handler.api("nonsense").must_be(401, "invalid_header");
    handler
        .call("PUT /api", "")
        .must_be(405, "method_not_allowed");
    assert_eq!(keys.fetches(), 1);
}
