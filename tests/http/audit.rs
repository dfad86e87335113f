//! What is written down about decisions, by `AUDIT_LOG`, and what never is.

use crate::client::Answer;
use crate::harness::{GUARD, Handler, borrowed, usual, wait_until};
use crate::key_server::{KeyServer, Reply};
use crate::mint::mint;
use crate::samples;
use crate::tokens::*;
use entra_handler::clock::parse_time;
use serde_json::{Value, json};

/// Requests of each kind, in order, with status and code; nothing needs to be said about open paths.
fn asked(handler: &Handler) -> Vec<(u16, &'static str)> {
    let expired = signed(&with(v2(), "exp", 0));
    let powerless = signed(&without(v2(), "scp"));
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    assert_eq!(handler.api(&good()).status, 200);
    handler.api("nonsense").must_be(401, "invalid_header");
    handler.api(&expired).must_be(401, "token_expired");
    for path in ["/public", "/healthz", "/", "/nowhere"] {
        handler.get(path);
    }
    handler.ask("OPTIONS", "/api", &[]);
    handler
        .ask("PUT", "/api", &[])
        .must_be(405, "method_not_allowed");
    handler.api(&powerless).must_be(403, "insufficient_scope");
    assert_eq!(
        handler
            .ask(
                "POST",
                "/api",
                &[("Authorization", &format!("Bearer {}", good()))]
            )
            .status,
        200
    );
    handler
        .api(&signed(&with(v2(), "aud", "x")))
        .must_be(401, "invalid_claims");
    vec![
        (401, "authorization_header_missing"),
        (200, ""),
        (401, "invalid_header"),
        (401, "token_expired"),
        (403, "insufficient_scope"),
        (200, ""),
        (401, "invalid_claims"),
    ]
}

/// A status and a code.
type Decisions = Vec<(u16, String)>;

/// Status and code of each line, all of which are JSON objects about a decision.
fn decisions(lines: &[String]) -> Decisions {
    let parse = |line: &String| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let decision = |line: Value| {
        assert_eq!(line["event"], "decision", "{line}");
        let status = line["status"].as_u64().expect("a status") as u16;
        assert_eq!(
            line["decision"],
            if status == 200 { "accepted" } else { "denied" },
            "{line}"
        );
        (status, line["code"].as_str().unwrap_or_default().to_owned())
    };
    lines.iter().map(parse).map(decision).collect()
}

fn handler(audit_log: &str) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, &[("AUDIT_LOG", audit_log)]), keys)
}

/// What is logged at this level, and what was asked.
fn logged(audit_log: &str) -> (Decisions, Decisions) {
    let (handler, _keys) = handler(audit_log);
    let asked = asked(&handler)
        .into_iter()
        .map(|(status, code)| (status, code.to_owned()))
        .collect();
    (decisions(&handler.into_lines().0), asked)
}

#[test]
fn by_default_and_with_denied_every_refusal_is_a_line() {
    for level in ["", "denied"] {
        let (logged, mut asked) = logged(level);
        asked.retain(|(status, _)| *status != 200);
        assert_eq!(logged, asked);
    }
}

#[test]
fn with_all_every_decision_is_a_line() {
    let (logged, asked) = logged("all");
    assert_eq!(logged, asked);
}

#[test]
fn with_off_nothing_is_written() {
    let (logged, _) = logged("off");
    assert_eq!(logged, []);
}

#[test]
fn a_request_without_keys_is_a_line_when_it_is_answered() {
    for (level, expected) in [
        ("denied", vec![(503, "keys_unavailable".to_owned())]),
        ("off", vec![]),
    ] {
        let keys = KeyServer::start(Reply::Status(500, String::new()));
        let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", level)]);
        handler.api(&good()).must_be(503, "keys_unavailable");
        assert_eq!(decisions(&handler.into_lines().0), expected);
    }
}

#[test]
fn a_request_that_waited_is_one_line_like_any_other() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", "all")]);
    let mut clients: Vec<_> = (0..3).map(|_| handler.api_sent(&good())).collect();
    assert_eq!(handler.get("/public").status, 200);
    assert_eq!(handler.stdout.all(), Vec::<String>::new());
    keys.release();
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    let expected = (200, String::new());
    assert_eq!(
        decisions(&handler.into_lines().0),
        [expected.clone(), expected.clone(), expected]
    );
}

