//! RS256, the one signature algorithm (RFC 7518 section 3.3); the only file that names ring.

use crate::token::UnverifiedToken;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// An RSA public key whose size and exponent [`crate::jwks`] has checked.
#[derive(Debug, Clone)]
pub struct RsaPublicKey(RsaPublicKeyComponents<Vec<u8>>);

impl RsaPublicKey {
    /// Takes modulus and exponent, big-endian, without leading zero bytes: ring refuses those.
    pub fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        RsaPublicKey(RsaPublicKeyComponents { n: modulus, e: exponent })
    }

    /// Modulus and exponent: what makes two keys the same key.
    pub fn components(&self) -> (&[u8], &[u8]) {
        (&self.0.n, &self.0.e)
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }
}

/// A token whose signature holds. Only [`verify`] makes one.
#[derive(Debug)]
pub struct VerifiedToken<'t>(UnverifiedToken<'t>);

impl<'t> VerifiedToken<'t> {
    /// The token, now known to be the issuer's.
    pub fn token(&self) -> &UnverifiedToken<'t> {
        &self.0
    }

    /// Gives the token up for its claims.
    pub fn into_token(self) -> UnverifiedToken<'t> {
        self.0
    }
}

/// Tries the keys in turn (RFC 7515 section 5.2 step 8); the token comes back unverified when
/// none of them verifies it. `Ok` names the key that did by its place in `keys`.
#[expect(clippy::result_large_err, reason = "the token comes back by value, to be refused with its words")]
pub fn verify<'t>(
    token: UnverifiedToken<'t>,
    keys: &[&RsaPublicKey],
) -> Result<(VerifiedToken<'t>, usize), UnverifiedToken<'t>> {
    let message = token.signing_input().as_bytes();
    match keys.iter().position(|key| key.verifies(message, token.signature())) {
        Some(place) => Ok((VerifiedToken(token), place)),
        None => Err(token),
    }
}
