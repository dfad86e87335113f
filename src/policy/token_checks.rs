//! The checks of the JOSE header, of the key and of the signature.

use super::decide::{Case, Token};
use super::{Reason, hints};
use crate::limits::RETRY_WITHOUT_KEYS;
use crate::token::{Unverified, verify};
use std::sync::Arc;

/// Exactly RS256, whatever the key set would allow: no other algorithm can then be confused with it.
pub(super) fn alg(token: &Unverified) -> Result<(), Reason> {
    let alg = token.header().get("alg");
    let found = alg.map(|alg| alg.string().unwrap_or("no string".into()));
    if found.as_deref() == Some("RS256") {
        return Ok(());
    }
    Err(Reason::WrongAlgorithm {
        found: found.map(|found| found.into_owned()),
        hint: hints::algorithm(token.claims()),
    })
}

/// No extension is understood, so none may be critical; an empty or malformed `crit` is no better.
pub(super) fn crit(token: &Unverified) -> Result<(), Reason> {
    match token.header().get("crit") {
        Some(_) => Err(Reason::CriticalHeader),
        None => Ok(()),
    }
}

/// Refuses header parameters that change what the payload is. Embedded keys and key addresses
/// (`jwk`, `jku`, `x5u`, `x5c`) change nothing: nobody reads them (RFC 8725 section 3.10).
pub(super) fn extensions(token: &Unverified) -> Result<(), Reason> {
    let is_there = |name: &&str| token.header().get(name).is_some();
    match ["b64", "zip", "cty"].into_iter().find(is_there) {
        Some(name) => Err(Reason::UnsupportedHeader { name }),
        None => Ok(()),
    }
}

/// RFC 7515 section 4.1.9: `application/` may be left out, letter case does not count. Entra writes
/// JWT; RFC 9068 writes at+jwt. Any other type is a token for another purpose.
pub(super) fn typ(token: &Unverified) -> Result<(), Reason> {
    let Some(typ) = token.header().get("typ") else {
        return Ok(());
    };
    let found = typ.string().unwrap_or("no string".into());
    let known = ["JWT", "at+jwt", "application/jwt", "application/at+jwt"];
    if known.iter().any(|typ| found.eq_ignore_ascii_case(typ)) {
        return Ok(());
    }
    Err(Reason::WrongType {
        found: found.into_owned(),
    })
}

/// Finds the keys that the `kid` names in the set of the issuer's source. At least one of them must
/// be able to verify RS256 signatures.
pub(super) fn key(case: &mut Case) -> Result<(), Reason> {
    let token = case.token()?;
    let kid = token.kid().ok_or(Reason::BadKeyId)?;
    let source = case.source().ok_or(Reason::NotReached)?;
    let Some(keys) = case.context.keys.of(source) else {
        let retry_after = RETRY_WITHOUT_KEYS.as_secs();
        return Err(Reason::KeysUnavailable { retry_after });
    };
    let named = keys.named(&kid);
    let Some(first) = named.first() else {
        let hint = hints::unknown_key(token);
        let kid = kid.into_owned();
        return Err(Reason::UnknownKey { kid, hint });
    };
    if let (Err(fault), true) = (
        first.public_key(),
        named.iter().all(|key| key.public_key().is_err()),
    ) {
        let kid = kid.into_owned();
        return Err(Reason::UnusableKey { kid, fault });
    }
    case.named = named;
    Ok(())
}

/// Verifies the signature with the keys that the check `key` has found. A cached token was verified
/// before: its key must be one of those still.
pub(super) fn signature(case: &mut Case) -> Result<(), Reason> {
    if case.named.is_empty() {
        return Err(Reason::NotReached);
    }
    let mut keys = case.named.iter().filter_map(|key| key.public_key().ok());
    let (token, is_verified) = match std::mem::replace(&mut case.token, Token::Unread) {
        Token::Unverified(token) => match verify(*token, keys) {
            Ok(token) => (Token::Verified(Arc::new(token)), true),
            Err(token) => (Token::Unverified(token), false),
        },
        Token::Cached(token) if keys.any(|key| **key == *token.key()) => {
            (Token::Verified(token), true)
        }
        other => (other, false),
    };
    case.token = token;
    if is_verified {
        return Ok(());
    }
    let token = case.token()?;
    Err(Reason::BadSignature {
        kid: token.kid().unwrap_or_default().into_owned(),
        hint: hints::bad_signature(token),
    })
}
