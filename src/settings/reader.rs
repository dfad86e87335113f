//! Reading the settings: what each may hold, and the words for what it may not.

use super::{Audit, KeySource, Origins, Settings, V1_ISSUER_HOSTS};
use crate::claims::is_guid;
use crate::limits::MAX_CLOCK_SKEW_SECONDS;
use std::net::IpAddr;
use std::path::PathBuf;

/// The clouds: authority and v1.0 issuer (Microsoft: "National clouds").
const CLOUDS: [(&str, &str); 3] = [
    ("https://login.microsoftonline.com", V1_ISSUER_HOSTS[0]),
    ("https://login.microsoftonline.us", V1_ISSUER_HOSTS[0]),
    ("https://login.partner.microsoftonline.cn", V1_ISSUER_HOSTS[1]),
];

/// What a scope looks like when somebody put it at the end of an audience.
const SCOPE_ENDINGS: [&str; 3] = ["/user_impersonation", "/.default", "/access_as_user"];

const TENANT_EXAMPLE: &str = "11111111-2222-3333-4444-555555555555";
const AUDIENCE_EXAMPLE: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const ORIGINS_EXAMPLE: &str = "https://app.example.com,http://localhost:5173";

/// Reads the settings one by one, and notes what is wrong with each.
pub(super) struct Reader<'g> {
    get: &'g dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl<'g> Reader<'g> {
    pub(super) fn new(get: &'g dyn Fn(&str) -> Option<String>) -> Self {
        Reader { get, problems: Vec::new() }
    }

    /// All settings, or one line per problem, all of them.
    pub(super) fn settings(mut self) -> Result<Settings, Vec<String>> {
        let tenant = self.tenant();
        let (authority, is_cloud) = self.authority();
        let issuers = self.issuers(tenant.as_deref(), &authority, is_cloud);
        let key_source = self.key_source(tenant.as_deref(), &authority);
        let audiences = self.list("API_AUDIENCE", AUDIENCE_EXAMPLE);
        if self.value("API_AUDIENCE").is_none() {
            self.problem(
                "API_AUDIENCE",
                "is required: the accepted audience (aud) of this API's tokens",
                AUDIENCE_EXAMPLE,
            );
        }
        let mut settings = Settings {
            port: self.port(),
            audiences,
            authority,
            issuers,
            key_source,
            allowed_tenants: self.list("ALLOWED_TENANTS", TENANT_EXAMPLE),
            allowed_clients: self.list("ALLOWED_CLIENTS", TENANT_EXAMPLE),
            required_scopes: self.items("REQUIRED_SCOPES", &[' ', ','], "user_impersonation"),
            required_roles: self.items("REQUIRED_ROLES", &[' ', ','], "access_as_application"),
            clock_skew: self.clock_skew(),
            origins: self.origins(),
            audit: self.audit(),
            warnings: Vec::new(),
        };
        settings.warnings = warnings(&settings);
        if self.problems.is_empty() { Ok(settings) } else { Err(self.problems) }
    }

    /// An empty value counts as unset.
    fn value(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty()).map(|value| value.trim().to_owned())
    }

    fn list(&mut self, name: &str, example: &str) -> Vec<String> {
        self.items(name, &[','], example)
    }

    /// A list that is set and names nothing is a slip that must not mean "any".
    fn items(&mut self, name: &str, separators: &[char], example: &str) -> Vec<String> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let items: Vec<String> =
            value.split(separators).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
        // What is not UTF-8 was replaced when it was read, and would be compared with something else.
        let is_odd = |char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER;
        if items.is_empty() {
            self.problem(name, "is set and names nothing", example);
        } else if items.iter().any(|item| item.contains(is_odd)) {
            self.problem(name, "has a control character, or is not UTF-8", example);
        }
        items
    }

    fn problem(&mut self, name: &str, what: &str, example: &str) {
        self.problems.push(format!("{name} {what}; for example {name}={example}"));
    }

    fn port(&mut self) -> u16 {
        const NAME: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
        const DEFAULT: u16 = 3000;
        let Some(value) = self.value(NAME) else { return DEFAULT };
        value.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
            self.problem(NAME, "is not a port from 1 to 65535", "3000");
            DEFAULT
        })
    }

    /// GUIDs in lower case, as Entra writes them into issuers.
    fn tenant(&mut self) -> Option<String> {
        const NAME: &str = "TENANT_ID";
        let example = TENANT_EXAMPLE;
        let Some(value) = self.value(NAME) else {
            if self.value("ISSUERS").is_none() || self.value("JWKS_URI").is_none() {
                self.problem(
                    NAME,
                    "is required (unless ISSUERS and JWKS_URI are both set): the directory (tenant) id",
                    example,
                );
            }
            return None;
        };
        if !is_guid(&value) && value != "organizations" && value != "common" {
            self.problem(NAME, "is neither a GUID nor organizations nor common", example);
        }
        Some(if is_guid(&value) { value.to_ascii_lowercase() } else { value })
    }

    fn authority(&mut self) -> (String, bool) {
        const NAME: &str = "AUTHORITY_HOST";
        let default = CLOUDS[0].0.to_owned();
        let Some(value) = self.value(NAME) else { return (default, true) };
        let value = value.trim_end_matches('/').to_owned();
        let is_cloud = CLOUDS.iter().any(|(cloud, _)| *cloud == value);
        if !is_acceptable_url(&value) {
            self.problem(
                NAME,
                "is not https:// and a host (http:// only to a loopback address)",
                "https://login.microsoftonline.us",
            );
        } else if !is_cloud && self.value("ISSUERS").is_none() {
            self.problem(
                NAME,
                "is not one of Microsoft's clouds, so ISSUERS has to name the accepted issuers too",
                "https://login.microsoftonline.com",
            );
        }
        (value, is_cloud)
    }

    fn issuers(&mut self, tenant: Option<&str>, authority: &str, is_cloud: bool) -> Vec<String> {
        let named = self.list("ISSUERS", "https://login.microsoftonline.com/{tenantid}/v2.0");
        if !named.is_empty() {
            return named;
        }
        let Some(tenant) = tenant.filter(|_| is_cloud) else { return Vec::new() };
        let id = if is_guid(tenant) { tenant } else { "{tenantid}" };
        let v1 = CLOUDS.iter().find(|(cloud, _)| *cloud == authority).map_or(CLOUDS[0].1, |(_, v1)| v1);
        vec![format!("{v1}{id}/"), format!("{authority}/{id}/v2.0")]
    }

    fn key_source(&mut self, tenant: Option<&str>, authority: &str) -> KeySource {
        const NAME: &str = "JWKS_URI";
        let Some(value) = self.value(NAME) else {
            return KeySource::Url(format!("{authority}/{}/discovery/v2.0/keys", tenant.unwrap_or("common")));
        };
        if !value.contains("://") {
            return KeySource::File(PathBuf::from(value));
        }
        if !is_acceptable_url(&value) {
            self.problem(
                NAME,
                "is not https://, http:// to a loopback address, or the path of a file",
                "https://login.microsoftonline.com/common/discovery/v2.0/keys",
            );
        }
        KeySource::Url(value)
    }

    fn clock_skew(&mut self) -> u64 {
        const NAME: &str = "CLOCK_SKEW_SECONDS";
        const DEFAULT: u64 = 60;
        let Some(value) = self.value(NAME) else { return DEFAULT };
        value.parse().ok().filter(|skew| *skew <= MAX_CLOCK_SKEW_SECONDS).unwrap_or_else(|| {
            self.problem(NAME, "is not a whole number of seconds from 0 to 300", "60");
            DEFAULT
        })
    }

    fn origins(&mut self) -> Origins {
        const NAME: &str = "ALLOWED_ORIGINS";
        let listed = self.list(NAME, ORIGINS_EXAMPLE);
        match listed.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] | ["*"] => return Origins::Any,
            ["none"] => return Origins::Off,
            _ => {}
        }
        if !listed.iter().all(|origin| is_origin(origin)) {
            self.problem(NAME, "has an entry that is no origin (scheme, host and port, without a path), or mixes * or none with others", ORIGINS_EXAMPLE);
        }
        Origins::Listed(listed)
    }

    fn audit(&mut self) -> Audit {
        match self.value("AUDIT_LOG").as_deref() {
            None | Some("denied") => Audit::Denied,
            Some("all") => Audit::All,
            Some("off") => Audit::Off,
            Some(_) => {
                self.problem("AUDIT_LOG", "is none of denied, all and off", "denied");
                Audit::Denied
            }
        }
    }
}

