//! The checks on the claims.

use super::Case;
use crate::claims::{GUID_LENGTH, is_guid, same_id};
use crate::clock::rfc3339;
use crate::explain;
use crate::rejection::{Rejection, quoted};

/// Exactly one of the accepted issuers; `{tenantid}` in one stands for the token's own `tid`.
pub(super) fn issuer(case: &mut Case) -> Result<String, Rejection> {
    let claims = case.claims()?;
    let found = claims.text("iss")?.ok_or_else(|| Rejection::ClaimMissing { name: "iss" })?;
    let tid = claims.text("tid")?.filter(|tid| is_guid(tid));
    if !case.settings.issuers.iter().any(|issuer| is_filled(issuer, tid.as_deref(), &found)) {
        return Err(Rejection::WrongIssuer {
            accepted: explain::list(&case.settings.issuers),
            hint: explain::issuer(&found, case.settings),
            found: found.into_owned(),
        });
    }
    Ok(case.found(|| quoted(&found)))
}

/// What Entra's metadata writes where the tenant's id belongs.
const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// Whether `value` is the template with `tid` in the place of `{tenantid}`; a template that needs a
/// tenant matches nothing where there is none.
fn is_filled(template: &str, tid: Option<&str>, value: &str) -> bool {
    if !template.as_bytes().contains(&b'{') {
        return template == value;
    }
    match (template.split_once(TENANT_PLACEHOLDER), tid) {
        (None, _) => template == value,
        (Some(_), None) => false,
        (Some((before, after)), Some(id)) => {
            let rest = value.strip_prefix(before).and_then(|rest| rest.strip_prefix(id));
            rest.is_some_and(|rest| is_filled(after, tid, rest))
        }
    }
}

/// `tid` is the GUID in `iss`, and a tenant that may call.
pub(super) fn tenant(case: &mut Case) -> Result<String, Rejection> {
    let claims = case.claims()?;
    let allowed = &case.settings.allowed_tenants;
    let issuer = claims.text("iss")?.unwrap_or_default();
    let Some(tid) = claims.text("tid")? else {
        return match allowed.is_empty() {
            true => Ok(case.found(|| "absent".into())),
            false => Err(Rejection::ClaimMissing { name: "tid" }),
        };
    };
    let has_dash = |at: &usize| issuer.as_bytes().get(at + 8) == Some(&b'-');
    let places = (0..issuer.len()).filter(has_dash);
    let mut ids = places.filter_map(|at| issuer.get(at..at + GUID_LENGTH)).filter(|id| is_guid(id));
    if ids.any(|id| !same_id(id, &tid)) {
        return Err(Rejection::WrongTenant { tid: tid.into_owned(), issuer: issuer.into_owned() });
    }
    if !allowed.is_empty() && !allowed.iter().any(|tenant| same_id(tenant, &tid)) {
        return Err(Rejection::TenantNotAllowed { tid: tid.into_owned() });
    }
    Ok(case.found(|| quoted(&tid)))
}

/// A key that names an issuer signs for that issuer only. Entra's keys name the v2.0 issuer, and
/// v1.0 tokens are signed with the same keys, so the v2.0 issuer of the token's tenant counts too.
pub(super) fn key_issuer(case: &mut Case) -> Result<String, Rejection> {
    let claims = case.claims()?;
    let issuer = claims.text("iss")?.unwrap_or_default();
    let tid = claims.text("tid")?.filter(|tid| is_guid(tid));
    let tid = tid.as_deref();
    let mut named = None;
    for key in case.signing_keys() {
        let Some(template) = key.issuer() else {
            return Ok(case.found(|| "the key names no issuer".into()));
        };
        let is_v2 = || tid.is_some_and(|id| is_filled(template, tid, &case.settings.v2_issuer(id)));
        if is_filled(template, tid, &issuer) || is_v2() {
            return Ok(case.found(|| quoted(template)));
        }
        named = named.or(Some(template));
    }
    let key_issuer = named.ok_or(Rejection::NotReached)?.to_owned();
    Err(Rejection::WrongKeyIssuer { key_issuer, issuer: issuer.into_owned() })
}

