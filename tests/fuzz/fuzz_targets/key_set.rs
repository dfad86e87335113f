//! Arbitrary bytes as a JWK Set.
#![no_main]

use entra_handler::jwks::KeySet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(set) = KeySet::parse(data.to_vec()) else { return };
    let (usable, unusable) = set.count();
    assert!(usable >= 1);
    for kid in ["k", "", "x"] {
        let named = set.named(kid);
        assert!(named.len() <= usable + unusable && (!kid.is_empty() || named.is_empty()));
    }
    // Keys with lone surrogates or deep nesting are passed over; what is too deep is not even read.
    let is_shallow = data.iter().filter(|byte| b"[{".contains(byte)).count() <= 64;
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(data) {
        let words = error.to_string();
        let is_known = ["number out of range", "lone leading surrogate", "unexpected end of hex escape"];
        assert!(!is_shallow || is_known.iter().any(|known| words.starts_with(known)), "{words}");
    }
});
