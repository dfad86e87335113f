//! A well-behaved client: it asks all kinds of questions, and knows which answers are right.

use crate::Run;
use crate::history::Known;
use crate::numbers::Numbers;
use crate::passes::{self, Folder, Pass};
use crate::wire::{Answer, Wire};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Longest time for an answer that has to wait for nothing.
const PROMPT: Duration = Duration::from_secs(5);

/// Longest time for any answer: a fetch may take five seconds, and one more may follow.
const PATIENCE: Duration = Duration::from_secs(12);

/// A status and a code, which is empty for a success.
type Verdict = (u16, &'static str);

/// One question.
struct Question {
    kind: &'static str,
    request: Vec<u8>,
    /// The body of a success.
    body: String,
    rule: Rule,
}

/// Which answers are right.
enum Rule {
    /// This one, always.
    Always(Verdict),
    /// This one when the key is known; otherwise a refusal, which a fetch may come before when
    /// nothing else is wrong with the token.
    WithKey {
        kid: String,
        verdict: Verdict,
        is_worth_a_fetch: bool,
    },
    /// The key is not known and never will be.
    NeverKnown,
}

/// Asks until the end. Callers with an even seed ask nothing that may have to wait for a fetch.
pub(crate) fn work(run: &Run, address: SocketAddr, seed: u64) {
    let mut numbers = Numbers::from(seed);
    let mut wire = None;
    while !run.is_over() {
        let question = question(run, &mut numbers, seed.is_multiple_of(2));
        if numbers.below(10) == 0 {
            wire = None;
        }
        wire = ask(run, address, wire, &question);
        run.sleep(Duration::from_millis(5 + numbers.below(15) as u64));
    }
}

/// Asks and checks; gives the connection back while it is of use.
fn ask(run: &Run, address: SocketAddr, wire: Option<Wire>, question: &Question) -> Option<Wire> {
    let kind = question.kind;
    let from = Instant::now();
    let mut wire = match wire.map_or_else(|| Wire::to(address), Ok) {
        Ok(wire) => wire,
        Err(error) => {
            run.ledger.wrong(format!("{kind}: no connection: {error}"));
            return None;
        }
    };
    let sent = wire.send(&question.request);
    let answer = wire.answer(PATIENCE);
    let (to, took) = (Instant::now(), from.elapsed());
    let Some(answer) = answer else {
        if !run.is_over() {
            run.ledger.wrong(format!(
                "{kind}: no answer after {took:.1?}, sent: {sent:?}"
            ));
        }
        return None;
    };
    let Allowed {
        verdicts: allowed,
        known,
        is_prompt,
    } = Allowed::by(run, &question.rule, from, to);
    match fault(run, question, &answer, &allowed, known) {
        Some(fault) => run
            .ledger
            .wrong(format!("{kind}: {fault}; allowed: {allowed:?}; {answer:?}")),
        None if is_prompt && took > PROMPT => run
            .ledger
            .wrong(format!("{kind}: answered after {took:.1?}")),
        None => run
            .ledger
            .right(kind, &answer, &code(&answer.body), took, is_prompt),
    }
    Some(wire)
}

/// What is wrong with an answer.
fn fault(
    run: &Run,
    question: &Question,
    answer: &Answer,
    allowed: &[Verdict],
    known: Known,
) -> Option<&'static str> {
    let code = code(&answer.body);
    if !allowed.contains(&(answer.status, code.as_str())) {
        return Some("not allowed at this moment");
    }
    if answer.status < 300 {
        return (answer.body != question.body).then_some("another body");
    }
    if answer.status == 503
        && !answer
            .retry_after
            .is_some_and(|seconds| (1..=60).contains(&seconds))
    {
        return Some("no good Retry-After");
    }
    // One code may have two reasons, and only one of them when the key is known.
    let is_sure = known != Known::Maybe;
    let is_other = is_sure
        && !run
            .ledger
            .is_as_before(question.kind, known == Known::Yes, answer, &code);
    is_other.then_some("other words than before")
}

/// The right answers to a question asked and answered at given moments.
struct Allowed {
    verdicts: Vec<Verdict>,
    /// Whether the token's key was known.
    known: Known,
    /// Whether no answer has to wait for a fetch.
    is_prompt: bool,
}

impl Allowed {
    fn by(run: &Run, rule: &Rule, from: Instant, to: Instant) -> Allowed {
        match rule {
            Rule::Always(verdict) => Allowed {
                verdicts: vec![*verdict],
                known: Known::No,
                is_prompt: true,
            },
            Rule::NeverKnown => Allowed {
                verdicts: unknown(run, from, to),
                known: Known::No,
                is_prompt: false,
            },
            Rule::WithKey {
                kid,
                verdict,
                is_worth_a_fetch,
            } => {
                let known = run
                    .publisher
                    .history(|history| history.knows(kid, from, to));
                let refusals = match is_worth_a_fetch {
                    _ if known == Known::Yes => Vec::new(),
                    true => unknown(run, from, to),
                    false => vec![(401, "invalid_header")],
                };
                let verdicts = Some(*verdict)
                    .filter(|_| known != Known::No)
                    .into_iter()
                    .chain(refusals)
                    .collect();
                Allowed {
                    verdicts,
                    known,
                    is_prompt: known == Known::Yes || !is_worth_a_fetch,
                }
            }
        }
    }
}

