//! The checks on the claims.

use super::Case;
use crate::claims::{is_guid, same_id};
use crate::clock::rfc3339;
use crate::explain;
use crate::jwks::Key;
use crate::rejection::{Rejection, quoted};
use std::borrow::Cow;

/// Exactly one of the accepted issuers; `{tenantid}` in one stands for the token's own `tid`.
pub(super) fn issuer(case: &mut Case) -> Result<(), Rejection> {
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
pub(super) fn tenant(case: &mut Case) -> Result<(), Rejection> {
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
pub(super) fn key_issuer(case: &mut Case) -> Result<(), Rejection> {
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

pub(super) fn audience(case: &mut Case) -> Result<(), Rejection> {
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
pub(super) fn expiry(case: &mut Case) -> Result<(), Rejection> {
    let at = case.claims()?.date("exp")?.ok_or(Rejection::ClaimMissing { name: "exp" })?;
    let (now, leeway) = (case.now, case.settings.clock_skew);
    if now >= at + leeway as f64 {
        return Err(Rejection::Expired { at, now, leeway });
    }
    case.note(|_| format!("{}, in {:.0} seconds", rfc3339(at), at - now));
    Ok(())
}

/// RFC 7519 section 4.1.5: not accepted before this time, with the leeway it allows.
pub(super) fn not_before(case: &mut Case) -> Result<(), Rejection> {
    let Some(at) = case.claims()?.date("nbf")? else {
        case.note(|_| "absent".into());
        return Ok(());
    };
    let (now, leeway) = (case.now, case.settings.clock_skew);
    if now + (leeway as f64) < at {
        return Err(Rejection::NotYetValid { at, now, leeway });
    }
    case.note(|_| rfc3339(at));
    Ok(())
}

pub(super) fn issued_at(case: &mut Case) -> Result<(), Rejection> {
    let at = case.claims()?.date("iat")?;
    case.note(|_| at.map_or("absent".into(), rfc3339));
    Ok(())
}

pub(super) fn client(case: &mut Case) -> Result<(), Rejection> {
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
pub(super) fn permission(case: &mut Case) -> Result<(), Rejection> {
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
