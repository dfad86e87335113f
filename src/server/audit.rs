//! The audit log: one JSON object for each decision. Of a request it has identifiers only. It never
//! has a token, a signature, a name, a mail address, a path, a query string or a function key.

use super::log::Log;
use crate::clock;
use crate::policy::Rejection;
use crate::settings::Audit;
use crate::text::{MAX_QUOTED_CHARS, clean};
use crate::token::Unverified;
use std::fmt::Write;
use std::time::Duration;

/// Stands for a value that is no identifier; no identifier has brackets.
const WITHHELD: &str = "(withheld)";

/// Characters of the longest word of an identifier: SHA-256 in hexadecimal. The parts of tokens and
/// the signatures have more.
const MAX_WORD_CHARS: usize = 64;

/// Bytes that are reserved for an entry.
const ENTRY_BYTES: usize = 768;

/// Writes decisions as `AUDIT_LOG` asks.
#[derive(Clone, Debug)]
pub(super) struct AuditLog {
    level: Audit,
    log: Log,
}

/// A decision, as far as it is not in the token.
pub(super) struct Decision<'a> {
    /// How it was denied; None for an accepted token.
    pub(super) denied: Option<Denied>,
    /// Method and path of the route's pattern.
    pub(super) route: &'static str,
    /// The header with the Functions host's id of the invocation, as it came.
    pub(super) invocation: Option<&'a str>,
    /// Time since the request reached the loop.
    pub(super) took: Duration,
    /// The [`facts`] about the token, if it could be read.
    pub(super) facts: Option<String>,
}

/// The response to a request that was denied.
pub(super) struct Denied {
    pub(super) status: u16,
    pub(super) code: &'static str,
    /// The name of the check; empty when the token was good and there was no place.
    pub(super) check: &'static str,
}

impl Denied {
    /// There was no place for an accepted request.
    pub(super) const BUSY: Denied = Denied {
        status: 503,
        code: "busy",
        check: "",
    };

    pub(super) fn by(rejection: &Rejection) -> Denied {
        Denied {
            status: rejection.status(),
            code: rejection.code().as_str(),
            check: rejection.check,
        }
    }
}

impl AuditLog {
    pub(super) fn new(level: Audit, log: Log) -> AuditLog {
        AuditLog { level, log }
    }

    /// Whether accepted (true) or refused (false) requests are logged.
    pub(super) fn wants(&self, accepted: bool) -> bool {
        self.level == Audit::All || (self.level == Audit::Denied && !accepted)
    }

    /// Writes one entry, when the level asks for it.
    pub(super) fn decided(&self, decision: Decision) {
        if self.wants(decision.denied.is_none()) {
            self.log.out(entry(decision, clock::unix_now()));
        }
    }
}

/// The identifiers of the token and its caller, with a mark that says whether the signature held: a
/// JSON object.
pub(super) fn facts(token: &Unverified, is_verified: bool) -> String {
    let claims = token.claims();
    let mut facts = String::with_capacity(ENTRY_BYTES);
    let _ = write!(facts, "{{\"verified\":{is_verified}");
    let audiences = claims.audiences().unwrap_or_default();
    let audiences: Vec<&str> = audiences
        .iter()
        .map(|audience| identifier(audience))
        .collect();
    let client = claims.client().ok().flatten().unwrap_or_default();
    add(
        &mut facts,
        "kid",
        identifier(&token.kid().unwrap_or_default()),
    );
    add(&mut facts, "iss", identifier(&claims.text_or_empty("iss")));
    add(&mut facts, "aud", &audiences.join(" "));
    add(&mut facts, "tid", identifier(&claims.text_or_empty("tid")));
    add(&mut facts, "client", identifier(&client));
    // `oid` names a caller better than `sub`: across all APIs, and always as a GUID.
    let who = ["oid", "sub"].map(|name| (name, claims.text_or_empty(name)));
    if let Some((name, value)) = who.iter().find(|(_, value)| !value.is_empty()) {
        add(&mut facts, name, identifier(value));
    }
    // Entra's sign-in logs know the token by its `uti`.
    add(&mut facts, "uti", identifier(&claims.text_or_empty("uti")));
    facts.push('}');
    facts
}

/// The value, if it can be an identifier as issuers make them. Names and mail addresses have blanks or
/// `@`, and queries have `?`. Parts of tokens have long words, or begin like JSON in base64url.
fn identifier(value: &str) -> &str {
    let is_separator = |byte: &u8| matches!(byte, b'.' | b':' | b'/' | b'|' | b'~');
    let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_word = |word: &[u8]| {
        word.len() <= MAX_WORD_CHARS && !word.starts_with(b"eyJ") && word.iter().all(is_in_word)
    };
    if value.as_bytes().split(is_separator).all(is_word) {
        return value;
    }
    WITHHELD
}

/// The Functions host's id of the invocation. A host that forwards puts it behind an id that the
/// client sent under this name.
fn invocation(header: &str) -> Option<&str> {
    header.rsplit(',').next().map(str::trim).map(identifier)
}

fn entry(decision: Decision, now: f64) -> String {
    let denied = decision.denied.as_ref();
    let (verdict, status) = denied.map_or(("accepted", 200), |denied| ("denied", denied.status));
    let (time, ms) = (clock::rfc3339(now), decision.took.as_secs_f64() * 1e3);
    let mut entry = String::with_capacity(ENTRY_BYTES);
    let _ = write!(
        entry,
        "{{\"event\":\"decision\",\"time\":\"{time}\",\"decision\":\"{verdict}\",\"status\":{status},\"ms\":{ms:.2}"
    );
    if let Some(denied) = denied {
        add(&mut entry, "code", denied.code);
        add(&mut entry, "check", denied.check);
    }
    add(&mut entry, "route", decision.route);
    let invocation = decision.invocation.and_then(invocation);
    add(&mut entry, "invocation", invocation.unwrap_or_default());
    if let Some(facts) = decision.facts {
        let _ = write!(entry, ",\"token\":{facts}");
    }
    entry.push('}');
    entry
}

/// Adds a member, unless it is empty. A cleaned value has nothing that JSON would have to escape.
fn add(object: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let value = clean(value, MAX_QUOTED_CHARS);
        [",\"", name, "\":\"", &value, "\""]
            .iter()
            .for_each(|part| object.push_str(part));
    }
}
