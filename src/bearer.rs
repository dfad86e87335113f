//! The bearer token of a request (RFC 6750 section 2.1).

use crate::rejection::Rejection;

/// The name under which refusals of this file are logged and told.
pub const CHECK_NAME: &str = "authorization";

/// Finds the one token in the values of all `Authorization` headers of a request.
pub fn token<'h>(mut headers: impl Iterator<Item = &'h str>) -> Result<&'h str, Rejection> {
    let value = headers.next().ok_or(Rejection::AuthorizationMissing)?;
    if headers.next().is_some() {
        return Err(Rejection::SeveralAuthorizations);
    }
    after_scheme(value).ok_or(Rejection::NotBearer).and_then(one_token)
}

/// What follows the scheme, whose name may be in any letter case (RFC 9110 section 11.1). None
/// when it is not `Bearer`.
pub fn after_scheme(value: &str) -> Option<&str> {
    const SCHEME: &str = "Bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let separated = rest.is_empty() || rest.starts_with(' ');
    (scheme.eq_ignore_ascii_case(SCHEME) && separated).then_some(rest)
}

/// Exactly one token after one or more spaces (RFC 9110 section 11.4). The Functions host joins
/// repeated headers with a comma and a space.
fn one_token(rest: &str) -> Result<&str, Rejection> {
    match rest.trim_matches(' ') {
        "" => Err(Rejection::TokenMissing),
        token if token.contains(' ') => Err(Rejection::SeveralTokens),
        token => Ok(token),
    }
}
