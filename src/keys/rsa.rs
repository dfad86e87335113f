//! RS256, the one signature algorithm (RFC 7518 section 3.3). No other file names ring.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// An RSA public key. Two are equal when modulus and exponent are.
#[derive(Debug, Clone)]
pub struct PublicKey(RsaPublicKeyComponents<Vec<u8>>);

impl PublicKey {
    /// Takes modulus and exponent, big-endian, without leading zero bytes: ring refuses those.
    /// The key set has checked the size of both.
    pub(super) fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        PublicKey(RsaPublicKeyComponents {
            n: modulus,
            e: exponent,
        })
    }

    /// Whether the key verifies this signature over this message (RFC 8017 section 8.2.2, with the
    /// length of the signature and its range).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.0.n == other.0.n && self.0.e == other.0.e)
    }
}
