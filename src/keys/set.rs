//! A JWK Set (RFC 7517 section 5): which of its keys may verify RS256, and which of them a `kid`
//! names.

use super::PublicKey;
use crate::json::{Object, Raw};
use crate::limits::{MAX_KID_BYTES, MAX_RSA_EXPONENT, RSA_MODULUS_BITS};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt::{self, Display};
use std::sync::Arc;

/// Keys with one `kid`. Each of them is tried, so their number bounds the cost of a bad signature.
const MAX_KEYS_PER_KID: usize = 8;

/// The keys of one source, sorted by `kid`; at least one of them is usable.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// One key of a set that has a `kid`.
#[derive(Debug, Clone)]
pub struct Key {
    kid: String,
    issuer: Option<String>,
    public_key: Result<Arc<PublicKey>, Unusable>,
}

/// Why a text is no key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetFault {
    /// Not a JSON object with an array `keys`.
    NotAKeySet,
    /// A key set, but none of its keys can verify RS256; the reason of the first that cannot.
    NoUsableKey(Option<Unusable>),
}

/// Why a key of the set may not verify a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// `issuer`, which restricts the key, is no string.
    BadIssuer,
    /// `kty` is not RSA (RFC 7517 section 4.1).
    NotRsa,
    /// `use` is not `sig` (RFC 7517 section 4.2).
    NotForSignatures,
    /// `key_ops` has no `verify` (RFC 7517 section 4.3).
    NotForVerifying,
    /// `alg` is not RS256 (RFC 7517 section 4.4).
    OtherAlgorithm,
    /// Modulus or exponent is missing or not canonical base64url (RFC 7518 section 6.3.1).
    BadNumber,
    /// The modulus is even, or its bits are outside [`RSA_MODULUS_BITS`] (RFC 7518 section 3.3).
    ModulusSize(usize),
    /// The exponent is even or 1 (RFC 8017 section 3.1), or above [`MAX_RSA_EXPONENT`].
    BadExponent,
}

impl KeySet {
    /// Reads a JWK Set. Elements without a usable `kid` are skipped, and so are more than
    /// [`MAX_KEYS_PER_KID`] with the same one.
    ///
    /// # Errors
    /// The text is no JWK Set, or none of its keys can verify a token.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<KeySet, KeySetFault> {
        let bytes = bytes.into();
        // Some servers write a byte order mark, which RFC 8259 section 8.1 allows a reader to skip.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let set = Object::parse_outer(bytes).map_err(|_| KeySetFault::NotAKeySet)?;
        let elements = set.get("keys").and_then(Raw::elements);
        let elements = elements.ok_or(KeySetFault::NotAKeySet)?;
        let mut keys: Vec<Key> = elements.into_iter().filter_map(Key::parse).collect();
        if !keys.iter().any(|key| key.public_key.is_ok()) {
            let mut reasons = keys.iter().filter_map(|key| key.public_key().err());
            return Err(KeySetFault::NoUsableKey(reasons.next()));
        }
        // A stable sort: keys with one kid are tried in the order of the set, usable ones first.
        keys.sort_by(|a, b| {
            let (a, b) = (
                (&a.kid, a.public_key.is_err()),
                (&b.kid, b.public_key.is_err()),
            );
            a.cmp(&b)
        });
        let mut run = 0;
        let mut previous = String::new();
        keys.retain(|key| {
            run = if key.kid == previous { run + 1 } else { 1 };
            previous.clone_from(&key.kid);
            run <= MAX_KEYS_PER_KID
        });
        Ok(KeySet { keys })
    }

    /// All keys that a `kid` names, usable or not; empty when it is unknown.
    pub fn named(&self, kid: &str) -> &[Key] {
        let start = self.keys.partition_point(|key| key.kid.as_str() < kid);
        let end = self.keys.partition_point(|key| key.kid.as_str() <= kid);
        self.keys.get(start..end).unwrap_or_default()
    }
}

