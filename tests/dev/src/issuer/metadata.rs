//! OpenID configuration, key sets, and the page that begins a sign-in.

use super::http::{Refusal, Reply, html, json_reply};
use super::{CLIENT, Issuer, Version, is_guid};
use serde_json::{Value, json};

impl Issuer {
    /// The metadata of the issuer with this path.
    pub(super) fn configuration(&self, path: &[&str]) -> Result<Reply, Refusal> {
        let (tenant, version, part) = match path {
            [tenant, "v2.0"] => (tenant, Version::V2, "/v2.0"),
            [tenant] | ["sts", tenant] => (tenant, Version::V1, ""),
            _ => return Err(Refusal::not_found()),
        };
        let (id, root) = (self.tenant(tenant)?, format!("{}/{tenant}", self.base));
        // Entra writes a placeholder where the path names no tenant.
        let named = if is_guid(tenant) { &id } else { "{tenantid}" };
        let mut document = json!({
            "issuer": version.issuer(&self.base, named),
            "authorization_endpoint": format!("{root}/oauth2{part}/authorize"),
            "token_endpoint": format!("{root}/oauth2{part}/token"),
            "jwks_uri": format!("{root}/discovery{part}/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        if self.options.has_code_challenge_methods {
            document["code_challenge_methods_supported"] = json!(["S256"]);
        }
        Ok(json_reply(200, &document))
    }

    /// In its v2.0 form each key names its issuer, with a placeholder for the tenant.
    pub(super) fn key_set(&self, version: Version) -> Reply {
        let issuer = version.issuer(&self.base, "{tenantid}");
        let issuer = (version == Version::V2).then_some(issuer.as_str());
        let keys: Vec<Value> = self
            .published_keys()
            .iter()
            .map(|key| key.jwk(issuer))
            .collect();
        json_reply(200, &json!({ "keys": keys }))
    }

    /// Makes the next key the one that signs.
    pub(super) fn rotate(&self) -> Reply {
        self.state().current_key += 1;
        let [current, next] = self.published_keys();
        json_reply(200, &json!({ "current": current.kid, "next": next.kid }))
    }

    /// A page that signs in as a browser application does, shows the token, and calls the API with it.
    pub(super) fn index(&self) -> Reply {
        let content = include_str!("index.html")
            .replace("{{tenant}}", &self.options.tenant)
            .replace("{{api}}", &self.options.api)
            .replace("{{client}}", CLIENT)
            .replace("{{call}}", &self.options.call);
        html(200, "Entra ID, locally", &content)
    }
}
