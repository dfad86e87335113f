//! Reading a JWK Set: what is one, and which of its keys may verify.

use crate::bench::{encoded, key};
use entra_handler::jwks::{KeySet, KeySetFault, Unusable};
use serde_json::{Value, json};

fn parse(text: &str) -> Result<KeySet, KeySetFault> {
    KeySet::parse(text.as_bytes().to_vec())
}

/// What becomes of this key in a set that has a good one too.
fn fate(jwk: &str) -> Result<(), Unusable> {
    let set = parse(&format!("{{\"keys\":[{jwk},{}]}}", key(2).jwk(None))).expect("key 2 is good");
    assert_eq!(set.named(&key(2).kid).len(), 1, "the good key stays");
    let [named] = set.named("k") else { panic!("{jwk} is not listed once") };
    named.public_key().map(drop)
}

/// A good JWK with the kid "k" after changes; null removes a member.
fn jwk(changes: Value) -> String {
    let mut jwk = json!({ "kty": "RSA", "kid": "k", "n": encoded(key(1).modulus()), "e": "AQAB" });
    for (name, value) in changes.as_object().unwrap() {
        match value.is_null() {
            true => drop(jwk.as_object_mut().unwrap().remove(name)),
            false => jwk[name] = value.clone(),
        }
    }
    jwk.to_string()
}

/// An odd number of exactly so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; bits.div_ceil(8)];
    bytes[0] = 0xff >> (bytes.len() * 8 - bits);
    bytes
}

#[test]
fn a_key_may_verify_when_its_members_allow_it() {
    for changes in [
        json!({}),
        json!({ "use": "sig" }),
        json!({ "alg": "RS256" }),
        json!({ "key_ops": ["verify"] }),
        json!({ "key_ops": ["sign", "verify"] }),
        json!({ "use": "sig", "alg": "RS256", "key_ops": ["verify"], "issuer": "https://issuer.example" }),
        json!({ "x5c": ["not a certificate"], "x5t": 1, "anything": { "a": [null] } }),
    ] {
        assert_eq!(fate(&jwk(changes.clone())), Ok(()), "{changes}");
    }
}

#[test]
fn a_key_for_another_purpose_is_listed_and_may_not_verify() {
    let table = [
        (json!({ "kty": null }), Unusable::NotRsa),
        (json!({ "kty": "EC" }), Unusable::NotRsa),
        (json!({ "kty": "oct" }), Unusable::NotRsa),
        (json!({ "kty": "rsa" }), Unusable::NotRsa),
        (json!({ "kty": ["RSA"] }), Unusable::NotRsa),
        (json!({ "use": "enc" }), Unusable::NotForSignatures),
        (json!({ "use": "SIG" }), Unusable::NotForSignatures),
        (json!({ "use": "" }), Unusable::NotForSignatures),
        (json!({ "use": ["sig"] }), Unusable::NotForSignatures),
        (json!({ "use": 1 }), Unusable::NotForSignatures),
        (json!({ "key_ops": [] }), Unusable::NotForVerifying),
        (json!({ "key_ops": ["sign"] }), Unusable::NotForVerifying),
        (json!({ "key_ops": ["encrypt", "wrapKey"] }), Unusable::NotForVerifying),
        (json!({ "key_ops": ["Verify"] }), Unusable::NotForVerifying),
        (json!({ "key_ops": "verify" }), Unusable::NotForVerifying),
        (json!({ "key_ops": ["verify", 1] }), Unusable::NotForVerifying),
        (json!({ "key_ops": { "verify": true } }), Unusable::NotForVerifying),
        (json!({ "alg": "RS384" }), Unusable::OtherAlgorithm),
        (json!({ "alg": "RS512" }), Unusable::OtherAlgorithm),
        (json!({ "alg": "PS256" }), Unusable::OtherAlgorithm),
        (json!({ "alg": "RSA-OAEP" }), Unusable::OtherAlgorithm),
        (json!({ "alg": "rs256" }), Unusable::OtherAlgorithm),
        (json!({ "alg": "none" }), Unusable::OtherAlgorithm),
        (json!({ "alg": 256 }), Unusable::OtherAlgorithm),
        (json!({ "issuer": 1 }), Unusable::Malformed),
        (json!({ "issuer": ["https://issuer.example"] }), Unusable::Malformed),
    ];
    for (changes, reason) in table {
        assert_eq!(fate(&jwk(changes.clone())), Err(reason), "{changes}");
    }
    for (member, reason) in [
        ("\"use\":null", Unusable::NotForSignatures),
        ("\"alg\":null", Unusable::OtherAlgorithm),
        ("\"key_ops\":null", Unusable::NotForVerifying),
        ("\"issuer\":null", Unusable::Malformed),
    ] {
        assert_eq!(fate(&jwk(json!({})).replacen('{', &format!("{{{member},"), 1)), Err(reason), "{member}");
    }
}

