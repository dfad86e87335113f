//! The compact serialization of a signed JWT (RFC 7515 section 3.1, RFC 7519), read in one step.

use super::UnverifiedClaims;
use crate::json::{Fault, Object};
use crate::limits::{MAX_KID_BYTES, MAX_TOKEN_BYTES};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::borrow::Cow;
use std::fmt::{self, Display};

/// A token with header and payload read, and nothing verified.
#[derive(Debug)]
pub struct Unverified {
    text: String,
    /// Bytes of `text` that the signature covers: the JWS signing input.
    signing_input: usize,
    signature: Vec<u8>,
    header: Object,
    payload: Object,
}

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

/// Why a text is no signed JWT, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFault {
    /// It has more than [`MAX_TOKEN_BYTES`].
    TooLong(usize),
    /// It has so many parts that are not empty, and not three.
    NotThreeParts(usize),
    /// It has the five parts of an encrypted token (RFC 7516 section 3.1).
    Encrypted,
    /// A part is not canonical base64url without padding.
    NotBase64url(Part),
    /// Header or payload is not JSON as this project reads it.
    BadJson(Part, Fault),
}

impl Unverified {
    /// Reads a token.
    ///
    /// # Errors
    /// The first of five checks that it does not pass: size, three parts, base64url, header, payload.
    pub fn read(text: &str) -> Result<Unverified, ReadFault> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(ReadFault::TooLong(text.len()));
        }
        let [header, payload, signature] = three_parts(text)?;
        let signing_input = header.len() + 1 + payload.len();
        let header = decode(Part::Header, header)?;
        let payload = decode(Part::Payload, payload)?;
        let signature = decode(Part::Signature, signature)?;
        Ok(Unverified {
            // The JOSE header is an object (RFC 7515 section 4).
            header: object(Part::Header, header)?,
            // The payload is a claims set (RFC 7519 section 7.2 step 10).
            payload: object(Part::Payload, payload)?,
            text: text.to_owned(),
            signing_input,
            signature,
        })
    }

    /// The token as it was sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes that the signature covers: the JWS signing input (RFC 7515 section 2).
    pub fn signing_input(&self) -> &[u8] {
        let bytes = self.text.as_bytes().get(..self.signing_input);
        bytes.unwrap_or_default()
    }

    /// The signature's bytes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The JOSE header.
    pub fn header(&self) -> &Object {
        &self.header
    }

    /// The payload: claims that nobody has verified.
    pub fn payload(&self) -> &Object {
        &self.payload
    }

    /// A view of the claims.
    pub fn claims(&self) -> UnverifiedClaims<'_> {
        UnverifiedClaims::of(&self.payload)
    }

    /// The `kid`, when it is a string of a length that can name a key.
    pub fn kid(&self) -> Option<Cow<'_, str>> {
        let kid = self.header.get("kid")?.string()?;
        Some(kid).filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()))
    }

    /// Bytes that the token holds on the heap.
    pub fn size(&self) -> usize {
        let texts = self.text.capacity() + self.signature.capacity();
        texts + self.header.size() + self.payload.size()
    }
}

/// The claims alone, even where the rest of the text is no token: to show them, not to decide.
pub fn peek_payload(text: &str) -> Option<String> {
    let mut parts = text.split('.').skip(1).take(2);
    let payload = parts.next()?;
    if text.split('.').count() > 3 {
        return None;
    }
    let object = Object::parse(decode(Part::Payload, payload).ok()?).ok()?;
    Some(object.text().to_owned())
}

/// RFC 7515 section 7.1: three parts and two dots; RFC 7519 section 7.2 step 1. An empty part is no
/// part: an empty signature is how `alg: none` looks.
fn three_parts(text: &str) -> Result<[&str; 3], ReadFault> {
    let mut parts = text.split('.');
    let three = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
    if parts.next().is_none() && !three.contains(&"") {
        return Ok(three);
    }
    let parts: Vec<&str> = text.split('.').collect();
    // Three dots in a row are no JWE (RFC 7516 section 7.1), but a token that was shortened.
    if parts.len() == 5 && !text.contains("...") {
        return Err(ReadFault::Encrypted);
    }
    let found = parts.iter().filter(|part| !part.is_empty()).count();
    Err(ReadFault::NotThreeParts(found))
}

/// Base64url without padding (RFC 7515 section 2), and canonical (RFC 4648 section 3.5). Otherwise one
/// signed token could be written in several ways.
fn decode(part: Part, text: &str) -> Result<Vec<u8>, ReadFault> {
    let bytes = URL_SAFE_NO_PAD.decode(text);
    bytes.map_err(|_| ReadFault::NotBase64url(part))
}

fn object(part: Part, bytes: Vec<u8>) -> Result<Object, ReadFault> {
    Object::parse(bytes).map_err(|fault| ReadFault::BadJson(part, fault))
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
