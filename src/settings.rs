//! The settings: read once from the environment, checked all together.

mod reader;

use reader::Reader;
use std::path::PathBuf;

/// How v1.0 issuers begin, in the clouds that have them.
pub const V1_ISSUER_HOSTS: [&str; 2] = ["https://sts.windows.net/", "https://sts.chinacloudapi.cn/"];

/// All settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Port on 127.0.0.1 (`FUNCTIONS_CUSTOMHANDLER_PORT`).
    pub port: u16,
    /// Accepted `aud` values.
    pub audiences: Vec<String>,
    /// The authority, without a trailing slash.
    pub authority: String,
    /// Accepted `iss` values, `{tenantid}` standing for the token's own `tid`.
    pub issuers: Vec<String>,
    /// Where the signing keys are.
    pub key_source: KeySource,
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
    /// What is legal and probably wrong, one line each.
    pub warnings: Vec<String>,
}

/// Where the key set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `https://`, or `http://` to a loopback address.
    Url(String),
    /// A file.
    File(PathBuf),
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
    /// Reads all settings with `get`; on failure one line per problem, all of them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Settings, Vec<String>> {
        Reader::new(&get).settings()
    }

    /// Reads the settings from the process's environment.
    pub fn from_environment() -> Result<Settings, Vec<String>> {
        Settings::read(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// The v2.0 issuer of a tenant in the cloud of `AUTHORITY_HOST`.
    pub fn v2_issuer(&self, tid: &str) -> String {
        format!("{}/{tid}/v2.0", self.authority)
    }
}
