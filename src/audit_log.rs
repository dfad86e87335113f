//! The audit log: one JSON object a line for each decision. Never a token, a signature, a name, a
//! mail address, a query string or a function key.

use crate::claims::UnverifiedClaims;
use crate::clock;
use crate::limits::MAX_QUOTED_CHARS;
use crate::log::Log;
use crate::rejection::{Rejection, clean};
use crate::settings::Audit;
use crate::token::UnverifiedToken;
use serde_json::{Map, Value, json};
use std::time::Duration;

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

/// What the log tells of a token, taken while the token is at hand.
pub type Facts = Option<Value>;

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
/// signature held.
pub fn facts(token: &UnverifiedToken, is_verified: bool) -> Facts {
    let claims = UnverifiedClaims::of(token.payload());
    let mut facts = Map::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            facts.insert(name.into(), clean(value, MAX_QUOTED_CHARS).into());
        }
    };
    add("kid", &token.kid().unwrap_or_default());
    add("aud", &claims.audiences().unwrap_or_default().join(" "));
    add("client", &claims.client().ok().flatten().unwrap_or_default());
    for name in ["iss", "tid", "oid", "sub"] {
        add(name, &claims.hint(name));
    }
    facts.insert("verified".into(), is_verified.into());
    Some(Value::Object(facts))
}

fn line(decision: Decision, facts: Facts, now: f64) -> String {
    let mut line = json!({
        "event": "decision",
        "time": clock::rfc3339(now),
        "decision": if decision.rejection.is_some() { "denied" } else { "accepted" },
        "status": decision.rejection.map_or(200, Rejection::status),
        "ms": (decision.took.as_secs_f64() * 1e5).round() / 1e2,
    });
    if let Some(line) = line.as_object_mut() {
        if let Some(rejection) = decision.rejection {
            line.insert("code".into(), rejection.code().as_str().into());
            line.insert("check".into(), decision.check.into());
        }
        if let Some(invocation) = decision.invocation {
            line.insert("invocation".into(), clean(invocation, MAX_QUOTED_CHARS).into());
        }
        if let Some(facts) = facts {
            line.insert("token".into(), facts);
        }
    }
    line.to_string()
}
