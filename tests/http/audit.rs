//! The audit log: which decisions are written down, by `AUDIT_LOG`, and what never is.

use crate::samples;
use crate::support::tokens::*;
use crate::support::*;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;

fn parsed(line: &String) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Event, verdict, status and code of each line.
fn decisions(lines: &[String]) -> Vec<String> {
    let names = ["event", "decision", "status", "code"];
    let words = |line: Value| {
        names
            .map(|name| line[name].to_string().replace('"', ""))
            .join(" ")
    };
    lines.iter().map(parsed).map(words).collect()
}

/// Calls, their tokens and their lines; other requests than for a protected route have none.
const CALLS: [(&str, &str, &str); 10] = [
    ("GET /api", "", "denied 401 authorization_header_missing"),
    ("GET /api", "GOOD", "accepted 200 null"),
    ("GET /api", "nonsense", "denied 401 invalid_header"),
    ("GET /public", "", ""),
    ("GET /healthz", "", ""),
    ("GET /nowhere", "GOOD", ""),
    ("OPTIONS /api", "", ""),
    ("PUT /api", "GOOD", ""),
    ("GET /api", "POWERLESS", "denied 403 insufficient_scope"),
    ("POST /api", "GOOD", "accepted 200 null"),
];

#[test]
fn the_level_says_which_decisions_are_lines() {
    let powerless = signed(&without(v2(), "scp"));
    for (level, verdicts) in [("", "d"), ("denied", "d"), ("all", "da"), ("off", "-")] {
        let (handler, _keys) = serving(&[("AUDIT_LOG", level)]);
        let mut expected = Vec::new();
        for (call, token, line) in CALLS {
            let token = token
                .replace("GOOD", &good())
                .replace("POWERLESS", &powerless);
            let bearer = format!("Bearer {token}");
            handler.call(call, if token.is_empty() { "" } else { &bearer });
            if line.starts_with(|first| verdicts.contains(first)) {
                expected.push(format!("decision {line}"));
            }
        }
        assert_eq!(decisions(&handler.into_lines().0), expected, "{level}");
    }
}

#[test]
fn a_request_that_waits_for_keys_is_a_line_when_it_gets_its_response() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", "all")]);
    let mut waiting = [(); 3].map(|()| handler.api_sent(&good()));
    assert_eq!(handler.get("/public").status, 200);
    assert_eq!(handler.stdout.all(), [""; 0]);
    keys.release();
    for connection in &mut waiting {
        assert_eq!(connection.response().status, 200);
    }
    let lines = decisions(&handler.into_lines().0);
    assert_eq!(lines, ["decision accepted 200 null"; 3]);

    let handler = Handler::with_keys(&KeyServer::start(Reply::close()), &[]);
    handler.api(&good()).must_be(503, "keys_unavailable");
    let lines = decisions(&handler.into_lines().0);
    assert_eq!(lines, ["decision denied 503 keys_unavailable"]);
}

/// The host's id of an invocation, and its header.
const INVOCATION: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const HEADER: &str = "X-Azure-Functions-InvocationId";

/// The line about `GET /api?code=function-key` with these headers, but for its time and its
/// milliseconds. It is there soon, not only at the end.
fn line_about(handler: &Handler, headers: &[(&str, &str)]) -> Value {
    let before = handler.stdout.all().len();
    handler.ask("GET", "/api?code=function-key", headers);
    let is_written = || handler.stdout.all().len() > before;
    wait_until("the line is written", is_written);
    let mut line = parsed(&handler.stdout.all()[before]);
    let ms = line["ms"].as_f64().expect("a number");
    assert!((0.0..30_000.0).contains(&ms), "{line}");
    let time = line["time"].as_str().expect("a text");
    let shape = time.replace(|char: char| char.is_ascii_digit(), "0");
    assert_eq!(shape, "0000-00-00T00:00:00Z");
    // A route and a token id, where there are, are these.
    for (pointer, value) in [("/route", "GET /api"), ("/token/uti", "uTi")] {
        let found = line.pointer(pointer);
        assert!(found.is_none_or(|found| found == value), "{line}");
    }
    for name in ["ms", "time", "route"] {
        line.as_object_mut().expect("an object").remove(name);
    }
    if let Some(Value::Object(token)) = line.get_mut("token") {
        token.remove("uti");
    }
    line
}

fn line_about_token(handler: &Handler, token: &str) -> Value {
    line_about(handler, &[("Authorization", &format!("Bearer {token}"))])
}

