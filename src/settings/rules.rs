//! The values that each setting may hold, and the words for those that it may not.

use super::clouds::{CLOUDS, Cloud, SCOPE_ENDINGS};
use super::reader::Reader;
use super::{Audit, Issuer, Origins, Resource, Settings, TENANT_PLACEHOLDER};
use crate::keys::{Address, Source, Trust, is_file, is_safe_address};
use crate::limits::MAX_CLOCK_SKEW_SECONDS;
use crate::text::{MAX_QUOTED_CHARS, clean, is_guid};
use std::path::PathBuf;

const TENANT_EXAMPLE: &str = "11111111-2222-3333-4444-555555555555";
const AUDIENCE_EXAMPLE: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const ISSUER_EXAMPLE: &str =
    "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
const KEYS_EXAMPLE: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
const ORIGINS_EXAMPLE: &str = "https://app.example.com,http://localhost:5173";
const RESOURCE_EXAMPLE: &str = "https://api.example.com";

/// All settings, or a sentence per problem, all of them.
pub(super) fn settings(mut reader: Reader) -> Result<Settings, Vec<String>> {
    let tenant = tenant(&mut reader);
    let authority = authority(&mut reader);
    let (issuers, sources) = issuers(&mut reader, tenant.as_deref(), &authority);
    let required_scopes = required_scopes(&mut reader);
    let resource = resource(&mut reader, &issuers, &required_scopes);
    let settings = Settings {
        port: port(&mut reader),
        audiences: audiences(&mut reader),
        issuers,
        sources,
        trust: trust(&mut reader),
        allowed_tenants: allowed_tenants(&mut reader, tenant.as_deref()),
        allowed_clients: reader.list("ALLOWED_CLIENTS", TENANT_EXAMPLE),
        required_roles: reader.items("REQUIRED_ROLES", &[' ', ','], "Items.Read.All"),
        clock_skew: clock_skew(&mut reader),
        origins: origins(&mut reader),
        audit: audit(&mut reader),
        authority,
        required_scopes,
        resource,
        warnings: Vec::new(),
    };
    let problems = reader.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let warnings = warnings(&settings);
    Ok(Settings {
        warnings,
        ..settings
    })
}

fn port(reader: &mut Reader) -> u16 {
    const NAME: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
    const DEFAULT: u16 = 3000;
    number(
        reader,
        NAME,
        1..=u64::from(u16::MAX),
        u64::from(DEFAULT),
        "is not a port from 1 to 65535",
    ) as u16
}

fn clock_skew(reader: &mut Reader) -> u64 {
    let what = "is not a whole number of seconds from 0 to 300";
    number(
        reader,
        "CLOCK_SKEW_SECONDS",
        0..=MAX_CLOCK_SKEW_SECONDS,
        60,
        what,
    )
}

fn number(
    reader: &mut Reader,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
    what: &str,
) -> u64 {
    let example = default.to_string();
    let Some(value) = reader.value(name, &example) else {
        return default;
    };
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.unwrap_or_else(|| {
        reader.problem(name, what, &example);
        default
    })
}

fn audiences(reader: &mut Reader) -> Vec<String> {
    if !reader.is_set("API_AUDIENCE") {
        let what = "is required: the accepted audience (aud) of this API's tokens";
        reader.problem("API_AUDIENCE", what, AUDIENCE_EXAMPLE);
    }
    reader.list("API_AUDIENCE", AUDIENCE_EXAMPLE)
}

/// GUIDs in lower case, as Entra writes them into issuers.
fn tenant(reader: &mut Reader) -> Option<String> {
    const NAME: &str = "TENANT_ID";
    if !reader.is_set(NAME) && !reader.is_set("ISSUERS") {
        let what = "is required, unless ISSUERS is set: the directory (tenant) id";
        reader.problem(NAME, what, TENANT_EXAMPLE);
    }
    let value = reader.value(NAME, TENANT_EXAMPLE)?;
    if is_guid(&value) {
        return Some(value.to_ascii_lowercase());
    }
    if value.contains('.') {
        let what = "is a domain name, and issuers have the id: az account show --query tenantId prints it, and the overview page of Microsoft Entra ID shows it";
        reader.problem(NAME, what, TENANT_EXAMPLE);
    } else if value != "organizations" && value != "common" {
        let what = "is neither a GUID nor organizations nor common";
        reader.problem(NAME, what, TENANT_EXAMPLE);
    }
    Some(value)
}

