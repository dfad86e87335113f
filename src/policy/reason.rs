//! Every reason for which a request is refused: its status, its code and its words.

use super::hints;
use crate::clock::rfc3339;
use crate::json::Fault;
use crate::keys::Unusable;
use crate::limits::{MAX_DESCRIPTION_CHARS, MAX_KID_BYTES, MAX_TOKEN_BYTES};
use crate::text::{clean, quoted};
use crate::token::{ClaimFault, Part, ReadFault};

/// A refusal: the check that refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// The name of the check.
    pub check: &'static str,
    /// The reason.
    pub reason: Reason,
}

/// The codes of error bodies; the first four are those of Microsoft's Python sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `authorization_header_missing`: there is no `Authorization` header.
    AuthorizationHeaderMissing,
    /// `invalid_header`: the header carries no signed JWT of this issuer.
    InvalidHeader,
    /// `token_expired`: `exp` has passed.
    TokenExpired,
    /// `invalid_claims`: a claim is not accepted.
    InvalidClaims,
    /// `token_not_yet_valid`: `nbf` lies ahead.
    TokenNotYetValid,
    /// `insufficient_scope`: a permission is missing.
    InsufficientScope,
    /// `keys_unavailable`: there are no keys that would decide.
    KeysUnavailable,
}

