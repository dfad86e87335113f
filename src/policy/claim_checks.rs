//! The checks of the claims.

use super::decide::{Case, Token};
use super::{Needs, Reason, hints};
use crate::keys::Key;
use crate::settings::{Issuer, TENANT_PLACEHOLDER, is_microsoft_issuer};
use crate::text::{GUID_LENGTH, is_guid, quoted_list, same_id};
use crate::token::{ClaimFault, UnverifiedClaims};
use std::borrow::Cow;

/// Exactly one of the accepted issuers; `{tenantid}` in one stands for the token's own `tid`. An
/// issuer that is written out comes before one that matches by a template.
pub(super) fn issuer(case: &mut Case) -> Result<(), Reason> {
    let claims = case.claims()?;
    let found = claims.issuer()?;
    let settings = case.context.settings;
    let is_written_out = |issuer: &&Issuer| issuer.pattern == *found && !issuer.is_template();
    let mut issuer = settings.issuers.iter().find(is_written_out);
    // A template must not speak for a tenant whose issuer is written out with keys of its own.
    let is_written_so = |issuer: &Issuer| issuer.pattern.eq_ignore_ascii_case(&found);
    let may_be_filled = || {
        let mut issuers = settings.issuers.iter();
        issuers.any(Issuer::is_template) && !settings.issuers.iter().any(is_written_so)
    };
    if issuer.is_none() && may_be_filled() {
        let tid = claims.text("tid")?.filter(|tid| is_guid(tid));
        let is_filled = |issuer: &&Issuer| {
            issuer.is_template() && is_filled(&issuer.pattern, tid.as_deref(), &found)
        };
        issuer = settings.issuers.iter().find(is_filled);
    }
    if issuer.is_none() {
        let accepted = settings.issuers.iter().map(|issuer| &issuer.pattern);
        return Err(Reason::WrongIssuer {
            hint: hints::issuer(&found, settings),
            accepted: quoted_list(&accepted.collect::<Vec<_>>()),
            found: found.into_owned(),
        });
    }
    case.issuer = issuer;
    Ok(())
}

/// Whether `value` is the template with `tid` in the place of `{tenantid}`. A template that needs a
/// tenant matches nothing where there is none.
fn is_filled(template: &str, tid: Option<&str>, value: &str) -> bool {
    let Some((before, after)) = template.split_once(TENANT_PLACEHOLDER) else {
        return template == value;
    };
    let rest = value.strip_prefix(before);
    let rest = rest.zip(tid).and_then(|(rest, tid)| rest.strip_prefix(tid));
    rest.is_some_and(|rest| is_filled(after, tid, rest))
}

/// `tid` is the GUID in `iss`, and a tenant that may call. At an issuer outside Microsoft's clouds
/// that is written out, `tid` may name something else, such as the federated tenant of a B2C user.
pub(super) fn tenant(case: &mut Case) -> Result<(), Reason> {
    let claims = case.claims()?;
    let allowed = &case.context.settings.allowed_tenants;
    let issuer = claims.issuer()?;
    let is_bound = case.issuer.is_none_or(Issuer::is_template) || is_microsoft_issuer(&issuer);
    if allowed.is_empty() && !is_bound {
        return Ok(());
    }
    let Some(tid) = claims.text("tid")? else {
        if allowed.is_empty() {
            return Ok(());
        }
        return Err(ClaimFault::Missing("tid").into());
    };
    if is_bound && guids(&issuer).any(|id| !same_id(id, &tid)) {
        return Err(Reason::WrongTenant {
            tid: tid.into_owned(),
            issuer: issuer.into_owned(),
        });
    }
    if !allowed.is_empty() && !allowed.iter().any(|tenant| same_id(tenant, &tid)) {
        let tid = tid.into_owned();
        return Err(Reason::TenantNotAllowed { tid });
    }
    Ok(())
}

/// The GUIDs in a text, wherever they stand.
fn guids(text: &str) -> impl Iterator<Item = &str> {
    let has_dash = move |at: &usize| text.as_bytes().get(at + 8) == Some(&b'-');
    let places = (0..text.len()).filter(has_dash);
    let parts = places.filter_map(move |at| text.get(at..at + GUID_LENGTH));
    parts.filter(|part| is_guid(part))
}

/// A key that names an issuer signs for that issuer only. Entra's keys name the v2.0 issuer, and the
/// same keys sign v1.0 tokens. So the v2.0 issuer of the tenant that such an `iss` names counts too.
pub(super) fn key_issuer(case: &mut Case) -> Result<(), Reason> {
    let Token::Verified(token) = &case.token else {
        return Err(Reason::NotReached);
    };
    let claims = token.token().claims();
    let found = claims.issuer()?;
    let tid = Some(claims.text_or_empty("tid")).filter(|tid| is_guid(tid));
    let tid = tid.as_deref();
    let is_named = |tid: &&str| guids(&found).any(|id| same_id(id, tid));
    let v2 = || {
        let tenant = tid.filter(is_named)?;
        case.context.settings.v2_issuer(&found, tenant)
    };
    // A set may list the key that verified more than once, for one issuer each.
    let is_it = |key: &&Key| key.public_key().is_ok_and(|key| **key == *token.key());
    let mut refused = None;
    for key in case.named.iter().filter(is_it) {
        let Some(template) = key.issuer() else {
            return Ok(());
        };
        let signs_for = |issuer: &str| is_filled(template, tid, issuer);
        if signs_for(&found) || v2().as_deref().is_some_and(signs_for) {
            return Ok(());
        }
        refused = refused.or(Some(template));
    }
    let template = refused.ok_or(Reason::NotReached)?;
    Err(Reason::WrongKeyIssuer {
        hint: hints::key_issuer(template, case.context.settings),
        key_issuer: template.to_owned(),
        issuer: found.into_owned(),
    })
}