fn authority(reader: &mut Reader) -> String {
    const NAME: &str = "AUTHORITY_HOST";
    let default = CLOUDS[0].authority;
    let Some(value) = reader.value(NAME, default) else {
        return default.to_owned();
    };
    let value = value.trim_end_matches('/').to_owned();
    if CLOUDS.iter().any(|cloud| cloud.authority == value) {
        return value;
    }
    let host = value
        .split_once("://")
        .map_or(value.as_str(), |(_, rest)| rest);
    let host = host
        .split(['/', ':', '?'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_meant = |cloud: &&Cloud| cloud.aliases.contains(&host.as_str());
    if let Some(cloud) = CLOUDS.iter().find(is_meant) {
        let what = "is not how this cloud's issuers begin: leave out a path, and use the name that it has today";
        reader.problem(NAME, what, cloud.authority);
    } else if !is_safe_address(&value) || value.contains(['?', '#']) {
        let what = "is not https:// and a host (http:// only to a loopback address)";
        reader.problem(NAME, what, "https://login.microsoftonline.us");
    } else if !reader.is_set("ISSUERS") {
        let what =
            "is not one of Microsoft's clouds, so ISSUERS has to name the accepted issuers too";
        reader.problem(NAME, what, default);
    }
    value
}

/// The accepted issuers, and the sources of their keys.
fn issuers(
    reader: &mut Reader,
    tenant: Option<&str>,
    authority: &str,
) -> (Vec<Issuer>, Vec<Source>) {
    let named = reader.list("ISSUERS", ISSUER_EXAMPLE);
    let addresses = key_addresses(reader, named.len());
    let has_metadata = addresses.is_empty() && tenant.is_none();
    for issuer in &named {
        if let Some(what) = issuer_fault(issuer, has_metadata) {
            reader.problem("ISSUERS", what, ISSUER_EXAMPLE);
        }
    }
    let is_twice =
        |(number, issuer): (usize, &String)| named.iter().take(number).any(|other| other == issuer);
    if named.iter().enumerate().any(is_twice) {
        reader.problem("ISSUERS", "has an issuer twice", ISSUER_EXAMPLE);
    }
    let patterns = match tenant {
        Some(tenant) if named.is_empty() => default_issuers(tenant, authority),
        _ => named,
    };
    let all: Vec<Source> = match tenant {
        _ if !addresses.is_empty() => addresses,
        Some(tenant) => vec![Source::Address(format!(
            "{authority}/{tenant}/discovery/v2.0/keys"
        ))],
        None => patterns.iter().cloned().map(Source::Metadata).collect(),
    };
    let mut sources: Vec<Source> = Vec::new();
    let mut issuers = Vec::new();
    for (number, pattern) in patterns.into_iter().enumerate() {
        // One source for all issuers, or one for each.
        let Some(wanted) = all.get(number).filter(|_| all.len() > 1).or(all.first()) else {
            continue;
        };
        let known = sources.iter().position(|source| source == wanted);
        let source = known.unwrap_or(sources.len());
        if known.is_none() {
            sources.push(wanted.clone());
        }
        issuers.push(Issuer { pattern, source });
    }
    (issuers, sources)
}

/// The v1.0 and the v2.0 issuer of a tenant, or of any tenant.
fn default_issuers(tenant: &str, authority: &str) -> Vec<String> {
    let id = if is_guid(tenant) {
        tenant
    } else {
        TENANT_PLACEHOLDER
    };
    let cloud = CLOUDS.iter().find(|cloud| cloud.authority == authority);
    let v1 = cloud.map(|cloud| format!("{}{id}/", cloud.v1_issuer_host));
    let v2 = format!("{authority}/{id}/v2.0");
    v1.into_iter().chain([v2]).collect()
}

/// Why a text in `ISSUERS` can be no token's issuer.
fn issuer_fault(issuer: &str, has_metadata: bool) -> Option<&'static str> {
    let without_template = issuer.replace(TENANT_PLACEHOLDER, "");
    let is_template = without_template != issuer;
    let is_safe = is_safe_address(issuer);
    if issuer.contains("/.well-known/") {
        Some("has the address of metadata: write the issuer that stands in it")
    } else if without_template.ends_with("/keys") && without_template.contains("/discovery/") {
        Some(
            "has the address of keys: write the issuer (iss) of the tokens, and the address in JWKS_URI",
        )
    } else if without_template.contains(['?', '#']) {
        Some("has a query or a fragment, which no issuer has")
    } else if names_no_tenant(issuer) {
        Some(
            "has an issuer of Microsoft's with a name where tokens carry the id of the tenant, a GUID",
        )
    } else if without_template.contains(['{', '}']) {
        Some("has braces other than {tenantid}, which stands for the token's own tenant")
    } else if has_metadata && is_template {
        Some(
            "has {tenantid}, and no metadata tells the keys of any tenant: set TENANT_ID or JWKS_URI too",
        )
    } else if has_metadata && !is_safe {
        Some(
            "has an issuer whose metadata cannot be fetched, for it is not https:// (or http:// loopback): set JWKS_URI too",
        )
    } else {
        None
    }
}

/// Whether an issuer of Microsoft's has a domain or `common` in the place of the tenant's id.
fn names_no_tenant(issuer: &str) -> bool {
    const NAMES: [&str; 3] = ["common", "organizations", "consumers"];
    let tenant = issuer.split('/').nth(3).unwrap_or_default();
    super::is_microsoft_issuer(issuer) && (NAMES.contains(&tenant) || tenant.contains('.'))
}

/// `JWKS_URI`: nothing, one source for all issuers, or one for each.
fn key_addresses(reader: &mut Reader, issuers: usize) -> Vec<Source> {
    const NAME: &str = "JWKS_URI";
    if !reader.is_set(NAME) {
        return Vec::new();
    }
    let items = reader.items(NAME, &[','], KEYS_EXAMPLE);
    if items.len() > 1 && items.len() != issuers {
        let what = "has several addresses, and not as many as ISSUERS has issuers (a comma within an address is written %2C)";
        reader.problem(NAME, what, KEYS_EXAMPLE);
    }
    let mut sources = Vec::new();
    for item in items {
        if let Some(what) = key_address_fault(&item) {
            reader.problem(NAME, what, KEYS_EXAMPLE);
        }
        sources.push(if item.contains("://") {
            Source::Address(item)
        } else {
            Source::File(PathBuf::from(item))
        });
    }
    sources
}

fn key_address_fault(item: &str) -> Option<&'static str> {
    if item.contains("://") {
        return if !is_safe_address(item) {
            Some("is not https://, http:// to a loopback address, or the path of a file")
        } else if item.contains("/.well-known/openid-configuration") {
            Some(
                "is the address of metadata: write the jwks_uri that stands in it, or leave JWKS_URI and TENANT_ID out and set ISSUERS",
            )
        } else if super::is_v2_issuer(item) && item.trim_end_matches('/').ends_with("/v2.0") {
            Some("is an issuer: write the address of its keys, or leave JWKS_URI out")
        } else {
            None
        };
    }
    // `login.example.com/keys` without its scheme, and not a file such as `keys/entra.json`.
    let (name, _) = item.split_once('/').unwrap_or((item, ""));
    let is_host = name.contains('.') && !name.starts_with('.') && name != item;
    let looks_like_one = is_host || name.starts_with("localhost:") || item.starts_with("http");
    let is_address = looks_like_one && !is_file(item.as_ref());
    is_address.then_some("is no file, and looks like an address without https://")
}