/// The host's id of an invocation.
const INVOCATION: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// The one line about `GET /api?code=function-key` with these headers, without what differs from run to
/// run: the time and the milliseconds.
fn line_about(handler: &Handler, headers: &[(&str, &str)]) -> Value {
    let before = (handler.stdout.all().len(), clock());
    handler.ask("GET", "/api?code=function-key", headers);
    wait_until("the line is written", || {
        handler.stdout.all().len() > before.0
    });
    let mut line: Value = serde_json::from_str(&handler.stdout.all()[before.0]).expect("JSON");
    let members = line.as_object_mut().expect("an object");
    assert!(
        members
            .remove("ms")
            .is_some_and(|ms| ms.as_f64().is_some_and(|ms| (0.0..30_000.0).contains(&ms)))
    );
    let time = members
        .remove("time")
        .expect("a time")
        .as_str()
        .and_then(parse_time)
        .expect("RFC 3339");
    assert!((before.1..=clock()).contains(&(time as i64)), "{time}");
    line
}

/// The line about a token.
fn line_about_token(handler: &Handler, token: &str) -> Value {
    line_about(handler, &[("Authorization", &format!("Bearer {token}"))])
}

#[test]
fn a_line_has_all_that_identifies_a_decision_and_no_more() {
    let (handler, _keys) = handler("all");
    let token = |verified: bool, kid: &str| {
        json!({
            "verified": verified, "kid": kid, "iss": v2_issuer(TENANT), "aud": AUDIENCE, "tid": TENANT,
            "client": CLIENT, "oid": "a11ce000-0000-4000-8000-000000000001",
        })
    };
    let denied = |status: u16, code: &str, check: &str| json!({ "event": "decision", "decision": "denied", "status": status, "code": code, "check": check });
    let authorization = ("Authorization", &*format!("Bearer {}", good()));
    let accepted = json!({
        "event": "decision", "decision": "accepted", "status": 200, "invocation": INVOCATION,
        "token": token(true, &key(1).kid),
    });
    assert_eq!(
        line_about(
            &handler,
            &[
                ("X-Azure-Functions-InvocationId", INVOCATION),
                authorization
            ]
        ),
        accepted
    );
    let missing = denied(401, "authorization_header_missing", "authorization");
    assert_eq!(line_about(&handler, &[]), missing);
    assert_eq!(
        line_about_token(&handler, "a.b"),
        denied(401, "invalid_header", "three parts")
    );
    let forged = mint(key(2), &header(json!({})).to_string(), &v2().to_string());
    let expected = with(
        denied(401, "invalid_header", "signature"),
        "token",
        token(false, &key(1).kid),
    );
    assert_eq!(line_about_token(&handler, &forged), expected);
    let powerless = signed(&without(v2(), "scp"));
    let expected = with(
        denied(403, "insufficient_scope", "permission"),
        "token",
        token(true, &key(1).kid),
    );
    assert_eq!(line_about_token(&handler, &powerless), expected);
}

#[test]
fn the_invocation_is_the_one_that_the_host_names_last() {
    let (handler, _keys) = handler("denied");
    for (header, expected) in [
        (INVOCATION.to_owned(), Some(INVOCATION)),
        (
            format!("alice@contoso.example, {INVOCATION}"),
            Some(INVOCATION),
        ),
        (
            format!("{INVOCATION},alice@contoso.example"),
            Some("(withheld)"),
        ),
        ("d5e1f0a2".into(), Some("d5e1f0a2")),
        (good(), Some("(withheld)")),
        (String::new(), None),
    ] {
        let line = line_about(&handler, &[("X-Azure-Functions-InvocationId", &header)]);
        assert_eq!(line["invocation"].as_str(), expected, "{header}");
    }
}

#[test]
fn the_subject_is_told_where_there_is_no_oid() {
    let (handler, _keys) = handler("all");
    for (oid, sub, expected) in [
        (
            json!(null),
            json!("sOmE-sUb"),
            [Value::Null, "sOmE-sUb".into()],
        ),
        (
            json!(""),
            json!("auth0|5f7c8ec7c33c6c004bbafe82"),
            [Value::Null, "auth0|5f7c8ec7c33c6c004bbafe82".into()],
        ),
        (
            json!(TENANT),
            json!("sOmE-sUb"),
            [TENANT.into(), Value::Null],
        ),
        (
            json!("alice@contoso.example"),
            json!("sOmE-sUb"),
            ["(withheld)".into(), Value::Null],
        ),
        (json!(1), json!(["sOmE-sUb"]), [Value::Null, Value::Null]),
    ] {
        let line = line_about_token(&handler, &signed(&with(with(v2(), "oid", oid), "sub", sub)));
        assert_eq!(
            [line["token"]["oid"].clone(), line["token"]["sub"].clone()],
            expected
        );
    }
}

