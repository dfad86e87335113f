//! What the tests judge with: settings, keys, a clock that stands still, and tokens to judge.

use crate::mint::{self, TestKey, b64};
use entra_handler::answer::Answer;
use entra_handler::api::{Endpoint, ROUTES, Route};
use entra_handler::checks::{self, Case, Finding, Refusal};
use entra_handler::jwks::KeySet;
use entra_handler::settings::Settings;
use serde_json::{Value, json};
use std::sync::OnceLock;

pub(crate) const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
pub(crate) const OTHER_TENANT: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
pub(crate) const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
pub(crate) const API: &str = "api://11112222-bbbb-3333-cccc-4444dddd5555";
pub(crate) const V1: &str = "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/";
pub(crate) const V2: &str = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0";
/// The `issuer` member that Entra's v2.0 key set has on every key.
pub(crate) const ENTRA_KEY_ISSUER: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
/// The time at which tokens are judged, unless a test says otherwise.
pub(crate) const NOW: f64 = 1_800_000_000.0;

/// Asserts which check refused, and as what.
macro_rules! assert_refused {
    ($outcome:expr, $check:literal, $pattern:pat $(if $guard:expr)? $(, $label:expr)? $(,)?) => {{
        let outcome = $outcome;
        match &outcome {
            Err(entra_handler::checks::Refusal { check: $check, rejection: $pattern }) $(if $guard)? => {}
            _ => panic!(
                "wanted `{}` to refuse with {}{}, got {:?}",
                $check,
                stringify!($pattern $(if $guard)?),
                String::new() $(+ &format!(" for {}", $label))?,
                outcome
            ),
        }
    }};
}

/// One of the four committed keys.
pub(crate) fn key(number: usize) -> &'static TestKey {
    static KEYS: OnceLock<Vec<TestKey>> = OnceLock::new();
    &KEYS.get_or_init(|| (1..=4).map(TestKey::number).collect())[number - 1]
}

/// A key set of these keys.
pub(crate) fn key_set(jwks: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": jwks }).to_string().into_bytes()).expect("the set has a usable key")
}

/// Settings of a single-tenant API in the global cloud, with changes; an empty value unsets.
pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let defaults = [("TENANT_ID", TENANT), ("API_AUDIENCE", API)];
    let of = |list: &[(&str, &str)], name: &str| list.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Settings::read(|name| of(changes, name).or_else(|| of(&defaults, name))).expect("the settings are good")
}

/// Settings, keys and a clock: everything that a decision takes besides the token.
pub(crate) struct Bench {
    pub(crate) settings: Settings,
    pub(crate) keys: Option<KeySet>,
    pub(crate) now: f64,
}

impl Bench {
    /// A single-tenant API and Entra's key set with test key 1 in it.
    pub(crate) fn new() -> Bench {
        Bench::with(&[])
    }

    pub(crate) fn with(changes: &[(&str, &str)]) -> Bench {
        let keys = Some(key_set(&[key(1).jwk(Some(ENTRA_KEY_ISSUER))]));
        Bench { settings: settings(changes), keys, now: NOW }
    }

    /// Exactly these settings, and this key set.
    pub(crate) fn of(settings: Settings, jwks: &[Value]) -> Bench {
        Bench { settings, keys: Some(key_set(jwks)), now: NOW }
    }

    pub(crate) fn keys(mut self, jwks: &[Value]) -> Bench {
        self.keys = Some(key_set(jwks));
        self
    }

    pub(crate) fn at(mut self, now: f64) -> Bench {
        self.now = now;
        self
    }

    pub(crate) fn case<'a>(&'a self, token: &'a str) -> Case<'a> {
        Case::new(token, &self.settings, self.keys.as_ref(), self.now)
    }

    /// The claims as they are answered, or the refusal.
    pub(crate) fn judge(&self, token: &str) -> Result<String, Refusal> {
        checks::decide(&mut self.case(token)).map(|claims| claims.into_json())
    }

