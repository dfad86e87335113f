//! The compact serialization of a signed JWT (RFC 7515 section 3.1, RFC 7519), taken apart with
//! nothing believed.

use crate::json::Object;
use crate::limits::{MAX_KID_BYTES, MAX_TOKEN_BYTES};
use crate::rejection::{Part, Rejection};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::borrow::Cow;

/// The three parts of a token as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    signing_input: &'t str,
}

/// The three parts as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A token with header and payload read, and nothing verified.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    signing_input: &'t str,
    signature: Vec<u8>,
    header: Object,
    payload: Object,
}

/// The longest token that is looked at.
pub fn check_size(text: &str) -> Result<(), Rejection> {
    match text.len() {
        bytes if bytes > MAX_TOKEN_BYTES => Err(Rejection::TokenTooLong { bytes }),
        _ => Ok(()),
    }
}

impl<'t> Parts<'t> {
    /// RFC 7515 section 7.1: three parts and two dots; RFC 7519 section 7.2 step 1. An empty part
    /// is no part: an empty signature is what `alg: none` looks like.
    pub fn split(text: &'t str) -> Result<Self, Rejection> {
        let refused = || match text.split('.').count() {
            5 => Rejection::Encrypted,
            _ => Rejection::NotThreeParts { found: text.split('.').filter(|part| !part.is_empty()).count() },
        };
        let (header, rest) = text.split_once('.').ok_or_else(refused)?;
        let (payload, signature) = rest.split_once('.').ok_or_else(refused)?;
        let signing_input = text.get(..header.len() + 1 + payload.len()).ok_or_else(refused)?;
        if signature.contains('.') || [header, payload, signature].contains(&"") {
            return Err(refused());
        }
        Ok(Parts { header, payload, signature, signing_input })
    }

    /// Base64url without padding (RFC 7515 section 2), in the one form that encodes these bytes
    /// (RFC 4648 section 3.5): otherwise one signed token could be written in several ways.
    pub fn decode(&self) -> Result<Decoded, Rejection> {
        Ok(Decoded {
            header: bytes(Part::Header, self.header)?,
            payload: bytes(Part::Payload, self.payload)?,
            signature: bytes(Part::Signature, self.signature)?,
        })
    }
}

/// The claims alone, whatever becomes of the rest: to be shown, not to be decided upon.
pub fn peek_payload(text: &str) -> Option<Object> {
    let (_, rest) = text.split_once('.')?;
    let (payload, signature) = rest.split_once('.').unwrap_or((rest, ""));
    Object::parse(bytes(Part::Payload, payload).ok().filter(|_| !signature.contains('.'))?).ok()
}

impl Decoded {
    /// The JOSE header (RFC 7515 section 4).
    pub fn read_header(&mut self) -> Result<Object, Rejection> {
        read(Part::Header, &mut self.header)
    }

    /// The payload as a claims set (RFC 7519 section 7.2 step 10).
    pub fn read_payload(&mut self) -> Result<Object, Rejection> {
        read(Part::Payload, &mut self.payload)
    }
}

fn bytes(part: Part, text: &str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Rejection::NotBase64url { part })
}

fn read(part: Part, bytes: &mut Vec<u8>) -> Result<Object, Rejection> {
    Object::parse(std::mem::take(bytes)).map_err(|fault| Rejection::BadJson { part, fault })
}

impl<'t> UnverifiedToken<'t> {
    /// Joins what the first checks have read.
    pub fn new(parts: Parts<'t>, decoded: Decoded, header: Object, payload: Object) -> Self {
        UnverifiedToken { signing_input: parts.signing_input, signature: decoded.signature, header, payload }
    }

    /// What the signature covers: the JWS signing input.
    pub fn signing_input(&self) -> &'t str {
        self.signing_input
    }

    /// The signature's bytes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The JOSE header.
    pub fn header(&self) -> &Object {
        &self.header
    }

    /// The claims; nobody has verified them.
    pub fn payload(&self) -> &Object {
        &self.payload
    }

    /// Gives the token up for its claims.
    pub fn into_payload(self) -> Object {
        self.payload
    }

    /// The `kid`, when it is a string of a length that can name a key.
    pub fn kid(&self) -> Option<Cow<'_, str>> {
        self.header.get("kid")?.string().filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()))
    }
}