#[test]
fn use_and_key_ops_both_have_to_allow_it() {
    let judged = |usage: &str, ops: &[&str]| fate(&jwk(json!({ "use": usage, "key_ops": ops })));
    assert_eq!(judged("sig", &["encrypt"]), Err(Unusable::NotForVerifying));
    assert_eq!(judged("enc", &["verify"]), Err(Unusable::NotForSignatures));
    assert_eq!(judged("sig", &["verify", "encrypt"]), Ok(()), "what else it may do is nobody's business here");
    assert_eq!(judged("sig", &["verify", "verify"]), Ok(()));
}

#[test]
fn a_modulus_has_2048_to_8192_bits_and_is_odd() {
    let size = |modulus: Vec<u8>| fate(&jwk(json!({ "n": encoded(modulus) })));
    for bits in [2048, 2049, 3072, 4096, 8191, 8192] {
        assert_eq!(size(modulus(bits)), Ok(()), "{bits} bits");
    }
    for bits in [1, 512, 1024, 2040, 2047, 8193, 8200, 16_384] {
        assert_eq!(size(modulus(bits)), Err(Unusable::ModulusSize(bits)), "{bits} bits");
    }
    let mut even = modulus(2048);
    even[255] = 0xfe;
    assert_eq!(size(even), Err(Unusable::ModulusSize(2048)));
}

#[test]
fn leading_zero_bytes_count_for_nothing() {
    let padded = |zeros: usize, bits: usize| [vec![0; zeros], modulus(bits)].concat();
    let size = |modulus: Vec<u8>| fate(&jwk(json!({ "n": encoded(modulus) })));
    assert_eq!(size(padded(1, 2048)), Ok(()));
    assert_eq!(size(padded(100, 8192)), Ok(()));
    assert_eq!(size(padded(200, 1024)), Err(Unusable::ModulusSize(1024)), "zeros make no key longer");
    let exponent = |bytes: &[u8]| fate(&jwk(json!({ "e": encoded(bytes) })));
    assert_eq!(exponent(&[0, 1, 0, 1]), Ok(()));
    assert_eq!(exponent(&[0; 3]), Err(Unusable::BadNumber));
    assert_eq!(size(vec![0; 256]), Err(Unusable::BadNumber));
}

#[test]
fn an_exponent_is_odd_from_3_to_2_to_the_33_minus_1() {
    let exponent = |value: u128| {
        let bytes = value.to_be_bytes();
        fate(&jwk(json!({ "e": encoded(&bytes[value.leading_zeros() as usize / 8..]) })))
    };
    for good in [3, 5, 17, 257, 65_537, (1 << 32) + 1, (1 << 33) - 1] {
        assert_eq!(exponent(good), Ok(()), "{good}");
    }
    for bad in [1, 2, 4, 65_536, (1 << 33) - 2, 1 << 33, (1 << 33) + 1, (1 << 64) + 1, (1 << 64) + 3, (1 << 127) + 1] {
        assert_eq!(exponent(bad), Err(Unusable::BadExponent), "{bad}");
    }
    let huge = [vec![1], vec![0; 255], vec![1]].concat();
    assert_eq!(fate(&jwk(json!({ "e": encoded(huge) }))), Err(Unusable::BadExponent));
}

#[test]
fn modulus_and_exponent_are_canonical_base64url() {
    let n = encoded(key(1).modulus());
    let bad = [
        json!(null),
        json!(""),
        json!(1),
        json!(["AQAB"]),
        json!("AQA="),
        json!("AQAB\n"),
        json!(" AQAB"),
        json!("AQ+B"),
    ];
    for value in &bad {
        assert_eq!(fate(&jwk(json!({ "n": value }))), Err(Unusable::BadNumber), "n {value}");
        assert_eq!(fate(&jwk(json!({ "e": value }))), Err(Unusable::BadNumber), "e {value}");
    }
    assert_eq!(fate(&jwk(json!({ "n": format!("{n}==") }))), Err(Unusable::BadNumber));
    // 3 in one byte has four unused bits: "Aw", and with one of them set "Ax".
    assert_eq!(fate(&jwk(json!({ "e": "Aw" }))), Ok(()));
    assert_eq!(fate(&jwk(json!({ "e": "Ax" }))), Err(Unusable::BadNumber));
}

