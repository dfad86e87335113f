//! Project Wycheproof's JSON Web Signature and JSON Web Key vectors, from the folder that the
//! environment variable `JOSE_VECTORS` names. Their payloads are no JSON, so the stages are run one by
//! one: the parser and the header checks over the token's own header, the choice of the key, and the
//! signature over the token as it stands.

use crate::bench::{NOW, encoded, settings};
use entra_handler::checks::{self, Case};
use entra_handler::json::Object;
use entra_handler::jwks::KeySet;
use entra_handler::signature;
use entra_handler::token::{Parts, UnverifiedToken};
use serde_json::{Value, json};
use std::path::PathBuf;

const SIGNATURES: &str = "json_web_signature_test.json";
const KEYS: &str = "json_web_key_test.json";

/// Vectors that come out otherwise than Wycheproof says, and why that is right here.
const DEVIATIONS: [(&str, u64, &str); 9] = [
    (SIGNATURES, 259, "an empty payload: a token without claims is no JWT"),
    (SIGNATURES, 264, "the same under RS384"),
    (SIGNATURES, 268, "the same under RS512"),
    (SIGNATURES, 272, "the same under PS256"),
    (SIGNATURES, 320, "the same under PS384"),
    (SIGNATURES, 325, "the same under PS512"),
    (SIGNATURES, 372, "a question mark within the header, which RFC 7515 section 2 does not allow (and HS256)"),
    (SIGNATURES, 373, "a question mark within the payload, likewise"),
    (KEYS, 7, "a ROCA key: the issuer's keys come from the issuer, over HTTPS, and are believed"),
];

fn vectors(file: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("JOSE_VECTORS").map(PathBuf::from) else {
        println!("skipped: JOSE_VECTORS names no folder");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(file)).expect("the vectors");
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// Ok when the signature is accepted, otherwise the check that refuses.
fn judge(jws: &str, set: &Value) -> Result<(), &'static str> {
    let parts = Parts::split(jws).map_err(|_| "three parts")?;
    let mut decoded = parts.decode().map_err(|_| "base64url")?;
    let header = decoded.read_header().map_err(|_| "header")?;
    let keys = KeySet::parse(set.to_string().into_bytes()).ok();
    // The token's own header and signature around an empty claims set: this gets to the
    // signature, which is then another one, unless the header or the key is refused.
    let (first, rest) = jws.split_once('.').ok_or("three parts")?;
    let (_, last) = rest.rsplit_once('.').ok_or("three parts")?;
    let without_claims = format!("{first}.{}.{last}", encoded("{}"));
    let settings = settings(&[]);
    let refusal = checks::decide(&mut Case::new(&without_claims, &settings, keys.as_ref(), NOW))
        .expect_err("a token without claims");
    if refusal.check != "signature" {
        return Err(refusal.check);
    }
    let kid = header.get("kid").and_then(|kid| kid.string()).unwrap_or_default().into_owned();
    let keys = keys.expect("the walk got as far as the signature");
    let usable: Vec<_> = keys.named(&kid).iter().filter_map(|key| key.public_key().ok()).collect();
    let claims = Object::parse(b"{}".to_vec()).unwrap();
    let token = UnverifiedToken::new(parts, decoded, header, claims);
    signature::verify(token, usable.iter().copied(), None).map(drop).map_err(|_| "signature")
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
            let jws = case["jws"].as_str().map_or_else(|| case["jws"].to_string(), str::to_owned);
            let header = Parts::split(&jws).ok().and_then(|parts| parts.decode().ok()?.read_header().ok());
            let alg = header.and_then(|header| header.get("alg")?.string().map(|alg| alg.into_owned()));
            let valid = match case["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{file} {id}: {other}"),
            };
            let outcome = judge(&jws, &set);
            all += 1;
            rs256 += usize::from(set["keys"].as_array().unwrap().iter().any(|key| key["alg"] == "RS256"));
            accepted += usize::from(outcome.is_ok());
            if valid && alg.as_deref().is_some_and(|alg| alg != "RS256") {
                assert_eq!(outcome, Err("alg"), "{file} {id}: valid, under an algorithm that is not RS256");
                other_algorithms += 1;
            } else if outcome.is_ok() != valid {
                deviated.push((file, id, outcome));
            }
        }
    }
    let expected: Vec<_> = DEVIATIONS.iter().filter(|(of, _, _)| *of == file).map(|(of, id, _)| (*of, *id)).collect();
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
