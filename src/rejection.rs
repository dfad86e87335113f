//! Every reason for which a request is refused: its status, its code and its words.

use crate::clock::rfc3339;
use crate::json::JsonFault;
use crate::jwks::Unusable;
use crate::limits::{MAX_DESCRIPTION_CHARS, MAX_JSON_DEPTH, MAX_KID_BYTES, MAX_QUOTED_CHARS, MAX_TOKEN_BYTES};
use std::borrow::Cow;
use std::fmt::{self, Display};

/// A part of the compact serialization (RFC 7515 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The JOSE header.
    Header,
    /// The payload: the claims.
    Payload,
    /// The signature.
    Signature,
}

/// The codes of error bodies; the first four are those of Microsoft's Python sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Code {
    AuthorizationHeaderMissing,
    InvalidHeader,
    TokenExpired,
    InvalidClaims,
    TokenNotYetValid,
    InsufficientScope,
    KeysUnavailable,
}

/// Why a request is refused. Values that came with the token are unverified; they are capped and
/// cleaned when the words are made. `hint` is what [`crate::explain`] has to add, or empty.
/// `NotReached` stands for a check that needs what an earlier one did not find. The server stops at
/// the first refusal and never gets there; were it to, this refuses.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Rejection {
    AuthorizationMissing,
    NotBearer,
    TokenMissing,
    SeveralTokens,
    SeveralAuthorizations,
    TokenTooLong { bytes: usize },
    NotThreeParts { found: usize },
    Encrypted,
    NotBase64url { part: Part },
    BadJson { part: Part, fault: JsonFault },
    WrongAlgorithm { found: Option<String>, hint: &'static str },
    CriticalHeader,
    UnsupportedHeader { name: &'static str },
    WrongType { found: String },
    BadKeyId,
    UnknownKey { kid: String, hint: String },
    UnusableKey { kid: String, reason: Unusable },
    BadSignature { kid: String, hint: &'static str },
    ClaimMissing { name: &'static str },
    ClaimMalformed { name: &'static str, expected: &'static str },
    WrongIssuer { found: String, accepted: String, hint: &'static str },
    WrongTenant { tid: String, issuer: String },
    TenantNotAllowed { tid: String },
    WrongKeyIssuer { key_issuer: String, issuer: String },
    WrongAudience { found: String, accepted: String, hint: String },
    Expired { at: f64, now: f64, leeway: u64 },
    NotYetValid { at: f64, now: f64, leeway: u64 },
    ClientNotAllowed { client: String },
    PermissionMissing { found: String, scopes: Vec<String>, roles: Vec<String>, hint: &'static str },
    NoPermission { hint: &'static str },
    KeysUnavailable { retry_after: u64 },
    NotReached,
}

impl Code {
    /// The code as it stands in an error body.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::AuthorizationHeaderMissing => "authorization_header_missing",
            Code::InvalidHeader => "invalid_header",
            Code::TokenExpired => "token_expired",
            Code::InvalidClaims => "invalid_claims",
            Code::TokenNotYetValid => "token_not_yet_valid",
            Code::InsufficientScope => "insufficient_scope",
            Code::KeysUnavailable => "keys_unavailable",
        }
    }
}

impl Rejection {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self.code() {
            Code::InsufficientScope => 403,
            Code::KeysUnavailable => 503,
            _ => 401,
        }
    }

    /// The code of the error body.
    pub fn code(&self) -> Code {
        self.reason().0
    }

    /// What was found and what was expected, in characters that RFC 6750 section 3 allows in
    /// `error_description`: printable ASCII without `"` and `\`.
    pub fn description(&self) -> String {
        let words = self.reason().1;
        match clean(&words, MAX_DESCRIPTION_CHARS) {
            Cow::Borrowed(_) => words,
            Cow::Owned(cleaned) => cleaned,
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750 section 3) with this description, which is
    /// [`Rejection::description`]; None where there is none.
    pub fn challenge(&self, description: &str) -> Option<String> {
        let error = match self.code() {
            Code::KeysUnavailable => return None,
            // RFC 6750 section 3.1: a request without authentication gets no error code.
            Code::AuthorizationHeaderMissing => return Some("Bearer".to_owned()),
            Code::InsufficientScope => "insufficient_scope",
            _ => "invalid_token",
        };
        let scope = match self {
            Rejection::PermissionMissing { scopes, .. } if !scopes.is_empty() => {
                format!(", scope=\"{}\"", clean(&scopes.join(" "), MAX_DESCRIPTION_CHARS))
            }
            _ => String::new(),
        };
        Some(format!("Bearer error=\"{error}\", error_description=\"{description}\"{scope}"))
    }

    /// The one place where each reason has its code and its words.
    fn reason(&self) -> (Code, String) {
        use Code::*;
        use Rejection as R;
        match self {
            R::AuthorizationMissing => (AuthorizationHeaderMissing, "The request has no Authorization header; send Authorization: Bearer and an access token".into()),
            R::NotBearer => (InvalidHeader, "The Authorization header does not use the Bearer scheme; send Authorization: Bearer and an access token".into()),
            R::TokenMissing => (InvalidHeader, "The Authorization header says Bearer and then nothing; an access token has to follow".into()),
            R::SeveralTokens => (InvalidHeader, "There is more than one word after Bearer; send exactly one access token, without spaces or commas".into()),
            R::SeveralAuthorizations => (InvalidHeader, "The request has more than one Authorization header; send exactly one".into()),
            R::TokenTooLong { bytes } => (InvalidHeader, format!("The token has {bytes} bytes; at most {MAX_TOKEN_BYTES} are accepted. Fewer group claims make it shorter")),
            R::NotThreeParts { found } => (InvalidHeader, format!("The token has {found} part(s); a signed JWT has three that are not empty, separated by dots")),
            R::Encrypted => (InvalidHeader, "The token has five parts: it is an encrypted one (JWE), which is meant for another party. Ask for an access token of this API".into()),
            R::NotBase64url { part } => (InvalidHeader, format!("The {part} of the token is not base64url in its canonical form without padding; was the token cut or changed on the way?")),
            R::BadJson { part, fault } => (InvalidHeader, format!("The {part} of the token {}", fault_words(fault))),
            R::WrongAlgorithm { found, hint } => (InvalidHeader, format!("The token's alg is {}; only RS256 is accepted{hint}", found.as_deref().map_or("missing".into(), quoted))),
            R::CriticalHeader => (InvalidHeader, "The token's header has crit; no critical extension is supported here".into()),
            R::UnsupportedHeader { name } => (InvalidHeader, format!("The token's header has {name}, which a signed access token does not have")),
            R::WrongType { found } => (InvalidHeader, format!("The token's typ is {}; an access token has JWT or at+jwt", quoted(found))),
            R::BadKeyId => (InvalidHeader, format!("The token's header needs a kid, a string of 1 to {MAX_KID_BYTES} bytes, that names the signing key")),
            R::UnknownKey { kid, hint } => (InvalidHeader, format!("The token names the signing key {}, which is not in the issuer's key set{hint}", quoted(kid))),
            R::UnusableKey { kid, reason } => (InvalidHeader, format!("The token names the signing key {}, which may not be used: {reason}", quoted(kid))),
            R::BadSignature { kid, hint } => (InvalidHeader, format!("The token's signature does not verify with the key {}: the token was changed, or is not from this issuer{hint}", quoted(kid))),
            R::ClaimMissing { name } => (InvalidClaims, format!("The token has no {name} claim, which must be there")),
            R::ClaimMalformed { name, expected } => (InvalidClaims, format!("The token's {name} claim is not {expected}")),
            R::WrongIssuer { found, accepted, hint } => (InvalidClaims, format!("The token's issuer (iss) is {}; accepted is {accepted}{hint}", quoted(found))),
            R::WrongTenant { tid, issuer } => (InvalidClaims, format!("The token's tid is {}, which is not the tenant in its issuer {}", quoted(tid), quoted(issuer))),
            R::TenantNotAllowed { tid } => (InvalidClaims, format!("The token's tenant (tid) is {}, which is not among the tenants that may call this API (ALLOWED_TENANTS)", quoted(tid))),
            R::WrongKeyIssuer { key_issuer, issuer } => (InvalidClaims, format!("The signing key may sign only for the issuer {}, but the token's issuer is {}", quoted(key_issuer), quoted(issuer))),
            R::WrongAudience { found, accepted, hint } => (InvalidClaims, format!("The token's audience (aud) is {found}; accepted is {accepted}{hint}")),
            R::Expired { at, now, leeway } => (TokenExpired, format!("The token expired {:.0} seconds ago, at {}; this server's clock reads {} (leeway {leeway} s). Ask for a new token", now - at, rfc3339(*at), rfc3339(*now))),
            R::NotYetValid { at, now, leeway } => (TokenNotYetValid, format!("The token is valid only from {}, in {:.0} seconds; this server's clock reads {} (leeway {leeway} s)", rfc3339(*at), at - now, rfc3339(*now))),
            R::ClientNotAllowed { client } => (InvalidClaims, format!("The client application (azp or appid) is {}, which is not among those that may call this API (ALLOWED_CLIENTS)", quoted(client))),
            R::PermissionMissing { found, scopes, roles, hint } => (InsufficientScope, format!("The token carries {found}; needed is {}{hint}", needed(scopes, roles))),
            R::NoPermission { hint } => (InsufficientScope, format!("The token carries neither a delegated permission (scp) nor an app role (roles){hint}")),
            R::KeysUnavailable { retry_after } => (Code::KeysUnavailable, format!("The issuer's signing keys cannot be had at the moment, so the token cannot be checked; try again in {retry_after} seconds")),
            R::NotReached => (InvalidHeader, "A check before this one failed".into()),
        }
    }
}

fn needed(scopes: &[String], roles: &[String]) -> String {
    let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" or ");
    match (scopes.is_empty(), roles.is_empty()) {
        (false, true) => format!("the delegated permission (scp) {}", list(scopes)),
        (true, _) => format!("the app role (roles) {}", list(roles)),
        (false, false) => {
            format!("the delegated permission (scp) {} or the app role (roles) {}", list(scopes), list(roles))
        }
    }
}

fn fault_words(fault: &JsonFault) -> String {
    match fault {
        JsonFault::NotUtf8 => "is not UTF-8".into(),
        JsonFault::NotAnObject => "is not a JSON object".into(),
        JsonFault::Syntax(at) => format!("is not valid JSON (byte {at})"),
        JsonFault::TooDeep => format!("is JSON nested deeper than {MAX_JSON_DEPTH} levels"),
        JsonFault::Duplicate(name) => format!("has the member {} twice", quoted(name)),
    }
}

/// A value from a token as it may stand in a description: in single quotes, capped and cleaned.
pub fn quoted(value: &str) -> String {
    ["'", &clean(value, MAX_QUOTED_CHARS), "'"].concat()
}

/// Printable ASCII without `"` and `\` (RFC 6750 section 3), at most `max` characters.
pub fn clean(text: &str, max: usize) -> Cow<'_, str> {
    // All bytes are looked at, because that takes less time than to stop at the first.
    let is_clean = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\');
    if text.len() <= max && text.bytes().fold(true, |so_far, byte| so_far & is_clean(byte)) {
        return Cow::Borrowed(text);
    }
    let safe = |char: char| match char {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => char,
        _ => '?',
    };
    let mut cleaned: String = text.chars().take(max).map(safe).collect();
    if text.chars().nth(max).is_some() {
        cleaned.push_str("...");
    }
    Cow::Owned(cleaned)
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "header",
            Part::Payload => "payload",
            Part::Signature => "signature",
        })
    }
}
