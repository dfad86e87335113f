//! The audit log: one JSON object a line for each decision. Never a token, a signature, a name, a
//! mail address, a query string or a function key: of what came with the request, identifiers only.

use crate::claims::UnverifiedClaims;
use crate::clock;
use crate::limits::{AUDIT_LINE_BYTES, MAX_LOGGED_WORD, MAX_QUOTED_CHARS};
use crate::log::Log;
use crate::rejection::{Rejection, clean};
use crate::settings::Audit;
use crate::token::UnverifiedToken;
use std::fmt::Write;
use std::time::Duration;

/// Stands for a value that is no identifier; no identifier has brackets.
const WITHHELD: &str = "(withheld)";

/// Writes decisions as `AUDIT_LOG` asks.
#[derive(Clone, Debug)]
pub struct AuditLog {
    level: Audit,
    log: Log,
}

/// A decision, as far as it is not in the token.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// Why it was refused; None for an accepted token.
    pub rejection: Option<&'a Rejection>,
    /// The check that refused, `authorization` when the header did not carry one token; empty for an
    /// accepted token.
    pub check: &'a str,
    /// The header with the Functions host's id of the invocation, as it came.
    pub invocation: Option<&'a str>,
    /// Time since the request reached the loop.
    pub took: Duration,
}

/// What the log tells of a token, taken while the token is at hand: a JSON object.
pub type Facts = Option<String>;

impl AuditLog {
    /// A log at this level.
    pub fn new(level: Audit, log: Log) -> AuditLog {
        AuditLog { level, log }
    }

    /// Whether accepted (true) or refused (false) requests are logged.
    pub fn wants(&self, accepted: bool) -> bool {
        self.level == Audit::All || (self.level == Audit::Denied && !accepted)
    }

    /// Writes one line, when the level asks for it.
    pub fn decided(&self, decision: Decision, facts: Facts) {
        if self.wants(decision.rejection.is_none()) {
            self.log.out(line(decision, facts, clock::unix_now()));
        }
    }
}

/// What identifies the token and its caller, with a mark that says whether the signature held: a JSON
/// object.
pub fn facts(token: &UnverifiedToken, is_verified: bool) -> Facts {
    let claims = UnverifiedClaims::of(token.payload());
    let mut facts = String::with_capacity(AUDIT_LINE_BYTES);
    let _ = write!(facts, "{{\"verified\":{is_verified}");
    let audiences = claims.audiences().unwrap_or_default();
    let audiences: Vec<&str> = audiences.iter().map(|audience| identifier(audience)).collect();
    add(&mut facts, "kid", identifier(&token.kid().unwrap_or_default()));
    add(&mut facts, "iss", identifier(&claims.hint("iss")));
    add(&mut facts, "aud", &audiences.join(" "));
    add(&mut facts, "tid", identifier(&claims.hint("tid")));
    add(&mut facts, "client", identifier(&claims.client().ok().flatten().unwrap_or_default()));
    // What `sub` names, `oid` names better: across all APIs, and always as a GUID.
    let who = ["oid", "sub"].map(|name| (name, claims.hint(name))).into_iter().find(|(_, value)| !value.is_empty());
    if let Some((name, value)) = who {
        add(&mut facts, name, identifier(&value));
    }
    facts.push('}');
    Some(facts)
}

/// The value if it can be an identifier as issuers make them. What it could be otherwise: a name or a
/// mail address (they have blanks or `@`), a query (`?`), a part of a token or a signature (long words,
/// or the beginning of JSON in base64url), or bait for whoever reads the log.
fn identifier(value: &str) -> &str {
    let is_separator = |byte: &u8| matches!(byte, b'.' | b':' | b'/' | b'|' | b'~');
    let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_word =
        |word: &[u8]| word.len() <= MAX_LOGGED_WORD && !word.starts_with(b"eyJ") && word.iter().all(is_in_word);
    match value.as_bytes().split(is_separator).all(is_word) {
        true => value,
        false => WITHHELD,
    }
}

/// The Functions host's id of the invocation. It stands behind what the client sent under this name.
fn invocation(header: &str) -> Option<&str> {
    header.rsplit(',').next().map(str::trim).map(identifier)
}

fn line(decision: Decision, facts: Facts, now: f64) -> String {
    let mut line = String::with_capacity(AUDIT_LINE_BYTES);
    let rejection = decision.rejection;
    let (verdict, status) = rejection.map_or(("accepted", 200), |rejection| ("denied", rejection.status()));
    let ms = decision.took.as_secs_f64() * 1e3;
    let time = clock::rfc3339(now);
    let _ = write!(
        line,
        "{{\"event\":\"decision\",\"time\":\"{time}\",\"decision\":\"{verdict}\",\"status\":{status},\"ms\":{ms:.2}"
    );
    if let Some(rejection) = rejection {
        add(&mut line, "code", rejection.code().as_str());
        add(&mut line, "check", decision.check);
    }
    add(&mut line, "invocation", decision.invocation.and_then(invocation).unwrap_or_default());
    if let Some(facts) = facts {
        let _ = write!(line, ",\"token\":{facts}");
    }
    line.push('}');
    line
}

/// Adds a member, unless it is empty. A cleaned value has nothing that JSON would have to escape.
fn add(object: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        [",\"", name, "\":\"", &clean(value, MAX_QUOTED_CHARS), "\""].iter().for_each(|part| object.push_str(part));
    }
}
