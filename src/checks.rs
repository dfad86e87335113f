//! The policy: every check that decides about a token, in the order in which they run. The
//! server stops at the first refusal; `handler check` walks on to the end. There is no other
//! path on which a token is accepted.

use crate::claims::{Claims, UnverifiedClaims, is_guid, same_id};
use crate::explain;
use crate::json::Object;
use crate::jwks::{Key, KeySet};
use crate::limits::{MAX_TOKEN_BYTES, RETRY_WITHOUT_KEYS};
use crate::rejection::{Rejection, quoted};
use crate::settings::Settings;
use crate::signature::{self, VerifiedToken};
use crate::token::{self, Decoded, Parts, UnverifiedToken};
use std::borrow::Cow;

/// One check: its name, the text that it enforces, and the function that runs it.
pub struct Check {
    /// As `handler check` and the audit log print it.
    pub name: &'static str,
    /// The RFC section or the Microsoft document that asks for it.
    pub source: &'static str,
    run: fn(&mut Case) -> Result<(), Rejection>,
}

/// The checks, in order. Total ones that cost little come first, then the key and the signature,
/// then the claims; the permission comes last, because only it answers 403.
pub const CHECKS: [Check; 20] = [
    Check { name: "size", source: "RFC 8725 section 3.11 (bounded input)", run: size },
    Check { name: "three parts", source: "RFC 7515 section 7.1", run: three_parts },
    Check { name: "base64url", source: "RFC 7515 section 2, RFC 4648 section 3.5", run: base64url },
    Check { name: "header", source: "RFC 7515 section 4, RFC 8725 section 2.4", run: header },
    Check { name: "payload", source: "RFC 7519 sections 4 and 7.2", run: payload },
    Check { name: "alg", source: "RFC 8725 sections 3.1 and 3.2", run: alg },
    Check { name: "crit", source: "RFC 7515 section 4.1.11", run: crit },
    Check { name: "extensions", source: "RFC 7797 section 6, RFC 7519 section 5.2", run: extensions },
    Check { name: "typ", source: "RFC 9068 section 4, RFC 8725 section 3.11", run: typ },
    Check { name: "key", source: "RFC 7517 section 4, RFC 7515 section 4.1.4", run: key },
    Check { name: "signature", source: "RFC 7518 section 3.3, RFC 7515 section 5.2", run: signature },
    Check {
        name: "iss",
        source: "RFC 7519 section 4.1.1, Secure applications and APIs by validating claims",
        run: issuer,
    },
    Check { name: "tid", source: "Secure applications and APIs by validating claims", run: tenant },
    Check { name: "key issuer", source: "Access tokens in the Microsoft identity platform", run: key_issuer },
    Check { name: "aud", source: "RFC 7519 section 4.1.3, RFC 9068 section 4", run: audience },
    Check { name: "exp", source: "RFC 7519 section 4.1.4", run: expiry },
    Check { name: "nbf", source: "RFC 7519 section 4.1.5", run: not_before },
    Check { name: "iat", source: "RFC 7519 section 4.1.6", run: issued_at },
    Check { name: "client", source: "Secure applications and APIs by validating claims", run: client },
    Check {
        name: "permission",
        source: "RFC 6750 section 3.1, Secure applications and APIs by validating claims",
        run: permission,
    },
];

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
    candidates: Vec<&'a Key>,
    explaining: bool,
    found: String,
}