#[test]
fn a_key_with_a_member_twice_is_passed_over() {
    let good = jwk(json!({}));
    for twice in [r#"{"x":{"a":1,"a":2},"#, r#"{"e":"AQAB","#, r#"{"\u006e":"AQAB","#] {
        let set = parse(&format!("{{\"keys\":[{},{}]}}", good.replacen('{', twice, 1), key(2).jwk(None))).unwrap();
        assert_eq!((set.count(), set.named("k").len()), ((1, 0), 0), "{twice}");
    }
}

#[test]
fn keys_that_no_token_can_name_are_passed_over() {
    let long = "k".repeat(257);
    let nameless =
        [jwk(json!({ "kid": null })), jwk(json!({ "kid": "" })), jwk(json!({ "kid": 7 })), jwk(json!({ "kid": long }))];
    let others = ["1", "null", "\"k\"", "[]", "{}", "{\"kid\":[\"k\"]}"].map(str::to_owned);
    let twice = jwk(json!({})).replacen('{', r#"{"kid":"other","#, 1);
    let deep = format!(r#"{{"kid":"other","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let surrogate = r#"{"kid":"\ud800","kty":"RSA"}"#.to_owned();
    for key_text in nameless.iter().chain(&others).chain([&twice, &deep, &surrogate]) {
        let set = parse(&format!("{{\"keys\":[{key_text},{}]}}", key(2).jwk(None))).unwrap();
        assert_eq!(set.count(), (1, 0), "{key_text}");
        assert!(set.named("k").is_empty() && set.named("other").is_empty() && set.named("").is_empty(), "{key_text}");
    }
    assert_eq!(fate(&jwk(json!({})).replace("\"k\"", "\"\\u006b\"")), Ok(()), "an escape is the same letter");
    let longest = parse(&format!("{{\"keys\":[{}]}}", jwk(json!({ "kid": "k".repeat(256) })))).unwrap();
    assert_eq!(longest.named(&"k".repeat(256)).len(), 1);
}

#[test]
fn what_is_no_key_set_is_told_from_a_set_without_a_usable_key() {
    let bad = [
        "",
        "null",
        "[]",
        "{}",
        "\"keys\"",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":\"x\"}",
        "{\"Keys\":[]}",
        "{\"keys\":[]",
        "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}",
        "{\"keys\":[1,]}",
        "<html></html>",
        "\u{feff}{\"keys\":[]}",
    ];
    for text in bad {
        assert_eq!(parse(text).err(), Some(KeySetFault::NotAKeySet), "{text}");
    }
    assert_eq!(KeySet::parse(b"{\"keys\":[\"\xff\"]}".to_vec()).err(), Some(KeySetFault::NotAKeySet));
    assert_eq!(parse("{\"keys\":[]}").err(), Some(KeySetFault::NoUsableKey(None)));
    assert_eq!(parse("{\"keys\":[1,{}]}").err(), Some(KeySetFault::NoUsableKey(None)));
    let small = jwk(json!({ "n": encoded(modulus(1024)) }));
    let of_two = format!("{{\"keys\":[{small},{}]}}", jwk(json!({ "kty": "EC" })));
    assert_eq!(parse(&of_two).err(), Some(KeySetFault::NoUsableKey(Some(Unusable::ModulusSize(1024)))));
}

#[test]
fn a_set_counts_its_usable_and_its_other_keys() {
    let set =
        format!("{{\"x\":1,\"keys\":[{},{},{},1]}}", jwk(json!({})), jwk(json!({ "use": "enc" })), key(2).jwk(None));
    assert_eq!(parse(&set).unwrap().count(), (2, 1));
}

#[test]
fn what_is_wrong_with_a_key_set_is_said_in_words() {
    let words = |text: &str| parse(text).unwrap_err().to_string();
    assert!(words("[]").contains("not a JWK Set"));
    assert!(words("{\"keys\":[]}").contains("no key with a kid"));
    let for_encryption = format!("{{\"keys\":[{}]}}", jwk(json!({ "use": "enc" })));
    assert_eq!(words(&for_encryption), "none of the keys can verify RS256: its use is not sig");
}
