//! Claims of the tokens, in the order Entra writes them.

use serde_json::{Value, json};

use crate::answer::object;
use crate::clock;
use crate::mint::{TestKey, mint};
use crate::random::{opaque, stable_guid, stable_text};
use crate::tenant::is_guid;
use crate::users::User;

type Claim = (&'static str, Value);

/// Version of a token's format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version {
    /// `ver` 1.0.
    V1,
    /// `ver` 2.0.
    V2,
}

impl Version {
    /// The `iss` of a tenant's tokens; v1.0 stands for `https://sts.windows.net/{tid}/`.
    pub(crate) fn issuer(self, base: &str, tenant: &str) -> String {
        match self {
            Version::V1 => format!("{base}/sts/{tenant}/"),
            Version::V2 => format!("{base}/{tenant}/v2.0"),
        }
    }
}

/// What a token is issued for.
pub(crate) struct Grant<'a> {
    /// The issuer's base URL.
    pub(crate) base: &'a str,
    /// Tenant GUID.
    pub(crate) tenant: &'a str,
    /// Application ID of the client.
    pub(crate) client_id: &'a str,
    /// Whether the client sent a secret.
    pub(crate) confidential: bool,
    /// Who signed in; nobody in an app-only token.
    pub(crate) user: Option<&'static User>,
    /// The API, as the client named it: an application ID URI or a GUID.
    pub(crate) resource: &'a str,
    /// Delegated permissions, joined by spaces.
    pub(crate) scp: String,
    /// App roles.
    pub(crate) roles: Vec<&'a str>,
    /// Format of the access token.
    pub(crate) version: Version,
    /// Seconds until the token expires; negative: it has expired.
    pub(crate) lifetime: i64,
    /// IP address of the client.
    pub(crate) ip: &'a str,
}

impl Grant<'_> {
    /// The access token, signed.
    pub(crate) fn access_token(&self, key: &TestKey) -> String {
        let mut claims = self.opening(self.version, self.audience());
        match (self.version, self.user) {
            (Version::V1, None) => self.v1_app(&mut claims),
            (Version::V1, Some(user)) => self.v1_delegated(&mut claims, user),
            (Version::V2, None) => self.v2_app(&mut claims),
            (Version::V2, Some(user)) => self.v2_delegated(&mut claims, user),
        }
        let header = header(key, self.version);
        mint(key, &header, &object(&claims))
    }

    /// The v2.0 ID token, signed.
    pub(crate) fn id_token(&self, key: &TestKey, user: &User, nonce: &str) -> String {
        let mut claims = self.opening(Version::V2, self.client_id);
        claims.extend([("aio", aio()), ("name", user.name().into())]);
        if !nonce.is_empty() {
            claims.push(("nonce", nonce.into()));
        }
        claims.extend([
            ("oid", user.oid.into()),
            ("preferred_username", user.upn.into()),
            ("rh", rh()),
            ("sub", stable_text(&[user.oid, self.client_id]).into()),
        ]);
        self.close(&mut claims, "2.0");
        mint(key, &header(key, Version::V2), &object(&claims))
    }

    /// A v2.0 token names the API by its bare application ID, a v1.0 token as it was asked for.
    fn audience(&self) -> &str {
        match (self.version, self.resource.strip_prefix("api://")) {
            (Version::V2, Some(id)) if is_guid(id) => id,
            _ => self.resource,
        }
    }

    fn opening(&self, version: Version, audience: &str) -> Vec<Claim> {
        let now = clock::now();
        let expires = now + self.lifetime;
        // Entra dates a token five minutes back, for clocks that run late.
        let issued = now.min(expires) - 300;
        vec![
            ("aud", audience.into()),
            ("iss", version.issuer(self.base, self.tenant).into()),
            ("iat", issued.into()),
            ("nbf", issued.into()),
            ("exp", expires.into()),
        ]
    }

    fn v1_delegated(&self, claims: &mut Vec<Claim>, user: &User) {
        claims.extend([
            ("acr", "1".into()),
            ("aio", aio()),
            ("amr", json!(["pwd"])),
            ("appid", self.client_id.into()),
            ("appidacr", self.client_kind()),
            ("family_name", user.family_name.into()),
            ("given_name", user.given_name.into()),
            ("ipaddr", self.ip.into()),
            ("name", user.name().into()),
            ("oid", user.oid.into()),
            ("rh", rh()),
        ]);
        self.permissions(claims);
        claims.extend([
            ("sub", stable_text(&[user.oid, self.audience()]).into()),
            ("tid", self.tenant.into()),
            ("unique_name", user.upn.into()),
            ("upn", user.upn.into()),
            ("uti", opaque::<16>().into()),
            ("ver", "1.0".into()),
        ]);
    }

    fn v2_delegated(&self, claims: &mut Vec<Claim>, user: &User) {
        claims.extend([
            ("aio", aio()),
            ("azp", self.client_id.into()),
            ("azpacr", self.client_kind()),
            ("name", user.name().into()),
            ("oid", user.oid.into()),
            ("preferred_username", user.upn.into()),
            ("rh", rh()),
        ]);
        self.permissions(claims);
        let sub = stable_text(&[user.oid, self.audience()]);
        claims.push(("sub", sub.into()));
        self.close(claims, "2.0");
    }

    fn v1_app(&self, claims: &mut Vec<Claim>) {
        let issuer = Version::V1.issuer(self.base, self.tenant);
        claims.extend([
            ("aio", aio()),
            ("appid", self.client_id.into()),
            ("appidacr", self.client_kind()),
            ("idp", issuer.into()),
        ]);
        self.service_principal(claims);
        self.close(claims, "1.0");
    }

    fn v2_app(&self, claims: &mut Vec<Claim>) {
        claims.extend([
            ("aio", aio()),
            ("azp", self.client_id.into()),
            ("azpacr", self.client_kind()),
        ]);
        self.service_principal(claims);
        self.close(claims, "2.0");
    }

    /// The client itself as the subject: an object of the tenant.
    fn service_principal(&self, claims: &mut Vec<Claim>) {
        let oid = stable_guid(&[self.tenant, self.client_id]);
        claims.extend([("oid", oid.as_str().into()), ("rh", rh())]);
        self.permissions(claims);
        claims.push(("sub", oid.into()));
    }

    fn permissions(&self, claims: &mut Vec<Claim>) {
        if !self.roles.is_empty() {
            claims.push(("roles", json!(self.roles)));
        }
        if self.user.is_some() {
            claims.push(("scp", self.scp.as_str().into()));
        }
    }

    fn close(&self, claims: &mut Vec<Claim>, version: &str) {
        claims.extend([
            ("tid", self.tenant.into()),
            ("uti", opaque::<16>().into()),
            ("ver", version.into()),
        ]);
    }

    /// `appidacr` and `azpacr`: "0" for a public client, "1" for one with a secret.
    fn client_kind(&self) -> Value {
        if self.confidential { "1" } else { "0" }.into()
    }
}

fn header(key: &TestKey, version: Version) -> String {
    let mut members = vec![("typ", "JWT".into()), ("alg", "RS256".into())];
    if version == Version::V1 {
        members.push(("x5t", key.kid.as_str().into()));
    }
    members.push(("kid", key.kid.as_str().into()));
    object(&members)
}

/// Opaque to everybody but the issuer.
fn aio() -> Value {
    opaque::<48>().into()
}

/// Opaque to everybody but the issuer.
fn rh() -> Value {
    format!("1.{}.", opaque::<40>()).into()
}