impl Key {
    /// None for what no token can name, or is not one JSON object with every member once (RFC 7517
    /// section 4).
    fn parse(value: Raw) -> Option<Key> {
        let jwk = Object::parse(value.text()).ok()?;
        let kid = jwk.get("kid")?.string()?;
        let kid = Some(kid.into_owned()).filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()))?;
        let issuer = restriction(&jwk, "issuer").map(Raw::string);
        let public_key = match issuer {
            Some(None) => Err(Unusable::BadIssuer),
            _ => public_key(&jwk).map(Arc::new),
        };
        let issuer = issuer.flatten().map(|issuer| issuer.into_owned());
        Some(Key {
            kid,
            issuer,
            public_key,
        })
    }

    /// The issuer for which alone this key may sign, with `{tenantid}` where Entra has it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The key itself, or why it may not be used.
    pub fn public_key(&self) -> Result<&Arc<PublicKey>, Unusable> {
        self.public_key.as_ref().map_err(|reason| *reason)
    }
}

/// A member that restricts what the key may do. Some servers write null where they mean nothing.
fn restriction<'a>(jwk: &'a Object, name: &str) -> Option<Raw<'a>> {
    jwk.get(name).filter(|value| !value.is_null())
}

fn public_key(jwk: &Object) -> Result<PublicKey, Unusable> {
    let is = |name, wanted: &str| {
        let value = restriction(jwk, name);
        value.is_none_or(|value| value.string().is_some_and(|text| text == wanted))
    };
    if jwk.get("kty").and_then(Raw::string).as_deref() != Some("RSA") {
        return Err(Unusable::NotRsa);
    }
    if !is("use", "sig") {
        return Err(Unusable::NotForSignatures);
    }
    let has_verify = |operations: Vec<_>| operations.iter().any(|name| name == "verify");
    let operations = restriction(jwk, "key_ops").map(Raw::strings);
    if !operations.is_none_or(|operations| operations.is_some_and(has_verify)) {
        return Err(Unusable::NotForVerifying);
    }
    if !is("alg", "RS256") {
        return Err(Unusable::OtherAlgorithm);
    }
    let modulus = unsigned(jwk, "n")?;
    let bits = modulus.len() * 8
        - modulus
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize);
    let odd = modulus.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || !RSA_MODULUS_BITS.contains(&bits) {
        return Err(Unusable::ModulusSize(bits));
    }
    let exponent = unsigned(jwk, "e")?;
    let value = exponent.iter().try_fold(0u64, |value, byte| {
        value.checked_mul(256)?.checked_add(u64::from(*byte))
    });
    if !value.is_some_and(|value| value % 2 == 1 && (3..=MAX_RSA_EXPONENT).contains(&value)) {
        return Err(Unusable::BadExponent);
    }
    Ok(PublicKey::new(modulus, exponent))
}

/// A Base64urlUInt (RFC 7518 section 2) without leading zero bytes. The RFC forbids them, some
/// issuers write them, and ring refuses them.
fn unsigned(jwk: &Object, name: &str) -> Result<Vec<u8>, Unusable> {
    let text = jwk
        .get(name)
        .and_then(Raw::string)
        .ok_or(Unusable::BadNumber)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(text.as_bytes())
        .map_err(|_| Unusable::BadNumber)?;
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .ok_or(Unusable::BadNumber)?;
    Ok(bytes.get(start..).unwrap_or_default().to_vec())
}

impl Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unusable::BadIssuer => f.write_str("its issuer is not a string"),
            Unusable::NotRsa => f.write_str("its kty is not RSA"),
            Unusable::NotForSignatures => f.write_str("its use is not sig"),
            Unusable::NotForVerifying => f.write_str("its key_ops has no verify"),
            Unusable::OtherAlgorithm => f.write_str("its alg is not RS256"),
            Unusable::BadNumber => f.write_str("its n or e is missing or not base64url"),
            Unusable::ModulusSize(bits) => {
                write!(
                    f,
                    "its modulus has {bits} bits; it has to be odd and of 2048 to 8192 bits"
                )
            }
            Unusable::BadExponent => {
                f.write_str("its exponent is not an odd number from 3 to 2^33 - 1")
            }
        }
    }
}

impl Display for KeySetFault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            KeySetFault::NotAKeySet => {
                f.write_str("it is not a JWK Set (a JSON object with an array keys)")
            }
            KeySetFault::NoUsableKey(Some(reason)) => {
                write!(f, "none of the keys can verify RS256: {reason}")
            }
            KeySetFault::NoUsableKey(None) => f.write_str("the set has no key with a kid"),
        }
    }
}
