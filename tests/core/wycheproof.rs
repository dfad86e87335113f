//! Project Wycheproof's JSON Web Signature and JSON Web Key vectors, from the folder that the
//! environment variable `JOSE_VECTORS` names. Their payloads are no JSON, so a token is judged with
//! claims in the place of its payload, as far as the signature, and then its own signature is verified.

use crate::judge::Judge;
use crate::support::mint::b64;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_handler::{KeySet, Object};
use serde_json::{Value, json};
use std::path::PathBuf;

const SIGNATURES: &str = "json_web_signature_test.json";
const KEYS: &str = "json_web_key_test.json";

/// Vectors that come out otherwise than Wycheproof says, and why that is right here.
const DEVIATIONS: [(&str, u64, &str); 9] = [
    (
        SIGNATURES,
        259,
        "an empty payload: a token without claims is no JWT",
    ),
    (SIGNATURES, 264, "the same under RS384"),
    (SIGNATURES, 268, "the same under RS512"),
    (SIGNATURES, 272, "the same under PS256"),
    (SIGNATURES, 320, "the same under PS384"),
    (SIGNATURES, 325, "the same under PS512"),
    (
        SIGNATURES,
        372,
        "a question mark within the header, which RFC 7515 section 2 does not allow (and HS256)",
    ),
    (
        SIGNATURES,
        373,
        "a question mark within the payload, likewise",
    ),
    (
        KEYS,
        7,
        "a ROCA key: the issuer's keys come from the issuer, over HTTPS, and are believed",
    ),
];

fn vectors(file: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("JOSE_VECTORS").map(PathBuf::from) else {
        println!("skipped: JOSE_VECTORS names no folder");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(file)).expect("the vectors");
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// The header of a token.
fn header(jws: &str) -> Option<Object> {
    Object::parse(URL_SAFE_NO_PAD.decode(jws.split('.').next()?).ok()?).ok()
}

/// `accepted` when the signature is, otherwise the check that refuses.
fn judged(jws: &str, set: &Value) -> String {
    let parts: Vec<&str> = jws.split('.').collect();
    // The shape is that of the token as it stands; its payload must only be base64url.
    let as_it_stands = Judge::usual().decide(jws).expect_err("no claims").check;
    if ["size", "three parts", "base64url", "header"].contains(&as_it_stands) {
        return as_it_stands.into();
    }
    let keys = set["keys"].as_array().expect("a list");
    let judge = Judge::of(json!({ "keys": keys }));
    let claims = b64(crate::vector::text("{\"iss\":\"$V2\"}"));
    let refused = judge
        .decide(&format!("{}.{claims}.{}", parts[0], parts[2]))
        .expect_err("another payload");
    if refused.check != "signature" {
        return refused.check.into();
    }
    let kid = header(jws).and_then(|header| Some(header.get("kid")?.string()?.into_owned()));
    let set = KeySet::parse(set.to_string()).expect("the walk got as far as the signature");
    let input = &jws[..parts[0].len() + 1 + parts[1].len()];
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).expect("base64url");
    let mut keys = set
        .named(&kid.unwrap_or_default())
        .iter()
        .filter_map(|key| key.public_key().ok());
    let holds = keys.any(|key| key.verifies(input.as_bytes(), &signature));
    if holds {
        "accepted".into()
    } else {
        "signature".into()
    }
}

/// Runs all cases of a file with the key set of their group; asserts the outcomes against
/// Wycheproof's and the deviations, and hands back how many were run, RS256 ones apart.
fn run(file: &str, set_of: impl Fn(&Value) -> Value) -> Option<(usize, usize)> {
    let vectors = vectors(file)?;
    let (mut all, mut rs256, mut accepted, mut other_algorithms) = (0, 0, 0, 0);
    let mut deviated = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let set = set_of(group);
        for case in group["tests"].as_array().unwrap() {
            let id = case["tcId"].as_u64().unwrap();
            let jws = case["jws"]
                .as_str()
                .map_or_else(|| case["jws"].to_string(), str::to_owned);
            let alg =
                header(&jws).and_then(|header| Some(header.get("alg")?.string()?.into_owned()));
            let valid = match case["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{file} {id}: {other}"),
            };
            let outcome = judged(&jws, &set);
            all += 1;
            rs256 += usize::from(
                set["keys"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|key| key["alg"] == "RS256"),
            );
            accepted += usize::from(outcome == "accepted");
            let is_other = alg.as_deref().is_some_and(|alg| alg != "RS256");
            if valid && is_other && outcome == "alg" {
                other_algorithms += 1;
            } else if (outcome == "accepted") != valid {
                deviated.push((file, id, outcome));
            }
        }
    }
    let expected: Vec<_> = DEVIATIONS
        .iter()
        .filter(|(of, _, _)| *of == file)
        .map(|(of, id, _)| (*of, *id))
        .collect();
    let found: Vec<_> = deviated.iter().map(|(of, id, _)| (*of, *id)).collect();
    assert_eq!(found, expected, "{deviated:?}");
    println!(
        "{file}: {all} cases, {rs256} with an RS256 key, {accepted} accepted, {other_algorithms} valid ones of other \
         algorithms refused, {} deviations",
        expected.len()
    );
    Some((all, rs256))
}

#[test]
fn the_signature_vectors_come_out_as_wycheproof_says() {
    let public = |group: &Value| match group.get("public") {
        Some(key) => json!({ "keys": [key] }),
        // Symmetric keys, offered as they are: no algorithm of theirs is accepted.
        None => json!({ "keys": [group["private"]] }),
    };
    if let Some(counts) = run(SIGNATURES, public) {
        assert_eq!(counts, (401, 233));
    }
}

#[test]
fn the_key_vectors_come_out_as_wycheproof_says() {
    let public = |group: &Value| group.get("public").unwrap_or(&group["private"]).clone();
    if let Some(counts) = run(KEYS, public) {
        assert_eq!(counts, (26, 4));
    }
}
