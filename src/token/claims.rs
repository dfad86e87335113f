//! Single claims (RFC 7519 section 4) of a payload that nobody has verified, with their types.

use crate::json::{Object, Raw};
use crate::limits::END_OF_NUMERIC_DATES;
use std::borrow::Cow;

/// A view of a payload.
#[derive(Debug, Clone, Copy)]
pub struct UnverifiedClaims<'a>(&'a Object);

/// A claim that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFault {
    /// A claim that must be there is missing.
    Missing(&'static str),
    /// The claim of this name is not what it has to be.
    Malformed(&'static str, &'static str),
}

impl<'a> UnverifiedClaims<'a> {
    /// Looks at a payload.
    pub fn of(payload: &'a Object) -> Self {
        UnverifiedClaims(payload)
    }

    /// The value of a claim as it was written.
    pub fn raw(self, name: &str) -> Option<Raw<'a>> {
        self.0.get(name)
    }

    /// A claim that must be a string where it is present.
    pub fn text(self, name: &'static str) -> Result<Option<Cow<'a, str>>, ClaimFault> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        match value.string() {
            Some(text) => Ok(Some(text)),
            None => Err(ClaimFault::Malformed(name, "a string")),
        }
    }

    /// A claim that is a string, otherwise an empty text: for hints and log entries.
    pub fn text_or_empty(self, name: &str) -> Cow<'a, str> {
        self.raw(name).and_then(Raw::string).unwrap_or_default()
    }

    /// The issuer (RFC 7519 section 4.1.1).
    pub fn issuer(self) -> Result<Cow<'a, str>, ClaimFault> {
        self.text("iss")?.ok_or(ClaimFault::Missing("iss"))
    }

    /// The audiences (RFC 7519 section 4.1.3): a string or an array of strings.
    pub fn audiences(self) -> Result<Vec<Cow<'a, str>>, ClaimFault> {
        const EXPECTED: &str = "a string or an array of strings";
        let value = self.raw("aud").ok_or(ClaimFault::Missing("aud"))?;
        match value.string() {
            Some(one) => Ok(vec![one]),
            None => value
                .strings()
                .ok_or(ClaimFault::Malformed("aud", EXPECTED)),
        }
    }

    /// A NumericDate (RFC 7519 section 2) in Unix seconds, None where it is absent.
    pub fn date(self, name: &'static str) -> Result<Option<f64>, ClaimFault> {
        const EXPECTED: &str = "a number of seconds from 0 to the end of the year 9999";
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        match value.number() {
            Some(date) if (0.0..END_OF_NUMERIC_DATES).contains(&date) => Ok(Some(date)),
            _ => Err(ClaimFault::Malformed(name, EXPECTED)),
        }
    }

    /// The client application: the first of `azp` (Entra v2.0), `appid` (Entra v1.0), `client_id`
    /// (RFC 9068 section 2.2) and `cid` (Okta) that is there.
    pub fn client(self) -> Result<Option<Cow<'a, str>>, ClaimFault> {
        const NAMES: [&str; 4] = ["azp", "appid", "client_id", "cid"];
        let name = NAMES.into_iter().find(|name| self.raw(name).is_some());
        name.map_or(Ok(None), |name| self.text(name))
    }

    /// Delegated permissions: `scp`, or `scope` where there is no `scp` (RFC 9068 section 2.2.3).
    /// Names between blanks in a string, or one a string in an array; empty where there are none.
    pub fn scopes(self) -> Result<Vec<Cow<'a, str>>, ClaimFault> {
        let (scp, scope) = (self.scopes_in("scp")?, self.scopes_in("scope")?);
        Ok(scp.or(scope).unwrap_or_default())
    }

    fn scopes_in(self, name: &'static str) -> Result<Option<Vec<Cow<'a, str>>>, ClaimFault> {
        const EXPECTED: &str = "a string or an array of strings";
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let names = match value.string() {
            Some(Cow::Borrowed(text)) => Some(text.split(' ').map(Cow::Borrowed).collect()),
            Some(Cow::Owned(text)) => Some(
                text.split(' ')
                    .map(|name| Cow::Owned(name.to_owned()))
                    .collect(),
            ),
            None => value.strings(),
        };
        let names = names.map(without_blanks).map(Some);
        names.ok_or(ClaimFault::Malformed(name, EXPECTED))
    }

    /// App roles, empty where there are none.
    pub fn roles(self) -> Result<Vec<Cow<'a, str>>, ClaimFault> {
        let Some(value) = self.raw("roles") else {
            return Ok(Vec::new());
        };
        let roles = value.strings().map(without_blanks);
        roles.ok_or(ClaimFault::Malformed("roles", "an array of strings"))
    }
}

/// A name that is empty or blank permits nothing.
fn without_blanks(mut names: Vec<Cow<str>>) -> Vec<Cow<str>> {
    names.retain(|name| !name.trim().is_empty());
    names
}
