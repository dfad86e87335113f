//! The claims of a token, in the order in which Entra writes them.

use super::http::Form;
use super::token::Agreed;
use super::{Issuer, Version, random};
use crate::mint::{b64, mint};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Somebody who can sign in.
pub(super) struct User {
    oid: &'static str,
    pub(super) name: &'static str,
    pub(super) upn: &'static str,
}

pub(super) const USERS: [User; 2] = [
    User {
        oid: "a11ce000-0000-4000-8000-000000000001",
        name: "Alice Example",
        upn: "alice@contoso.example",
    },
    User {
        oid: "b0b00000-0000-4000-8000-000000000002",
        name: "Bob Example",
        upn: "bob@contoso.example",
    },
];

impl User {
    /// By the user principal name, or by its part before the `@`.
    pub(super) fn named(name: &str) -> Option<&'static User> {
        let name = name.split('@').next()?;
        USERS
            .iter()
            .find(|user| user.upn.split('@').next() == Some(name))
    }

    pub(super) fn with_oid(oid: &str) -> Option<&'static User> {
        USERS.iter().find(|user| user.oid == oid)
    }
}

/// A token in the making.
pub(super) struct Grant<'a> {
    pub(super) issuer: &'a Issuer,
    /// A GUID.
    pub(super) tenant: &'a str,
    pub(super) version: Version,
    /// The parameters of the request.
    pub(super) form: &'a Form,
    pub(super) agreed: &'a Agreed,
    /// Seconds; negative: the token has expired.
    pub(super) lifetime: i64,
}

impl Grant<'_> {
    pub(super) fn access_token(&self) -> String {
        let resource = self.agreed.scope.resource.as_str();
        let (audience, client, client_kind) = match self.version {
            Version::V1 => (resource, "appid", "appidacr"),
            Version::V2 => (self.issuer.application_id(resource), "azp", "azpacr"),
        };
        let mut claims = self.claims(audience, self.version);
        claims[client] = self.form.get("client_id").into();
        claims[client_kind] = u8::from(self.form.has("client_secret")).to_string().into();
        let mut roles = self.form.get("roles");
        if self.agreed.user.is_some() {
            claims["scp"] = self.agreed.scope.scp().into();
        } else if !self.form.has("roles") {
            roles = "access_as_application";
        }
        if !roles.is_empty() {
            claims["roles"] = roles.split_whitespace().collect();
        }
        // The client passes on the claims challenge of an on-behalf-of grant.
        if self.agreed.form.get("claims").contains("acrs") {
            claims["acrs"] = json!(["c1"]);
        }
        self.signed(audience, self.version, &claims)
    }

    /// In the format v2.0, for the client itself.
    pub(super) fn id_token(&self) -> String {
        let client = self.form.get("client_id");
        let mut claims = self.claims(client, Version::V2);
        if self.agreed.form.has("nonce") {
            claims["nonce"] = self.agreed.form.get("nonce").into();
        }
        self.signed(client, Version::V2, &claims)
    }

    fn claims(&self, audience: &str, version: Version) -> Value {
        let mut claims = json!({
            "aio": b64(random::<48>()),
            "tid": self.tenant,
            "uti": b64(random::<16>()),
            "ver": match version { Version::V1 => "1.0", Version::V2 => "2.0" },
        });
        let Some(user) = self.agreed.user else {
            // The client itself is an object of the tenant.
            let oid = guid(hash(&[self.tenant, self.form.get("client_id")]));
            claims["oid"] = oid.as_str().into();
            claims["sub"] = oid.into();
            return claims;
        };
        claims["oid"] = user.oid.into();
        claims["sub"] = b64(hash::<32>(&[user.oid, audience])).into();
        claims["name"] = user.name.into();
        let names: &[&str] = match version {
            Version::V1 => &["unique_name", "upn"],
            Version::V2 => &["preferred_username"],
        };
        for name in names {
            claims[*name] = user.upn.into();
        }
        claims
    }

    /// First what every token has, then the others in the order of their names.
    fn signed(&self, audience: &str, version: Version, claims: &Value) -> String {
        let issuer = match self.form.get("iss") {
            "" => version.issuer(&self.issuer.base, self.tenant),
            other => other.to_owned(),
        };
        let expires = now() + self.lifetime;
        // Entra dates a token five minutes back, for clocks that run late.
        let issued = now().min(expires) - 300;
        let payload = format!(
            r#"{{"aud":{},"iss":{},"iat":{issued},"nbf":{issued},"exp":{expires},{}"#,
            Value::from(audience),
            Value::from(issuer),
            &claims.to_string()[1..]
        );
        let [key, _] = self.issuer.published_keys();
        let kid = Value::from(key.kid.as_str());
        let thumbprint = match version {
            Version::V1 => format!(r#""x5t":{kid},"#),
            Version::V2 => String::new(),
        };
        mint(
            key,
            &format!(r#"{{"typ":"JWT","alg":"RS256",{thumbprint}"kid":{kid}}}"#),
            &payload,
        )
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// In the form of version 4.
pub(super) fn guid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Always the same bytes for the same texts.
fn hash<const N: usize>(texts: &[&str]) -> [u8; N] {
    let hash = digest(&SHA256, texts.join("\n").as_bytes());
    std::array::from_fn(|place| hash.as_ref()[place])
}
