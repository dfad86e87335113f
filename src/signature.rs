//! RS256, the one signature algorithm (RFC 7518 section 3.3); the only file that names ring.

use crate::memory::{Digest, SignatureMemory};
use crate::token::UnverifiedToken;
use ring::digest::{Context, SHA256};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// An RSA public key whose size and exponent [`crate::jwks`] has checked.
#[derive(Debug, Clone)]
pub struct RsaPublicKey {
    components: RsaPublicKeyComponents<Vec<u8>>,
    digest: Digest,
}

impl RsaPublicKey {
    /// Takes modulus and exponent, big-endian, without leading zero bytes: ring refuses those.
    pub fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        // The length keeps the two numbers apart.
        let digest = sha256(&[&modulus.len().to_be_bytes(), &modulus, &exponent]);
        RsaPublicKey { components: RsaPublicKeyComponents { n: modulus, e: exponent }, digest }
    }

    /// SHA-256 over modulus and exponent: the identity of the key, whatever its `kid`.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// RFC 8017 section 8.2.2, the length of the signature and its range included.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }
}

/// SHA-256 over all the pieces in turn.
pub fn sha256(pieces: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
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
/// none of them verifies it. `Ok` names the key that did. With a memory, a token that it holds
/// for one of the keys is not verified again.
#[expect(clippy::result_large_err, reason = "the token comes back by value, to be refused with its words")]
pub fn verify<'t, 'k>(
    token: UnverifiedToken<'t>,
    mut keys: impl Iterator<Item = &'k RsaPublicKey> + Clone,
    memory: Option<(&SignatureMemory, &Digest)>,
) -> Result<(VerifiedToken<'t>, Digest), UnverifiedToken<'t>> {
    let message = token.signing_input().as_bytes();
    let known = |key: &RsaPublicKey| memory.is_some_and(|(memory, text)| memory.holds(text, &key.digest));
    let remembered = keys.clone().find(|key| known(key));
    match remembered.or_else(|| keys.find(|key| key.verifies(message, token.signature()))) {
        Some(key) => Ok((VerifiedToken(token), key.digest)),
        None => Err(token),
    }
}
