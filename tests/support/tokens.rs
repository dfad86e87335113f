//! Keys, key sets, claims and tokens as Entra has them.

use super::mint::{TestKey, b64, mint, token};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub const OTHER_TENANT: &str = "99999999-8888-7777-6666-555555555555";
pub const AUDIENCE: &str = "api://66666666-7777-8888-9999-aaaaaaaaaaaa";
pub const CLIENT: &str = "cccccccc-1111-2222-3333-dddddddddddd";
pub const OTHER_CLIENT: &str = "eeeeeeee-1111-2222-3333-ffffffffffff";

/// The v1.0 issuer of a tenant in the global cloud.
pub fn v1_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// The v2.0 issuer of a tenant in the global cloud.
pub fn v2_issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

/// One of the test keys, 1 to 4.
pub fn key(number: usize) -> &'static TestKey {
    static KEYS: LazyLock<[TestKey; 4]> =
        LazyLock::new(|| std::array::from_fn(|index| TestKey::number(index + 1)));
    &KEYS[number - 1]
}

/// A key set with these keys, which name no issuer.
pub fn set(numbers: &[usize]) -> String {
    set_of(
        numbers
            .iter()
            .map(|number| key(*number).jwk(None))
            .collect(),
    )
}

/// A key set of these JWKs.
pub fn set_of(keys: Vec<Value>) -> String {
    json!({ "keys": keys }).to_string()
}

/// A JWK with other members.
pub fn jwk(number: usize, changes: Value) -> Value {
    let mut jwk = key(number).jwk(None);
    for (name, value) in changes.as_object().expect("an object") {
        jwk[name] = value.clone();
    }
    jwk
}

/// The time at which the tests began, in Unix seconds: the same claims twice are then the same.
pub fn now() -> i64 {
    static BEGIN: LazyLock<i64> = LazyLock::new(clock);
    *BEGIN
}

/// Unix seconds.
pub fn clock() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs() as i64
}

/// An hour, the margin of every time in a token.
pub const HOUR: i64 = 3600;

/// The user whom the tokens are about.
const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";

/// Claims of a v2.0 token for a user.
pub fn v2() -> Value {
    json!({
        "aud": AUDIENCE, "iss": v2_issuer(TENANT), "iat": now() - HOUR, "nbf": now() - HOUR,
        "exp": now() + HOUR, "aio": "ATQAy", "azp": CLIENT, "azpacr": "0", "name": "Alice Example",
        "oid": ALICE, "preferred_username": "alice@contoso.example", "rh": "1.AX",
        "scp": "user_impersonation", "sub": "sOmE-sUb", "tid": TENANT, "uti": "uTi", "ver": "2.0",
    })
}

/// Claims of a v1.0 token for a user.
pub fn v1() -> Value {
    json!({
        "aud": AUDIENCE, "iss": v1_issuer(TENANT), "iat": now() - HOUR, "nbf": now() - HOUR,
        "exp": now() + HOUR, "acr": "1", "amr": ["pwd"], "appid": CLIENT, "appidacr": "0",
        "oid": ALICE, "scp": "user_impersonation", "sub": "sOmE-sUb", "tid": TENANT,
        "unique_name": "alice@contoso.example", "upn": "alice@contoso.example", "ver": "1.0",
    })
}

/// Claims for an application instead of a user.
pub fn app_only(claims: Value) -> Value {
    let own = "5e111ce0-0000-4000-8000-000000000009";
    with(
        with(with(without(claims, "scp"), "oid", own), "sub", own),
        "roles",
        json!(["Tasks.Read.All"]),
    )
}

/// The same claims with another value of one.
pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// The same claims but one.
pub fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

/// The claims of another tenant's token in the same shape.
pub fn of_tenant(claims: Value, tenant: &str) -> Value {
    let issuer = claims["iss"]
        .as_str()
        .expect("a string")
        .replace(TENANT, tenant);
    with(with(claims, "tid", tenant), "iss", issuer)
}

/// A token with these claims, signed with key 1.
pub fn signed(claims: &Value) -> String {
    signed_with(1, claims)
}

pub fn signed_with(number: usize, claims: &Value) -> String {
    token(key(number), &claims.to_string())
}

/// A good token, signed with key 1.
pub fn good() -> String {
    signed(&v2())
}

/// A good token with another header, signed with key 1 all the same.
pub fn headed(header: &Value) -> String {
    mint(key(1), &header.to_string(), &v2().to_string())
}

/// The usual header with other members.
pub fn header(changes: Value) -> Value {
    let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": key(1).kid });
    for (name, value) in changes.as_object().expect("an object") {
        header[name] = value.clone();
    }
    header
}

/// A good token that is exactly this long.
pub fn of_length(bytes: usize) -> String {
    let signature_and_dots = b64([0; 256]).len() + 2;
    for spaces in 0..4 {
        let header = format!("{}{}", header(json!({})), " ".repeat(spaces));
        let room = bytes - signature_and_dots - b64(&header).len();
        if room % 4 == 1 {
            continue;
        }
        let bare = with(v2(), "pad", "").to_string().len();
        let payload = with(v2(), "pad", "x".repeat(room * 3 / 4 - bare)).to_string();
        let token = mint(key(1), &header, &payload);
        assert_eq!(token.len(), bytes);
        return token;
    }
    unreachable!("one of four remainders fits")
}
