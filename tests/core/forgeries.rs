//! Signatures that no line of a file can hold: those of other schemes, and what becomes of a good one
//! by arithmetic.

use crate::judge::{Judge, token};
use crate::support::mint::{TestKey, b64};
use crate::support::tokens::key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use ring::{digest, hmac};
use serde_json::json;

/// The usual token's signing input, and its signature.
fn good() -> (String, Vec<u8>) {
    let token = token(json!({}));
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    (
        input.to_owned(),
        URL_SAFE_NO_PAD.decode(signature).expect("base64url"),
    )
}

/// The outcome of the usual token with the signature that `sign` makes, under this `alg`.
fn signed(alg: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let line = |signature: &str| json!({ "header": { "alg": alg }, "signature": signature });
    let unsigned = token(line("AA"));
    let (input, _) = unsigned.rsplit_once('.').expect("a signature");
    Judge::usual().outcome(&token(line(&b64(sign(input.as_bytes())))))
}

/// One ASN.1 value in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => [[tag, 0x82], length.to_be_bytes()].concat(),
    };
    [head, content.to_vec()].concat()
}

/// Every form in which a server may hold its public key, and an attacker may have it.
fn public_key_forms(key: &TestKey) -> Vec<Vec<u8>> {
    let integer = |bytes: Vec<u8>| {
        der(
            2,
            &if bytes[0] < 0x80 {
                bytes
            } else {
                [vec![0], bytes].concat()
            },
        )
    };
    let pkcs1 = der(
        0x30,
        &[integer(key.modulus()), integer(key.exponent())].concat(),
    );
    let rsa = der(
        0x30,
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0],
    );
    let spki = der(
        0x30,
        &[rsa, der(3, &[vec![0], pkcs1.clone()].concat())].concat(),
    );
    let lines = |bytes: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        lines.collect::<Vec<_>>().join("\n")
    };
    let pem = |label: &str, bytes: &[u8]| {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----",
            lines(bytes)
        )
    };
    let (spki_pem, pkcs1_pem) = (pem("PUBLIC KEY", &spki), pem("RSA PUBLIC KEY", &pkcs1));
    let texts = [
        format!("{spki_pem}\n"),
        format!("{pkcs1_pem}\n"),
        spki_pem.replace('\n', "\r\n"),
        lines(&spki),
        spki_pem,
        pkcs1_pem,
        key.jwk(None).to_string(),
        b64(key.modulus()),
        key.kid.clone(),
        String::new(),
    ];
    let texts = texts.into_iter().map(String::into_bytes);
    texts
        .chain([spki, pkcs1, key.modulus(), key.exponent()])
        .collect()
}

/// CVE-2015-9235, CVE-2016-10555, CVE-2022-29217.
#[test]
fn a_mac_with_the_public_key_is_refused() {
    let hashes = [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512];
    for secret in public_key_forms(key(1)) {
        for (alg, hash) in ["HS256", "HS384", "HS512"].into_iter().zip(hashes) {
            let mac = |input: &[u8]| {
                hmac::sign(&hmac::Key::new(hash, &secret), input)
                    .as_ref()
                    .to_vec()
            };
            assert_eq!(signed(alg, mac), "alg WrongAlgorithm");
            assert_eq!(signed("RS256", mac), "signature BadSignature");
        }
    }
}

