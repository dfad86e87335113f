//! Hints that go into a description: the usual mistakes of callers, in Entra's own terms. They look
//! at unverified values and decide nothing. Each begins with a full stop, or is empty.

use crate::settings::{
    CLOUDS, SCOPE_ENDINGS, Settings, TENANT_PLACEHOLDER, is_microsoft_issuer, is_v1_issuer,
    is_v2_issuer,
};
use crate::text::{is_guid, quoted, quoted_list_with};
use crate::token::{Unverified, UnverifiedClaims};
use std::borrow::Cow;

/// Why a text is no token: how it was cut, quoted or wrapped on its way.
pub fn unreadable(text: &str) -> &'static str {
    if text.starts_with("{{")
        || text.starts_with('$')
        || matches!(text, "undefined" | "null" | "None")
    {
        return ". It is a variable without its value: fill it in before the request is sent";
    }
    if text.starts_with(['{', '[']) {
        return ". It is JSON, perhaps the whole response of a token endpoint: send the value of access_token alone";
    }
    if text.starts_with(['"', '\'']) {
        return ". It stands in quotation marks: send it without them (az prints it without when called with -o tsv)";
    }
    if text
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("bearer "))
    {
        return ". The word Bearer stands there twice: write it once";
    }
    if text.contains("...") || text.contains('…') {
        return ". It was shortened when it was shown: copy the whole token";
    }
    if !text.contains(['.', ' ']) {
        return ". A token without dots is opaque, meant for its issuer alone: ask for an access token of this API";
    }
    ""
}

/// Why an algorithm is another.
pub(super) fn algorithm(claims: UnverifiedClaims) -> &'static str {
    if is_static_web_app(&claims.text_or_empty("iss")) {
        return STATIC_WEB_APP;
    }
    ""
}

const STATIC_WEB_APP: &str = ". It is the token that Static Web Apps puts in the place of the caller's; call the function app at its own address";

fn is_static_web_app(issuer: &str) -> bool {
    issuer.ends_with(".scm.azurewebsites.net") || issuer.contains(".azurestaticapps.net")
}

/// Why an issuer is not accepted.
pub(super) fn issuer(found: &str, settings: &Settings) -> &'static str {
    if is_static_web_app(found) {
        return STATIC_WEB_APP;
    }
    let accepted = || {
        settings
            .issuers
            .iter()
            .map(|issuer| issuer.pattern.as_str())
    };
    let bare = found.trim_end_matches('/');
    if accepted().any(|accepted| accepted.trim_end_matches('/') == bare) {
        return ". They differ in a trailing slash only: write the issuer in ISSUERS as the token has it";
    }
    if accepted().any(|accepted| accepted.eq_ignore_ascii_case(found)) {
        return ". They differ in letter case only: write the issuer in ISSUERS as the token has it";
    }
    if !is_microsoft_issuer(found) {
        return "";
    }
    // The accepted issuers of Microsoft's clouds for the token's own tenant, or for any.
    let tenant = found
        .split('/')
        .find(|part| is_guid(part))
        .unwrap_or_default();
    let of_tenant = |name: &str| name.contains(TENANT_PLACEHOLDER) || name.contains(tenant);
    let near: Vec<&str> = accepted()
        .filter(|name| is_microsoft_issuer(name) && of_tenant(name))
        .collect();
    if near.is_empty() {
        return if accepted().any(is_microsoft_issuer) {
            ". It is a token of another tenant: get one from the tenant of this API, or accept more tenants (TENANT_ID or ISSUERS)"
        } else {
            ""
        };
    }
    // Where ISSUERS names the issuers, another authority would change none of them.
    let is_default = accepted().any(|name| name.starts_with(&settings.authority));
    if let Some(hint) = other_cloud(found, settings).filter(|_| is_default) {
        return hint;
    }
    if is_v1_issuer(found) && !near.iter().any(|name| is_v1_issuer(name)) {
        return ". It is a v1.0 token: set requestedAccessTokenVersion to 2 in the API's app registration, or add its issuer to ISSUERS";
    }
    if is_v2_issuer(found) && !near.iter().any(|name| is_v2_issuer(name)) {
        return ". It is a v2.0 token: add its issuer to ISSUERS";
    }
    if near.iter().any(|name| name.contains(TENANT_PLACEHOLDER)) {
        return ". The claim tid has to be the tenant in the issuer, as a GUID in the same letter case";
    }
    ""
}

/// Why a key may sign only for another issuer.
pub(super) fn key_issuer(template: &str, settings: &Settings) -> &'static str {
    other_cloud(template, settings).unwrap_or_default()
}

/// The authority to set, when an issuer belongs to another cloud of Microsoft's.
fn other_cloud(issuer: &str, settings: &Settings) -> Option<&'static str> {
    let cloud = CLOUDS.iter().find(|cloud| {
        let own_v1_host = cloud
            .own_v1_host
            .is_some_and(|host| issuer.starts_with(host));
        issuer.starts_with(cloud.authority) || own_v1_host
    })?;
    (settings.authority != cloud.authority).then_some(cloud.hint)
}