/// Why a request is refused. Values that came with the token are unverified; they are capped and
/// cleaned when the words are made. A `hint` has more for the caller's developer, or is empty.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "a variant's sentence says what its fields hold"
)]
pub enum Reason {
    /// The request has no `Authorization` header.
    AuthorizationMissing,
    /// The scheme of the header is not Bearer.
    NotBearer,
    /// Nothing follows the scheme.
    TokenMissing,
    /// More than one word follows the scheme.
    SeveralTokens { hint: &'static str },
    /// The request has more than one `Authorization` header.
    SeveralAuthorizations,
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    TokenTooLong { bytes: usize },
    /// The token has not the three parts of a signed JWT.
    NotThreeParts { found: usize, hint: &'static str },
    /// The token has the five parts of an encrypted one.
    Encrypted,
    /// A part is not canonical base64url without padding.
    NotBase64url { part: Part, hint: &'static str },
    /// Header or payload is not strict JSON.
    BadJson { part: Part, fault: Fault },
    /// The algorithm is not RS256.
    WrongAlgorithm {
        found: Option<String>,
        hint: &'static str,
    },
    /// The header has `crit`.
    CriticalHeader,
    /// The header has a parameter that changes what the payload is.
    UnsupportedHeader { name: &'static str },
    /// The `typ` names a token for another purpose.
    WrongType { found: String },
    /// There is no `kid`, or none that can name a key.
    BadKeyId,
    /// The issuer has no key with this `kid`.
    UnknownKey { kid: String, hint: &'static str },
    /// No key with this `kid` may verify RS256 signatures.
    UnusableKey { kid: String, fault: Unusable },
    /// No key with this `kid` verifies the signature.
    BadSignature { kid: String, hint: &'static str },
    /// A claim that must be there is not.
    ClaimMissing { name: &'static str },
    /// A claim has the wrong type, or is out of range.
    ClaimMalformed {
        name: &'static str,
        expected: &'static str,
    },
    /// The issuer is not accepted.
    WrongIssuer {
        found: String,
        accepted: String,
        hint: &'static str,
    },
    /// The tenant is not the one in the issuer.
    WrongTenant { tid: String, issuer: String },
    /// The tenant is not among those that may call.
    TenantNotAllowed { tid: String },
    /// The key may sign for another issuer only.
    WrongKeyIssuer {
        key_issuer: String,
        issuer: String,
        hint: &'static str,
    },
    /// The token is for another API.
    WrongAudience {
        found: String,
        accepted: String,
        hint: String,
    },
    /// The token has expired.
    Expired { at: f64, now: f64, leeway: u64 },
    /// The token is not valid yet.
    NotYetValid { at: f64, now: f64, leeway: u64 },
    /// The client application is not among those that may call.
    ClientNotAllowed { client: String },
    /// A permission that the settings or the route ask for is missing.
    PermissionMissing {
        found: String,
        needed: String,
        scopes: Vec<String>,
        hint: &'static str,
    },
    /// The token carries no permission at all.
    NoPermission { hint: &'static str },
    /// There are no keys that would decide; ask again after so many seconds.
    KeysUnavailable { retry_after: u64 },
    /// A check needs something that an earlier one did not find. Only `handler check` comes to it;
    /// the server would answer 401.
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
    /// A refusal by the check of this name.
    pub fn new(check: &'static str, reason: Reason) -> Rejection {
        Rejection { check, reason }
    }

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
        self.reason.code()
    }

    /// The value that was found and the one that was expected. It keeps to the characters that RFC 6750
    /// section 3 allows in `error_description`: printable ASCII without `"` and `\`.
    pub fn description(&self) -> String {
        clean(&self.reason.words(), MAX_DESCRIPTION_CHARS).into_owned()
    }
}

impl Reason {
    fn code(&self) -> Code {
        match self {
            Reason::AuthorizationMissing => Code::AuthorizationHeaderMissing,
            Reason::ClaimMissing { .. }
            | Reason::ClaimMalformed { .. }
            | Reason::WrongIssuer { .. }
            | Reason::WrongTenant { .. }
            | Reason::TenantNotAllowed { .. }
            | Reason::WrongKeyIssuer { .. }
            | Reason::WrongAudience { .. }
            | Reason::ClientNotAllowed { .. } => Code::InvalidClaims,
            Reason::Expired { .. } => Code::TokenExpired,
            Reason::NotYetValid { .. } => Code::TokenNotYetValid,
            Reason::PermissionMissing { .. } | Reason::NoPermission { .. } => {
                Code::InsufficientScope
            }
            Reason::KeysUnavailable { .. } => Code::KeysUnavailable,
            _ => Code::InvalidHeader,
        }
    }

    #[rustfmt::skip]
    fn words(&self) -> String {
        match self {
            Reason::AuthorizationMissing => "The request has no Authorization header; send Authorization: Bearer and an access token".into(),
            Reason::NotBearer => "The Authorization header does not use the Bearer scheme; send Authorization: Bearer and an access token".into(),
            Reason::TokenMissing => "The Authorization header says Bearer and then nothing; an access token has to follow".into(),
            Reason::SeveralTokens { hint } => format!("There is more than one word after Bearer; send exactly one access token, without spaces or commas{hint}"),
            Reason::SeveralAuthorizations => "The request has more than one Authorization header; send exactly one".into(),
            Reason::TokenTooLong { bytes } => format!("The token has {bytes} bytes; at most {MAX_TOKEN_BYTES} are accepted. Fewer group claims make it shorter"),
            Reason::NotThreeParts { found, hint } => format!("The token has {found} part(s); a signed JWT has three that are not empty, separated by dots{hint}"),
            Reason::Encrypted => "The token has five parts: it is an encrypted one (JWE), which only its addressee can read. If this API is the addressee, turn token encryption off in its app registration; otherwise ask for an access token of this API".into(),
            Reason::NotBase64url { part, hint } => format!("The {part} of the token is not base64url in its canonical form without padding: it was cut or changed on the way{hint}"),
            Reason::BadJson { part, fault } => format!("The {part} of the token {fault}"),
            Reason::WrongAlgorithm { found, hint } => format!("The token's alg is {}; only RS256 is accepted{hint}", found.as_deref().map_or("missing".into(), quoted)),
            Reason::CriticalHeader => "The token's header has crit; no critical extension is supported here".into(),
            Reason::UnsupportedHeader { name } => format!("The token's header has {name}, which a signed access token does not have"),
            Reason::WrongType { found } => format!("The token's typ is {}; an access token has JWT or at+jwt", quoted(found)),
            Reason::BadKeyId => format!("The token's header needs a kid, a string of 1 to {MAX_KID_BYTES} bytes, that names the signing key"),
            Reason::UnknownKey { kid, hint } => format!("The token names the signing key {}, which is not in the issuer's key set{hint}", quoted(kid)),
            Reason::UnusableKey { kid, fault } => format!("The token names the signing key {}, which may not be used: {fault}", quoted(kid)),
            Reason::BadSignature { kid, hint } => format!("The token's signature does not verify with the key {}: the token was changed, or is not from this issuer{hint}", quoted(kid)),
            Reason::ClaimMissing { name } => format!("The token has no {name} claim, which must be there"),
            Reason::ClaimMalformed { name, expected } => format!("The token's {name} claim is not {expected}"),
            Reason::WrongIssuer { found, accepted, hint } => format!("The token's issuer (iss) is {}; accepted is {accepted}{hint}", quoted(found)),
            Reason::WrongTenant { tid, issuer } => format!("The token's tid is {}, which is not the tenant in its issuer {}", quoted(tid), quoted(issuer)),
            Reason::TenantNotAllowed { tid } => format!("The token's tenant (tid) is {}, which is not among the tenants that may call this API (ALLOWED_TENANTS)", quoted(tid)),
            Reason::WrongKeyIssuer { key_issuer, issuer, hint } => format!("The signing key may sign only for the issuer {}, but the token's issuer is {}{hint}", quoted(key_issuer), quoted(issuer)),
            Reason::WrongAudience { found, accepted, hint } => format!("The token's audience (aud) is {found}; accepted is {accepted}{hint}"),
            Reason::Expired { at, now, leeway } => format!("The token expired {:.0} seconds ago, at {}; this server's clock reads {} (leeway {leeway} s). Ask for a new token", now - at, rfc3339(*at), rfc3339(*now)),
            Reason::NotYetValid { at, now, leeway } => format!("The token is valid only from {}, in {:.0} seconds; this server's clock reads {} (leeway {leeway} s)", rfc3339(*at), at - now, rfc3339(*now)),
            Reason::ClientNotAllowed { client } => format!("The client application is {}, which is not among those that may call this API (ALLOWED_CLIENTS)", quoted(client)),
            Reason::PermissionMissing { found, needed, hint, .. } => format!("The token carries {found}; needed is {needed}{hint}"),
            Reason::NoPermission { hint } => format!("The token carries neither a delegated permission (scp) nor an app role (roles){hint}"),
            Reason::KeysUnavailable { .. } => "The issuer's signing keys cannot be had at the moment, so the token cannot be checked; the log of the handler says why".into(),
            Reason::NotReached => "A check before this one failed".into(),
        }
    }
}

impl Rejection {
    /// The refusal of a text that cannot be read, by one of the first five checks.
    pub(super) fn unread(fault: ReadFault, text: &str) -> Rejection {
        let hint = hints::unreadable(text);
        let (check, reason) = match fault {
            ReadFault::TooLong(bytes) => ("size", Reason::TokenTooLong { bytes }),
            ReadFault::NotThreeParts(found) => {
                ("three parts", Reason::NotThreeParts { found, hint })
            }
            ReadFault::Encrypted => ("three parts", Reason::Encrypted),
            ReadFault::NotBase64url(part) => ("base64url", Reason::NotBase64url { part, hint }),
            ReadFault::BadJson(part @ Part::Header, fault) => {
                ("header", Reason::BadJson { part, fault })
            }
            ReadFault::BadJson(part, fault) => ("payload", Reason::BadJson { part, fault }),
        };
        Rejection { check, reason }
    }
}

impl From<ClaimFault> for Reason {
    fn from(fault: ClaimFault) -> Reason {
        match fault {
            ClaimFault::Missing(name) => Reason::ClaimMissing { name },
            ClaimFault::Malformed(name, expected) => Reason::ClaimMalformed { name, expected },
        }
    }
}