enum Token<'a> {
    Unverified(UnverifiedToken<'a>),
    Verified(VerifiedToken<'a>),
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
pub fn decide(case: &mut Case) -> Result<Claims, Refusal> {
    for check in &CHECKS {
        (check.run)(case).map_err(|rejection| Refusal { check: check.name, rejection })?;
    }
    match case.token.take() {
        Some(Token::Verified(token)) => Ok(Claims::of(token)),
        _ => Err(Refusal { check: "signature", rejection: Rejection::NotReached }),
    }
}

/// Runs all checks, also those after a refusal as far as they have something to look at.
pub fn explain_all(case: &mut Case) -> Vec<Finding> {
    case.explaining = true;
    let mut run = |check: &Check| {
        case.found.clear();
        Finding { name: check.name, outcome: (check.run)(case).map(|()| std::mem::take(&mut case.found)) }
    };
    CHECKS.iter().map(&mut run).collect()
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
            candidates: Vec::new(),
            explaining: false,
            found: String::new(),
        }
    }

    /// Whether a fetch of the keys could still save a token with an unknown key: its issuer, its
    /// audience and its dates would be accepted if it were signed. Otherwise anybody could make
    /// the handler fetch.
    pub fn worth_a_fetch(&mut self) -> bool {
        [issuer, audience, expiry].iter().all(|check| check(self).is_ok())
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
        self.token().ok_or(Rejection::NotReached)
    }

    fn claims(&self) -> Result<UnverifiedClaims<'_>, Rejection> {
        Ok(UnverifiedClaims::of(self.read()?.payload()))
    }

    /// Notes what a passed check has found; costs nothing unless somebody asked.
    fn note(&mut self, found: impl FnOnce(&Self) -> String) {
        if self.explaining {
            self.found = found(self);
        }
    }
}

fn size(case: &mut Case) -> Result<(), Rejection> {
    token::check_size(case.text)?;
    case.note(|case| format!("{} bytes of at most {MAX_TOKEN_BYTES}", case.text.len()));
    Ok(())
}

fn three_parts(case: &mut Case) -> Result<(), Rejection> {
    case.parts = Some(Parts::split(case.text)?);
    case.note(|_| "header, payload and signature".into());
    Ok(())
}

fn base64url(case: &mut Case) -> Result<(), Rejection> {
    case.decoded = Some(case.parts.as_ref().ok_or(Rejection::NotReached)?.decode()?);
    case.note(|_| "canonical, without padding".into());
    Ok(())
}

fn header(case: &mut Case) -> Result<(), Rejection> {
    case.header = Some(case.decoded.as_mut().ok_or(Rejection::NotReached)?.read_header()?);
    case.note(|_| "a JSON object, no member twice".into());
    Ok(())
}

fn payload(case: &mut Case) -> Result<(), Rejection> {
    let payload = case.decoded.as_mut().ok_or(Rejection::NotReached)?.read_payload()?;
    let (Some(parts), Some(decoded), Some(header)) = (case.parts, case.decoded.take(), case.header.take()) else {
        return Err(Rejection::NotReached);
    };
    case.token = Some(Token::Unverified(UnverifiedToken::new(parts, decoded, header, payload)));
    case.note(|_| "a JSON object, no member twice".into());
    Ok(())
}

/// Exactly RS256, whatever the key set would allow: no other algorithm can then be confused with it.
fn alg(case: &mut Case) -> Result<(), Rejection> {
    let token = case.read()?;
    let found = token.header().get("alg").map(|alg| alg.string().unwrap_or("no string".into()).into_owned());
    if found.as_deref() != Some("RS256") {
        return Err(Rejection::WrongAlgorithm { found, hint: explain::algorithm(case.claims()?) });
    }
    case.note(|_| "RS256".into());
    Ok(())
}

/// No extension is understood, so none may be critical; an empty or malformed `crit` is no better.
fn crit(case: &mut Case) -> Result<(), Rejection> {
    if case.read()?.header().get("crit").is_some() {
        return Err(Rejection::CriticalHeader);
    }
    case.note(|_| "absent".into());
    Ok(())
}

/// Header parameters that change what the payload is. Embedded keys and key addresses (`jwk`,
/// `jku`, `x5u`, `x5c`) change nothing here: nobody reads them (RFC 8725 section 3.10).
fn extensions(case: &mut Case) -> Result<(), Rejection> {
    let header = case.read()?.header();
    if let Some(name) = ["b64", "zip", "cty"].into_iter().find(|name| header.get(name).is_some()) {
        return Err(Rejection::UnsupportedHeader { name });
    }
    case.note(|_| "no b64, zip or cty".into());
    Ok(())
}

