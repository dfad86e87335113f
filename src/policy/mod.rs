//! The policy: every check that decides about a token, in the order in which they run. The server
//! stops at the first refusal; `handler check` walks on to the end. No other path accepts a token.

mod claim_checks;
mod decide;
mod hints;
mod needs;
mod reason;
mod token_checks;

pub use decide::{Case, Claims, Context, Outcome, decide, walk};
pub use hints::{permissions, unreadable};
pub use needs::{Needs, Permission};
pub use reason::{Code, Reason, Rejection};

use crate::limits::{MAX_CLOCK_SKEW_SECONDS, MAX_JSON_DEPTH, MAX_KID_BYTES, MAX_TOKEN_BYTES};
use crate::token::Unverified;
use Code::{
    InsufficientScope, InvalidClaims, InvalidHeader, KeysUnavailable, TokenExpired,
    TokenNotYetValid,
};

/// One check: a row of the table.
pub struct Check {
    /// The name, as `handler check` and the audit log print it.
    pub name: &'static str,
    /// The RFC section or the Microsoft document that asks for it.
    pub source: &'static str,
    /// Every code with which it refuses, the usual one first.
    pub refuses_with: &'static [Code],
    /// The largest value that it lets through, with its unit, where it enforces one.
    pub limit: Option<(usize, &'static str)>,
    run: Run,
}

/// How a check is run.
enum Run {
    /// As a step of [`Unverified::read`], which names the step at which it stopped.
    Reading,
    /// On the text alone. A cached token has passed it, and its text says the same for ever.
    Text(fn(&Unverified) -> Result<(), Reason>),
    /// On every request, for it depends on the settings, the keys, the route or the clock.
    Request(fn(&mut Case) -> Result<(), Reason>),
}

/// The Microsoft document that most claims are checked by.
const CLAIMS: &str = "Secure applications and APIs by validating claims";

/// The checks, in order. Those of the text come first, then the issuer, which picks the keys, then
/// key and signature, then the claims. The permission comes last, because only it answers 403.
#[rustfmt::skip]
pub const CHECKS: [Check; 20] = [
    row("size", "RFC 8259 section 9 (limits of a parser)", &[InvalidHeader], Run::Reading).at_most(MAX_TOKEN_BYTES, "bytes"),
    row("three parts", "RFC 7515 section 7.1", &[InvalidHeader], Run::Reading),
    row("base64url", "RFC 7515 section 2, RFC 4648 section 3.5", &[InvalidHeader], Run::Reading),
    row("header", "RFC 7515 section 4, RFC 8725 section 3.7", &[InvalidHeader], Run::Reading).at_most(MAX_JSON_DEPTH, "levels"),
    row("payload", "RFC 7519 section 4, RFC 8725 section 3.7", &[InvalidHeader], Run::Reading).at_most(MAX_JSON_DEPTH, "levels"),
    row("alg", "RFC 8725 sections 3.1 and 3.2", &[InvalidHeader], Run::Text(token_checks::alg)),
    row("crit", "RFC 7515 section 4.1.11", &[InvalidHeader], Run::Text(token_checks::crit)),
    row("extensions", "RFC 7797 section 6, RFC 7516 section 4.1.3, RFC 7519 section 5.2", &[InvalidHeader], Run::Text(token_checks::extensions)),
    row("typ", "RFC 9068 section 4, RFC 8725 section 3.11", &[InvalidHeader], Run::Text(token_checks::typ)),
    row("iss", "RFC 7519 section 4.1.1, RFC 8725 section 3.8", &[InvalidClaims], Run::Request(claim_checks::issuer)),
    row("key", "RFC 7517 section 4, RFC 7515 section 4.1.4", &[InvalidHeader, KeysUnavailable], Run::Request(token_checks::key)).at_most(MAX_KID_BYTES, "bytes of kid"),
    row("signature", "RFC 7518 section 3.3, RFC 7515 section 5.2", &[InvalidHeader], Run::Request(token_checks::signature)),
    row("tid", CLAIMS, &[InvalidClaims], Run::Request(claim_checks::tenant)),
    row("key issuer", "Access tokens in the Microsoft identity platform", &[InvalidClaims], Run::Request(claim_checks::key_issuer)),
    row("aud", "RFC 7519 section 4.1.3, RFC 9068 section 4", &[InvalidClaims], Run::Request(claim_checks::audience)),
    row("exp", "RFC 7519 section 4.1.4", &[TokenExpired, InvalidClaims], Run::Request(claim_checks::expiry)).at_most(MAX_CLOCK_SKEW_SECONDS as usize, "seconds of leeway"),
    row("nbf", "RFC 7519 section 4.1.5", &[TokenNotYetValid, InvalidClaims], Run::Request(claim_checks::not_before)).at_most(MAX_CLOCK_SKEW_SECONDS as usize, "seconds of leeway"),
    row("iat", "RFC 7519 section 4.1.6", &[InvalidClaims], Run::Request(claim_checks::issued_at)),
    row("client", CLAIMS, &[InvalidClaims], Run::Request(claim_checks::client)),
    row("permission", "RFC 6750 section 3.1, Secure applications and APIs by validating claims", &[InsufficientScope, InvalidClaims], Run::Request(claim_checks::permission)),
];

const fn row(
    name: &'static str,
    source: &'static str,
    refuses_with: &'static [Code],
    run: Run,
) -> Check {
    Check {
        name,
        source,
        refuses_with,
        limit: None,
        run,
    }
}

impl Check {
    const fn at_most(self, limit: usize, unit: &'static str) -> Check {
        Check {
            limit: Some((limit, unit)),
            ..self
        }
    }
}
