//! The checks `alg`, `crit`, `extensions` and `typ`, and the `kid` of the check `key`.

use crate::bench::{Bench, header, key, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

fn refused(check: &'static str, rejection: Rejection) -> Result<String, Refusal> {
    Err(Refusal { check, rejection })
}

#[test]
fn rs256_is_the_only_spelling_of_the_only_algorithm() {
    let spellings = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "rs256",
        "Rs256",
        "RS256 ",
        " RS256",
        "RS256\\n",
        "RS256\\u0000",
        "RS2561",
        "RS25",
        "RS384",
        "RS512",
        "RS1",
        "PS256",
        "PS384",
        "PS512",
        "HS256",
        "HS384",
        "HS512",
        "ES256",
        "ES256K",
        "EdDSA",
        "RSA-OAEP",
        "RS256,none",
        "ＲＳ256",
        "\\u0052S25６",
        "sha256WithRSAEncryption",
    ];
    for spelling in spellings {
        let value = format!("\"{spelling}\"");
        assert_refused!(
            Bench::new().header(&[("alg", &value)]),
            "alg",
            Rejection::WrongAlgorithm { found: Some(_), hint: "" },
            spelling
        );
    }
    let judged = Bench::new().header(&[("alg", "\"RS\\u0032\\u0035\\u0036\"")]);
    assert_eq!(judged, Ok(payload(&[])), "an escape is the same character");
}

#[test]
fn an_alg_that_is_missing_or_no_string_is_refused() {
    assert_eq!(
        Bench::new().header(&[("alg", "")]),
        refused("alg", Rejection::WrongAlgorithm { found: None, hint: "" })
    );
    for value in ["null", "256", "true", "[\"RS256\"]", "{\"RS256\":1}", "[]"] {
        let found = Some("no string".to_owned());
        assert_eq!(
            Bench::new().header(&[("alg", value)]),
            refused("alg", Rejection::WrongAlgorithm { found, hint: "" }),
            "{value}"
        );
    }
    let judged = Bench::new().header(&[("alg", ""), ("Alg", "\"RS256\""), ("ALG", "\"RS256\"")]);
    assert_eq!(judged, refused("alg", Rejection::WrongAlgorithm { found: None, hint: "" }));
}

#[test]
fn the_algorithm_that_was_found_is_told() {
    let judged = Bench::new().header(&[("alg", "\"HS256\"")]);
    assert_eq!(judged, refused("alg", Rejection::WrongAlgorithm { found: Some("HS256".into()), hint: "" }));
}

#[test]
fn any_crit_is_refused_even_an_empty_or_malformed_one() {
    for value in
        ["[\"exp\"]", "[\"b64\"]", "[\"alg\"]", "[\"http://example.com/x\"]", "[]", "null", "\"\"", "{}", "1", "false"]
    {
        assert_eq!(Bench::new().header(&[("crit", value)]), refused("crit", Rejection::CriticalHeader), "{value}");
    }
    assert_eq!(Bench::new().header(&[("Crit", "[]")]), Ok(payload(&[])), "another name is another member");
}

#[test]
fn headers_that_change_what_the_payload_is_are_refused() {
    for (name, value) in
        [("b64", "false"), ("b64", "true"), ("zip", "\"DEF\""), ("cty", "\"JWT\""), ("cty", "\"jwt\""), ("zip", "null")]
    {
        assert_eq!(
            Bench::new().header(&[(name, value)]),
            refused("extensions", Rejection::UnsupportedHeader { name }),
            "{name} {value}"
        );
    }
}

