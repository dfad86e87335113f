//! Downloading over HTTPS. No other file names ureq.

use super::address::Address;
use super::file::read_file;
use crate::limits::FETCH_CONNECT_TIMEOUT;
use crate::text::{MAX_QUOTED_CHARS, clean};
use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Bytes of the largest `CA_FILE`. All of Mozilla's authorities take a quarter of it.
const MAX_CA_FILE_BYTES: u64 = 1024 * 1024;

/// Certificate authorities that are trusted beside Mozilla's, as DER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust(Vec<Vec<u8>>);

/// Why there is no body. It holds no text that came from the server.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answered with another status than 200.
    Status(u16),
    /// Anything else, in words.
    Other(String),
}

impl Trust {
    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub fn from_file(path: &Path) -> Result<Trust, String> {
        let pem = read_file(path, MAX_CA_FILE_BYTES);
        let pem = pem.map_err(|fault| format!("names no PEM file: {fault}"))?;
        let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&pem);
        let certificates = parse_pem(pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate.der().to_vec()),
            _ => None,
        });
        // DER begins a certificate with the mark of a sequence (RFC 5280 section 4.1).
        let certificates = certificates.filter(|der| der.starts_with(&[0x30]));
        let certificates: Vec<Vec<u8>> = certificates.collect();
        if certificates.is_empty() {
            return Err("names a file without a certificate in PEM".into());
        }
        Ok(Trust(certificates))
    }
}

/// The body at an address: of a response with status 200, and of at most `max` bytes.
pub(super) fn download(
    address: &str,
    max: u64,
    trust: &Trust,
    deadline: Instant,
) -> Result<Vec<u8>, Failure> {
    let first = get(address, max, RootCerts::WebPki, deadline);
    let is_unknown =
        matches!(&first, Err(Failure::Other(words)) if words.contains("UnknownIssuer"));
    if !is_unknown {
        return first;
    }
    if trust.0.is_empty() {
        return Err(Failure::Other(
            "its certificate is from an authority that is not known; if this network inspects TLS, set CA_FILE to the authority's certificate".into(),
        ));
    }
    // ureq takes Mozilla's authorities or others, never both, so the others get a try of their own.
    let others = trust
        .0
        .iter()
        .map(|der| Certificate::from_der(der).to_owned());
    let others = RootCerts::Specific(Arc::new(others.collect()));
    match get(address, max, others, deadline) {
        Err(Failure::Other(words)) if words.contains("UnknownIssuer") => Err(Failure::Other(
            "its certificate is from an authority that is neither known nor in CA_FILE".into(),
        )),
        outcome => outcome,
    }
}

fn get(address: &str, max: u64, roots: RootCerts, deadline: Instant) -> Result<Vec<u8>, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Other(TOO_LONG.into()));
    }
    let mut config = Agent::config_builder()
        .timeout_global(Some(left))
        .timeout_connect(Some(FETCH_CONNECT_TIMEOUT))
        .user_agent(concat!("entra-handler/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        // A redirect could lead to another host; Entra's key address needs none.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false);
    if Address::parse(address).is_some_and(|address| address.is_loopback()) {
        // A proxy would turn this machine's keys into another's.
        config = config.proxy(None);
    }
    let agent: Agent = config.build().into();
    let request = agent.get(address).header("Accept", "application/json");
    let mut response = request.call().map_err(words)?;
    if response.status() != 200 {
        return Err(Failure::Status(response.status().as_u16()));
    }
    let too_long = || Failure::Other(format!("it is longer than {max} bytes"));
    // A body of one byte too many still comes; ureq cuts a longer one.
    let body = response.body_mut().with_config().limit(max + 1);
    match body.read_to_vec() {
        Ok(bytes) if bytes.len() as u64 > max => Err(too_long()),
        Err(ureq::Error::BodyExceedsLimit(_)) => Err(too_long()),
        outcome => outcome.map_err(words),
    }
}

const SELF_MADE: &str = "its certificate is of a kind that is for authorities only, or too old; give the server one that an authority has signed, and name that authority in CA_FILE";

fn is_self_made(words: &str) -> bool {
    words.contains("CaUsedAsEndEntity") || words.contains("UnsupportedCertVersion")
}

const TOO_LONG: &str = "the server took too long";

fn words(error: ureq::Error) -> Failure {
    Failure::Other(match error {
        ureq::Error::Timeout(_) => TOO_LONG.into(),
        error if is_self_made(&error.to_string()) => SELF_MADE.into(),
        error => clean(&error.to_string(), MAX_QUOTED_CHARS).into_owned(),
    })
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Status(status) => write!(f, "the server answered with status {status}"),
            Failure::Other(words) => f.write_str(words),
        }
    }
}
