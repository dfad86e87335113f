//! Addresses: where keys may come from, and origins as a browser writes them.

use crate::text::{MAX_QUOTED_CHARS, clean};
use std::borrow::Cow;
use std::net::IpAddr;

/// The parts of `scheme://host:port/path`, as they were written.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// As it was written.
    pub scheme: &'a str,
    /// Without the port.
    pub host: &'a str,
    port: Option<&'a str>,
    /// From the first slash, question mark or number sign behind the host.
    pub rest: &'a str,
    has_user: bool,
}

impl<'a> Address<'a> {
    /// None when it does not begin with a scheme, or has characters that no address has.
    pub fn parse(text: &'a str) -> Option<Address<'a>> {
        let is_legal = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{}".contains(&byte);
        let (scheme, rest) = text.split_once("://")?;
        if !text.bytes().all(is_legal) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let has_user = authority.contains('@');
        Some(Address {
            scheme,
            host,
            port,
            rest,
            has_user,
        })
    }

    /// `https://` to any host, or `http://` to a loopback address, and no user information: what
    /// comes from there must not be changed on the way.
    pub fn is_safe(&self) -> bool {
        let is_encrypted = self.scheme == "https" || (self.scheme == "http" && self.is_loopback());
        !self.host.is_empty() && !self.has_user && self.has_good_port() && is_encrypted
    }

    /// Whether the host is this machine, by name or by number.
    pub fn is_loopback(&self) -> bool {
        let inner = self.host.strip_prefix('[');
        let number = inner
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(self.host);
        let number = number.parse::<IpAddr>();
        self.host == "localhost" || number.is_ok_and(|address| address.is_loopback())
    }

    /// Whether the port, if there is one, is a number from 1 to 65535, written plainly.
    fn has_good_port(&self) -> bool {
        self.port.is_none_or(|port| {
            let number = port.parse::<u16>().unwrap_or_default();
            number > 0 && number.to_string() == port
        })
    }

    /// Whether it is an origin as browsers write it (RFC 6454 section 6.2). Scheme and host are in
    /// lower case; there is no path, and no port that the scheme has anyway.
    pub fn is_origin(&self) -> bool {
        let is_lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let is_default = matches!(
            (self.scheme, self.port),
            ("https", Some("443")) | ("http", Some("80"))
        );
        let is_written_so = is_lower(self.scheme) && is_lower(self.host) && !is_default;
        let is_host = !self.host.is_empty() && !self.host.contains('*') && !self.has_user;
        is_written_so && self.has_good_port() && is_host && self.rest.is_empty()
    }
}

/// Whether keys may be fetched from this address.
pub fn is_safe_address(text: &str) -> bool {
    Address::parse(text).is_some_and(|address| address.is_safe())
}

/// An address as the log has it: without its query, which may hold a secret.
pub(super) fn without_query(address: &str) -> String {
    let bare = address.split(['?', '#']).next().unwrap_or_default();
    clean(&without_user(bare), 2 * MAX_QUOTED_CHARS).into_owned()
}

/// A text without the user information of an address, which may hold a password.
pub fn without_user(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Cow::Borrowed(text);
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((authority, path)) = rest.split_at_checked(end) else {
        return Cow::Borrowed(text);
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://(user information)@{host}{path}").into(),
        None => Cow::Borrowed(text),
    }
}
