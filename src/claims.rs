//! Claims (RFC 7519 section 4): read one by one with their types while nothing is decided yet,
//! and handed on as [`Claims`] once every check has passed.

use crate::json::{Object, Value};
use crate::limits::END_OF_NUMERIC_DATES;
use crate::rejection::Rejection;
use crate::signature::VerifiedToken;
use crate::token::UnverifiedToken;
use std::borrow::Cow;

/// The claims of a token that has passed every check. What an endpoint gets to see.
#[derive(Debug)]
pub struct Claims<'t>(VerifiedToken<'t>);

impl<'t> Claims<'t> {
    /// Only [`crate::checks::decide`] calls this, after the last check.
    pub(crate) fn of(token: VerifiedToken<'t>) -> Claims<'t> {
        Claims(token)
    }

    /// The token that carried them.
    pub fn token(&self) -> &UnverifiedToken<'t> {
        self.0.token()
    }

    /// The claims exactly as the issuer wrote them: a JSON object.
    pub fn into_json(self) -> String {
        self.0.into_token().into_payload().into_text()
    }

    /// A claim that is a string, such as `oid`, `sub` or `tid`.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.token().payload().get(name)?.string()
    }

    /// Whether the token carries an app role (`roles`).
    pub fn has_role(&self, role: &str) -> bool {
        self.token()
            .payload()
            .get("roles")
            .and_then(Value::strings)
            .is_some_and(|roles| roles.iter().any(|have| have == role))
    }

    /// Whether the token carries a delegated permission (`scp`, from other issuers `scope`).
    pub fn has_scope(&self, scope: &str) -> bool {
        UnverifiedClaims::of(self.token().payload())
            .scopes()
            .is_ok_and(|scopes| scopes.split(' ').any(|have| have == scope))
    }
}

/// A view of claims that nobody has to believe yet: for the checks that read them, and for hints.
#[derive(Debug, Clone, Copy)]
pub struct UnverifiedClaims<'a>(&'a Object);

impl<'a> UnverifiedClaims<'a> {
    /// Looks at a payload.
    pub fn of(payload: &'a Object) -> Self {
        UnverifiedClaims(payload)
    }

    /// The value of a claim as it was written.
    pub fn raw(self, name: &str) -> Option<Value<'a>> {
        self.0.get(name)
    }

    /// A claim that must be a string where it is present.
    pub fn text(self, name: &'static str) -> Result<Option<Cow<'a, str>>, Rejection> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.string().map(Some).ok_or_else(|| Rejection::ClaimMalformed { name, expected: "a string" })
    }

    /// A claim that is a string, or nothing: for hints and log lines.
    pub fn hint(self, name: &str) -> Cow<'a, str> {
        self.0.get(name).and_then(Value::string).unwrap_or_default()
    }

    /// The audiences (RFC 7519 section 4.1.3): a string or an array of strings.
    pub fn audiences(self) -> Result<Vec<Cow<'a, str>>, Rejection> {
        let value = self.0.get("aud").ok_or_else(|| Rejection::ClaimMissing { name: "aud" })?;
        let found = value.string().map(|one| vec![one]).or_else(|| value.strings());
        found.ok_or_else(|| Rejection::ClaimMalformed { name: "aud", expected: "a string or an array of strings" })
    }

    /// A NumericDate (RFC 7519 section 2) in Unix seconds, None where it is absent.
    pub fn date(self, name: &'static str) -> Result<Option<f64>, Rejection> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let in_range = |date: &f64| (0.0..END_OF_NUMERIC_DATES).contains(date);
        let expected = "a number of seconds from 0 to the end of the year 9999";
        value.number().filter(in_range).map(Some).ok_or_else(|| Rejection::ClaimMalformed { name, expected })
    }

    /// The client application: `azp`, or `appid` where there is no `azp` (v1.0 tokens).
    pub fn client(self) -> Result<Option<Cow<'a, str>>, Rejection> {
        Ok(self.text("azp")?.or(self.text("appid")?))
    }

    /// Delegated permissions separated by spaces: `scp`, from other issuers `scope` (RFC 9068
    /// section 2.2.3); empty where there are none.
    pub fn scopes(self) -> Result<Cow<'a, str>, Rejection> {
        let (scp, scope) = (self.text("scp")?, self.text("scope")?);
        Ok(scp.or(scope).unwrap_or_default())
    }

    /// App roles, empty where there are none.
    pub fn roles(self) -> Result<Vec<Cow<'a, str>>, Rejection> {
        let Some(value) = self.0.get("roles") else { return Ok(Vec::new()) };
        value.strings().ok_or_else(|| Rejection::ClaimMalformed { name: "roles", expected: "an array of strings" })
    }
}

/// Bytes of a GUID's text.
pub const GUID_LENGTH: usize = 36;

/// The text of a GUID: 8-4-4-4-12 hexadecimal digits.
pub fn is_guid(text: &str) -> bool {
    text.len() == GUID_LENGTH
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Compares identifiers exactly, but GUIDs without regard to the case of their digits.
pub fn same_id(a: &str, b: &str) -> bool {
    a == b || (is_guid(a) && a.eq_ignore_ascii_case(b))
}