fn trust(reader: &mut Reader) -> Trust {
    const NAME: &str = "CA_FILE";
    const EXAMPLE: &str = "/etc/ssl/certs/company-ca.pem";
    let Some(path) = reader.value(NAME, EXAMPLE) else {
        return Trust::default();
    };
    Trust::from_file(path.as_ref()).unwrap_or_else(|fault| {
        reader.problem(NAME, &fault, EXAMPLE);
        Trust::default()
    })
}

fn allowed_tenants(reader: &mut Reader, tenant: Option<&str>) -> Vec<String> {
    const NAME: &str = "ALLOWED_TENANTS";
    let allowed = reader.list(NAME, TENANT_EXAMPLE);
    let names = |id: &str| {
        allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(id))
    };
    if !allowed.iter().all(|id| is_guid(id)) {
        let what = "has something other than a GUID: az account show --query tenantId prints the id of a tenant";
        reader.problem(NAME, what, TENANT_EXAMPLE);
    } else if !allowed.is_empty() && tenant.is_some_and(|tenant| is_guid(tenant) && !names(tenant))
    {
        let what = "leaves out the tenant in TENANT_ID, so every token of it would be refused";
        reader.problem(NAME, what, TENANT_EXAMPLE);
    }
    allowed
}

/// Short names: a token never has a scope's full address in `scp`.
fn required_scopes(reader: &mut Reader) -> Vec<String> {
    const NAME: &str = "REQUIRED_SCOPES";
    const EXAMPLE: &str = "user_impersonation";
    let scopes = reader.items(NAME, &[' ', ','], EXAMPLE);
    let has_id = |scope: &String| scope.split_once('/').is_some_and(|(id, _)| is_guid(id));
    let is_full =
        |scope: &String| scope.contains("://") || scope.starts_with("spn:") || has_id(scope);
    if scopes.iter().any(is_full) {
        let what =
            "has the full address of a scope: a token carries the short name behind the last slash";
        reader.problem(NAME, what, EXAMPLE);
    } else if scopes.iter().any(|scope| scope.ends_with(".default")) {
        let what =
            "has .default, which a client asks for and no token carries: name the scope itself";
        reader.problem(NAME, what, EXAMPLE);
    }
    scopes
}

