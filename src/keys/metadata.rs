//! The address of an issuer's keys, as its metadata names it (OpenID Connect Discovery 1.0, RFC
//! 8414).

use super::address::{is_safe_address, without_query};
use super::download::{Failure, Trust, download};
use crate::json::{Object, Raw};
use crate::text::quoted;
use std::time::Instant;

/// Bytes of the largest metadata. Entra's has about 2 KiB.
const MAX_METADATA_BYTES: u64 = 64 * 1024;

/// Asks the issuer's metadata for the address of its keys.
///
/// # Errors
/// Why there is no such address: for a log entry.
pub(super) fn keys_address(
    issuer: &str,
    trust: &Trust,
    deadline: Instant,
) -> Result<String, String> {
    let mut failure = String::new();
    for address in addresses(issuer) {
        match download(&address, MAX_METADATA_BYTES, trust, deadline) {
            Ok(bytes) => {
                let named = |fault| format!("{}: {fault}", without_query(&address));
                return read(bytes, issuer).map_err(named);
            }
            Err(fault) => {
                failure = format!("{}: {fault}", without_query(&address));
                if !matches!(fault, Failure::Status(404)) {
                    break;
                }
            }
        }
    }
    Err(failure)
}

/// OpenID Connect Discovery 1.0 section 4 puts the well-known part behind the issuer, without a
/// slash at its end. RFC 8414 section 3.1 puts it between host and path.
fn addresses(issuer: &str) -> Vec<String> {
    const WELL_KNOWN: &str = "/.well-known/openid-configuration";
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let mut addresses = vec![format!("{issuer}{WELL_KNOWN}")];
    let host_end = issuer.find("://").and_then(|scheme| {
        let host = scheme + "://".len();
        Some(host + issuer.get(host..)?.find('/')?)
    });
    if let Some((host, path)) = host_end.and_then(|end| issuer.split_at_checked(end)) {
        addresses.push(format!("{host}{WELL_KNOWN}{path}"));
    }
    addresses
}

/// OpenID Connect Discovery 1.0 section 4.3: the issuer is the one that was asked, to the letter.
fn read(bytes: Vec<u8>, issuer: &str) -> Result<String, String> {
    let metadata = Object::parse(bytes).map_err(|fault| format!("the metadata {fault}"))?;
    let text = |name| metadata.get(name).and_then(Raw::string);
    let named = text("issuer").unwrap_or_default();
    if named != issuer {
        let (named, issuer) = (quoted(&named), quoted(issuer));
        return Err(format!(
            "the metadata is of the issuer {named}, and not of {issuer}"
        ));
    }
    let address = text("jwks_uri").unwrap_or_default();
    if !is_safe_address(&address) {
        let address = quoted(&without_query(&address));
        return Err(format!(
            "the metadata has the jwks_uri {address}, which is not https:// (or http:// to a loopback address) without user information"
        ));
    }
    Ok(address.into_owned())
}