    /// Judges a well-signed token whose claims differ from the usual ones.
    pub(crate) fn claims(&self, changes: &[(&str, &str)]) -> Result<String, Refusal> {
        self.judge(&signed(&payload(changes)))
    }

    /// Judges a well-signed token whose header differs from the usual one.
    pub(crate) fn header(&self, changes: &[(&str, &str)]) -> Result<String, Refusal> {
        self.judge(&mint::mint(key(1), &header(changes), &payload(&[])))
    }

    /// What the endpoint of a route answers to a token.
    pub(crate) fn answer(&self, routes: &[Route], path: &str, token: &str) -> Answer {
        let route = routes.iter().find(|route| route.path == path).expect("a route with this path");
        let Endpoint::Protected(endpoint) = route.endpoint else { panic!("{path} is open to all") };
        endpoint(checks::decide(&mut self.case(token)).expect("an acceptable token"))
    }

    /// The whole walk over the checks.
    pub(crate) fn findings(&self, token: &str) -> Vec<Finding> {
        checks::explain_all(&mut self.case(token))
    }
}

/// What a route of `src/api.rs` answers to a usual token with these claims.
pub(crate) fn get(path: &str, claims: &[(&str, &str)]) -> Answer {
    Bench::new().answer(ROUTES, path, &signed(&payload(claims)))
}

/// A JSON object of members in JSON text, after changes: an empty text removes a member, a new
/// name is put at the end.
pub(crate) fn object(members: &[(&str, String)], changes: &[(&str, &str)]) -> String {
    let changed = |name: &str| changes.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let kept = members.iter().map(|(name, value)| (*name, changed(name).unwrap_or_else(|| value.clone())));
    let is_new = |name: &str| members.iter().all(|(n, _)| *n != name);
    let new = changes.iter().filter(|(name, _)| is_new(name)).map(|(name, value)| (*name, (*value).to_owned()));
    let all: Vec<String> =
        kept.chain(new).filter(|(_, value)| !value.is_empty()).map(|(n, v)| format!("\"{n}\":{v}")).collect();
    format!("{{{}}}", all.join(","))
}

/// A v2.0 access token's claims: delegated, good for an hour around `NOW`.
pub(crate) fn payload(changes: &[(&str, &str)]) -> String {
    let text = |value: &str| format!("\"{value}\"");
    let members = [
        ("aud", text(API)),
        ("iss", text(V2)),
        ("iat", "1799999000".into()),
        ("nbf", "1799999000".into()),
        ("exp", "1800003000".into()),
        ("azp", text(CLIENT)),
        ("oid", text("00aa00aa-bb11-cc22-dd33-44ee44ee44ee")),
        ("scp", text("access_as_user")),
        ("sub", text("AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ")),
        ("tid", text(TENANT)),
        ("ver", text("2.0")),
    ];
    object(&members, changes)
}

/// The header of a token signed with test key 1.
pub(crate) fn header(changes: &[(&str, &str)]) -> String {
    let members = [("typ", "\"JWT\"".to_owned()), ("alg", "\"RS256\"".into()), ("kid", format!("\"{}\"", key(1).kid))];
    object(&members, changes)
}

/// A token with this payload, signed with test key 1.
pub(crate) fn signed(payload: &str) -> String {
    mint::mint(key(1), &header(&[]), payload)
}

/// A token of arbitrary header and payload bytes, signed with test key 1.
pub(crate) fn sealed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = key(1).sign(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

/// Base64url of a text that a test wants to see in a token.
pub(crate) fn encoded(text: impl AsRef<[u8]>) -> String {
    b64(text)
}

#[test]
fn the_usual_token_is_accepted_and_comes_out_as_it_was_written() {
    assert_eq!(Bench::new().judge(&signed(&payload(&[]))), Ok(payload(&[])));
}
