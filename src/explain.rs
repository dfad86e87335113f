//! Hints that go into a description: what callers usually got wrong, in Entra's own terms. They
//! look at unverified values and decide nothing.

use crate::claims::{UnverifiedClaims, is_guid};
use crate::rejection::quoted;
use crate::settings::{Settings, V1_ISSUER_HOSTS};
use crate::token::UnverifiedToken;
use std::borrow::Cow;

/// Values for a description, each in quotes; long lists are cut.
pub fn list<S: AsRef<str>>(values: &[S]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = values.iter().take(SHOWN).map(|value| quoted(value.as_ref())).collect();
    if values.len() > SHOWN {
        shown.push(format!("{} more", values.len() - SHOWN));
    }
    match shown.is_empty() {
        true => "an empty list".into(),
        false => shown.join(" or "),
    }
}

/// The permissions that a token carries.
pub fn permissions(scopes: &str, roles: &[Cow<str>]) -> String {
    match (scopes.trim().is_empty(), roles.is_empty()) {
        (true, true) => "no delegated permission (scp) and no app role (roles)".into(),
        (false, true) => format!("the delegated permissions (scp) {}", quoted(scopes)),
        (true, false) => format!("the app roles (roles) {}", quoted(&roles.join(" "))),
        (false, false) => format!("scp {} and roles {}", quoted(scopes), quoted(&roles.join(" "))),
    }
}

/// Static Web Apps puts a token of its own, signed with HS256, in the place of the caller's.
pub fn algorithm(claims: UnverifiedClaims) -> &'static str {
    let issuer = claims.hint("iss");
    if issuer.ends_with(".scm.azurewebsites.net") || issuer.contains(".azurestaticapps.net") {
        return ". It is the token that Static Web Apps puts in the place of the caller's; call the function app at its own address";
    }
    ""
}

/// Why an issuer is not accepted.
pub fn issuer(found: &str, settings: &Settings) -> &'static str {
    let is_v1 = |issuer: &str| V1_ISSUER_HOSTS.iter().any(|host| issuer.starts_with(host));
    let hosts_equal = |accepted: &String| tenantless(accepted) == tenantless(found);
    if is_v1(found) && !settings.issuers.iter().any(|issuer| is_v1(issuer)) {
        return ". It is a v1.0 token: set requestedAccessTokenVersion to 2 in the API's app registration, or add its issuer to ISSUERS";
    }
    if settings.issuers.iter().any(hosts_equal) {
        return ". It is a token of another tenant: get one from the tenant of this API, or make the API multi-tenant (TENANT_ID)";
    }
    if found.contains("login.microsoftonline.") && !is_v1(found) && settings.issuers.iter().all(|issuer| is_v1(issuer))
    {
        return ". It is a v2.0 token: add its issuer to ISSUERS";
    }
    ""
}

/// An issuer with its GUIDs left out.
fn tenantless(issuer: &str) -> String {
    let is_id = |part: &&str| is_guid(part) || *part == "{tenantid}";
    issuer.split('/').map(|part| if is_id(&part) { "" } else { part }).collect::<Vec<_>>().join("/")
}

/// Why an audience is not accepted.
pub fn audience(found: &[impl AsRef<str>], accepted: &[String]) -> String {
    let named = |found: &str| match found.trim_end_matches('/') {
        "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => Some("Microsoft Graph"),
        "00000002-0000-0000-c000-000000000000" | "https://graph.windows.net" => Some("Azure AD Graph"),
        "https://management.azure.com"
        | "https://management.core.windows.net"
        | "797f4846-ba00-4fd7-ba43-dac1f8f63013" => Some("Azure Resource Manager"),
        _ => None,
    };
    if let Some(api) = found.iter().find_map(|found| named(found.as_ref())) {
        return format!(
            ". The token is for {api}: ask for a scope of this API instead, such as api://CLIENT-ID/.default"
        );
    }
    let pairs =
        || found.iter().flat_map(|found| accepted.iter().map(move |accepted| (found.as_ref(), accepted.as_str())));
    let bare = |audience: &str| audience.strip_prefix("api://").unwrap_or(audience).to_owned();
    let near = |test: &dyn Fn(&str, &str) -> bool| pairs().any(|(found, accepted)| test(found, accepted));
    let hint = if near(&|found, accepted| found.trim_end_matches('/') == accepted.trim_end_matches('/')) {
        ". They differ in a trailing slash only: set API_AUDIENCE to what the token carries"
    } else if near(&|found, accepted| accepted.strip_prefix(found).is_some_and(|rest| rest.starts_with('/'))) {
        ". API_AUDIENCE ends in a scope: leave the scope out, aud never has one"
    } else if near(&|found, accepted| found.strip_prefix(accepted).is_some_and(|rest| rest.starts_with('/'))) {
        ". The resource that the token was asked for ends in a scope or a path; ask for a scope of the accepted audience"
    } else if near(&|found, accepted| bare(found).eq_ignore_ascii_case(&bare(accepted))) {
        ". A v1.0 token carries the App ID URI (api://...), a v2.0 token the client id (a GUID): add the one that is found to API_AUDIENCE"
    } else {
        ""
    };
    hint.into()
}

/// Why a key may be missing from the key set.
pub fn unknown_key(token: &UnverifiedToken, settings: &Settings) -> String {
    let claims = UnverifiedClaims::of(token.payload());
    let issuer = claims.hint("iss");
    if !settings.issuers.iter().any(|accepted| tenantless(accepted) == tenantless(&issuer)) {
        return format!(
            ". The token says it is from {}, which is not accepted here: get it from {}",
            quoted(&issuer),
            list(&settings.issuers)
        );
    }
    ". A key that was published within the last minute may not be known here yet. If the application has a signing key of its own (claims mapping, custom signing key), set JWKS_URI to the key address with ?appid=CLIENT-ID".into()
}

/// Microsoft Graph signs tokens over a changed header, so that only Graph can verify them.
pub fn bad_signature(token: &UnverifiedToken) -> &'static str {
    match token.header().get("nonce") {
        Some(_) => {
            ". Its header has a nonce, as tokens for Microsoft Graph do, which nobody else can verify: ask for a scope of this API instead"
        }
        None => "",
    }
}

/// Why a token carries no permission that counts.
pub fn permission(claims: UnverifiedClaims, settings: &Settings) -> &'static str {
    let has = |name| claims.raw(name).is_some();
    if !has("scp")
        && !has("scope")
        && !has("roles")
        && (has("nonce") || has("at_hash") || has("c_hash") || !(has("azp") || has("appid")))
    {
        return ". It looks like an ID token: send the access token instead";
    }
    if claims.hint("idtyp") == "app" || (has("oid") && claims.hint("oid") == claims.hint("sub")) {
        return ". It is an app-only token: assign an app role of this API to the client application and grant admin consent";
    }
    if settings.required_scopes.is_empty() && !settings.required_roles.is_empty() {
        return ". Assign the app role to the user or to the client application, then ask for a new token";
    }
    ". Ask for a scope that this API exposes, and have it consented"
}