/// Why an audience is not accepted.
pub(super) fn audience(found: &[impl AsRef<str>], accepted: &[String]) -> String {
    let mut names = found
        .iter()
        .filter_map(|found| well_known_api(found.as_ref()));
    if let Some(api) = names.next() {
        return format!(
            ". The token is for {api}: ask for a scope of this API instead, such as api://CLIENT-ID/.default"
        );
    }
    let near = |test: &dyn Fn(&str, &str) -> bool| {
        let accepted = |found: &str| accepted.iter().any(|accepted| test(found, accepted));
        found.iter().any(|found| accepted(found.as_ref()))
    };
    let ends_further = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let ends_in_scope = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| SCOPE_ENDINGS.contains(&rest))
    };
    let bare = |audience: &str| audience.trim_start_matches("api://").to_ascii_lowercase();
    let hint = if near(&|a, b| a.trim_end_matches('/') == b.trim_end_matches('/')) {
        ". They differ in a trailing slash only: set API_AUDIENCE to what the token carries"
    } else if near(&|a, b| a.eq_ignore_ascii_case(b)) {
        ". They differ in letter case only: set API_AUDIENCE to what the token carries"
    } else if near(&|found, accepted| ends_in_scope(accepted, found)) {
        ". API_AUDIENCE ends in a scope: leave the scope out, aud never has one"
    } else if near(&ends_further) {
        ". The resource that the token was asked for ends in a scope or a path; ask for a scope of the accepted audience"
    } else if near(&|a, b| bare(a) == bare(b)) {
        ". A v1.0 token carries the App ID URI (api://...), a v2.0 token the client id (a GUID): add the one that is found to API_AUDIENCE"
    } else {
        ""
    };
    hint.into()
}

/// Microsoft's own APIs, for which callers often have a token already.
fn well_known_api(audience: &str) -> Option<&'static str> {
    match audience.trim_end_matches('/') {
        "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => {
            Some("Microsoft Graph")
        }
        "00000002-0000-0000-c000-000000000000" | "https://graph.windows.net" => {
            Some("Azure AD Graph")
        }
        "https://management.azure.com"
        | "https://management.core.windows.net"
        | "797f4846-ba00-4fd7-ba43-dac1f8f63013" => Some("Azure Resource Manager"),
        _ => None,
    }
}

/// Why a key may be missing from the key set.
pub(super) fn unknown_key(token: &Unverified) -> &'static str {
    let issuer = token.claims().text_or_empty("iss");
    let host = issuer.split('/').nth(2).unwrap_or_default();
    if host.ends_with(".b2clogin.com") {
        return ". Ask for a new token, for its key may be retired. Each user flow or policy of B2C has keys of its own: JWKS_URI is https://NAME.b2clogin.com/NAME.onmicrosoft.com/POLICY/discovery/v2.0/keys";
    }
    if is_microsoft_issuer(&issuer) {
        return ". Ask for a new token, for its key may be retired. If the application has a signing key of its own (claims mapping, custom signing key), set JWKS_URI to the key address with ?appid=CLIENT-ID";
    }
    ". Ask for a new token, for its key may be retired. If that does not help, the keys that are fetched are not those of this issuer: see JWKS_URI and the log"
}

/// Microsoft Graph signs tokens over a changed header, so that only Graph can verify them.
pub(super) fn bad_signature(token: &Unverified) -> &'static str {
    match token.header().get("nonce") {
        Some(_) => {
            ". Its header has a nonce, as tokens for Microsoft Graph do, which nobody else can verify: ask for a scope of this API instead"
        }
        None => "",
    }
}

/// Why a token carries no permission that counts; `scopes` and `roles` are those that would.
pub(super) fn permission(
    claims: UnverifiedClaims,
    scopes: &[String],
    roles: &[String],
) -> &'static str {
    let has = |name: &&str| claims.raw(name).is_some();
    let has_client = ["azp", "appid", "client_id", "cid"].iter().any(has);
    let looks_signed_in = ["nonce", "at_hash", "c_hash"].iter().any(has);
    let has_permission = ["scp", "scope", "roles"].iter().any(has);
    if !has_permission && (looks_signed_in || !has_client) {
        return ". It looks like an ID token: send the access token instead";
    }
    let (oid, sub) = (claims.text_or_empty("oid"), claims.text_or_empty("sub"));
    let is_app_only = claims.text_or_empty("idtyp") == "app" || (!oid.is_empty() && oid == sub);
    match (is_app_only, scopes.is_empty(), roles.is_empty()) {
        (true, false, true) => {
            ". It is an app-only token, which never has a delegated permission: let a user sign in and call for them"
        }
        (true, ..) => {
            ". It is an app-only token: assign an app role of this API to the client application and grant admin consent"
        }
        (false, true, false) => {
            ". Assign the app role to the user or to the client application, then ask for a new token"
        }
        _ => ". Ask for a scope that this API exposes, and have it consented",
    }
}

/// The permissions that a token carries, in words.
pub fn permissions(scopes: &[Cow<str>], roles: &[Cow<str>]) -> String {
    let (scp, names) = (quoted(&scopes.join(" ")), quoted(&roles.join(" ")));
    match (scopes.is_empty(), roles.is_empty()) {
        (true, true) => "no delegated permission (scp) and no app role (roles)".into(),
        (false, true) => format!("the delegated permissions (scp) {scp}"),
        (true, false) => format!("the app roles (roles) {names}"),
        (false, false) => format!("scp {scp} and roles {names}"),
    }
}

/// The permissions that are needed, in words.
pub(super) fn needed(scopes: &[&str], roles: &[&str], all: bool) -> String {
    let join = if all { " and " } else { " or " };
    let list = |what: &str, names| format!("the {what} {}", quoted_list_with(names, join));
    let mut parts = Vec::new();
    if !scopes.is_empty() {
        parts.push(list("delegated permission (scp)", scopes));
    }
    if !roles.is_empty() {
        parts.push(list("app role (roles)", roles));
    }
    parts.join(join)
}
