//! What is written down about decisions, by `AUDIT_LOG`, and what never is.

use crate::client::Answer;
use crate::harness::{Handler, wait_until};
use crate::key_server::{KeyServer, Reply};
use crate::mint::mint;
use crate::samples;
use crate::tokens::*;
use serde_json::{Value, json};

/// Requests of each kind, in order, with status and code; nothing needs to be said about open paths.
fn asked(handler: &Handler) -> Vec<(u16, &'static str)> {
    let expired = signed(&with(v2(), "exp", 0));
    let powerless = signed(&without(v2(), "scp"));
    handler.get("/api").must_be(401, "authorization_header_missing");
    assert_eq!(handler.api(&good()).status, 200);
    handler.api("nonsense").must_be(401, "invalid_header");
    handler.api(&expired).must_be(401, "token_expired");
    for path in ["/public", "/healthz", "/", "/nowhere"] {
        handler.get(path);
    }
    handler.ask("OPTIONS", "/api", &[]);
    handler.ask("PUT", "/api", &[]).must_be(405, "method_not_allowed");
    handler.api(&powerless).must_be(403, "insufficient_scope");
    assert_eq!(handler.ask("POST", "/api", &[("Authorization", &format!("Bearer {}", good()))]).status, 200);
    handler.api(&signed(&with(v2(), "aud", "x"))).must_be(401, "invalid_claims");
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
    let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let decision = |line: Value| {
        assert_eq!(line["event"], "decision", "{line}");
        let status = line["status"].as_u64().expect("a status") as u16;
        assert_eq!(line["decision"], if status == 200 { "accepted" } else { "denied" }, "{line}");
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
    let asked = asked(&handler).into_iter().map(|(status, code)| (status, code.to_owned())).collect();
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
    for (level, expected) in [("denied", vec![(503, "keys_unavailable".to_owned())]), ("off", vec![])] {
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
    assert_eq!(decisions(&handler.into_lines().0), [expected.clone(), expected.clone(), expected]);
}

#[test]
fn a_line_tells_who_called_and_whether_that_was_verified() {
    let (handler, _keys) = handler("all");
    let forged = mint(key(2), &header(json!({})).to_string(), &v2().to_string());
    let invocation = [("X-Azure-Functions-InvocationId", "d5e1f0a2"), ("Authorization", &format!("Bearer {}", good()))];
    assert_eq!(handler.ask("GET", "/api?code=function-key", &invocation).status, 200);
    handler.api(&forged).must_be(401, "invalid_header");
    let (stdout, _) = handler.into_lines();
    for (line, verified) in stdout.iter().zip([true, false]) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["token"]["verified"], verified, "{line}");
        assert_eq!(line["token"]["tid"], TENANT, "{line}");
        assert_eq!(line["token"]["client"], CLIENT, "{line}");
        assert_eq!(line["invocation"].as_str(), verified.then_some("d5e1f0a2"), "{line}");
    }
    assert_eq!(stdout.len(), 2);
    let all = stdout.concat();
    assert!(!all.contains("function-key") && !all.contains("Alice") && !all.contains("alice@"), "{all}");
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
    let request = [("X-Azure-Functions-InvocationId", "\"}{\"a\":\"b"), ("Authorization", "Bearer x")];
    handler.ask("GET", "/api", &request).must_be(401, "invalid_header");
    let (stdout, _) = handler.into_lines();
    assert_eq!(decisions(&stdout).len(), tokens.len() + 1);
    assert!(stdout.iter().all(|line| line.is_ascii() && line.len() < 2000), "{stdout:?}");
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
        secrets.extend(sample.token.split('.').map(|part| part.trim_end_matches('=').to_owned()));
    }
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    for value in [format!("Basic {secret}"), format!("Bearer {secret} {secret}"), format!("{secret} x"), secret.into()]
    {
        keep(handler.ask("GET", "/api", &[("Authorization", &value)]));
        keep(handler.ask("GET", &format!("/api?access_token={secret}"), &[("Authorization", &value)]));
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
        handler.get("/api").must_be(401, "authorization_header_missing");
    }
    wait_until("the lines are there", || handler.stdout.all().len() == 20);
}
