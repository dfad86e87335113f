//! Arbitrary bytes as a token: as its text, and as its header and claims with a signature that
//! the memory says was verified, so that every check is reached.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::checks::{self, Case};
use entra_handler::claims::Claims;
use entra_handler::json::Object;
use entra_handler::jwks::KeySet;
use entra_handler::memory::SignatureMemory;
use entra_handler::settings::Settings;
use entra_handler::signature::sha256;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const NOW: f64 = 1_800_000_000.0;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let jwk = |kid: &str, issuer: &str| {
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"{issuer}}}"#)
    };
    let issuer = r#","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0""#;
    let set = format!(r#"{{"keys":[{},{}]}}"#, jwk("k", issuer), jwk("free", ""));
    KeySet::parse(set.into_bytes()).expect("a good set")
});

static SETTINGS: LazyLock<[Settings; 3]> = LazyLock::new(|| {
    let read = |tenant: &str, more: [(&str, &str); 2]| {
        let all = [("TENANT_ID", tenant), ("API_AUDIENCE", "api://a"), more[0], more[1]];
        Settings::read(|name| all.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
            .expect("good settings")
    };
    let tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    [
        read(tenant, [("", ""), ("", "")]),
        read("organizations", [("ALLOWED_TENANTS", tenant), ("REQUIRED_SCOPES", "a b")]),
        read(tenant, [("ALLOWED_CLIENTS", "c"), ("REQUIRED_ROLES", "A")]),
    ]
});

/// Decides, explains, and holds the two against each other.
fn judge(text: &str, settings: &Settings, memory: &mut SignatureMemory) -> Option<String> {
    let decided = checks::decide(&mut Case::new(text, settings, Some(&KEYS), NOW).with_memory(memory));
    let decided = decided.map(Claims::into_json);
    let findings = checks::explain_all(&mut Case::new(text, settings, Some(&KEYS), NOW).with_memory(memory));
    let first = findings.into_iter().find_map(|finding| finding.outcome.err().map(|why| (finding.name, why)));
    match decided {
        Ok(claims) => {
            assert_eq!(first, None);
            Some(claims)
        }
        Err(refusal) => {
            let words = refusal.rejection.description();
            assert!(words.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
            assert_eq!(first, Some((refusal.check, refusal.rejection)));
            None
        }
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let nothing = judge(text, &SETTINGS[0], &mut SignatureMemory::default());
        assert_eq!(nothing, None, "nobody signed this");
    }
    let mut halves = data.splitn(2, |byte| *byte == 0xff);
    let (header, claims) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let text = format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut memory = SignatureMemory::default();
    let key = KEYS.named("k")[0].public_key().expect("a usable key");
    memory.remember(sha256(&[text.as_bytes()]), *key.digest());
    for settings in SETTINGS.iter() {
        if let Some(accepted) = judge(&text, settings, &mut memory) {
            assert_eq!(accepted.as_bytes(), claims);
        }
    }
    if Object::parse(claims.to_vec()).is_ok()
        && let Err(error) = serde_json::from_slice::<serde_json::Value>(claims)
    {
        assert!(error.to_string().starts_with("number out of range"), "{error}");
    }
});
