//! Signatures that no line of a file can hold: those of lenient RSA verifiers, of other schemes, and
//! what becomes of a good one by arithmetic. The private keys of the two keys below were thrown away;
//! what they signed is kept here, genuine signatures and the forgeries that others have accepted.

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
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::json;

/// The `kid` of the key with the exponent 3.
const EXPONENT_3: &str = "exponent-3";
/// The `kid` of the key of 1024 bits.
const BITS_1024: &str = "bits-1024";

const MODULUS: &str = "\
    2ZRc_9DbTi25-udjq69mFQqvrIehSwkjftguOv0fZOkLxrk8-qlLqZVeHiE331ci9W82Ij2vXgaVSlHMlNGXaL0rUCcGxKkXxXrncxVjO0\
    scRhX0NSOREWH_ZSP_HCMGt5Z46HNkpkI2rjFg7QJXh0tzTtraJVSWUEEfEgSoBWMkTcjtXi1TiGvAnqt0k9OqgOQWqxR3AM9Ed4KyCK6E\
    2vk1Adgyss5mSZ4mAeVN-g4HQHplxHyzIpy2tiAYT3A7wR131BM1-eqYsaVXMdsae0dRERquaUe2fC5eK05dzNpTcqk9AIDfquUKCYFbl0\
    sTwUMQphH7l_52DJAIKSLl8Q";

const SMALL_MODULUS: &str = "\
    q_0HT9P-4ckfvGWjBbnK3a-NQp8vzJSdBi5h66O6dezgYelrRWgkozQHJI0K0dS75pqlJqXZn12LyduQ1YImk7uMLCrntZf1NZWbZQC685\
    Rjb4CZ_hHwT4KRtyAQvkdX7bPxXHt-ssjgv79y4oN9VfMDHsfzuq3Kg66QFXnePpE";

/// Under the key of 1024 bits, over `signing_input` 0: PKCS #1 v1.5 with SHA-256 as it should be.
const SMALL_GENUINE: &str = "\
    f0WlX-WaUTFT-C_yxSIy2xXFxoH9tKSQcEGWavxVuDDXJ3CAwMECr73-wNzchwwR8ZQc-BsxoQb2BU9GrXplANISElQzoYEQbNrOVt5o0s\
    omFmtSG-0-M4MnrZAg76MmRN0QdU0Jx_1AAuIog82sP9QuNLRA87zxK05WpAC-9MU";

/// What the signatures are over; `number` made the hash odd where the forgery needs that.
fn signing_input(kid: &str, number: usize) -> String {
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#);
    let claims = r#"{"aud":"api://11112222-bbbb-3333-cccc-4444dddd5555","iss":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0","exp":1800003000,"scp":"access_as_user","tid":"aaaabbbb-0000-cccc-1111-dddd2222eeee","n":"#;
    format!("{}.{}", b64(header), b64(format!("{claims}{number}}}")))
}

/// The set with the key of this `kid` and this modulus and exponent.
fn judge_of(kid: &str, modulus: &str, exponent: &str) -> Judge {
    let jwk = json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": modulus, "e": exponent });
    Judge::of(json!({ "keys": [jwk, { "key": 4 }] }))
}

#[test]
fn no_forgery_under_exponent_3_is_accepted() {
    let judge = judge_of(EXPONENT_3, MODULUS, "Aw");
    let token = |number, signature| format!("{}.{signature}", signing_input(EXPONENT_3, number));
    let genuine = judge.outcome(&token(0, GENUINE));
    assert_eq!(
        genuine, "accepted",
        "the key may be used, so the forgeries fail by themselves"
    );
    for (what, number, signature) in FORGERIES {
        assert_eq!(
            judge.outcome(&token(number, signature)),
            "signature BadSignature",
            "{what}"
        );
    }
}

#[test]
fn a_genuine_signature_of_a_key_of_1024_bits_is_refused() {
    let input = signing_input(BITS_1024, 0);
    let judge = judge_of(BITS_1024, SMALL_MODULUS, "AQAB");
    assert_eq!(
        judge.outcome(&format!("{input}.{SMALL_GENUINE}")),
        "key UnusableKey"
    );
    // Another verifier, which takes such keys, accepts it.
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let number = |text: &str| rsa::BigUint::from_bytes_be(&bytes(text));
    let public = rsa::RsaPublicKey::new(number(SMALL_MODULUS), number("AQAB")).expect("a key");
    let signature = Signature::try_from(&*bytes(SMALL_GENUINE)).expect("a signature");
    assert!(
        VerifyingKey::<Sha256>::new(public)
            .verify(input.as_bytes(), &signature)
            .is_ok()
    );
}

/// The usual token's signing input, and its signature.
fn good() -> (String, Vec<u8>) {
    let token = token(json!({}));
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    (
        input.to_owned(),
        URL_SAFE_NO_PAD.decode(signature).expect("base64url"),
    )
}

/// What is said of the usual token with the signature that `sign` makes, under this `alg`.
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
    let judge = judge_of(&key(1).kid, &b64(key(1).modulus()), "AQ");
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

