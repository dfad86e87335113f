//! Attacks on the choice of the algorithm.

use crate::bench::{Bench, encoded, header, key, payload, sealed};
use crate::mint::TestKey;
use entra_handler::json::JsonFault;
use entra_handler::rejection::{Part, Rejection};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use ring::{digest, hmac};

/// A token with this `alg`, and with what `sign` makes of the signing input.
fn token(alg: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let header = header(&[("alg", &format!("\"{alg}\""))]);
    let input = format!("{}.{}", encoded(header), encoded(payload(&[])));
    let signature = sign(input.as_bytes());
    format!("{input}.{}", encoded(signature))
}

#[test]
fn no_spelling_of_none_is_accepted() {
    let bits = |n: u32, c: char| if n == 1 { c.to_ascii_uppercase() } else { c };
    for case in 0..16u32 {
        let none: String = "none".chars().enumerate().map(|(at, c)| bits(case >> at & 1, c)).collect();
        let signed = token(&none, |input| key(1).sign(input));
        assert_refused!(Bench::new().judge(&signed), "alg",
            Rejection::WrongAlgorithm { found: Some(found), .. } if *found == none);
        let stripped = token(&none, |_| vec![]);
        assert!(stripped.ends_with('.'));
        assert_refused!(Bench::new().judge(&stripped), "three parts", Rejection::NotThreeParts { found: 2 });
        assert_refused!(
            Bench::new().judge(stripped.trim_end_matches('.')),
            "three parts",
            Rejection::NotThreeParts { found: 2 }
        );
    }
}

/// One ASN.1 value in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

/// Every form in which a server may hold its public key, and an attacker may have it.
fn public_key_forms(key: &TestKey) -> Vec<Vec<u8>> {
    let integer = |bytes: Vec<u8>| der(2, &if bytes[0] < 0x80 { bytes } else { [vec![0], bytes].concat() });
    let pkcs1 = der(0x30, &[integer(key.modulus()), integer(key.exponent())].concat());
    let rsa = der(0x30, &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]);
    let spki = der(0x30, &[rsa, der(3, &[vec![0], pkcs1.clone()].concat())].concat());
    let standard = |bytes: &[u8]| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>().join("\n")
    };
    let pem =
        |label: &str, bytes: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", standard(bytes));
    let (spki_pem, pkcs1_pem) = (pem("PUBLIC KEY", &spki), pem("RSA PUBLIC KEY", &pkcs1));
    let n = encoded(key.modulus());
    let texts = [
        format!("{spki_pem}\n"),
        format!("{pkcs1_pem}\n"),
        spki_pem.replace('\n', "\r\n"),
        standard(&spki),
        spki_pem,
        pkcs1_pem,
        key.jwk(None).to_string(),
        n,
        key.kid.clone(),
        String::new(),
    ];
    texts.into_iter().map(String::into_bytes).chain([spki, pkcs1, key.modulus(), key.exponent()]).collect()
}

#[test]
fn a_mac_with_the_public_key_is_refused() {
    for secret in public_key_forms(key(1)) {
        for (alg, hash) in [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
            let mac = |input: &[u8]| hmac::sign(&hmac::Key::new(hash, &secret), input).as_ref().to_vec();
            assert_refused!(Bench::new().judge(&token(alg, mac)), "alg",
                Rejection::WrongAlgorithm { found: Some(found), .. } if found == alg);
            assert_refused!(Bench::new().judge(&token("RS256", mac)), "signature", Rejection::BadSignature { .. });
        }
    }
}

#[test]
fn another_algorithm_is_refused() {
    for alg in [
        "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "HS1", "RS1", "dir", "RSA1_5", "A256GCM", "MD5",
        "SHA256",
    ] {
        assert_refused!(Bench::new().judge(&token(alg, |input| key(1).sign(input))), "alg",
            Rejection::WrongAlgorithm { found: Some(found), .. } if found == alg);
    }
}

#[test]
fn another_rsa_scheme_is_refused() {
    let pair = RsaKeyPair::from_pkcs8(include_bytes!("../../keys/test-only-1.pk8")).unwrap();
    let schemes: [(&str, &'static dyn RsaEncoding); 3] =
        [("RS384", &RSA_PKCS1_SHA384), ("RS512", &RSA_PKCS1_SHA512), ("PS256", &RSA_PSS_SHA256)];
    for (alg, scheme) in schemes {
        let sign = |input: &[u8]| {
            let mut signature = vec![0; 256];
            pair.sign(scheme, &SystemRandom::new(), input, &mut signature).unwrap();
            signature
        };
        assert_refused!(Bench::new().judge(&token(alg, sign)), "alg",
            Rejection::WrongAlgorithm { found: Some(found), .. } if found == alg);
        assert_refused!(Bench::new().judge(&token("RS256", sign)), "signature", Rejection::BadSignature { .. }, alg);
    }
    // The hash signed instead of the text: a signature over a digest of a digest.
    let twice = token("RS256", |input| key(1).sign(digest::digest(&digest::SHA256, input).as_ref()));
    assert_refused!(Bench::new().judge(&twice), "signature", Rejection::BadSignature { .. });
}

#[test]
fn a_second_alg_is_refused() {
    for second in [r#""alg":"none","#, r#""alg":"RS256","#, r#""\u0061lg":"none","#, r#""al\u0067":"HS256","#] {
        let judged = Bench::new()
            .judge(&sealed(header(&[]).replacen('{', &format!("{{{second}"), 1).as_bytes(), payload(&[]).as_bytes()));
        assert_refused!(judged, "header",
            Rejection::BadJson { part: Part::Header, fault: JsonFault::Duplicate(name) } if name == "alg");
    }
    assert_refused!(Bench::new().header(&[("alg", "[\"RS256\",\"none\"]")]), "alg", Rejection::WrongAlgorithm { .. });
}