/// RFC 8725 section 3.1.
#[test]
fn another_rsa_scheme_is_refused() {
    let pair = include_bytes!("../keys/test-only-1.pk8");
    let pair = RsaKeyPair::from_pkcs8(pair).expect("a test key");
    let schemes: [(&str, &'static dyn RsaEncoding); 3] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
    ];
    for (alg, scheme) in schemes {
        let sign = |input: &[u8]| {
            let mut signature = vec![0; 256];
            let signed = pair.sign(scheme, &SystemRandom::new(), input, &mut signature);
            signed
                .map(|()| signature)
                .expect("an RSA key signs anything")
        };
        assert_eq!(signed(alg, sign), "alg WrongAlgorithm");
        assert_eq!(signed("RS256", sign), "signature BadSignature", "{alg}");
    }
    let of_the_hash = |input: &[u8]| key(1).sign(digest::digest(&digest::SHA256, input).as_ref());
    assert_eq!(signed("RS256", of_the_hash), "signature BadSignature");
    let without_the_dot = |input: &[u8]| {
        key(1).sign(
            &input
                .split(|byte| *byte == b'.')
                .collect::<Vec<_>>()
                .concat(),
        )
    };
    assert_eq!(signed("RS256", without_the_dot), "signature BadSignature");
}

/// Wycheproof `exponentOne`: anybody can sign, for the signature is the padded hash itself.
#[test]
fn a_signature_under_exponent_1_is_refused() {
    let (input, _) = good();
    let hash = digest::digest(&digest::SHA256, input.as_bytes());
    let info = [
        0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20,
    ];
    let block = [&[0, 1][..], &[0xff; 202], &[0], &info, hash.as_ref()].concat();
    assert_eq!(block.len(), 256);
    let judge = Judge::of(json!({ "keys": [{ "key": 1, "e": "AQ" }, { "key": 2 }] }));
    assert_eq!(
        judge.outcome(&format!("{input}.{}", b64(block))),
        "key UnusableKey"
    );
}

/// Sum of two big-endian numbers of one length; a byte longer where it overflows.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let sum = rsa::BigUint::from_bytes_be(a) + rsa::BigUint::from_bytes_be(b);
    let bytes = sum.to_bytes_be();
    [vec![0; a.len().saturating_sub(bytes.len())], bytes].concat()
}

/// RFC 8017 section 8.2.2.
#[test]
fn a_signature_has_one_value_and_one_length() {
    let (input, signature) = good();
    let judged = |signature: &[u8]| Judge::usual().outcome(&format!("{input}.{}", b64(signature)));
    assert_eq!(judged(&signature), "accepted");
    let modulus = key(1).modulus();
    let mut minus_one = modulus.clone();
    minus_one[255] -= 1;
    for other in [
        sum(&signature, &modulus),
        [vec![0; 30], sum(&signature, &modulus)].concat(),
        minus_one,
        [vec![0], signature.clone()].concat(),
        [vec![0; 256], signature.clone()].concat(),
        [signature.clone(), vec![0]].concat(),
        [signature.clone(), signature.clone()].concat(),
        signature[..255].to_vec(),
        signature[1..].to_vec(),
        signature.iter().rev().copied().collect(),
        signature.iter().map(|byte| !byte).collect(),
    ] {
        assert_eq!(judged(&other), "signature BadSignature", "{other:?}");
    }
}

#[test]
fn a_signature_that_begins_with_a_zero_byte_keeps_it() {
    let of = |number: u32| token(json!({ "claims": { "n": number } }));
    let begins_so = |token: &String| {
        token
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.starts_with("AA"))
    };
    let token = (0..)
        .map(of)
        .find(begins_so)
        .expect("one signature in 256 does");
    assert_eq!(Judge::usual().outcome(&token), "accepted");
    let (input, _) = token.rsplit_once('.').expect("a signature");
    let shorter = b64(&key(1).sign(input.as_bytes())[1..]);
    assert_eq!(
        Judge::usual().outcome(&format!("{input}.{shorter}")),
        "signature BadSignature"
    );
}

/// RFC 4648 section 3.5: 256 bytes end in two letters, the second of which has four unused bits.
#[test]
fn the_unused_bits_of_a_signature_are_not_free() {
    let token = token(json!({}));
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&token[token.len() - 1..]).expect("a letter");
    assert_eq!(last % 16, 0, "a canonical end");
    for low in 1..16 {
        let changed = format!(
            "{}{}",
            &token[..token.len() - 1],
            &alphabet[last + low..=last + low]
        );
        assert_eq!(Judge::usual().outcome(&changed), "base64url NotBase64url");
    }
}