/// Under the key with the exponent 3, over `signing_input` 0, as it should be.
const GENUINE: &str = "\
    gPTqyP7z3cfIS70MWtZmxEeuTxUZmXSCVKlDGr6ATswZSzjHmztyp8ePFKiJs7Kd6a737OsS5TU9CnDbG23tUmJDwSmivly3IU1PxBFWNN\
    Y7txGojQIB3QSXcl1GuOSI7TJgaosRRYipcwVgNkoPmi991bG0LnGaY6upE9LLOsZP-R2nxam6f0K4vcn3UpHVEqB067IETLhjoLCTtnSN\
    AYDtVIcRChakAq1cOxtKpIMJsjCy-rOyWwkXy3PLdoFsRUNr1Sa8-4FOkIZ2XFss37Yenb55ch_OcZO3gWO942zWo5c_NkwZflfU4_bHlj\
    5QYlqWLku7F1iJnOR6Xns0iQ";

/// Under the same key: what is wrong, the number of the signing input, the signature.
const FORGERIES: [(&str, usize, &str); 13] = [
    (
        "garbage after the hash, eight bytes of padding (Bleichenbacher 2006)",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x6f2nAuc9nIjIiHKEZKcGPGgYX2Xv0c_VQedw8PoAK\
        B5YarxBZ24gwde7lyfzXaHFwlbhjTH92faQQ",
    ),
    (
        "garbage after the hash, no byte of padding",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAKFPNc-TT9oVa0mXPhmaI0CzbPntNqydAP9HoW5fqRS3Pp-LidcjAeta73R1xoBGgYqJLzpUkZTlXnW\
        IAF9_s3-G5auEw2d8avaXn-bUDJWgm0SxJKg",
    ),
    (
        "garbage after the hash, one byte of padding",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsOGJIRZEYF78SXDzxU0PO4TifjO_yROoltEVoXIPTS7DNcO4mjm4hQ_Rs6yltC2--YZqtuNfCV9uq\
        Tv7N_M2RuWdzsiJtvSUmbQ4Ds7Tk7MgQR-qw",
    ),
    (
        "garbage in the parameters of the hash algorithm",
        1,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXkg1xZdd8-Nb0sZpMFAJtyb8SpnLi5PjWK3rSo3M8SMmm0apl4-Wb2N4yVQYyRSeD\
        XMNrVWVEGdpPPhC5nCwULrwkGq2kojTdhNnw",
    ),
    (
        "garbage among the padding bytes",
        1,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVcd4jlqCY8cxVCWcdopbs7HZKRRDsRwuzBz_TEuNlYmdEY14lr-3QBEtPY4yVQYyRSeD\
        XMNrVWVEGdpPPhC5nCwULrwkGq2kojTdhNnw",
    ),
    (
        "no NULL after the name of the hash algorithm",
        0,
        "15GsRAxebQpHvayC_RCFPn5p-2oVMBvyuk-5j2MFfVQ6h7ni5fAklVS2HOwDCSOjNJV-bXwr0CkPjxavfNLiQzWrcOfQQNsln2iIvM\
        rMbImjq6Hzw8FH5BT1fQ2p-hMY-CKLXOay3ek1QR6wGLEBzlJdRlyHNOffSHpB9Nc6NAQBTkQJqMVNr4wfp0ceyEJHUXPA1riGLgHI\
        RZMklLLCdxMeIqekaQrHHnaR2JEHtq8KCNYcNOH-50BitJ3pN7Sb-tChMxD_Ee5kXaJsvN60O1tAxvOm3MpAhMkQ5riDTr6Lokf28o\
        7QOUv52rKh5hBJ85KBoPFjMyvITwR2mBug7g",
    ),
    (
        "a zero byte too many in front, one padding byte too few",
        0,
        "TOmm79r0swPi5Y-h8b-AsKkTzy3NxIGV_FXtqDvFDTbc-ISUsGkUKZclHpbOHCYDdFSycO8b1cLYKOVZvyNnc71wgodWymCqxdS_bd\
        Dw5zoyDZX-8U5Id1nKEBHsbh4xmF-aouCyUz7o-GHjXjelK1n0HAJcGl3LOTwc2IEkJHnjl0ym0U13jFE3KGCyaPKMi9l6Dg_067at\
        Z40d5NdQ2TDEjXmABH-EAE3Czo4DIBAlPdDy9zArdvkaMLWlJzF0LnvYZMp7awptuKmWl1XxLzDYXLTbbZpIs4UKg2ThaV3-dE_dbG\
        9kn6KKd6STN0bj-4bJRMGwmOQwRD3d0MhTmg",
    ),
    (
        "block type 2, that of encryption",
        0,
        "mJtl3OtHpkXeAFLJQ_a96euT4VeL4xD4QBnlIr9TGb0JuzDonzUMQQWdCLDIFaY2Td3VAvST_qENw5c6UZl9todxS1FuhZjZbCeB72\
        _BN0I82inpZ4Nxph3TGEaZ9S6TJPFqDqonCK_MPlRAy8bh9R3fSiN7Ppu6TUz1mzh_e25hAV0r4-BuR8T3kt8BF4LughoKmhUVqK22\
        iFSJFGMfhqJl6F7znDT-3m4-qvQFEAnJpV7sH9Ityi9fLCy85hFeex1Vd3HohszRSTM37AOT-PJyvybHPfg_jbd9haOmePtNRSDrEq\
        QIFkpZTgAdWTk2Qxet3q8otJcGHgM01dk4fA",
    ),
    (
        "the bare hash, no name of an algorithm",
        0,
        "VzvtQDPc0h3eXYg4CsgFv6Gmkl2MzgtDnBW_iRtOeONfxNv9-PQ0EUBIclTrS7SQvhtZJvQpYpfI9urskds62DoZAf7ViC6PKFei55\
        qlDK6I9gjj5T_LyY0-Hnv6Rl2lp6RmVRnfYfzB8N0RSL5R7TqCYKj9MMWmi_WoLVwMC2Ty5B5FePpXA19eC1kj54h8ZiBQL3kiZBNL\
        6SgeFso86mDpHB73oadPspBHbtdTZHaV9AlRKpOHOKCAPY1sSQBWSldcb5R7LWQ1aBce57gLwDwKxic_EhAIx1R0fUFjwDnhOto6ps\
        r8pX7X_c_AP_8WpxSlg7B6kEmhaxHQ0xyRrg",
    ),
    (
        "a hash of 31 bytes",
        0,
        "0kJUvXxuKp0rXbxIGY8XvW5rKEU5ra5ymgA6b8n-V169FzV7EK9pdS2L-g6ddYFhlGB1G1k2CI0kWYFQfhmjarBIG9IN7FCGq-7Ul4\
        Wo0l72VoLMiZAfe7VhfaBjdQuGueihzdlL-VErUQElHn-vcwahNFnFlfV5Rt1luIC0IQgRhojrDiI3X35_VMGWVGjGVPr2umSbD3XL\
        taN_AssxNaRaeNeSuuypskSqyUarFbNhRV7i3Prp9f20MXS4iW4g6P7c1KNGnFrYeGmUBF5oYOvZl01aIC0PkNvXBpZMmZ1sqe4nOb\
        ouB3vlH1xdYaPU3EsVSdwio7HLekIor-ETtw",
    ),
    (
        "SHA-1, named as such",
        0,
        "hMe9VEvV59V0tYfNEzez2NBWxkt6Nh18MYaBjIgp6fRrGT3e08TPMi-zZ5SDLLAYz7LRqRrO_z45vg1x2vmyYSzSgFEu-9n0i4V3OO\
        WBd0Is09RdO8GOgAO-12rDbKkja0koYofdYkC-SCSHx0EvJyzRoKVjluTMco1hzfpjagimqktrZYN_McFcRX1I_uTTMk0znnCh9De4\
        tYlyzhTliQDZat-gBm7eRsckfgrLolHYqHSuqQPoWOGOL8I8pym8Z4OLTAapkTEI-QJTQ6jTWOipIw67sXmdoWZVhuLdN1XvmFCZUU\
        b1_jzoloT6I-omnrs3gQQO5qS4eMAxhmHNlQ",
    ),
    (
        "a length in two bytes where one suffices",
        0,
        "gRs8oobhKq3nbKsiGA_j6Lo6KqhzzcxhJucLA1yhicz2UAisd1PCn9mzutVXoPtpA-dZMANfWms3gtaDYIQ4bo6-_aYUw8uMHDwwk_\
        ZzrAqEe34a47E66W8E9LIILZCuXLVL1QRhQ8FGgKd3rAjq7Wm2cDOOxGOrXAapqOaWS2rrlMBJ7mPuZLCAItHoIBFxQS1tygVWIVXM\
        26vway-vbAnI0gQ3RArxHvZumo3nPxZH6E8c2k4VXsx4b4UACTdzw3qgBaIorhAGzyRgyFJxnOnSg4-7hUf7Xp022ZfVxtvIfNnao3\
        OfQN2C4K8JXaRKiAWNt3JmKzwsm2iHCDx74w",
    ),
    (
        "one zero byte after the hash",
        0,
        "j6RDhNqJYG9mVCVyRvNVawdz6RQwyWrhEmyojuNdKZLjfMIwtzHL9ajGg39UdxdjccBGKc8bustxlqQwtwHOleqpdaT0SKw2el7evE\
        P3ZItL6Q1EZx7BiJ0V9L_d_c6C__PKzG5sP1gtj6M8kDTYMuhnUzS8sBWP36i7uPYrojGU1gPEYiVPotzOtL42JW9IZpQQoHyInjjD\
        yOTLNkoUvW1ZsrTU4A-nGmlBJ1ITluH2B8edCU1rwmHxC1ECBfJNN1am1J80BUhoyCI85upQd4tNeXUrLP_hbYjb6uyhsFD59CbMee\
        b9YSK5hppA39_iq1b6VqFvudbD3BYUm2tHMw",
    ),
];
