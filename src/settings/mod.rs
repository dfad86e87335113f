//! The settings: read once from the environment, checked all together.

mod clouds;
mod reader;
mod rules;

pub use clouds::{CLOUDS, Cloud, SCOPE_ENDINGS, is_microsoft_issuer, is_v1_issuer, is_v2_issuer};

use crate::keys::{Source, Trust};
use reader::Reader;

/// The text that stands for the token's own tenant in an issuer, as Entra's metadata has it.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// All settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Port on 127.0.0.1 (`FUNCTIONS_CUSTOMHANDLER_PORT`).
    pub port: u16,
    /// Accepted `aud` values.
    pub audiences: Vec<String>,
    /// The authority, without a slash at its end.
    pub authority: String,
    /// The accepted issuers.
    pub issuers: Vec<Issuer>,
    /// Where the signing keys are.
    pub sources: Vec<Source>,
    /// The certificate authorities that are trusted when keys are fetched.
    pub trust: Trust,
    /// Accepted `tid` values; empty for any.
    pub allowed_tenants: Vec<String>,
    /// Accepted client application ids; empty for any.
    pub allowed_clients: Vec<String>,
    /// Delegated permissions of which one suffices.
    pub required_scopes: Vec<String>,
    /// App roles of which one suffices.
    pub required_roles: Vec<String>,
    /// Leeway for `exp` and `nbf`, seconds.
    pub clock_skew: u64,
    /// Origins that a browser may call from.
    pub origins: Origins,
    /// Which decisions are logged.
    pub audit: Audit,
    /// The public address of this API, where it is set.
    pub resource: Option<Resource>,
    /// Warnings: legal and probably wrong, a sentence each.
    pub warnings: Vec<String>,
}

/// An accepted issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The `iss` value, `{tenantid}` standing for the token's own `tid`.
    pub pattern: String,
    /// The place in [`Settings::sources`] of the only keys that may sign for it.
    pub source: usize,
}

/// `RESOURCE` (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The resource identifier, without a slash at its end.
    pub identifier: String,
    /// Full names of the scopes that a client should ask for.
    pub scopes: Vec<String>,
    /// The issuers at which a client gets a token.
    pub authorization_servers: Vec<String>,
}

/// `ALLOWED_ORIGINS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`
    Any,
    /// The origins named.
    Listed(Vec<String>),
    /// `none`: CORS is off.
    Off,
}

/// `AUDIT_LOG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// 401, 403 and 503.
    Denied,
    /// Every decision.
    All,
    /// None.
    Off,
}

impl Settings {
    /// Reads all settings with `get`.
    ///
    /// # Errors
    /// A sentence per problem, all of them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Settings, Vec<String>> {
        rules::settings(Reader::new(&get))
    }

    /// Reads the settings from the process's environment.
    ///
    /// # Errors
    /// A sentence per problem, all of them.
    pub fn from_environment() -> Result<Settings, Vec<String>> {
        Settings::read(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// The v2.0 issuer of a tenant whose keys sign for this issuer too. A v1.0 issuer has that of the
    /// cloud of `AUTHORITY_HOST`, or else of the cloud that writes v1.0 issuers so. External ID has that
    /// of the global cloud.
    pub fn v2_issuer(&self, issuer: &str, tid: &str) -> Option<String> {
        let host = issuer.split('/').nth(2).unwrap_or_default();
        let is_external_id = host.ends_with(".ciamlogin.com");
        let writes_it = |cloud: &&Cloud| issuer.starts_with(cloud.v1_issuer_host);
        let own = CLOUDS
            .iter()
            .find(|cloud| cloud.authority == self.authority);
        let authority = if is_external_id {
            CLOUDS.first()?.authority
        } else if let Some(cloud) = own.filter(writes_it).or(CLOUDS.iter().find(writes_it)) {
            cloud.authority
        } else if issuer.starts_with(&self.authority) {
            &self.authority
        } else {
            return None;
        };
        Some(format!("{authority}/{tid}/v2.0"))
    }
}

impl Resource {
    /// The path of the identifier, empty where it has none.
    pub fn path(&self) -> &str {
        let (_, rest) = self.identifier.split_once("://").unwrap_or_default();
        rest.find('/')
            .and_then(|slash| rest.get(slash..))
            .unwrap_or_default()
    }

    /// The address of the metadata (RFC 9728 section 3.1): the well-known part stands between the
    /// host and the path.
    pub fn metadata_address(&self) -> String {
        let path = self.path();
        let origin = self
            .identifier
            .strip_suffix(path)
            .unwrap_or(&self.identifier);
        format!("{origin}/.well-known/oauth-protected-resource{path}")
    }
}

impl Issuer {
    /// Whether the issuer has `{tenantid}`, and so stands for that of any tenant.
    pub fn is_template(&self) -> bool {
        self.pattern.contains(TENANT_PLACEHOLDER)
    }
}