/// Everything that could stand in the place of an identifier, in every such place.
#[test]
fn what_is_no_identifier_is_withheld() {
    let (handler, _keys) = handler("all");
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    let base64 = "+/v7".repeat(85);
    let no_identifiers = [
        &token,
        parts[0],
        parts[1],
        parts[2],
        &parts[2][..65],
        &base64,
        &format!("https://issuer.example/{}", parts[2]),
        "eyJhbGciOiJub25lIn0.e30.",
        "urn:eyJhbGciOiJub25lIn0",
        "alice@contoso.example",
        "alice%40contoso.example",
        "alice\u{ff20}contoso.example",
        "Alice Example",
        "Al\u{ed}ce",
        "https://issuer.example/?code=function-key",
        "https://issuer.example/#key",
        "a&b",
        "x\r\n{\"event\":\"decision\"}",
        "x\0",
        "\u{1b}[31mx",
        "\"",
        "${jndi:ldap://x}",
        "=HYPERLINK(1)",
        "<script>",
    ];
    for value in no_identifiers {
        let mut claims = v2();
        for name in ["iss", "aud", "azp", "tid", "oid"] {
            claims[name] = value.into();
        }
        let kid = if value.len() <= 256 {
            value
        } else {
            &value[..256]
        };
        let token = mint(
            key(1),
            &header(json!({ "kid": kid })).to_string(),
            &claims.to_string(),
        );
        let line = line_about_token(&handler, &token);
        let withheld = "(withheld)";
        let expected = json!({
            "verified": false, "kid": withheld, "iss": withheld, "aud": withheld, "tid": withheld,
            "client": withheld, "oid": withheld,
        });
        assert_eq!(line["token"], expected, "{value}");
    }
}

#[test]
fn what_issuers_use_to_identify_is_told_up_to_a_length() {
    let (handler, _keys) = handler("all");
    let hexadecimal = "0123456789abcdef".repeat(4);
    for value in [
        &*v1_issuer(TENANT),
        "https://contoso.b2clogin.com/tfp/11111111-2222-3333-4444-555555555555/b2c_1a_signup_signin/v2.0/",
        "X5eXk4xyojNFum1kl2Ytv8dlNP4-c57dO6QGTVBwaNk",
        &hexadecimal,
        "repo:contoso/api:ref:refs/heads/main",
        "my-client_1.x~y",
    ] {
        let claims = with(
            with(without(v2(), "oid"), "sub", value),
            "aud",
            json!([value, "a@b", AUDIENCE]),
        );
        let line = line_about_token(&handler, &signed(&claims));
        assert_eq!(line["token"]["sub"], value);
        let aud = format!("{value} (withheld) {AUDIENCE}");
        let aud = if aud.len() > 120 {
            format!("{}...", &aud[..120])
        } else {
            aud
        };
        assert_eq!(line["token"]["aud"], aud);
    }
    let long = "https://issuer.example/x".repeat(40);
    let line = line_about_token(&handler, &signed(&with(v2(), "tid", &*long)));
    assert_eq!(line["token"]["tid"], format!("{}...", &long[..120]));
    let line = line_about_token(
        &handler,
        &headed(&header(json!({ "kid": "k".repeat(257) }))),
    );
    assert_eq!(line["token"]["kid"], Value::Null);
}

#[test]
fn nothing_that_a_caller_sends_breaks_a_line() {
    let (handler, _keys) = handler("all");
    let odd = "x\n{\"event\":\"decision\"}\r\n\u{2028}\u{1b}[31m\"\\";
    let tokens = [
        signed(&with(v2(), "aud", odd)),
        signed(&with(v2(), "oid", odd)),
        signed(&with(v2(), "azp", odd)),
        headed(&header(json!({ "kid": odd }))),
        signed(&with(v2(), "sub", "s".repeat(9000))),
    ];
    for token in &tokens {
        handler.api(token);
    }
    let request = [
        ("X-Azure-Functions-InvocationId", "\"}{\"a\":\"b"),
        ("Authorization", "Bearer x"),
    ];
    handler
        .ask("GET", "/api", &request)
        .must_be(401, "invalid_header");
    let (stdout, _) = handler.into_lines();
    assert_eq!(decisions(&stdout).len(), tokens.len() + 1);
    assert!(
        stdout
            .iter()
            .all(|line| line.is_ascii() && line.len() < 2000),
        "{stdout:?}"
    );
}

