//! OpenID configuration and key sets.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::claims::Version;
use crate::store::Issuer;
use crate::tenant::Tenant;

/// OpenID configuration of a tenant; only what this issuer has is announced.
pub(crate) fn configuration(issuer: &Issuer, tenant: &Tenant, version: Version) -> Answer {
    let root = format!("{}/{}", issuer.base, tenant.name);
    let part = match version {
        Version::V1 => "",
        Version::V2 => "/v2.0",
    };
    let mut document = json!({
        "issuer": version.issuer(&issuer.base, tenant.in_metadata()),
        "authorization_endpoint": format!("{root}/oauth2{part}/authorize"),
        "token_endpoint": format!("{root}/oauth2{part}/token"),
        "jwks_uri": format!("{root}/discovery{part}/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials", "password",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid",
            "ver", "oid",
        ],
        "request_uri_parameter_supported": false,
        "tenant_region_scope": null,
    });
    if version == Version::V2 {
        document["device_authorization_endpoint"] = format!("{root}/oauth2/v2.0/devicecode").into();
    }
    public(&document)
}

/// The key set; in its v2.0 form each key names its issuer, with a placeholder for the tenant.
pub(crate) fn keys(issuer: &Issuer, version: Version) -> Answer {
    let name = match version {
        Version::V1 => None,
        Version::V2 => Some(version.issuer(&issuer.base, "{tenantid}")),
    };
    let keys = issuer.published_keys();
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk(name.as_deref())).collect();
    public(&json!({"keys": keys}))
}

/// Rolls the signing keys over, and tells which are published now.
pub(crate) fn rotate(issuer: &Issuer) -> Answer {
    issuer.rotate();
    let [current, next] = issuer.published_keys();
    Answer::json(
        200,
        json!({"current": current.kid, "next": next.kid}).to_string(),
    )
}

fn public(document: &Value) -> Answer {
    Answer::json(200, document.to_string())
        .with("Cache-Control", "max-age=86400, private")
        .with("Access-Control-Allow-Origin", "*")
}
