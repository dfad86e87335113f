//! Two published examples of RS256, in tests/vectors/examples.json: RFC 7515 appendix A.2, whose token
//! has no `kid`, and RFC 7520 section 4.1, whose payload is prose.

use crate::judge::Judge;
use crate::support::mint::b64;
use crate::vector::text;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::{KeySet, Reason, walk};
use serde_json::{Value, json};

fn examples() -> [(Value, String); 2] {
    let page = include_str!("../vectors/examples.json");
    let mut examples: Vec<Value> = serde_json::from_str(page).expect("JSON");
    [0, 1].map(|at| {
        let token = examples[at]["token"].as_str().expect("a token").to_owned();
        (examples[at]["key"].take(), token)
    })
}

/// Whether the signature of a token verifies under this key, whatever its header and its payload are
/// worth to the checks.
fn verifies(token: &str, jwk: &Value) -> bool {
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let set = KeySet::parse(json!({ "keys": [jwk] }).to_string()).expect("a key set");
    let named = set.named(jwk["kid"].as_str().expect("a kid"));
    let key = named[0].public_key().expect("a usable key");
    key.verifies(input.as_bytes(), &signature)
}

#[test]
fn the_published_signatures_verify_under_their_keys_and_under_no_other() {
    let [(first, a2), (second, bilbo)] = examples();
    for (token, right, wrong) in [(a2, &first, &second), (bilbo, &second, &first)] {
        assert!(
            verifies(&token, right) && !verifies(&token, wrong),
            "{token}"
        );
        for at in [10, token.find('.').expect("a dot") + 10, token.len() - 10] {
            let letter = if &token[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
            assert!(!verifies(&changed, right), "{changed}");
        }
    }
}

#[test]
fn the_published_tokens_are_refused_for_what_they_lack() {
    let [(first, a2), (second, bilbo)] = examples();
    let judge = Judge::of(json!({ "keys": [first] }));
    let outcomes = walk(&mut judge.case(&a2)).into_iter();
    let refused = outcomes.filter_map(|it| Some((it.check.name, it.result.err()?)));
    let (names, reasons): (Vec<&str>, Vec<Reason>) = refused.unzip();
    let expected = [
        "iss",
        "key",
        "signature",
        "key issuer",
        "aud",
        "exp",
        "permission",
    ];
    assert_eq!(names, expected);
    assert_eq!(reasons[1], Reason::BadKeyId);
    assert!(matches!(
        reasons[5],
        Reason::Expired {
            at: 1_300_819_380.0,
            ..
        }
    ));

    let judge = Judge::of(json!({ "keys": [second] }));
    assert_eq!(judge.outcome(&bilbo), "payload BadJson");
    // With claims in its place the header leads to the key, and the signature is another one.
    let (header, _) = bilbo.split_once('.').expect("a header");
    let claims = b64(text("{\"iss\":\"$V2\"}"));
    assert_eq!(
        judge.outcome(&format!("{header}.{claims}.AA")),
        "signature BadSignature"
    );
}
