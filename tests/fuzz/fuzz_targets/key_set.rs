//! Arbitrary bytes as a JWK Set.
#![no_main]

use entra_handler::KeySet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(set) = KeySet::parse(data) else { return };
    assert!(set.named("").is_empty());
    // Keys with lone surrogates or deep nesting are passed over; what is too deep is not even read.
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let is_shallow = data.iter().filter(|byte| b"[{".contains(byte)).count() <= 64;
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(data) {
        const KNOWN: [&str; 3] = [
            "number out of range",
            "lone leading surrogate",
            "unexpected end of hex escape",
        ];
        let words = error.to_string();
        let is_known = KNOWN.iter().any(|known| words.starts_with(known));
        assert!(!is_shallow || is_known, "{words}");
    }
});
