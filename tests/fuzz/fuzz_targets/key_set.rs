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
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(data) {
        assert!(error.to_string().starts_with("number out of range"), "{error}");
    }
});
