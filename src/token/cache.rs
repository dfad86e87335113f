//! The cache of verified tokens. A text never changes what it says, so a token that was read and
//! verified once needs no base64, no JSON and no RSA again. The policy decides anew on every request
//! all the same: the cached key must still be the issuer's, and every claim is checked again.

use super::Verified;
use crate::limits::MAX_CACHED_BYTES;
use std::collections::HashMap;
use std::sync::Arc;

/// The end of a token's text, a part of its signature. It only finds an entry; the whole text is
/// compared afterwards.
type Tail = [u8; 16];

/// Bytes that an entry costs in the map, beside its token.
const ENTRY_BYTES: usize = 64;

/// Tokens that passed every check, at most [`MAX_CACHED_BYTES`] of them. There are two generations:
/// when the young one is full, it becomes the old one, and what nobody asked for since is dropped.
#[derive(Debug, Default)]
pub struct TokenCache {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    tokens: HashMap<Tail, Arc<Verified>>,
    bytes: usize,
}

impl TokenCache {
    /// The token with exactly this text.
    pub(crate) fn get(&mut self, text: &str) -> Option<Arc<Verified>> {
        let tail = tail(text)?;
        if let Some(token) = self.young.get(tail, text) {
            return Some(token);
        }
        let token = self.old.get(tail, text)?;
        self.old.remove(tail);
        self.insert(token.clone());
        Some(token)
    }

    /// Keeps a token that has passed every check; only the decision calls this. Anybody can make
    /// refused tokens, and they would push out the others.
    pub(crate) fn insert(&mut self, token: Arc<Verified>) {
        let Some(tail) = tail(token.token().text()) else {
            return;
        };
        let bytes = token.size() + ENTRY_BYTES;
        if self.young.bytes + bytes > MAX_CACHED_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.remove(tail);
        self.young.bytes += bytes;
        self.young.tokens.insert(tail, token);
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.young.tokens.len() + self.old.tokens.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the tokens hold.
    pub fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }
}

impl Generation {
    fn get(&self, tail: Tail, text: &str) -> Option<Arc<Verified>> {
        let token = self.tokens.get(&tail)?;
        (token.token().text() == text).then(|| token.clone())
    }

    fn remove(&mut self, tail: Tail) {
        if let Some(token) = self.tokens.remove(&tail) {
            self.bytes -= token.size() + ENTRY_BYTES;
        }
    }
}

fn tail(text: &str) -> Option<Tail> {
    text.as_bytes().last_chunk().copied()
}