pub(super) fn audience(case: &mut Case) -> Result<String, Rejection> {
    let found = case.claims()?.audiences()?;
    let accepted = &case.settings.audiences;
    if !found.iter().any(|audience| accepted.iter().any(|accepted| accepted == audience)) {
        return Err(Rejection::WrongAudience {
            found: explain::list(&found),
            accepted: explain::list(accepted),
            hint: explain::audience(&found, accepted),
        });
    }
    Ok(case.found(|| explain::list(&found)))
}

/// RFC 7519 section 4.1.4: not accepted on or after the expiration time, with the leeway it allows.
pub(super) fn expiry(case: &mut Case) -> Result<String, Rejection> {
    let at = case.claims()?.date("exp")?.ok_or_else(|| Rejection::ClaimMissing { name: "exp" })?;
    let (now, leeway) = (case.now, case.settings.clock_skew);
    if now >= at + leeway as f64 {
        return Err(Rejection::Expired { at, now, leeway });
    }
    Ok(case.found(|| format!("{}, in {:.0} seconds", rfc3339(at), at - now)))
}

/// RFC 7519 section 4.1.5: not accepted before this time, with the leeway it allows.
pub(super) fn not_before(case: &mut Case) -> Result<String, Rejection> {
    let at = case.claims()?.date("nbf")?;
    let (now, leeway) = (case.now, case.settings.clock_skew);
    match at {
        Some(at) if now + (leeway as f64) < at => Err(Rejection::NotYetValid { at, now, leeway }),
        _ => Ok(case.found(|| at.map_or("absent".into(), rfc3339))),
    }
}

pub(super) fn issued_at(case: &mut Case) -> Result<String, Rejection> {
    let at = case.claims()?.date("iat")?;
    Ok(case.found(|| at.map_or("absent".into(), rfc3339)))
}

pub(super) fn client(case: &mut Case) -> Result<String, Rejection> {
    let client = case.claims()?.client()?;
    let allowed = &case.settings.allowed_clients;
    if !allowed.is_empty() {
        let client = client.as_deref().ok_or_else(|| Rejection::ClaimMissing { name: "azp" })?;
        if !allowed.iter().any(|allowed| same_id(allowed, client)) {
            return Err(Rejection::ClientNotAllowed { client: client.to_owned() });
        }
    }
    Ok(case.found(|| client.as_deref().map_or("absent".into(), quoted)))
}

/// One required scope or role; with none required, any at all, unless the client was named: Entra
/// gives every application of the tenant a token without roles, and ID tokens look alike.
pub(super) fn permission(case: &mut Case) -> Result<String, Rejection> {
    let (claims, settings) = (case.claims()?, case.settings);
    let (scopes, roles) = (claims.scopes()?, claims.roles()?);
    if settings.required_scopes.is_empty() && settings.required_roles.is_empty() {
        let has_any = !scopes.trim_ascii().is_empty() || roles.iter().any(|role| !role.is_empty());
        if !has_any && settings.allowed_clients.is_empty() {
            return Err(Rejection::NoPermission { hint: explain::permission(claims, settings) });
        }
    } else {
        let has_scope = settings.required_scopes.iter().any(|need| scopes.split(' ').any(|scope| scope == need));
        let has_role = settings.required_roles.iter().any(|need| roles.iter().any(|role| role == need));
        if !has_scope && !has_role {
            return Err(Rejection::PermissionMissing {
                found: explain::permissions(&scopes, &roles),
                scopes: settings.required_scopes.clone(),
                roles: settings.required_roles.clone(),
                hint: explain::permission(claims, settings),
            });
        }
    }
    Ok(case.found(|| explain::permissions(&scopes, &roles)))
}