#[test]
fn no_part_of_a_token_is_ever_repeated() {
    let keys = KeyServer::with(samples::key_set());
    let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", "all")]);
    let mut said: Vec<String> = Vec::new();
    let mut secrets: Vec<String> = Vec::new();
    let mut keep = |answer: Answer| said.push(format!("{:?}{}", answer.headers, answer.body));
    for sample in samples::all() {
        keep(handler.api(&sample.token));
        secrets.extend(
            sample
                .token
                .split('.')
                .map(|part| part.trim_end_matches('=').to_owned()),
        );
    }
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    for value in [
        format!("Basic {secret}"),
        format!("Bearer {secret} {secret}"),
        format!("{secret} x"),
        secret.into(),
    ] {
        keep(handler.ask("GET", "/api", &[("Authorization", &value)]));
        keep(handler.ask(
            "GET",
            &format!("/api?access_token={secret}"),
            &[("Authorization", &value)],
        ));
    }
    keep(handler.get(&format!("/{secret}?{secret}")));
    secrets.push(secret.into());
    secrets.retain(|secret| secret.len() > 20);
    let (stdout, stderr) = handler.into_lines();
    assert!(stdout.len() > 80, "{} lines", stdout.len());
    for text in said.iter().chain(&stdout).chain(&stderr) {
        let leak = secrets.iter().find(|secret| text.contains(secret.as_str()));
        assert_eq!(leak, None, "in {text}");
    }
}

#[test]
fn a_line_is_written_soon_and_not_only_at_the_end() {
    let (handler, _keys) = handler("all");
    for _ in 0..20 {
        handler
            .get("/api")
            .must_be(401, "authorization_header_missing");
    }
    wait_until("the lines are there", || handler.stdout.all().len() == 20);
}

/// A named pipe can lose its reader and get another.
#[cfg(target_os = "linux")]
#[test]
fn lines_that_a_closed_reader_lost_are_counted_and_told() {
    use std::io::{BufRead, BufReader};
    let path = std::env::temp_dir().join(format!("handler-audit-{}", std::process::id()));
    let path = path.to_str().expect("UTF-8");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .expect("mkfifo runs")
            .success()
    );
    // Open for both, so that opening does not wait for the other end.
    let open = || {
        std::fs::File::options()
            .read(true)
            .write(true)
            .open(path)
            .expect("a pipe")
    };
    // The events of the next lines, and the end of this reader.
    let events = |reader: std::fs::File, count: usize| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            sender.send(
                BufReader::new(reader)
                    .lines()
                    .take(count)
                    .collect::<Vec<_>>(),
            )
        });
        let lines = receiver.recv_timeout(GUARD).expect("lines").into_iter();
        let lines =
            lines.map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).expect("JSON"));
        lines
            .map(|line| {
                (
                    line["event"].as_str().expect("an event").to_owned(),
                    line["lines"].as_u64(),
                )
            })
            .collect::<Vec<_>>()
    };
    let decision = ("decision".to_owned(), None);
    let reader = open();
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_output(path, &borrowed(&usual(&keys.url(), &[])));
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    assert_eq!(events(reader, 1), std::slice::from_ref(&decision));
    for _ in 0..3 {
        handler
            .get("/api")
            .must_be(401, "authorization_header_missing");
        handler.flush_log();
    }
    let reader = open();
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    assert_eq!(
        events(reader, 2),
        [decision, ("log_lines_lost".into(), Some(3))]
    );
    std::fs::remove_file(path).expect("the pipe");
}

/// A reader that stops half-way leaves a line that the pipe took in part.
#[cfg(target_os = "linux")]
#[test]
fn a_line_that_was_taken_in_part_is_completed_first() {
    use std::fs::File;
    use std::io::Read;
    // Of 156 bytes each: more than a pipe holds twice, of which what waits is written at once.
    const SENT: u64 = 1200;
    let path = std::env::temp_dir().join(format!("handler-torn-{}", std::process::id()));
    let path = path.to_str().expect("UTF-8");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .expect("mkfifo runs")
            .success()
    );
    let keys = KeyServer::with(set(&[1]));
    // Open for both, so that the handler can open its end.
    let mut reader = File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("a pipe");
    let handler = Handler::with_output(path, &borrowed(&usual(&keys.url(), &[])));
    for _ in 0..SENT {
        handler
            .get("/api")
            .must_be(401, "authorization_header_missing");
    }
    let mut text = vec![0; 100_000];
    reader.read_exact(&mut text).expect("lines");
    drop(reader);
    handler.flush_log();
    let mut reader = File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("a pipe");
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    while !text.ends_with(b"}\n") || !text.windows(14).any(|part| part == b"log_lines_lost") {
        let mut part = [0; 1000];
        let count = reader.read(&mut part).expect("lines");
        text.extend_from_slice(&part[..count]);
    }
    let text = String::from_utf8(text).expect("UTF-8");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let told = lines
        .iter()
        .filter(|line| line["event"] == "decision")
        .count() as u64;
    let lost: u64 = lines.iter().filter_map(|line| line["lines"].as_u64()).sum();
    assert_eq!(told + lost, SENT + 1, "{told} told, {lost} lost");
    std::fs::remove_file(path).expect("the pipe");
}
