//! Arbitrary bytes as a token: as its text, and as its header and claims. Nobody signed it, so no
//! decision may accept it; `walk` goes on to the checks of the claims all the same.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::{Case, Context, KeySet, KeySets, Needs, Object, Reason, Settings, TokenCache};
use entra_handler::{decide, walk};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const NOW: f64 = 1_800_000_000.0;

static KEYS: LazyLock<KeySets> = LazyLock::new(|| {
    let jwk = |kid: &str, issuer: &str| {
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"{issuer}}}"#)
    };
    let issuer = r#","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0""#;
    let set = format!(r#"{{"keys":[{},{}]}}"#, jwk("k", issuer), jwk("free", ""));
    KeySets::new(vec![Some(KeySet::parse(set).expect("a good set"))])
});

static SETTINGS: LazyLock<[Settings; 3]> = LazyLock::new(|| {
    let read = |tenant: &str, more: [(&str, &str); 2]| {
        let all = [("TENANT_ID", tenant), ("API_AUDIENCE", "api://a"), more[0], more[1]];
        let get = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
        Settings::read(get).expect("good settings")
    };
    let tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    [
        read(tenant, [("", ""), ("", "")]),
        read("organizations", [("ALLOWED_TENANTS", tenant), ("REQUIRED_SCOPES", "a b")]),
        read(tenant, [("ALLOWED_CLIENTS", "c"), ("REQUIRED_ROLES", "A")]),
    ]
});

/// Decides, walks, and holds the two against each other.
fn judge(text: &str, settings: &Settings) {
    let context = Context {
        settings,
        keys: &KEYS,
        needs: &Needs::Token,
        now: NOW,
    };
    let mut cache = TokenCache::default();
    let refused = decide(&mut Case::new(text, &context), &mut cache).expect_err("nobody signed this");
    assert!(cache.is_empty());
    let words = refused.description();
    assert!(words.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
    let outcomes = walk(&mut Case::new(text, &context));
    let mut failed = outcomes.into_iter().filter_map(|outcome| Some((outcome.check.name, outcome.result.err()?)));
    let first = failed.next();
    assert_eq!(first, Some((refused.check, refused.reason)));
    assert_ne!(first.map(|(_, reason)| reason), Some(Reason::NotReached));
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        judge(text, &SETTINGS[0]);
    }
    let mut halves = data.splitn(2, |byte| *byte == 0xff);
    let (header, claims) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let text = format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    SETTINGS.iter().for_each(|settings| judge(&text, settings));
    if Object::parse(claims).is_ok()
        && let Err(error) = serde_json::from_slice::<serde_json::Value>(claims)
    {
        assert!(error.to_string().starts_with("number out of range"), "{error}");
    }
});
