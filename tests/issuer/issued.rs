//! Tokens of one grant, as the token endpoint answers.

use serde_json::Value;

use crate::answer::object;
use crate::claims::Version;
use crate::clock;

/// The tokens of a grant.
pub(crate) struct Issued {
    /// Access token, a JWS in compact form.
    pub(crate) access_token: String,
    /// Refresh token, when `offline_access` was asked for.
    pub(crate) refresh_token: Option<String>,
    /// ID token, when `openid` was asked for.
    pub(crate) id_token: Option<String>,
    /// Names of the granted scope; `None` for an app-only token.
    pub(crate) scope: Option<String>,
    /// The API as it was asked for.
    pub(crate) resource: String,
    /// Seconds until the access token expires.
    pub(crate) lifetime: i64,
}

impl Issued {
    /// The token endpoint's answer.
    pub(crate) fn json(&self, version: Version) -> String {
        // The v1.0 endpoint writes numbers as strings.
        let number = |number: i64| match version {
            Version::V1 => Value::from(number.to_string()),
            Version::V2 => Value::from(number),
        };
        let mut members = vec![("token_type", "Bearer".into())];
        if let Some(scope) = &self.scope {
            members.push(("scope", scope.as_str().into()));
        }
        members.push(("expires_in", number(self.lifetime)));
        members.push(("ext_expires_in", number(self.lifetime)));
        if version == Version::V1 {
            members.push(("expires_on", number(clock::now() + self.lifetime)));
            members.push(("resource", self.resource.as_str().into()));
        }
        members.push(("access_token", self.access_token.as_str().into()));
        if let Some(token) = &self.refresh_token {
            members.push(("refresh_token", token.as_str().into()));
        }
        if let Some(token) = &self.id_token {
            members.push(("id_token", token.as_str().into()));
        }
        object(&members)
    }
}
