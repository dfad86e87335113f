//! Verifying the signature of a token.

use super::Unverified;
use crate::keys::PublicKey;
use std::sync::Arc;

/// A token whose signature holds. Only [`verify`] makes one.
///
/// ```compile_fail
/// // The fields are private: only `verify` can build one.
/// fn forge(token: entra_handler::Unverified, key: std::sync::Arc<entra_handler::PublicKey>) {
///     let _ = entra_handler::Verified { token, key };
/// }
/// ```
#[derive(Debug)]
pub struct Verified {
    token: Unverified,
    key: Arc<PublicKey>,
}

/// Tries the keys in turn (RFC 7515 section 5.2 step 8).
///
/// # Errors
/// The token comes back as it was when none of the keys verifies it.
pub fn verify<'k>(
    token: Unverified,
    mut keys: impl Iterator<Item = &'k Arc<PublicKey>>,
) -> Result<Verified, Box<Unverified>> {
    match keys.find(|key| key.verifies(token.signing_input(), token.signature())) {
        Some(key) => Ok(Verified {
            token,
            key: key.clone(),
        }),
        None => Err(Box::new(token)),
    }
}

impl Verified {
    /// The token, known to be the issuer's.
    pub fn token(&self) -> &Unverified {
        &self.token
    }

    /// The key that verified the signature.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Bytes that the token holds on the heap, itself included.
    pub fn size(&self) -> usize {
        size_of::<Verified>() + self.token.size()
    }
}