/// RFC 7515 section 4.1.9: `application/` may be left out, letter case does not count. Entra writes
/// JWT; RFC 9068 writes at+jwt. Any other type is a token for another purpose.
fn typ(case: &mut Case) -> Result<(), Rejection> {
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
fn key(case: &mut Case) -> Result<(), Rejection> {
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

fn signature(case: &mut Case) -> Result<(), Rejection> {
    let keys: Vec<_> = case.candidates.iter().filter_map(|key| key.public_key().ok()).collect();
    if keys.is_empty() {
        return Err(Rejection::NotReached);
    }
    let Some(Token::Unverified(token)) = case.token.take() else { return Err(Rejection::NotReached) };
    let kid = token.kid().unwrap_or_default().into_owned();
    match signature::verify(token, &keys) {
        Ok((token, place)) => {
            case.token = Some(Token::Verified(token));
            // From here on, only the key that verified counts, however often the set lists it.
            let verified = keys.get(place).map(|key| key.components());
            case.candidates.retain(|key| key.public_key().ok().map(|key| key.components()) == verified);
            case.note(|_| format!("holds, with the key {}", quoted(&kid)));
            Ok(())
        }
        Err(token) => {
            let hint = explain::bad_signature(&token);
            case.token = Some(Token::Unverified(token));
            Err(Rejection::BadSignature { kid, hint })
        }
    }
}

/// Exactly one of the accepted issuers; `{tenantid}` in one stands for the token's own `tid`.
fn issuer(case: &mut Case) -> Result<(), Rejection> {
    let claims = case.claims()?;
    let found = claims.text("iss")?.ok_or(Rejection::ClaimMissing { name: "iss" })?.into_owned();
    let tid = claims.text("tid")?.filter(|tid| is_guid(tid));
    if !case.settings.issuers.iter().any(|issuer| fill(issuer, tid.as_deref()).is_some_and(|filled| filled == found)) {
        let accepted = explain::list(&case.settings.issuers);
        return Err(Rejection::WrongIssuer { hint: explain::issuer(&found, case.settings), found, accepted });
    }
    case.note(|_| quoted(&found));
    Ok(())
}

/// The template with `{tenantid}` filled in; None when it needs a tenant and there is none.
fn fill<'t>(template: &'t str, tid: Option<&str>) -> Option<Cow<'t, str>> {
    match (template.contains(TENANT_PLACEHOLDER), tid) {
        (false, _) => Some(Cow::Borrowed(template)),
        (true, Some(tid)) => Some(Cow::Owned(template.replace(TENANT_PLACEHOLDER, tid))),
        (true, None) => None,
    }
}

/// What Entra's metadata writes where the tenant's id belongs.
const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// `tid` is the GUID in `iss`, and a tenant that may call.
fn tenant(case: &mut Case) -> Result<(), Rejection> {
    let claims = case.claims()?;
    let issuer = claims.text("iss")?.unwrap_or_default();
    let Some(tid) = claims.text("tid")?.map(|tid| tid.into_owned()) else {
        if !case.settings.allowed_tenants.is_empty() {
            return Err(Rejection::ClaimMissing { name: "tid" });
        }
        case.note(|_| "absent".into());
        return Ok(());
    };
    let mut tenants = issuer.split(|char: char| !char.is_ascii_hexdigit() && char != '-').filter(|part| is_guid(part));
    if tenants.any(|tenant| !same_id(tenant, &tid)) {
        return Err(Rejection::WrongTenant { tid, issuer: issuer.into_owned() });
    }
    let allowed = &case.settings.allowed_tenants;
    if !allowed.is_empty() && !allowed.iter().any(|tenant| same_id(tenant, &tid)) {
        return Err(Rejection::TenantNotAllowed { tid });
    }
    case.note(|_| quoted(&tid));
    Ok(())
}

/// A key that names an issuer signs for that issuer only. Entra's keys name the v2.0 issuer, and
/// v1.0 tokens are signed with the same keys, so the v2.0 issuer of the token's tenant counts too.
fn key_issuer(case: &mut Case) -> Result<(), Rejection> {
    let first = *case.candidates.first().ok_or(Rejection::NotReached)?;
    let claims = case.claims()?;
    let issuer = claims.text("iss")?.unwrap_or_default();
    let tid = claims.text("tid")?.filter(|tid| is_guid(tid));
    let v2_issuer = tid.as_deref().map(|tid| case.settings.v2_issuer(tid));
    let may_sign = |key: &&Key| {
        let Some(template) = key.issuer() else { return true };
        fill(template, tid.as_deref()).is_some_and(|filled| filled == issuer || Some(&*filled) == v2_issuer.as_deref())
    };
    if !case.candidates.iter().any(may_sign) {
        let key_issuer = first.issuer().unwrap_or_default().to_owned();
        return Err(Rejection::WrongKeyIssuer { key_issuer, issuer: issuer.into_owned() });
    }
    case.note(|_| first.issuer().map_or("the key names no issuer".into(), quoted));
    Ok(())
}

