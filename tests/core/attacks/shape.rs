//! Attacks with what is no compact signed token, and with JSON that one reader sees otherwise
//! than the next.

use crate::bench::{Bench, encoded, header, payload, sealed, signed};
use entra_handler::json::JsonFault;
use entra_handler::rejection::{Part, Rejection};

#[test]
fn white_space_in_a_part_is_refused() {
    let token = signed(&payload(&[]));
    for space in ["\n", "\r\n", " ", "\t", "\u{b}", "\u{a0}", "\u{feff}"] {
        for at in [0, 10, token.find('.').unwrap(), token.rfind('.').unwrap() + 1, token.len() - 1, token.len()] {
            let spaced = format!("{}{space}{}", &token[..at], &token[at..]);
            assert_refused!(
                Bench::new().judge(&spaced),
                "base64url",
                Rejection::NotBase64url { .. },
                format!("{space:?} at {at}")
            );
        }
    }
}

#[test]
fn an_encrypted_token_is_refused() {
    let header = encoded(r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"x"}"#);
    let token = signed(&payload(&[]));
    let encrypted = [
        format!("{header}.QQ.QQ.QQ.QQ"),
        format!("{header}..QQ.QQ.QQ"),
        format!("{header}...."),
        format!("{token}.QQ.QQ"),
    ];
    for text in encrypted {
        assert_refused!(Bench::new().judge(&text), "three parts", Rejection::Encrypted, text);
    }
    let as_signed = Bench::new().header(&[("alg", "\"RSA-OAEP\""), ("enc", "\"A256GCM\"")]);
    assert_refused!(as_signed, "alg", Rejection::WrongAlgorithm { .. });
    assert_refused!(
        Bench::new().header(&[("cty", "\"JWT\"")]),
        "extensions",
        Rejection::UnsupportedHeader { name: "cty" }
    );
}

#[test]
fn a_json_serialization_is_refused() {
    let token = signed(&payload(&[]));
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let flattened = format!(r#"{{"protected":"{header}","payload":"{claims}","signature":"{signature}"}}"#);
    let general =
        format!(r#"{{"payload":"{claims}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#);
    for text in [flattened, general] {
        assert_refused!(Bench::new().judge(&text), "three parts", Rejection::NotThreeParts { found: 1 }, text);
    }
    // A compact token and a JSON serialization at once, told apart by the reader only.
    let forged = encoded(r#"{"scp":"admin"}"#);
    let polyglot =
        format!(r#"{{"{header}.{forged}.":"","protected":"{header}","payload":"{claims}","signature":"{signature}"}}"#);
    assert_refused!(Bench::new().judge(&polyglot), "base64url", Rejection::NotBase64url { part: Part::Header });
}

#[test]
fn many_dots_cost_nothing() {
    assert_refused!(Bench::new().judge(&".".repeat(16_384)), "three parts", Rejection::NotThreeParts { found: 0 });
    assert_refused!(Bench::new().judge(&"a.".repeat(8_192)), "three parts", Rejection::NotThreeParts { found: 8_192 });
    assert_refused!(Bench::new().judge(&".".repeat(1_000_000)), "size", Rejection::TokenTooLong { bytes: 1_000_000 });
}

#[test]
fn a_huge_token_is_not_looked_at() {
    let huge = signed(&payload(&[("filler", &format!("\"{}\"", "x".repeat(3_000_000)))]));
    assert_refused!(Bench::new().judge(&huge), "size", Rejection::TokenTooLong { bytes } if *bytes == huge.len());
}

#[test]
fn a_compressed_payload_is_refused() {
    for value in ["\"DEF\"", "\"GZIP\"", "null", "\"\""] {
        assert_refused!(
            Bench::new().header(&[("zip", value)]),
            "extensions",
            Rejection::UnsupportedHeader { name: "zip" }
        );
    }
}

#[test]
fn an_unencoded_payload_is_refused() {
    assert_refused!(
        Bench::new().header(&[("b64", "false")]),
        "extensions",
        Rejection::UnsupportedHeader { name: "b64" }
    );
    let critical = [("b64", "false"), ("crit", "[\"b64\"]")];
    assert_refused!(Bench::new().header(&critical), "crit", Rejection::CriticalHeader);
}

#[test]
fn a_critical_extension_is_refused() {
    for value in [
        "[\"cnf\"]",
        "[\"http://example.invalid/policy\"]",
        "[\"exp\",\"alg\"]",
        "[]",
        "\"exp\"",
        "null",
        "{\"exp\":1}",
    ] {
        assert_refused!(Bench::new().header(&[("crit", value)]), "crit", Rejection::CriticalHeader, value);
    }
    assert_refused!(Bench::new().header(&[("\\u0063rit", "[\"x\"]")]), "crit", Rejection::CriticalHeader);
}

#[test]
fn nested_json_is_refused_without_a_deep_stack() {
    for bomb in ["[", "{\"a\":", "[[{\"a\":["] {
        let text = format!("{{\"a\":{}", bomb.repeat(8_000 / bomb.len()));
        let judged = Bench::new().judge(&sealed(text.as_bytes(), b"{}"));
        assert_refused!(judged, "header", Rejection::BadJson { part: Part::Header, fault: JsonFault::TooDeep }, bomb);
        let judged = Bench::new().judge(&sealed(header(&[]).as_bytes(), text.as_bytes()));
        assert_refused!(judged, "payload", Rejection::BadJson { part: Part::Payload, fault: JsonFault::TooDeep }, bomb);
    }
    let many = format!("{{{}\"a\":1}}", (0..500).map(|n| format!("\"{n}\":[[],[]],")).collect::<String>());
    let judged = Bench::new().judge(&sealed(header(&[]).as_bytes(), many.as_bytes()));
    assert_refused!(judged, "iss", Rejection::ClaimMissing { name: "iss" });
}

#[test]
fn a_duplicated_claim_is_refused() {
    let good = payload(&[]);
    for (claim, name) in [
        (r#""aud":"api://attacker","#, "aud"),
        (r#""exp":253402300799,"#, "exp"),
        (r#""scp":"admin","#, "scp"),
        (r#""\u0061ud":"api://attacker","#, "aud"),
        (r#""tid":null,"#, "tid"),
        (r#""x":1,"x":1,"#, "x"),
    ] {
        let before = good.replacen('{', &format!("{{{claim}"), 1);
        let after = format!("{},{}}}", good.trim_end_matches('}'), claim.trim_end_matches(','));
        for text in [before, after] {
            let fault = Rejection::BadJson { part: Part::Payload, fault: JsonFault::Duplicate(name.into()) };
            assert_refused!(Bench::new().judge(&signed(&text)), "payload", found if *found == fault, text);
        }
    }
}
