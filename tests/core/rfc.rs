//! Two published examples of RS256: RFC 7515 appendix A.2 and RFC 7520 section 4.1.

use crate::judge::Judge;
use crate::support::mint::b64;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::{KeySet, Reason, walk};
use serde_json::{Value, json};

const A2_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx\
    HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs\
    D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH\
    SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV\
    MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8\
    NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

const A2_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9\
    .\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
    .\
    cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
    AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
    BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
    0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
    hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
    p0igcN_IoypGlUPQGe77Rw";

const BILBO: &str = "bilbo.baggins@hobbiton.example";

const BILBO_MODULUS: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-X\
    V2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_Ns\
    YOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHY\
    pPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCu\
    EHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_\
    mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";

const BILBO_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZX\
    hhbXBsZSJ9\
    .\
    SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IH\
    lvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk\
    b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm\
    UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4\
    .\
    MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmK\
    ZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4J\
    IwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8w\
    W1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluP\
    xUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_f\
    cIe8u9ipH84ogoree7vjbU5y18kDquDg";

fn jwk(kid: &str, modulus: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": modulus, "e": "AQAB" })
}

/// Whether the signature of a token verifies under this key, whatever the token's own header and
/// payload would be worth to the checks.
fn verifies(text: &str, jwk: Value) -> bool {
    let (input, signature) = text.rsplit_once('.').expect("a signature");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let kid = jwk["kid"].as_str().expect("a kid");
    let set = KeySet::parse(json!({ "keys": [jwk] }).to_string()).expect("a key set");
    let [key] = set.named(kid) else {
        panic!("{kid} names one key")
    };
    let key = key.public_key().expect("a usable key");
    key.verifies(input.as_bytes(), &signature)
}

/// The same text with one character of it replaced by its neighbour in the alphabet.
fn changed(text: &str, at: usize) -> String {
    let letter = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{letter}{}", &text[..at], &text[at + 1..])
}

#[test]
fn the_signature_of_rfc_7515_a_2_verifies_under_its_key_and_under_no_other() {
    assert!(verifies(A2_TOKEN, jwk("a2", A2_MODULUS)));
    assert!(!verifies(A2_TOKEN, jwk("a2", BILBO_MODULUS)));
    assert!(
        !verifies(&changed(A2_TOKEN, 30), jwk("a2", A2_MODULUS)),
        "another payload"
    );
    assert!(
        !verifies(&changed(A2_TOKEN, 200), jwk("a2", A2_MODULUS)),
        "another signature"
    );
}

#[test]
fn the_signature_of_rfc_7520_4_1_verifies_under_its_key_and_under_no_other() {
    assert!(verifies(BILBO_TOKEN, jwk(BILBO, BILBO_MODULUS)));
    assert!(!verifies(BILBO_TOKEN, jwk(BILBO, A2_MODULUS)));
    assert!(!verifies(
        &changed(BILBO_TOKEN, 100),
        jwk(BILBO, BILBO_MODULUS)
    ));
}

#[test]
fn the_token_of_rfc_7515_a_2_is_refused_for_its_missing_kid_and_for_its_claims() {
    let judge = Judge::of(json!({ "keys": [jwk("a2", A2_MODULUS)] }));
    let outcomes = walk(&mut judge.case(A2_TOKEN)).into_iter();
    let refused: Vec<(&str, Reason)> = outcomes
        .filter_map(|it| Some((it.check.name, it.result.err()?)))
        .collect();
    let names: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "iss",
            "key",
            "signature",
            "key issuer",
            "aud",
            "exp",
            "permission"
        ]
    );
    assert_eq!(refused[1].1, Reason::BadKeyId);
    assert_eq!(refused[4].1, Reason::ClaimMissing { name: "aud" });
    assert!(matches!(
        refused[5].1,
        Reason::Expired {
            at: 1_300_819_380.0,
            ..
        }
    ));
}

#[test]
fn the_token_of_rfc_7520_4_1_is_refused_because_its_payload_is_prose() {
    let judge = Judge::of(json!({ "keys": [jwk(BILBO, BILBO_MODULUS)] }));
    assert_eq!(judge.outcome(BILBO_TOKEN), "payload BadJson");
    // With claims in its place the header leads to the key, and the signature is another one.
    let (header, _) = BILBO_TOKEN.split_once('.').expect("a header");
    let iss = crate::vector::text("{\"iss\":\"$V2\"}");
    assert_eq!(
        judge.outcome(&format!("{header}.{}.AA", b64(iss))),
        "signature BadSignature"
    );
}