fn origins(reader: &mut Reader) -> Origins {
    const NAME: &str = "ALLOWED_ORIGINS";
    let listed = reader.list(NAME, ORIGINS_EXAMPLE);
    let names: Vec<&str> = listed.iter().map(String::as_str).collect();
    match names.as_slice() {
        [] | ["*"] => return Origins::Any,
        ["none"] => return Origins::Off,
        _ => {}
    }
    let is_origin = |name: &&str| Address::parse(name).is_some_and(|address| address.is_origin());
    if names.iter().any(|name| matches!(*name, "*" | "none")) {
        reader.problem(NAME, "mixes * or none with origins", ORIGINS_EXAMPLE);
    } else if !names.iter().all(|name| *name == "null" || is_origin(name)) {
        let what = "has an entry that is no origin as a browser writes it: scheme and host in lower case, a port only where it is not the usual one, no path, no slash at the end";
        reader.problem(NAME, what, ORIGINS_EXAMPLE);
    }
    Origins::Listed(listed)
}

fn audit(reader: &mut Reader) -> Audit {
    const NAME: &str = "AUDIT_LOG";
    match reader.value(NAME, "denied").as_deref() {
        None | Some("denied") => Audit::Denied,
        Some("all") => Audit::All,
        Some("off") => Audit::Off,
        Some(_) => {
            reader.problem(NAME, "is none of denied, all and off", "denied");
            Audit::Denied
        }
    }
}

