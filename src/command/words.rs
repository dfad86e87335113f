//! The findings of checks that passed, in words for a person.

use crate::clock::rfc3339;
use crate::limits::MAX_TOKEN_BYTES;
use crate::policy::Case;
use crate::text::{quoted, quoted_list};
use crate::token::UnverifiedClaims;

/// The finding of the check of this name.
pub(super) fn found(check: &str, case: &Case, text: &str, now: f64) -> String {
    const ABSENT: &str = "absent";
    let Ok(token) = case.token() else {
        return unread(check, text);
    };
    let claims = token.claims();
    let header = |name| token.header().get(name).and_then(|value| value.string());
    let kid = || quoted(&token.kid().unwrap_or_default());
    let date = |name| claims.date(name).ok().flatten();
    match check {
        "alg" => "RS256".into(),
        "crit" => ABSENT.into(),
        "extensions" => "no b64, zip or cty".into(),
        "typ" => header("typ").map_or(ABSENT.into(), |typ| quoted(&typ)),
        "key" => {
            let named = case.named_keys();
            let usable = named.iter().filter(|key| key.public_key().is_ok()).count();
            format!(
                "{usable} of {} keys that have the kid {}",
                named.len(),
                kid()
            )
        }
        "signature" => format!("holds, with the key {}", kid()),
        "key issuer" => {
            let issuers = case.named_keys().iter().filter_map(|key| key.issuer());
            let issuers: Vec<&str> = issuers.collect();
            if issuers.is_empty() {
                "the key names no issuer".into()
            } else {
                quoted_list(&issuers)
            }
        }
        "iss" => quoted(&claims.text_or_empty("iss")),
        "tid" => claims
            .raw("tid")
            .map_or(ABSENT.into(), |_| quoted(&claims.text_or_empty("tid"))),
        "aud" => quoted_list(&claims.audiences().unwrap_or_default()),
        "exp" => date("exp").map_or(ABSENT.into(), |at| {
            format!("{}, in {:.0} seconds", rfc3339(at), at - now)
        }),
        "nbf" | "iat" => {
            let name = if check == "nbf" { "nbf" } else { "iat" };
            date(name).map_or(ABSENT.into(), rfc3339)
        }
        "client" => client(claims).unwrap_or(ABSENT.into()),
        "permission" => permissions(claims),
        _ => unread(check, text),
    }
}

/// For the first checks, which look at the text.
fn unread(check: &str, text: &str) -> String {
    match check {
        "size" => format!("{} bytes of at most {MAX_TOKEN_BYTES}", text.len()),
        "three parts" => "header, payload and signature".into(),
        "base64url" => "canonical, without padding".into(),
        _ => "a JSON object, no member twice".into(),
    }
}

fn client(claims: UnverifiedClaims) -> Option<String> {
    Some(quoted(&claims.client().ok()??))
}

fn permissions(claims: UnverifiedClaims) -> String {
    let scopes = claims.scopes().unwrap_or_default();
    let roles = claims.roles().unwrap_or_default();
    crate::policy::permissions(&scopes, &roles)
}
