//! Random and derived identifiers.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::mint::b64;

/// `N` bytes of the system's randomness as base64url text.
pub(crate) fn opaque<const N: usize>() -> String {
    b64(bytes::<N>())
}

/// A random GUID, version 4.
pub(crate) fn guid() -> String {
    guid_of(bytes())
}

/// A GUID that is always the same for the same parts.
pub(crate) fn stable_guid(parts: &[&str]) -> String {
    let mut first = [0; 16];
    first.copy_from_slice(&hash(parts)[..16]);
    guid_of(first)
}

/// 43 characters that are always the same for the same parts, as a pairwise `sub` has.
pub(crate) fn stable_text(parts: &[&str]) -> String {
    b64(hash(parts))
}

/// A code that people type: 8 letters that are hard to confuse.
pub(crate) fn typed_code() -> String {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPQRST";
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte % 16)]);
    bytes::<8>().into_iter().map(letter).collect()
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives randomness");
    bytes
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, parts.join("\n").as_bytes()).as_ref());
    hash
}

fn guid_of(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c) = (&hex[..8], &hex[8..12], &hex[12..16]);
    format!("{a}-{b}-{c}-{}-{}", &hex[16..20], &hex[20..])
}
