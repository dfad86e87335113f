//! The bearer token of a request (RFC 6750 section 2.1).

use crate::policy::{Reason, Rejection, unreadable};

/// The name under which a refusal of the `Authorization` header itself is logged and told.
pub const AUTHORIZATION: &str = "authorization";

/// Finds the one token in the values of all `Authorization` headers of a request.
///
/// # Errors
/// There is not exactly one header with exactly one token.
pub fn token<'h>(mut headers: impl Iterator<Item = &'h str>) -> Result<&'h str, Rejection> {
    let refused = |reason| Rejection::new(AUTHORIZATION, reason);
    let Some(value) = headers.next() else {
        return Err(refused(Reason::AuthorizationMissing));
    };
    if headers.next().is_some() {
        return Err(refused(Reason::SeveralAuthorizations));
    }
    let rest = after_scheme(value).ok_or(Reason::NotBearer);
    rest.and_then(one_token).map_err(refused)
}

/// The text behind the scheme, whose name may be in any letter case (RFC 9110 section 11.1). None
/// when the scheme is not `Bearer`.
pub fn after_scheme(value: &str) -> Option<&str> {
    const SCHEME: &str = "Bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let is_separated = rest.is_empty() || rest.starts_with(' ');
    (scheme.eq_ignore_ascii_case(SCHEME) && is_separated).then_some(rest)
}

/// Exactly one token after one or more spaces (RFC 9110 section 11.4). The Functions host joins
/// repeated headers with a comma and a space.
fn one_token(rest: &str) -> Result<&str, Reason> {
    match rest.trim_matches(' ') {
        "" => Err(Reason::TokenMissing),
        several if several.contains(' ') => Err(Reason::SeveralTokens {
            hint: unreadable(several),
        }),
        token => Ok(token),
    }
}
