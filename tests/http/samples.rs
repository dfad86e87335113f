//! A token of each kind with its status and code, for the server, `handler check` and the log.
//! The cases of each check are lines of `tests/vectors`.

use crate::support::mint::{b64, mint};
use crate::support::tokens::*;
use serde_json::json;

pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) token: String,
    pub(crate) status: u16,
    /// Empty when it is accepted.
    pub(crate) code: &'static str,
}

/// The key set that they are for.
pub(crate) fn key_set() -> String {
    let encrypts = jwk(1, json!({ "kid": "encrypts", "use": "enc" }));
    let foreign = jwk(
        1,
        json!({ "kid": "foreign", "issuer": v2_issuer(OTHER_TENANT) }),
    );
    set_of(vec![key(1).jwk(None), key(4).jwk(None), encrypts, foreign])
}

#[rustfmt::skip]
pub(crate) fn samples() -> Vec<Sample> {
    let good = good();
    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let (header_part, _) = input.split_once('.').expect("three parts");
    let named = |kid: &str| headed(&header(json!({ "kid": kid })));
    let all = [
        ("a v2.0 token of a user", good.clone(), 200, ""),
        ("a v1.0 token of a user", signed(&v1()), 200, ""),
        ("a v2.0 token of an application", signed(&app_only(v2())), 200, ""),
        ("a v1.0 token of an application", signed(&app_only(v1())), 200, ""),
        ("a key of 3072 bits", signed_with(4, &v2()), 200, ""),
        ("the longest token", of_length(16 * 1024), 200, ""),
        ("one byte too long", of_length(16 * 1024 + 1), 401, "invalid_header"),
        ("two parts", input.into(), 401, "invalid_header"),
        ("an encrypted token", format!("{header_part}.a.b.c.d"), 401, "invalid_header"),
        ("padding", format!("{good}=="), 401, "invalid_header"),
        ("another payload", format!("{header_part}.{}.{signature}", b64(v1().to_string())), 401, "invalid_header"),
        ("another signature", format!("{input}.{}", b64([7; 256])), 401, "invalid_header"),
        ("another key", mint(key(2), &header(json!({})).to_string(), &v2().to_string()), 401, "invalid_header"),
        ("alg none", headed(&header(json!({ "alg": "none" }))), 401, "invalid_header"),
        ("an unknown key", signed_with(3, &v2()), 401, "invalid_header"),
        ("a key to encrypt with", named("encrypts"), 401, "invalid_header"),
        ("a key of another issuer", named("foreign"), 401, "invalid_claims"),
        ("an hour too late", signed(&with(v2(), "exp", now() - HOUR)), 401, "token_expired"),
        ("an hour too early", signed(&with(v2(), "nbf", now() + HOUR)), 401, "token_not_yet_valid"),
        ("another audience", signed(&with(v2(), "aud", "api://other")), 401, "invalid_claims"),
        ("another issuer", signed(&with(v2(), "iss", "https://issuer.example/")), 401, "invalid_claims"),
        ("another tenant", signed(&of_tenant(v2(), OTHER_TENANT)), 401, "invalid_claims"),
        ("no exp", signed(&without(v2(), "exp")), 401, "invalid_claims"),
        ("neither scp nor roles", signed(&without(v2(), "scp")), 403, "insufficient_scope"),
    ];
    all.map(|(name, token, status, code)| Sample { name, token, status, code }).into()
}
