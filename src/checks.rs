//! The policy: every check that decides about a token, in the order in which they run. The
//! server stops at the first refusal; `handler check` walks on to the end. There is no other
//! path on which a token is accepted.

mod claims;
mod token;

use crate::claims::{Claims, UnverifiedClaims};
use crate::json::Object;
use crate::jwks::{Key, KeySet};
use crate::memory::{Digest, SignatureMemory};
use crate::rejection::Code::{
    self, InsufficientScope, InvalidClaims, InvalidHeader, KeysUnavailable, TokenExpired, TokenNotYetValid,
};
use crate::rejection::Rejection;
use crate::settings::Settings;
use crate::signature::VerifiedToken;
use crate::token::{Decoded, Parts, UnverifiedToken};

/// One check: its name, the text that it enforces, what it refuses with, and the function that runs it.
pub struct Check {
    /// As `handler check` and the audit log print it.
    pub name: &'static str,
    /// The RFC section or the Microsoft document that asks for it.
    pub source: &'static str,
    /// Every code with which it refuses, the usual one first.
    pub refuses_with: &'static [Code],
    run: fn(&mut Case) -> Result<String, Rejection>,
}

/// The checks, in order. Total ones that cost little come first, then the key and the signature,
/// then the claims; the permission comes last, because only it answers 403.
pub const CHECKS: [Check; 20] = [
    check("size", "RFC 8259 section 9 (limits of a parser)", &[InvalidHeader], token::size),
    check("three parts", "RFC 7515 section 7.1", &[InvalidHeader], token::three_parts),
    check("base64url", "RFC 7515 section 2, RFC 4648 section 3.5", &[InvalidHeader], token::base64url),
    check("header", "RFC 7515 section 4, RFC 8725 section 3.7", &[InvalidHeader], token::header),
    check("payload", "RFC 7519 section 4, RFC 8725 section 3.7", &[InvalidHeader], token::payload),
    check("alg", "RFC 8725 sections 3.1 and 3.2", &[InvalidHeader], token::alg),
    check("crit", "RFC 7515 section 4.1.11", &[InvalidHeader], token::crit),
    check(
        "extensions",
        "RFC 7797 section 6, RFC 7516 section 4.1.3, RFC 7519 section 5.2",
        &[InvalidHeader],
        token::extensions,
    ),
    check("typ", "RFC 9068 section 4, RFC 8725 section 3.11", &[InvalidHeader], token::typ),
    check("key", "RFC 7517 section 4, RFC 7515 section 4.1.4", &[InvalidHeader, KeysUnavailable], token::key),
    check("signature", "RFC 7518 section 3.3, RFC 7515 section 5.2", &[InvalidHeader], token::signature),
    check(
        "iss",
        "RFC 7519 section 4.1.1, Secure applications and APIs by validating claims",
        &[InvalidClaims],
        claims::issuer,
    ),
    check("tid", "Secure applications and APIs by validating claims", &[InvalidClaims], claims::tenant),
    check("key issuer", "Access tokens in the Microsoft identity platform", &[InvalidClaims], claims::key_issuer),
    check("aud", "RFC 7519 section 4.1.3, RFC 9068 section 4", &[InvalidClaims], claims::audience),
    check("exp", "RFC 7519 section 4.1.4", &[TokenExpired, InvalidClaims], claims::expiry),
    check("nbf", "RFC 7519 section 4.1.5", &[TokenNotYetValid, InvalidClaims], claims::not_before),
    check("iat", "RFC 7519 section 4.1.6", &[InvalidClaims], claims::issued_at),
    check("client", "Secure applications and APIs by validating claims", &[InvalidClaims], claims::client),
    check(
        "permission",
        "RFC 6750 section 3.1, Secure applications and APIs by validating claims",
        &[InsufficientScope, InvalidClaims],
        claims::permission,
    ),
];

/// One row of the table.
const fn check(
    name: &'static str,
    source: &'static str,
    refuses_with: &'static [Code],
    run: fn(&mut Case) -> Result<String, Rejection>,
) -> Check {
    Check { name, source, refuses_with, run }
}

/// What a decision is made from, and what the checks have found so far.
pub struct Case<'a> {
    settings: &'a Settings,
    keys: Option<&'a KeySet>,
    now: f64,
    text: &'a str,
    parts: Option<Parts<'a>>,
    decoded: Option<Decoded>,
    header: Option<Object>,
    token: Option<Token<'a>>,
    named: &'a [Key],
    memory: Option<&'a mut SignatureMemory>,
    proof: Option<Proof>,
    explaining: bool,
}