fn warnings(settings: &Settings) -> Vec<String> {
    let glued =
        settings.audiences.iter().filter(|audience| SCOPE_ENDINGS.iter().any(|ending| audience.ends_with(ending)));
    let mut warnings: Vec<String> = glued
        .map(|audience| format!("API_AUDIENCE {audience} ends in a scope; aud never has one, so no token will match: leave the scope out"))
        .collect();
    let multi_tenant = settings.issuers.iter().any(|issuer| issuer.contains("{tenantid}"));
    if multi_tenant && settings.allowed_tenants.is_empty() {
        warnings.push(
            "ALLOWED_TENANTS is not set on a multi-tenant API: users and applications of any tenant are accepted"
                .into(),
        );
    }
    warnings
}

/// An origin as browsers send it (RFC 6454 section 6.2), or `null`.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text == "null"
        || host.is_some_and(|host| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@\\\"*".contains(&byte))
        })
}

/// `https://` to any host, or `http://` to a loopback address: keys must not be changed on the way.
fn is_acceptable_url(url: &str) -> bool {
    if !url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`".contains(&byte)) {
        return false;
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host.is_empty() || authority.contains('@') || !port_is_good {
        return false;
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_loopback = host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    scheme == "https" || (scheme == "http" && is_loopback)
}