#[test]
fn a_line_has_all_that_identifies_a_decision_and_no_more() {
    let (handler, _keys) = serving(&[("AUDIT_LOG", "all")]);
    let token = |verified: bool| {
        json!({
            "verified": verified, "kid": key(1).kid, "iss": v2_issuer(TENANT), "aud": AUDIENCE,
            "tid": TENANT, "client": CLIENT, "oid": "a11ce000-0000-4000-8000-000000000001",
        })
    };
    let denied = |status: u16, code: &str, check: &str, token: Value| {
        let line = json!({
            "event": "decision", "decision": "denied", "status": status, "code": code,
            "check": check, "token": token,
        });
        if token.is_null() {
            without(line, "token")
        } else {
            line
        }
    };
    let accepted = json!({
        "event": "decision", "decision": "accepted", "status": 200, "invocation": INVOCATION,
        "token": token(true),
    });
    let authorization = ("Authorization", &*format!("Bearer {}", good()));
    let line = line_about(&handler, &[(HEADER, INVOCATION), authorization]);
    assert_eq!(line, accepted);
    let missing = denied(
        401,
        "authorization_header_missing",
        "authorization",
        Value::Null,
    );
    assert_eq!(line_about(&handler, &[]), missing);
    let forged = mint::mint(key(2), &header(json!({})).to_string(), &v2().to_string());
    let powerless = signed(&without(v2(), "scp"));
    let unread = denied(401, "invalid_header", "three parts", Value::Null);
    let forgery = denied(401, "invalid_header", "signature", token(false));
    let want = denied(403, "insufficient_scope", "permission", token(true));
    for (token, expected) in [("a.b", unread), (&forged, forgery), (&powerless, want)] {
        assert_eq!(line_about_token(&handler, token), expected);
    }
}

#[test]
fn the_invocation_is_the_one_that_the_host_names_last() {
    let (handler, _keys) = serving(&[]);
    let cases = [
        (INVOCATION, INVOCATION),
        (&format!("alice@contoso.example, {INVOCATION}"), INVOCATION),
        (&format!("{INVOCATION},alice@contoso.example"), "(withheld)"),
        (&good(), "(withheld)"),
        ("", ""),
    ];
    for (value, expected) in cases {
        let line = line_about(&handler, &[(HEADER, value)]);
        let found = line["invocation"].as_str().unwrap_or_default();
        assert_eq!(found, expected, "{value}");
    }
}

/// Everything that could stand in the place of an identifier, in every such place.
#[test]
fn a_value_that_is_no_identifier_is_withheld() {
    let (handler, _keys) = serving(&[("AUDIT_LOG", "all")]);
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    let (base64, address) = (
        "+/v7".repeat(85),
        format!("https://issuer.example/{}", parts[2]),
    );
    #[rustfmt::skip]
    let values = [
        &token, parts[0], parts[1], parts[2], &parts[2][..65], &base64, &address,
        "urn:eyJhbGciOiJub25lIn0", "alice@contoso.example", "alice%40contoso.example",
        "alice\u{ff20}contoso.example", "Alice Example", "Al\u{ed}ce", "a&b", "x\0", "\"\\",
        "https://issuer.example/?code=function-key", "https://issuer.example/#key",
        "x\r\n{\"event\":\"decision\"}\u{2028}", "\u{1b}[31mx", "${jndi:ldap://x}",
        "=HYPERLINK(1)", "<script>",
    ];
    for value in values {
        let claims = ["iss", "aud", "azp", "tid", "oid"];
        let claims = claims
            .iter()
            .fold(v2(), |claims, name| with(claims, name, value));
        let kid = header(json!({ "kid": value.get(..256).unwrap_or(value) }));
        let token = mint::mint(key(1), &kid.to_string(), &claims.to_string());
        let line = line_about_token(&handler, &token);
        let names = ["kid", "iss", "aud", "tid", "client", "oid"];
        let withheld = names.map(|name| line["token"][name] == "(withheld)");
        assert_eq!(withheld, [true; 6], "{value}: {line}");
    }
    let (stdout, _) = handler.into_lines();
    assert_eq!(stdout.len(), values.len());
    assert!(
        stdout
            .iter()
            .all(|line| line.is_ascii() && line.len() < 2000),
        "{stdout:?}"
    );
}

