//! Claims (RFC 7519 section 4) of a token that nobody has to believe yet, read one by one with
//! their types: for the checks, for hints and for the audit log.

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

    /// A claim that is a string, or nothing: for hints and log entries.
    pub fn hint(self, name: &str) -> Cow<'a, str> {
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

    /// The client application: `azp`, or `appid` where there is no `azp` (v1.0 tokens).
    pub fn client(self) -> Result<Option<Cow<'a, str>>, ClaimFault> {
        let (azp, appid) = (self.text("azp")?, self.text("appid")?);
        Ok(azp.or(appid))
    }

    /// Delegated permissions: `scp`, from other issuers `scope` (RFC 9068 section 2.2.3), names
    /// between spaces; empty where there are none.
    pub fn scopes(self) -> Result<Vec<Cow<'a, str>>, ClaimFault> {
        let (scp, scope) = (self.text("scp")?, self.text("scope")?);
        let text = scp.or(scope).unwrap_or_default();
        Ok(match text {
            Cow::Borrowed(text) => names(text).map(Cow::Borrowed).collect(),
            Cow::Owned(text) => names(&text).map(|name| Cow::Owned(name.into())).collect(),
        })
    }

    /// App roles, empty where there are none.
    pub fn roles(self) -> Result<Vec<Cow<'a, str>>, ClaimFault> {
        let Some(value) = self.raw("roles") else {
            return Ok(Vec::new());
        };
        let roles = value.strings();
        roles.ok_or(ClaimFault::Malformed("roles", "an array of strings"))
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|name| !name.is_empty())
}