/// RFC 9728: the resource identifier, and what its metadata says.
fn resource(reader: &mut Reader, issuers: &[Issuer], required: &[String]) -> Option<Resource> {
    const NAME: &str = "RESOURCE";
    const SCOPES: &str = "RESOURCE_SCOPES";
    const SCOPES_EXAMPLE: &str = "https://api.example.com/Items.Read";
    if !reader.is_set(NAME) {
        if reader.is_set(SCOPES) {
            reader.problem(
                SCOPES,
                "needs RESOURCE, the public address of this API",
                SCOPES_EXAMPLE,
            );
        }
        return None;
    }
    let scopes = reader.items(SCOPES, &[' ', ','], SCOPES_EXAMPLE);
    if !scopes.iter().all(|scope| is_scope(scope)) {
        reader.problem(
            SCOPES,
            "has a character that no scope has (RFC 6749 section 3.3)",
            SCOPES_EXAMPLE,
        );
    }
    let identifier = reader.value(NAME, RESOURCE_EXAMPLE)?;
    let address = Address::parse(&identifier).filter(Address::is_safe);
    let is_bare =
        |address: Address| !address.rest.contains(['?', '#']) && !identifier.ends_with('/');
    if !address.is_some_and(is_bare) {
        let what = "is not https:// (or http:// to a loopback address), a host and perhaps a path, without user information, query, fragment or slash at the end";
        reader.problem(NAME, what, RESOURCE_EXAMPLE);
    }
    let authorization_servers = authorization_servers(reader, issuers);
    if authorization_servers.is_empty() && !issuers.is_empty() {
        let what =
            "needs an authorization server to name: set ISSUERS with an issuer without {tenantid}";
        reader.problem(NAME, what, RESOURCE_EXAMPLE);
    }
    let full_name = |scope: &String| format!("{identifier}/{scope}");
    let scopes = if scopes.is_empty() {
        required.iter().map(full_name).collect()
    } else {
        scopes
    };
    Some(Resource {
        identifier,
        scopes,
        authorization_servers,
    })
}

/// RFC 6749 section 3.3: the characters of a scope.
fn is_scope(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// The issuers without `{tenantid}`; of a tenant's own two, the v2.0 issuer alone.
fn authorization_servers(reader: &Reader, issuers: &[Issuer]) -> Vec<String> {
    let is_default = !reader.is_set("ISSUERS");
    let named = issuers.iter().filter(|issuer| !issuer.is_template());
    let named = named.filter(|issuer| !is_default || !super::is_v1_issuer(&issuer.pattern));
    named.map(|issuer| issuer.pattern.clone()).collect()
}

fn warnings(settings: &Settings) -> Vec<String> {
    let mut warnings = Vec::new();
    for audience in settings
        .audiences
        .iter()
        .filter(|audience| ends_in_scope(audience))
    {
        let audience = clean(audience, MAX_QUOTED_CHARS);
        warnings.push(format!("API_AUDIENCE {audience} ends in a scope; aud never has one, so no token will match: leave the scope out"));
    }
    if settings.issuers.iter().any(Issuer::is_template) && settings.allowed_tenants.is_empty() {
        warnings.push("ALLOWED_TENANTS is not set on a multi-tenant API: users and applications of any tenant are accepted".into());
    }
    let is_foreign = |issuer: &Issuer| {
        let is_known = super::is_microsoft_issuer(&issuer.pattern);
        !is_known && !issuer.pattern.starts_with(&settings.authority)
    };
    let is_entra = |source: &Source| match source {
        Source::Address(address) => super::is_v2_issuer(address),
        Source::File(_) | Source::Metadata(_) => false,
    };
    if settings.sources.iter().all(is_entra) && settings.issuers.iter().any(is_foreign) {
        warnings.push("ISSUERS has an issuer outside Entra, and all keys come from Entra: set JWKS_URI, one address for each issuer, or leave TENANT_ID out".into());
    }
    let resource = settings.resource.as_ref();
    let address = resource.and_then(|resource| Address::parse(&resource.identifier));
    let host = address.map(|address| address.host.to_ascii_lowercase());
    if host.is_some_and(|host| host.ends_with(".azurewebsites.net")) {
        warnings.push("RESOURCE is below azurewebsites.net: Entra accepts an address as App ID URI on a verified domain only, so no token can be asked for it".into());
    }
    warnings
}

/// Whether an audience looks like the full name of a scope.
fn ends_in_scope(audience: &str) -> bool {
    let name = audience
        .strip_prefix("api://")
        .and_then(|rest| rest.rsplit_once('/'));
    let is_name = |name: &str| name.contains('.') || name.starts_with("access_as_");
    let has_ending = SCOPE_ENDINGS
        .iter()
        .any(|ending| audience.ends_with(ending));
    has_ending || name.is_some_and(|(_, name)| is_name(name))
}