enum Token<'a> {
    Unverified(UnverifiedToken<'a>),
    Verified(VerifiedToken<'a>),
}

/// The key that verified the signature, and the digest by which a memory knows the token.
struct Proof {
    text: Option<Digest>,
    key: Digest,
}

/// A refusal: the check that refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The name of the check, empty when no check was reached.
    pub check: &'static str,
    /// The reason.
    pub rejection: Rejection,
}

/// What one check said, for `handler check`.
pub struct Finding {
    /// The name of the check.
    pub name: &'static str,
    /// Passed with what was found, or refused.
    pub outcome: Result<String, Rejection>,
}

/// Runs the checks to the first refusal.
pub fn decide<'a>(case: &mut Case<'a>) -> Result<Claims<'a>, Refusal> {
    for check in &CHECKS {
        (check.run)(case).map_err(|rejection| Refusal { check: check.name, rejection })?;
    }
    let Some(Token::Verified(token)) = case.token.take() else {
        return Err(Refusal { check: "signature", rejection: Rejection::NotReached });
    };
    if let (Some(memory), Some(Proof { text: Some(text), key })) = (&mut case.memory, &case.proof) {
        memory.remember(*text, *key);
    }
    Ok(Claims::of(token))
}

/// Runs all checks, also those after a refusal as far as they have something to look at.
pub fn explain_all(case: &mut Case) -> Vec<Finding> {
    case.explaining = true;
    CHECKS.iter().map(|check| Finding { name: check.name, outcome: (check.run)(case) }).collect()
}

impl<'a> Case<'a> {
    /// A token to be judged at the Unix time `now`, in seconds; `keys` is None while there is no
    /// usable key set.
    pub fn new(text: &'a str, settings: &'a Settings, keys: Option<&'a KeySet>, now: f64) -> Self {
        Case {
            settings,
            keys,
            now,
            text,
            parts: None,
            decoded: None,
            header: None,
            token: None,
            named: &[],
            memory: None,
            proof: None,
            explaining: false,
        }
    }

    /// Uses a memory of verified signatures, and adds this token to it once all checks have passed.
    pub fn with_memory(mut self, memory: &'a mut SignatureMemory) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Whether a fetch of the keys could still save a token with an unknown key: its issuer, its
    /// audience and its dates would be accepted if it were signed. Otherwise anybody could make
    /// the handler fetch.
    pub fn worth_a_fetch(&mut self) -> bool {
        [claims::issuer, claims::audience, claims::expiry].iter().all(|check| check(self).is_ok())
    }

    /// Whether the signature was found to hold.
    pub fn is_verified(&self) -> bool {
        matches!(self.token, Some(Token::Verified(_)))
    }

    /// The token as far as it was read: verified or not, as [`Case::is_verified`] says.
    pub fn token(&self) -> Option<&UnverifiedToken<'a>> {
        match self.token.as_ref()? {
            Token::Unverified(token) => Some(token),
            Token::Verified(token) => Some(token.token()),
        }
    }

    fn read(&self) -> Result<&UnverifiedToken<'a>, Rejection> {
        self.token().ok_or_else(|| Rejection::NotReached)
    }

    fn kid(&self) -> String {
        self.token().and_then(UnverifiedToken::kid).unwrap_or_default().into_owned()
    }

    fn claims(&self) -> Result<UnverifiedClaims<'_>, Rejection> {
        Ok(UnverifiedClaims::of(self.read()?.payload()))
    }

    /// The key that verified the signature, as often as the set lists it under this `kid`; all keys
    /// of the `kid` while none has.
    fn signing_keys(&self) -> impl Iterator<Item = &'a Key> {
        let verified = self.proof.as_ref().map(|proof| proof.key);
        let is_it =
            move |key: &&Key| verified.is_none_or(|digest| key.public_key().is_ok_and(|key| *key.digest() == digest));
        self.named.iter().filter(is_it)
    }

    /// What a passed check has found, in words; costs nothing unless somebody asked.
    fn found(&self, words: impl FnOnce() -> String) -> String {
        if self.explaining { words() } else { String::new() }
    }
}