/// What a token with an unknown key may be answered.
fn unknown(run: &Run, from: Instant, to: Instant) -> Vec<Verdict> {
    let unknown = run.publisher.history(|history| history.unknown(from, to));
    let refused = unknown.refused.then_some((401, "invalid_header"));
    let unavailable = unknown.unavailable.then_some((503, "keys_unavailable"));
    refused.into_iter().chain(unavailable).collect()
}

/// The code of an error body; empty when it is none.
fn code(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let is_error = body.as_object().is_some_and(|members| members.len() == 2)
        && body["description"]
            .as_str()
            .is_some_and(|words| !words.is_empty());
    body["code"]
        .as_str()
        .filter(|_| is_error)
        .unwrap_or_default()
        .to_owned()
}

fn question(run: &Run, numbers: &mut Numbers, only_prompt: bool) -> Question {
    let open = |kind, request: &str, body: &str, verdict| {
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
        Question {
            kind,
            request,
            body: body.into(),
            rule: Rule::Always(verdict),
        }
    };
    match numbers.below(20) {
        0..3 => open(
            "public",
            "GET /public",
            r#"{"message":"Public endpoint - open to all"}"#,
            (200, ""),
        ),
        3 => open("preflight", "OPTIONS /api", "", (204, "")),
        4 => open("nowhere", "GET /nowhere", "", (404, "not_found")),
        5 => open(
            "wrong method",
            "DELETE /api",
            "",
            (405, "method_not_allowed"),
        ),
        6 => open(
            "no header",
            "GET /api",
            "",
            (401, "authorization_header_missing"),
        ),
        7 => {
            let rubbish = passes::stranger(0).token.replace('.', "!");
            let rule = Rule::Always((401, "invalid_header"));
            Question {
                kind: "rubbish",
                request: get(&rubbish),
                body: String::new(),
                rule,
            }
        }
        8 if !only_prompt => {
            let pass = passes::stranger(numbers.below(1_000_000));
            Question {
                kind: "never published",
                request: get(&pass.token),
                body: String::new(),
                rule: Rule::NeverKnown,
            }
        }
        _ => with_key(run, numbers, only_prompt),
    }
}

/// A question with a token of a key that is, was, or soon will be published.
fn with_key(run: &Run, numbers: &mut Numbers, only_prompt: bool) -> Question {
    let mut folders = run.passes.folders();
    if only_prompt {
        let published = run.publisher.keys();
        let now = Instant::now();
        let knows = |folder: &Folder| {
            run.publisher
                .history(|history| history.knows(&folder.kid, now, now))
        };
        let is_safe = |folder: &Folder| {
            published.iter().any(|key| key.kid == folder.kid) && knows(folder) == Known::Yes
        };
        let safe: Vec<_> = folders
            .iter()
            .filter(|folder| is_safe(folder))
            .cloned()
            .collect();
        folders = if safe.is_empty() { folders } else { safe };
    }
    let folder = numbers.pick(&folders);
    let valid = numbers.pick(&folder.valid);
    let of = |kind, pass: &Pass, verdict, is_worth_a_fetch| {
        let rule = Rule::WithKey {
            kid: folder.kid.clone(),
            verdict,
            is_worth_a_fetch,
        };
        Question {
            kind,
            request: get(&pass.token),
            body: pass.claims.clone(),
            rule,
        }
    };
    match numbers.below(12) {
        0 => of("expired", &folder.expired, (401, "token_expired"), false),
        1 => of(
            "not yet valid",
            &folder.early,
            (401, "token_not_yet_valid"),
            true,
        ),
        2 => of(
            "wrong audience",
            &folder.wrong_audience,
            (401, "invalid_claims"),
            false,
        ),
        3 => of(
            "wrong issuer",
            &folder.wrong_issuer,
            (401, "invalid_claims"),
            false,
        ),
        4 => of(
            "no permission",
            &folder.powerless,
            (403, "insufficient_scope"),
            true,
        ),
        5 => of("forged", &folder.forged, (401, "invalid_header"), true),
        6 => of("altered", &folder.altered, (401, "invalid_header"), true),
        7 => Question {
            request: post(&valid.token),
            ..of("valid, with a body", valid, (200, ""), true)
        },
        _ => of("valid", valid, (200, ""), true),
    }
}

fn get(token: &str) -> Vec<u8> {
    format!("GET /api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

fn post(token: &str) -> Vec<u8> {
    let head = format!(
        "POST /api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 3000\r\n\r\n"
    );
    [head.as_bytes(), &[b'x'; 3000]].concat()
}