#[test]
fn identifiers_are_told_up_to_a_length_and_the_subject_where_there_is_no_oid() {
    let (handler, _keys) = serving(&[("AUDIT_LOG", "all")]);
    let (v1_issuer, hex) = (v1_issuer(TENANT), "0123456789abcdef".repeat(4));
    let long = "https://issuer.example/x".repeat(40);
    let b2c =
        "https://contoso.b2clogin.com/tfp/11111111-2222-3333-4444-555555555555/b2c_1a_x/v2.0/";
    let pairwise = "X5eXk4xyojNFum1kl2Ytv8dlNP4-c57dO6QGTVBwaNk";
    let workload = "repo:contoso/api:ref:refs/heads/main";
    for sub in [
        &v1_issuer,
        b2c,
        pairwise,
        &hex,
        workload,
        "auth0|5f7c8ec7",
        &long,
    ] {
        let line = line_about_token(&handler, &signed(&with(without(v2(), "oid"), "sub", sub)));
        let cut = sub.get(..120).map(|cut| format!("{cut}..."));
        assert_eq!(line["token"]["sub"], cut.unwrap_or(sub.to_owned()));
        assert_eq!(line["token"]["oid"], Value::Null);
    }
    for (oid, expected) in [(TENANT, TENANT), ("alice@contoso.example", "(withheld)")] {
        let line = line_about_token(&handler, &signed(&with(v2(), "oid", oid)));
        assert_eq!(line["token"]["oid"], expected);
        assert_eq!(line["token"]["sub"], Value::Null);
    }
    let several = with(v2(), "aud", json!(["x", "a@b", AUDIENCE]));
    let line = line_about_token(&handler, &signed(&several));
    assert_eq!(line["token"]["aud"], format!("x (withheld) {AUDIENCE}"));
}

#[test]
fn no_part_of_a_token_is_ever_repeated() {
    let keys = KeyServer::with(samples::key_set());
    let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", "all")]);
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let mut secrets = vec![secret.to_owned()];
    handler.get(&format!("/{secret}?{secret}"));
    let mut responses = Vec::new();
    for sample in samples::samples() {
        responses.push(handler.api(&sample.token));
        let parts = sample
            .token
            .split('.')
            .map(|part| part.trim_end_matches('=').to_owned());
        secrets.extend(parts.filter(|part| part.len() > 20));
    }
    for value in ["Basic S", "Bearer S S", "S x", "S"].map(|value| value.replace('S', secret)) {
        responses.push(handler.call(&format!("GET /api?access_token={secret}"), &value));
    }
    let (stdout, stderr) = handler.into_lines();
    assert_eq!(stdout.len(), responses.len());
    let said = responses
        .iter()
        .map(|it| format!("{:?}{}", it.headers, it.body));
    for text in said.chain(stdout).chain(stderr) {
        let leak = secrets.iter().find(|secret| text.contains(secret.as_str()));
        assert_eq!(leak, None, "in {text}");
    }
}

/// A named pipe can lose its reader, with half a line taken, and get another one.
#[cfg(target_os = "linux")]
#[test]
fn lines_that_a_closed_reader_lost_are_counted_and_told_and_a_torn_one_is_completed() {
    // Of 156 bytes each: more than a pipe holds twice.
    const SENT: u64 = 1200;
    let folder = Folder::new("audit");
    let path = folder.file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo runs").success());
    // Open for both, so that opening waits for nobody.
    let open = || {
        File::options()
            .read(true)
            .write(true)
            .open(&path)
            .expect("a pipe")
    };
    let (mut reader, keys) = (open(), KeyServer::with(set(&[1])));
    let handler = Setup::new(&keys.url())
        .script(&format!("exec \"$0\" >'{path}'"))
        .start();
    let refuse = || {
        handler
            .get("/api")
            .must_be(401, "authorization_header_missing")
    };
    (0..SENT).for_each(|_| refuse());
    let mut text = vec![0; 100_000];
    reader.read_exact(&mut text).expect("lines");
    drop(reader);
    handler.flush_log();
    for _ in 0..3 {
        refuse();
        handler.flush_log();
    }
    let mut reader = open();
    refuse();
    while !text.ends_with(b"}\n") || !text.windows(14).any(|part| part == b"log_lines_lost") {
        let mut part = [0; 1000];
        let count = reader.read(&mut part).expect("lines");
        text.extend_from_slice(&part[..count]);
    }
    let text = String::from_utf8(text).expect("UTF-8");
    let lines = text.lines().map(|line| parsed(&line.to_owned()));
    let (told, lost): (Vec<_>, Vec<_>) = lines.partition(|line| line["event"] == "decision");
    let lost: u64 = lost.iter().filter_map(|line| line["lines"].as_u64()).sum();
    assert_eq!((lost > 3, told.len() as u64 + lost), (true, SENT + 3 + 1));
}