/// RFC 7519 section 4.1.3: one of the token's audiences is this API. A GUID is compared in any
/// letter case, everything else exactly.
pub(super) fn audience(case: &mut Case) -> Result<(), Reason> {
    let found = case.claims()?.audiences()?;
    let accepted = &case.context.settings.audiences;
    if is_accepted(&found, accepted) {
        return Ok(());
    }
    Err(Reason::WrongAudience {
        found: quoted_list(&found),
        accepted: quoted_list(accepted),
        hint: hints::audience(&found, accepted),
    })
}

fn is_accepted(found: &[Cow<str>], accepted: &[String]) -> bool {
    let is_ours = |audience: &Cow<str>| accepted.iter().any(|accepted| same_id(accepted, audience));
    found.iter().any(is_ours)
}

impl Case<'_> {
    /// Whether a token with an unknown key would be accepted if its key were known, as far as issuer,
    /// audience and expiry tell. The others must not use up the one fetch that an unknown key causes.
    pub fn is_worth_a_fetch(&mut self) -> bool {
        let accepted = &self.context.settings.audiences;
        let audiences = self.claims().and_then(|claims| Ok(claims.audiences()?));
        let is_ours = audiences.is_ok_and(|found| is_accepted(&found, accepted));
        self.issuer.is_some() && is_ours && expiry(self).is_ok()
    }
}

/// RFC 7519 section 4.1.4: not accepted on or after the expiration time, with the leeway it allows.
pub(super) fn expiry(case: &mut Case) -> Result<(), Reason> {
    let at = case.claims()?.date("exp")?;
    let at = at.ok_or(ClaimFault::Missing("exp"))?;
    let (now, leeway) = (case.context.now, case.context.settings.clock_skew);
    if now >= at + leeway as f64 {
        return Err(Reason::Expired { at, now, leeway });
    }
    Ok(())
}

/// RFC 7519 section 4.1.5: not accepted before this time, with the leeway it allows.
pub(super) fn not_before(case: &mut Case) -> Result<(), Reason> {
    let at = case.claims()?.date("nbf")?;
    let (now, leeway) = (case.context.now, case.context.settings.clock_skew);
    match at {
        Some(at) if now + (leeway as f64) < at => Err(Reason::NotYetValid { at, now, leeway }),
        _ => Ok(()),
    }
}

/// RFC 7519 section 4.1.6: a number. How old a token may be is not limited: `exp` says it.
pub(super) fn issued_at(case: &mut Case) -> Result<(), Reason> {
    case.claims()?.date("iat")?;
    Ok(())
}

/// One of the client applications that may call, where the settings name them.
pub(super) fn client(case: &mut Case) -> Result<(), Reason> {
    let client = case.claims()?.client()?;
    let allowed = &case.context.settings.allowed_clients;
    if allowed.is_empty() {
        return Ok(());
    }
    let client = client.ok_or(ClaimFault::Missing("azp (or appid, client_id, cid)"))?;
    if allowed.iter().any(|allowed| same_id(allowed, &client)) {
        return Ok(());
    }
    let client = client.into_owned();
    Err(Reason::ClientNotAllowed { client })
}

/// A scope or a role that the settings require, and the permissions that the route needs.
pub(super) fn permission(case: &mut Case) -> Result<(), Reason> {
    let (claims, settings, needs) = (case.claims()?, case.context.settings, case.context.needs);
    let (scopes, roles) = (claims.scopes()?, claims.roles()?);
    let required = Wanted {
        scopes: settings
            .required_scopes
            .iter()
            .map(String::as_str)
            .collect(),
        roles: settings.required_roles.iter().map(String::as_str).collect(),
        all: false,
    };
    let needed = Wanted {
        scopes: needs.scopes().collect(),
        roles: needs.roles().collect(),
        all: matches!(needs, Needs::All(_)),
    };
    // Entra gives any program of the tenant a token without roles, and an ID token looks alike.
    let is_asked = !settings.allowed_clients.is_empty() || *needs != Needs::Token;
    if required.is_empty() && !is_asked && scopes.is_empty() && roles.is_empty() {
        let hint = hints::permission(claims, &[], &[]);
        return Err(Reason::NoPermission { hint });
    }
    if !required.is_empty() {
        required.check(claims, &scopes, &roles)?;
    }
    if *needs != Needs::Token {
        needed.check(claims, &scopes, &roles)?;
    }
    Ok(())
}

/// Permissions that somebody asks for: one of them suffices, or all are needed.
struct Wanted<'a> {
    scopes: Vec<&'a str>,
    roles: Vec<&'a str>,
    all: bool,
}

impl Wanted<'_> {
    fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.roles.is_empty()
    }

    fn check(
        &self,
        claims: UnverifiedClaims,
        scopes: &[Cow<str>],
        roles: &[Cow<str>],
    ) -> Result<(), Reason> {
        let without = |wanted: &[&str], have: &[Cow<str>]| -> Vec<String> {
            let missing = wanted
                .iter()
                .filter(|name| !have.iter().any(|have| have == **name));
            missing.map(|name| (*name).to_owned()).collect()
        };
        let missing = (without(&self.scopes, scopes), without(&self.roles, roles));
        let found = self.scopes.len() + self.roles.len() - missing.0.len() - missing.1.len();
        let is_met = if self.all {
            missing.0.is_empty() && missing.1.is_empty()
        } else {
            found > 0
        };
        if is_met {
            return Ok(());
        }
        Err(Reason::PermissionMissing {
            found: hints::permissions(scopes, roles),
            needed: hints::needed(&self.scopes, &self.roles, self.all),
            hint: hints::permission(claims, &missing.0, &missing.1),
            scopes: missing.0,
        })
    }
}
