//! The checks `key` and `signature`: which keys a token may be tried with, and whether one holds.

use crate::bench::{Bench, encoded, header, key, payload, signed};
use crate::mint::mint;
use entra_handler::checks::Refusal;
use entra_handler::jwks::Unusable;
use entra_handler::rejection::Rejection;
use serde_json::{Value, json};

/// Key `number` under the kid that the usual token names.
fn under_the_kid(number: usize, changes: Value) -> Value {
    let mut jwk = key(number).jwk(None);
    jwk["kid"] = key(1).kid.as_str().into();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn judged_with(jwks: &[Value]) -> Result<String, Refusal> {
    Bench::new().keys(jwks).judge(&signed(&payload(&[])))
}

fn bad_signature(kid: &str) -> Result<String, Refusal> {
    Err(Refusal { check: "signature", rejection: Rejection::BadSignature { kid: kid.into(), hint: "" } })
}

#[test]
fn the_key_that_the_kid_names_decides() {
    let all: Vec<Value> = (1..=4).map(|number| key(number).jwk(None)).collect();
    let bench = Bench::new().keys(&all);
    for number in 1..=4 {
        let header = header(&[("kid", &format!("\"{}\"", key(number).kid))]);
        assert_eq!(bench.judge(&mint(key(number), &header, &payload(&[]))), Ok(payload(&[])), "key {number}");
        let wrong = number % 4 + 1;
        let judged = bench.judge(&mint(key(wrong), &header, &payload(&[])));
        assert_eq!(judged, bad_signature(&key(number).kid), "key {wrong} for {number}");
    }
}

#[test]
fn keys_with_one_kid_are_tried_in_turn_in_any_order() {
    let (right, wrong, longer) =
        (under_the_kid(1, json!({})), under_the_kid(2, json!({})), under_the_kid(4, json!({})));
    assert_eq!(judged_with(&[wrong.clone(), right.clone()]), Ok(payload(&[])));
    assert_eq!(judged_with(&[right.clone(), wrong.clone()]), Ok(payload(&[])));
    assert_eq!(judged_with(&[longer.clone(), wrong.clone(), right]), Ok(payload(&[])));
    assert_eq!(judged_with(&[longer, wrong]), bad_signature(&key(1).kid));
}

#[test]
fn an_unusable_key_does_not_spoil_a_usable_one_of_its_kid_or_of_its_set() {
    let right = under_the_kid(1, json!({}));
    for changes in [json!({ "use": "enc" }), json!({ "kty": "EC" }), json!({ "e": "AQ" }), json!({ "n": 1 })] {
        let bad = under_the_kid(2, changes);
        assert_eq!(judged_with(&[bad.clone(), right.clone()]), Ok(payload(&[])), "{bad}");
        assert_eq!(judged_with(&[right.clone(), bad.clone()]), Ok(payload(&[])), "{bad}");
    }
    assert_eq!(judged_with(&[json!(1), json!({}), json!("x"), json!([]), right]), Ok(payload(&[])));
}

#[test]
fn a_token_whose_key_may_not_be_used_is_told_why() {
    let mut small = vec![0x80; 128];
    small[127] = 1;
    let table = [
        (json!({ "use": "enc" }), Unusable::NotForSignatures),
        (json!({ "alg": "RS512" }), Unusable::OtherAlgorithm),
        (json!({ "key_ops": ["encrypt"] }), Unusable::NotForVerifying),
        (json!({ "kty": "oct" }), Unusable::NotRsa),
        (json!({ "n": encoded(small) }), Unusable::ModulusSize(1024)),
        (json!({ "e": "AQ" }), Unusable::BadExponent),
        (json!({ "e": "AQAB=" }), Unusable::BadNumber),
        (json!({ "issuer": 1 }), Unusable::Malformed),
    ];
    for (changes, reason) in table {
        let judged = judged_with(&[under_the_kid(1, changes), key(2).jwk(None)]);
        let kid = key(1).kid.clone();
        assert_eq!(judged, Err(Refusal { check: "key", rejection: Rejection::UnusableKey { kid, reason } }));
    }
}

#[test]
fn of_several_unusable_keys_the_first_of_the_set_gives_the_reason() {
    let judged = judged_with(&[
        under_the_kid(1, json!({ "use": "enc" })),
        under_the_kid(1, json!({ "alg": "PS256" })),
        key(2).jwk(None),
    ]);
    assert_refused!(judged, "key", Rejection::UnusableKey { reason: Unusable::NotForSignatures, .. });
}

#[test]
fn without_a_key_set_a_token_is_neither_good_nor_bad() {
    let mut bench = Bench::new();
    bench.keys = None;
    let judged = bench.judge(&signed(&payload(&[])));
    assert_eq!(judged, Err(Refusal { check: "key", rejection: Rejection::KeysUnavailable { retry_after: 5 } }));
    assert_refused!(bench.header(&[("kid", "")]), "key", Rejection::BadKeyId);
    assert_refused!(bench.header(&[("alg", "\"none\"")]), "alg", Rejection::WrongAlgorithm { .. });
}

#[test]
fn a_kid_is_found_among_a_thousand_that_look_alike() {
    let kids: Vec<String> = (0..500).flat_map(|n| [format!("{n}"), format!("{n}a")]).collect();
    let mut jwks: Vec<Value> = kids.iter().map(|kid| under_the_kid(2, json!({ "kid": kid }))).collect();
    jwks.insert(617, under_the_kid(1, json!({ "kid": "49" })));
    jwks.reverse();
    let bench = Bench::new().keys(&jwks);
    assert_eq!(bench.header(&[("kid", "\"49\"")]), Ok(payload(&[])), "one of the two keys with this kid");
    for kid in ["0", "4", "490", "49a", "499a", "9"] {
        assert_eq!(bench.header(&[("kid", &format!("\"{kid}\""))]), bad_signature(kid));
    }
    for kid in ["500", "49b", "049", "a"] {
        assert_refused!(bench.header(&[("kid", &format!("\"{kid}\""))]), "key", Rejection::UnknownKey { .. }, kid);
    }
}

#[test]
fn a_key_with_leading_zeros_in_modulus_and_exponent_verifies_all_the_same() {
    let zeros = |bytes: Vec<u8>| encoded([vec![0; 2], bytes].concat());
    let jwk = under_the_kid(1, json!({ "n": zeros(key(1).modulus()), "e": zeros(key(1).exponent()) }));
    assert_eq!(judged_with(&[jwk]), Ok(payload(&[])));
}

#[test]
fn a_signature_covers_the_header_and_the_payload_as_they_were_sent() {
    let (token, other) = (signed(&payload(&[])), signed(&payload(&[("sub", "\"other\"")])));
    let part = |token: &str, place: usize| token.split('.').nth(place).unwrap().to_owned();
    let mixed = format!("{}.{}.{}", part(&token, 0), part(&other, 1), part(&token, 2));
    assert_eq!(Bench::new().judge(&mixed), bad_signature(&key(1).kid));
    let spaced = header(&[]).replace("{", "{ ");
    let mixed = format!("{}.{}.{}", encoded(spaced), part(&token, 1), part(&token, 2));
    assert_eq!(Bench::new().judge(&mixed), bad_signature(&key(1).kid));
}

#[test]
fn the_signature_of_a_token_with_a_nonce_header_is_refused_with_a_hint_to_graph() {
    let token = mint(key(2), &header(&[("nonce", "\"abc\"")]), &payload(&[]));
    assert_refused!(Bench::new().judge(&token), "signature",
        Rejection::BadSignature { hint, .. } if hint.contains("Microsoft Graph"));
}
