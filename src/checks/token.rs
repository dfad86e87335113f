//! The checks on the token's form, its JOSE header, its key and its signature.

use super::{Case, Proof, Token};
use crate::explain;
use crate::jwks::Key;
use crate::limits::{MAX_TOKEN_BYTES, RETRY_WITHOUT_KEYS};
use crate::rejection::{Rejection, quoted};
use crate::signature;
use crate::token::{self, Parts, UnverifiedToken};

pub(super) fn size(case: &mut Case) -> Result<(), Rejection> {
    token::check_size(case.text)?;
    case.note(|case| format!("{} bytes of at most {MAX_TOKEN_BYTES}", case.text.len()));
    Ok(())
}

pub(super) fn three_parts(case: &mut Case) -> Result<(), Rejection> {
    case.parts = Some(Parts::split(case.text)?);
    case.note(|_| "header, payload and signature".into());
    Ok(())
}

pub(super) fn base64url(case: &mut Case) -> Result<(), Rejection> {
    case.decoded = Some(case.parts.as_ref().ok_or(Rejection::NotReached)?.decode()?);
    case.note(|_| "canonical, without padding".into());
    Ok(())
}

pub(super) fn header(case: &mut Case) -> Result<(), Rejection> {
    case.header = Some(case.decoded.as_mut().ok_or(Rejection::NotReached)?.read_header()?);
    case.note(|_| "a JSON object, no member twice".into());
    Ok(())
}

pub(super) fn payload(case: &mut Case) -> Result<(), Rejection> {
    let payload = case.decoded.as_mut().ok_or(Rejection::NotReached)?.read_payload()?;
    let (Some(parts), Some(decoded), Some(header)) = (case.parts, case.decoded.take(), case.header.take()) else {
        return Err(Rejection::NotReached);
    };
    case.token = Some(Token::Unverified(UnverifiedToken::new(parts, decoded, header, payload)));
    case.note(|_| "a JSON object, no member twice".into());
    Ok(())
}

/// Exactly RS256, whatever the key set would allow: no other algorithm can then be confused with it.
pub(super) fn alg(case: &mut Case) -> Result<(), Rejection> {
    let token = case.read()?;
    let found = token.header().get("alg").map(|alg| alg.string().unwrap_or("no string".into()).into_owned());
    if found.as_deref() != Some("RS256") {
        return Err(Rejection::WrongAlgorithm { found, hint: explain::algorithm(case.claims()?) });
    }
    case.note(|_| "RS256".into());
    Ok(())
}

/// No extension is understood, so none may be critical; an empty or malformed `crit` is no better.
pub(super) fn crit(case: &mut Case) -> Result<(), Rejection> {
    if case.read()?.header().get("crit").is_some() {
        return Err(Rejection::CriticalHeader);
    }
    case.note(|_| "absent".into());
    Ok(())
}

/// Header parameters that change what the payload is. Embedded keys and key addresses (`jwk`,
/// `jku`, `x5u`, `x5c`) change nothing here: nobody reads them (RFC 8725 section 3.10).
pub(super) fn extensions(case: &mut Case) -> Result<(), Rejection> {
    let header = case.read()?.header();
    if let Some(name) = ["b64", "zip", "cty"].into_iter().find(|name| header.get(name).is_some()) {
        return Err(Rejection::UnsupportedHeader { name });
    }
    case.note(|_| "no b64, zip or cty".into());
    Ok(())
}

/// RFC 7515 section 4.1.9: `application/` may be left out, letter case does not count. Entra writes
/// JWT; RFC 9068 writes at+jwt. Any other type is a token for another purpose.
pub(super) fn typ(case: &mut Case) -> Result<(), Rejection> {
    let Some(typ) = case.read()?.header().get("typ") else {
        case.note(|_| "absent".into());
        return Ok(());
    };
    let found = typ.string().unwrap_or("no string".into()).into_owned();
    let known = ["JWT", "at+jwt", "application/at+jwt"];
    if typ.string().is_none() || !known.iter().any(|known| found.eq_ignore_ascii_case(known)) {
        return Err(Rejection::WrongType { found });
    }
    case.note(|_| quoted(&found));
    Ok(())
}

/// The keys that the `kid` names; among them only those that may verify RS256 signatures.
pub(super) fn key(case: &mut Case) -> Result<(), Rejection> {
    let token = case.read()?;
    let kid = token.kid().ok_or(Rejection::BadKeyId)?.into_owned();
    let Some(keys) = case.keys else {
        return Err(Rejection::KeysUnavailable { retry_after: RETRY_WITHOUT_KEYS.as_secs() });
    };
    let named = keys.named(&kid);
    let usable: Vec<&Key> = named.iter().filter(|key| key.public_key().is_ok()).collect();
    if usable.is_empty() {
        let unusable = named.iter().find_map(|key| key.public_key().err());
        return Err(match unusable {
            Some(reason) => Rejection::UnusableKey { kid, reason },
            None => Rejection::UnknownKey { kid, hint: explain::unknown_key(token, case.settings) },
        });
    }
    case.candidates = usable;
    case.note(|case| format!("{} of {} keys that have the kid {}", case.candidates.len(), named.len(), quoted(&kid)));
    Ok(())
}

pub(super) fn signature(case: &mut Case) -> Result<(), Rejection> {
    let keys: Vec<_> = case.candidates.iter().filter_map(|key| key.public_key().ok()).collect();
    if keys.is_empty() {
        return Err(Rejection::NotReached);
    }
    let Some(Token::Unverified(token)) = case.token.take() else { return Err(Rejection::NotReached) };
    let text = case.memory.is_some().then(|| signature::sha256(&[case.text.as_bytes()]));
    match signature::verify(token, &keys, case.memory.as_deref().zip(text.as_ref())) {
        Ok((token, key)) => {
            case.token = Some(Token::Verified(token));
            case.proof = text.map(|text| Proof { text, key });
            // From here on, only the key that verified counts, however often the set lists it.
            case.candidates.retain(|candidate| candidate.public_key().is_ok_and(|public| *public.digest() == key));
            case.note(|case| format!("holds, with the key {}", quoted(&case.kid())));
            Ok(())
        }
        Err(token) => {
            let hint = explain::bad_signature(&token);
            case.token = Some(Token::Unverified(token));
            Err(Rejection::BadSignature { kid: case.kid(), hint })
        }
    }
}