fn audience(case: &mut Case) -> Result<(), Rejection> {
    let found = case.claims()?.audiences()?;
    if !found.iter().any(|audience| case.settings.audiences.iter().any(|accepted| accepted == audience)) {
        let hint = explain::audience(&found, &case.settings.audiences);
        return Err(Rejection::WrongAudience {
            found: explain::list(&found),
            accepted: explain::list(&case.settings.audiences),
            hint,
        });
    }
    let found = explain::list(&found);
    case.note(|_| found);
    Ok(())
}

/// RFC 7519 section 4.1.4: not accepted on or after the expiration time, with the leeway it allows.
fn expiry(case: &mut Case) -> Result<(), Rejection> {
    let at = case.claims()?.date("exp")?.ok_or(Rejection::ClaimMissing { name: "exp" })?;
    let (now, leeway) = (case.now, case.settings.clock_skew);
    if now >= at + leeway as f64 {
        return Err(Rejection::Expired { at, now, leeway });
    }
    case.note(|_| format!("{}, in {:.0} seconds", crate::clock::rfc3339(at), at - now));
    Ok(())
}

/// RFC 7519 section 4.1.5: not accepted before this time, with the leeway it allows.
fn not_before(case: &mut Case) -> Result<(), Rejection> {
    let Some(at) = case.claims()?.date("nbf")? else {
        case.note(|_| "absent".into());
        return Ok(());
    };
    let (now, leeway) = (case.now, case.settings.clock_skew);
    if now + (leeway as f64) < at {
        return Err(Rejection::NotYetValid { at, now, leeway });
    }
    case.note(|_| crate::clock::rfc3339(at));
    Ok(())
}

fn issued_at(case: &mut Case) -> Result<(), Rejection> {
    let at = case.claims()?.date("iat")?;
    case.note(|_| at.map_or("absent".into(), crate::clock::rfc3339));
    Ok(())
}

fn client(case: &mut Case) -> Result<(), Rejection> {
    let client = case.claims()?.client()?.map(|client| client.into_owned());
    let allowed = &case.settings.allowed_clients;
    if !allowed.is_empty() {
        let client = client.clone().ok_or(Rejection::ClaimMissing { name: "azp" })?;
        if !allowed.iter().any(|allowed| same_id(allowed, &client)) {
            return Err(Rejection::ClientNotAllowed { client });
        }
    }
    case.note(|_| client.as_deref().map_or("absent".into(), quoted));
    Ok(())
}

/// One required scope or role; with none required, any at all, unless the client was named: Entra
/// gives every application of the tenant a token without roles, and ID tokens look alike.
fn permission(case: &mut Case) -> Result<(), Rejection> {
    let (claims, settings) = (case.claims()?, case.settings);
    let (scopes, roles) = (claims.scopes()?, claims.roles()?);
    let has_scope = scopes.split(' ').any(|have| settings.required_scopes.iter().any(|need| need == have));
    let has_role = roles.iter().any(|have| settings.required_roles.contains(have));
    let found = explain::permissions(&scopes, &roles);
    if !settings.required_scopes.is_empty() || !settings.required_roles.is_empty() {
        if !has_scope && !has_role {
            return Err(Rejection::PermissionMissing {
                found,
                scopes: settings.required_scopes.clone(),
                roles: settings.required_roles.clone(),
                hint: explain::permission(claims),
            });
        }
    } else {
        let any = scopes.split(' ').any(|scope| !scope.is_empty()) || roles.iter().any(|role| !role.is_empty());
        if !any && settings.allowed_clients.is_empty() {
            return Err(Rejection::NoPermission { hint: explain::permission(claims) });
        }
    }
    case.note(|_| found);
    Ok(())
}
