//! The checks on the token's form, its JOSE header, its key and its signature.

use super::{Case, Proof, Token};
use crate::explain;
use crate::limits::{MAX_TOKEN_BYTES, RETRY_WITHOUT_KEYS};
use crate::rejection::{Rejection, quoted};
use crate::signature;
use crate::token::{self, Parts, UnverifiedToken};

pub(super) fn size(case: &mut Case) -> Result<String, Rejection> {
    token::check_size(case.text)?;
    Ok(case.found(|| format!("{} bytes of at most {MAX_TOKEN_BYTES}", case.text.len())))
}

pub(super) fn three_parts(case: &mut Case) -> Result<String, Rejection> {
    case.parts = Some(Parts::split(case.text)?);
    Ok(case.found(|| "header, payload and signature".into()))
}

pub(super) fn base64url(case: &mut Case) -> Result<String, Rejection> {
    case.decoded = Some(case.parts.as_ref().ok_or_else(|| Rejection::NotReached)?.decode()?);
    Ok(case.found(|| "canonical, without padding".into()))
}

pub(super) fn header(case: &mut Case) -> Result<String, Rejection> {
    case.header = Some(case.decoded.as_mut().ok_or_else(|| Rejection::NotReached)?.read_header()?);
    Ok(case.found(|| "a JSON object, no member twice".into()))
}

pub(super) fn payload(case: &mut Case) -> Result<String, Rejection> {
    let payload = case.decoded.as_mut().ok_or_else(|| Rejection::NotReached)?.read_payload()?;
    let (Some(parts), Some(decoded), Some(header)) = (case.parts, case.decoded.take(), case.header.take()) else {
        return Err(Rejection::NotReached);
    };
    case.token = Some(Token::Unverified(UnverifiedToken::new(parts, decoded, header, payload)));
    Ok(case.found(|| "a JSON object, no member twice".into()))
}

/// Exactly RS256, whatever the key set would allow: no other algorithm can then be confused with it.
pub(super) fn alg(case: &mut Case) -> Result<String, Rejection> {
    let found = case.read()?.header().get("alg").map(|alg| alg.string().unwrap_or("no string".into()));
    match found.as_deref() {
        Some("RS256") => Ok(case.found(|| "RS256".into())),
        found => {
            let found = found.map(str::to_owned);
            Err(Rejection::WrongAlgorithm { found, hint: explain::algorithm(case.claims()?) })
        }
    }
}

/// No extension is understood, so none may be critical; an empty or malformed `crit` is no better.
pub(super) fn crit(case: &mut Case) -> Result<String, Rejection> {
    match case.read()?.header().get("crit") {
        Some(_) => Err(Rejection::CriticalHeader),
        None => Ok(case.found(|| "absent".into())),
    }
}

/// Header parameters that change what the payload is. Embedded keys and key addresses (`jwk`,
/// `jku`, `x5u`, `x5c`) change nothing here: nobody reads them (RFC 8725 section 3.10).
pub(super) fn extensions(case: &mut Case) -> Result<String, Rejection> {
    let header = case.read()?.header();
    match ["b64", "zip", "cty"].into_iter().find(|name| header.get(name).is_some()) {
        Some(name) => Err(Rejection::UnsupportedHeader { name }),
        None => Ok(case.found(|| "no b64, zip or cty".into())),
    }
}

/// RFC 7515 section 4.1.9: `application/` may be left out, letter case does not count. Entra writes
/// JWT; RFC 9068 writes at+jwt. Any other type is a token for another purpose.
pub(super) fn typ(case: &mut Case) -> Result<String, Rejection> {
    let Some(typ) = case.read()?.header().get("typ") else {
        return Ok(case.found(|| "absent".into()));
    };
    let found = typ.string().ok_or_else(|| Rejection::WrongType { found: "no string".into() })?;
    match ["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| found.eq_ignore_ascii_case(known)) {
        true => Ok(case.found(|| quoted(&found))),
        false => Err(Rejection::WrongType { found: found.into_owned() }),
    }
}

/// The keys that the `kid` names; among them only those that may verify RS256 signatures.
pub(super) fn key(case: &mut Case) -> Result<String, Rejection> {
    let token = case.read()?;
    let kid = token.kid().ok_or_else(|| Rejection::BadKeyId)?;
    let Some(keys) = case.keys else {
        return Err(Rejection::KeysUnavailable { retry_after: RETRY_WITHOUT_KEYS.as_secs() });
    };
    let named = keys.named(&kid);
    if named.is_empty() {
        let hint = explain::unknown_key(token, case.settings);
        return Err(Rejection::UnknownKey { kid: kid.into_owned(), hint });
    }
    let mut usable = 0;
    let mut unusable = None;
    for key in named {
        match key.public_key() {
            Ok(_) => usable += 1,
            Err(reason) => unusable = unusable.or(Some(reason)),
        }
    }
    if let (0, Some(reason)) = (usable, unusable) {
        return Err(Rejection::UnusableKey { kid: kid.into_owned(), reason });
    }
    let found = case.found(|| format!("{usable} of {} keys that have the kid {}", named.len(), quoted(&kid)));
    case.named = named;
    Ok(found)
}

pub(super) fn signature(case: &mut Case) -> Result<String, Rejection> {
    let keys = case.named.iter().filter_map(|key| key.public_key().ok());
    if case.named.is_empty() {
        return Err(Rejection::NotReached);
    }
    let Some(Token::Unverified(token)) = case.token.take() else { return Err(Rejection::NotReached) };
    let text = case.memory.is_some().then(|| signature::sha256(&[case.text.as_bytes()]));
    match signature::verify(token, keys, case.memory.as_deref().zip(text.as_ref())) {
        Ok((token, key)) => {
            case.token = Some(Token::Verified(token));
            case.proof = Some(Proof { text, key });
            Ok(case.found(|| format!("holds, with the key {}", quoted(&case.kid()))))
        }
        Err(token) => {
            let hint = explain::bad_signature(&token);
            case.token = Some(Token::Unverified(token));
            Err(Rejection::BadSignature { kid: case.kid(), hint })
        }
    }
}
