//! Attacks on the signature itself.

use crate::bench::{Bench, encoded, key, payload, signed};
use entra_handler::rejection::{Part, Rejection};

/// The signing input and the signature's bytes of a good token.
fn good() -> (String, Vec<u8>) {
    let token = signed(&payload(&[]));
    let input = token.rsplit_once('.').unwrap().0.to_owned();
    let signature = key(1).sign(input.as_bytes());
    (input, signature)
}

/// Sum of two big-endian numbers of one length; a byte longer where it overflows.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit as u8
        })
        .collect();
    if carry > 0 {
        digits.push(1);
    }
    digits.reverse();
    digits
}

#[test]
fn a_token_without_signature_is_refused() {
    let (input, _) = good();
    for text in [input.clone(), format!("{input}.")] {
        assert_refused!(Bench::new().judge(&text), "three parts", Rejection::NotThreeParts { found: 2 }, text);
    }
    assert_refused!(Bench::new().judge(&format!("{input}.AA")), "signature", Rejection::BadSignature { .. });
    assert_refused!(
        Bench::new().judge(&format!("{input}.=")),
        "base64url",
        Rejection::NotBase64url { part: Part::Signature }
    );
}

#[test]
fn a_trivial_signature_is_refused() {
    let (input, _) = good();
    let modulus = key(1).modulus();
    let mut one = vec![0; 256];
    one[255] = 1;
    let mut minus_one = modulus.clone();
    minus_one[255] -= 1;
    let signatures = [
        vec![0; 256],
        one,
        vec![1; 256],
        vec![0xff; 256],
        modulus,
        minus_one,
        vec![0],
        vec![0; 64],
        vec![0; 255],
        vec![0; 257],
    ];
    for signature in signatures {
        let judged = Bench::new().judge(&format!("{input}.{}", encoded(&signature)));
        assert_refused!(judged, "signature", Rejection::BadSignature { .. }, format!("{signature:?}"));
    }
}

#[test]
fn a_signature_has_one_value() {
    let (input, signature) = good();
    let judge = |signature: &[u8]| Bench::new().judge(&format!("{input}.{}", encoded(signature)));
    assert_eq!(judge(&signature), Ok(payload(&[])));
    let plus_modulus = sum(&signature, &key(1).modulus());
    let others = [
        plus_modulus.clone(),
        [vec![0; 300 - plus_modulus.len()], plus_modulus].concat(),
        [vec![0], signature.clone()].concat(),
        [vec![0; 256], signature.clone()].concat(),
        [signature.clone(), vec![0]].concat(),
        [signature.clone(), signature.clone()].concat(),
        signature[..255].to_vec(),
        signature[1..].to_vec(),
        signature.iter().rev().copied().collect(),
        signature.iter().map(|byte| !byte).collect(),
    ];
    for other in others {
        assert_refused!(judge(&other), "signature", Rejection::BadSignature { .. }, format!("{other:?}"));
    }
    // One signature in 256 begins with a zero byte, which has to be written.
    let claims = |n: usize| payload(&[("n", &n.to_string())]);
    let token =
        (0..).map(|n| (n, signed(&claims(n)))).find(|(_, token)| token.rsplit_once('.').unwrap().1.starts_with("AA"));
    let (n, token) = token.expect("some signature begins with a zero byte");
    assert_eq!(Bench::new().judge(&token), Ok(claims(n)));
    let (input, _) = token.rsplit_once('.').unwrap();
    let shorter = &key(1).sign(input.as_bytes())[1..];
    assert_refused!(
        Bench::new().judge(&format!("{input}.{}", encoded(shorter))),
        "signature",
        Rejection::BadSignature { .. }
    );
}

#[test]
fn a_signature_serves_one_token_only() {
    let (input, signature) = good();
    let other = signed(&payload(&[("scp", "\"admin\"")]));
    let other_input = other.rsplit_once('.').unwrap().0;
    assert_refused!(
        Bench::new().judge(&format!("{other_input}.{}", encoded(&signature))),
        "signature",
        Rejection::BadSignature { .. }
    );
    // The text without its dot, or with the dot elsewhere, is another text.
    let (header, claims) = input.split_once('.').unwrap();
    let (moved, rest) = claims.split_at(4);
    let judged = Bench::new().judge(&format!("{header}{moved}.{rest}.{}", encoded(&signature)));
    assert_refused!(judged, "header", Rejection::BadJson { part: Part::Header, .. });
    let unsigned_dot = key(1).sign(input.replace('.', "").as_bytes());
    assert_refused!(
        Bench::new().judge(&format!("{input}.{}", encoded(unsigned_dot))),
        "signature",
        Rejection::BadSignature { .. }
    );
}

#[test]
fn a_token_has_one_spelling() {
    let (input, signature) = good();
    let text = encoded(&signature);
    assert_eq!(Bench::new().judge(&format!("{input}.{text}")), Ok(payload(&[])));
    let standard = text.replace('-', "+").replace('_', "/");
    assert_ne!(standard, text);
    let mut free_bits = text.clone();
    let last = free_bits.pop().unwrap();
    free_bits.push(char::from(last as u8 + 1));
    for spelling in [
        format!("{text}=="),
        format!("{text}="),
        standard,
        free_bits,
        format!("{text}AAA"),
        text.replacen('A', "%41", 1),
    ] {
        assert_refused!(
            Bench::new().judge(&format!("{input}.{spelling}")),
            "base64url",
            Rejection::NotBase64url { part: Part::Signature },
            spelling
        );
    }
}
