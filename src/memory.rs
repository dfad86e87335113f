//! The memory of verified signatures: which exact tokens were found to be signed by which keys.
//! A hit saves the RSA operation and nothing else: every check still runs on every request, and
//! the answer is made from the request's own token. Refusals are never remembered, and only
//! tokens that have passed every check are, so that nobody can push others out with rubbish.

use crate::jwks::KeySet;
use crate::limits::MAX_REMEMBERED_SIGNATURES;
use std::collections::{BTreeMap, HashMap};

/// A SHA-256 digest: of a token's bytes, or of a key's modulus and exponent.
pub type Digest = [u8; 32];

/// At most `MAX_REMEMBERED_SIGNATURES` tokens, the least recently accepted out first. An entry
/// has 72 bytes in one map and 40 in the other.
#[derive(Debug, Default)]
pub struct SignatureMemory {
    tokens: HashMap<Digest, Entry>,
    by_age: BTreeMap<u64, Digest>,
    next_age: u64,
}

#[derive(Debug)]
struct Entry {
    key: Digest,
    age: u64,
}

impl SignatureMemory {
    /// Whether exactly this token was verified by exactly this key.
    pub fn holds(&self, token: &Digest, key: &Digest) -> bool {
        self.tokens.get(token).is_some_and(|entry| entry.key == *key)
    }

    /// A token has passed every check, its signature by this key.
    pub fn remember(&mut self, token: Digest, key: Digest) {
        let age = self.next_age;
        if self.tokens.get(&token).is_some_and(|entry| entry.age + 1 == age && entry.key == key) {
            return; // it is the newest already
        }
        self.next_age += 1;
        if let Some(before) = self.tokens.insert(token, Entry { key, age }) {
            self.by_age.remove(&before.age);
        }
        self.by_age.insert(age, token);
        if self.tokens.len() > MAX_REMEMBERED_SIGNATURES
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.tokens.remove(&oldest);
        }
    }

    /// A new key set has come: what was verified by a key that is not in it is forgotten.
    pub fn keep_only(&mut self, keys: &KeySet) {
        let tokens = &mut self.tokens;
        self.by_age.retain(|_, token| {
            let stays = tokens.get(token).is_some_and(|entry| keys.has(&entry.key));
            if !stays {
                tokens.remove(token);
            }
            stays
        });
    }

    /// Number of tokens remembered.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}
