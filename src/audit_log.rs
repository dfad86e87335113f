//! The audit log: one JSON object a line for each decision. Never a token, a signature, a name, a
//! mail address, a query string or a function key.

use crate::claims::UnverifiedClaims;
use crate::clock;
use crate::limits::MAX_QUOTED_CHARS;
use crate::log::Log;
use crate::rejection::{Rejection, clean};
use crate::settings::Audit;
use crate::token::UnverifiedToken;
use std::fmt::Write;
use std::time::Duration;

/// Bytes of a usual line, reserved at once.
const LINE_BYTES: usize = 768;

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
    /// The Functions host's id of the invocation, as it came; None when there is none.
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

/// The claims that identify a caller, capped and cleaned, with a mark that says whether the
/// signature held: a JSON object.
pub fn facts(token: &UnverifiedToken, is_verified: bool) -> Facts {
    let claims = UnverifiedClaims::of(token.payload());
    let mut facts = format!("{{\"verified\":{is_verified}");
    add(&mut facts, "kid", &token.kid().unwrap_or_default());
    add(&mut facts, "aud", &claims.audiences().unwrap_or_default().join(" "));
    add(&mut facts, "client", &claims.client().ok().flatten().unwrap_or_default());
    for name in ["iss", "tid", "oid", "sub"] {
        add(&mut facts, name, &claims.hint(name));
    }
    facts.push('}');
    Some(facts)
}

fn line(decision: Decision, facts: Facts, now: f64) -> String {
    let mut line = String::with_capacity(LINE_BYTES);
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
    add(&mut line, "invocation", decision.invocation.unwrap_or_default());
    if let Some(facts) = facts {
        let _ = write!(line, ",\"token\":{facts}");
    }
    line.push('}');
    line
}

/// Adds a member, unless it is empty. A cleaned value has nothing that JSON would have to escape.
fn add(object: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(object, ",\"{name}\":\"{}\"", clean(value, MAX_QUOTED_CHARS));
    }
}
