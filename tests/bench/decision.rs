//! Where the time of a decision goes: one token whose signature is remembered, over and over, and the
//! parts of the work on their own.

use std::hint::black_box;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::checks::{self, Case};
use entra_handler::json::Object;
use entra_handler::jwks::KeySet;
use entra_handler::memory::SignatureMemory;
use entra_handler::settings::Settings;
use entra_handler::signature;
use serde_json::json;

use crate::mint::TestKey;
use crate::statistics::median;
use crate::tokens::{AUDIENCE, TENANT, Token};

/// What was measured, in the order of [`Profile`]'s figures.
pub(crate) const PARTS: [&str; 4] = [
    "the whole decision",
    "SHA-256 of the token",
    "base64url of its parts",
    "JSON of header and payload",
];

/// Microseconds of each part.
pub(crate) type Profile = [f64; PARTS.len()];

/// Takes a decision apart.
pub(crate) fn measure(token: &Token) -> Profile {
    let settings = |name: &str| match name {
        "TENANT_ID" => Some(TENANT.to_owned()),
        "API_AUDIENCE" => Some(AUDIENCE.to_owned()),
        _ => None,
    };
    let settings = Settings::read(settings).expect("the settings are good");
    let keys = json!({ "keys": [TestKey::number(1).jwk(None)] })
        .to_string()
        .into_bytes();
    let keys = KeySet::parse(keys).expect("the set has a usable key");
    let mut memory = SignatureMemory::default();
    let now = entra_handler::clock::unix_now();
    let parts: Vec<&str> = token.text.split('.').collect();
    let texts: Vec<Vec<u8>> = parts[..2]
        .iter()
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default())
        .collect();
    [
        micros(|| {
            let mut case =
                Case::new(&token.text, &settings, Some(&keys), now).with_memory(&mut memory);
            assert!(
                checks::decide(&mut case).is_ok(),
                "a token of our own is refused"
            );
        }),
        micros(|| {
            black_box(signature::sha256(&[token.text.as_bytes()]));
        }),
        micros(|| {
            parts
                .iter()
                .for_each(|part| drop(black_box(URL_SAFE_NO_PAD.decode(part))))
        }),
        micros(|| {
            texts
                .iter()
                .for_each(|text| drop(black_box(Object::parse(text.clone()))))
        }),
    ]
}

/// The median of several tries.
fn micros(mut work: impl FnMut()) -> f64 {
    const TRIES: usize = 21;
    const TIMES: u32 = 2000;
    let tries = (0..TRIES).map(|_| {
        let started = Instant::now();
        (0..TIMES).for_each(|_| work());
        started.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
    });
    median(tries.collect::<Vec<f64>>()).unwrap_or_default()
}