#[test]
fn header_members_that_nobody_reads_change_nothing() {
    for (name, value) in [
        ("jku", "\"https://attacker.example/keys\""),
        ("jwk", "{\"kty\":\"oct\",\"k\":\"AAAA\"}"),
        ("x5u", "\"https://attacker.example/cert\""),
        ("x5c", "[\"MIIB\"]"),
        ("x5t", "\"AAAA\""),
        ("x5t#S256", "7"),
        ("nonce", "\"abc\""),
        ("enc", "\"A128GCM\""),
        ("xms_x", "{\"a\":[null]}"),
        ("iss", "\"https://attacker.example\""),
        ("aud", "[]"),
        ("exp", "0"),
    ] {
        assert_eq!(Bench::new().header(&[(name, value)]), Ok(payload(&[])), "{name}");
    }
}

#[test]
fn the_types_of_access_tokens_are_accepted_in_any_letter_case_and_no_type_at_all() {
    for value in
        ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+jwt", "\\u004aWT"]
    {
        assert_eq!(Bench::new().header(&[("typ", &format!("\"{value}\""))]), Ok(payload(&[])), "{value}");
    }
    assert_eq!(Bench::new().header(&[("typ", "")]), Ok(payload(&[])));
}

#[test]
fn tokens_of_another_type_are_refused() {
    for value in [
        "",
        "JOSE",
        "JWE",
        "application/jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "pop",
        "id_token",
        "at+jwt ",
        " JWT",
        "at jwt",
        "at+jwtx",
        "text/at+jwt",
        "application/application/at+jwt",
        "JWS",
        "no string",
        "token-introspection+jwt",
        "ＪＷＴ",
    ] {
        let typ = format!("\"{value}\"");
        assert_eq!(
            Bench::new().header(&[("typ", &typ)]),
            refused("typ", Rejection::WrongType { found: value.into() }),
            "{value}"
        );
    }
    for typ in ["null", "1", "[\"JWT\"]", "{}", "false"] {
        assert_eq!(
            Bench::new().header(&[("typ", typ)]),
            refused("typ", Rejection::WrongType { found: "no string".into() }),
            "{typ}"
        );
    }
}

#[test]
fn a_kid_is_a_string_of_1_to_256_bytes() {
    for kid in ["", "null", "\"\"", "1", "[\"a\"]", "{\"a\":1}", "true"] {
        assert_eq!(Bench::new().header(&[("kid", kid)]), refused("key", Rejection::BadKeyId), "{kid}");
    }
    let kid_of = |text: &str| Bench::new().header(&[("kid", &format!("\"{text}\""))]);
    assert_refused!(kid_of(&"k".repeat(256)), "key", Rejection::UnknownKey { kid, .. } if kid.len() == 256);
    assert_eq!(kid_of(&"k".repeat(257)), refused("key", Rejection::BadKeyId));
    assert_refused!(kid_of(&"é".repeat(128)), "key", Rejection::UnknownKey { kid, .. } if kid.len() == 256);
    assert_eq!(kid_of(&format!("{}k", "é".repeat(128))), refused("key", Rejection::BadKeyId), "bytes, not letters");
    assert_refused!(kid_of("k"), "key", Rejection::UnknownKey { kid, .. } if kid == "k");
}

#[test]
fn a_kid_is_compared_letter_by_letter_after_its_escapes() {
    let kid = &key(1).kid;
    let escaped: String = kid.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
    assert_eq!(Bench::new().header(&[("kid", &format!("\"{escaped}\""))]), Ok(payload(&[])));
    let flipped: String =
        kid.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
    let others =
        [flipped, format!("{kid} "), format!(" {kid}"), kid[1..].into(), format!("{kid}\u{0}"), format!("{kid}=")];
    for other in others {
        let value = serde_json::to_string(&other).unwrap();
        assert_refused!(Bench::new().header(&[("kid", &value)]), "key",
            Rejection::UnknownKey { kid, .. } if *kid == other, other);
    }
}

#[test]
fn a_header_may_be_as_small_as_alg_and_kid() {
    let small = header(&[("typ", "")]);
    assert_eq!(small, format!("{{\"alg\":\"RS256\",\"kid\":\"{}\"}}", key(1).kid));
    assert_eq!(Bench::new().header(&[("typ", "")]), Ok(payload(&[])));
}
