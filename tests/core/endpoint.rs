//! What an endpoint can ask of the claims it is given, and what the key policy and the key set say
//! at their bounds.

use crate::bench::*;
use entra_handler::checks;
use entra_handler::jwks::KeySetFault;
use entra_handler::jwks::Unusable;
use entra_handler::keys::Keys;
use entra_handler::limits::KEYS_MAX_AGE;
use std::time::{Duration, Instant};

#[test]
fn an_endpoint_reads_claims_roles_and_scopes() {
    let bench = Bench::new();
    let text = payload(&[("roles", "[\"Reader\",\"Wr\\u0069ter\"]"), ("scp", "\"read list\""), ("n", "1")]);
    let token = signed(&text);
    let claims = checks::decide(&mut bench.case(&token)).expect("the token is good");
    assert_eq!(claims.text("tid").as_deref(), Some(TENANT));
    assert_eq!(claims.text("n"), None);
    assert_eq!(claims.text("absent"), None);
    assert_eq!(
        ["Reader", "Writer", "reader", "", "Reader Writer"].map(|role| claims.has_role(role)),
        [true, true, false, false, false]
    );
    assert_eq!(
        ["read", "list", "Read", "read list", "x"].map(|scope| claims.has_scope(scope)),
        [true, true, false, false, false]
    );
    assert_eq!(claims.token().signing_input(), token.rsplit_once('.').expect("three parts").0);
    assert_eq!(claims.into_json(), text);
}

#[test]
fn without_roles_and_scopes_an_endpoint_finds_none() {
    let bench = Bench::with(&[("ALLOWED_CLIENTS", CLIENT)]);
    let token = signed(&payload(&[("scp", "")]));
    let claims = checks::decide(&mut bench.case(&token)).expect("the client is named");
    assert!(!claims.has_role("Reader") && !claims.has_scope("read"));
}

#[test]
fn keys_are_believed_until_they_are_a_day_old_and_not_a_moment_longer() {
    let start = Instant::now();
    let mut keys = Keys::fetching_since(start);
    keys.ended(start, Some(key_set(&[key(1).jwk(None)])));
    assert!(keys.usable(start + KEYS_MAX_AGE - Duration::from_nanos(1)).is_some());
    assert!(keys.usable(start + KEYS_MAX_AGE).is_none());
}

#[test]
fn the_log_is_told_why_an_answer_is_no_key_set() {
    let words = |fault: KeySetFault| fault.to_string();
    assert_eq!(words(KeySetFault::NotAKeySet), "the answer is not a JWK Set (a JSON object with an array keys)");
    assert_eq!(words(KeySetFault::NoUsableKey(None)), "the set has no key with a kid");
    assert_eq!(
        words(KeySetFault::NoUsableKey(Some(Unusable::NotRsa))),
        "none of the keys can verify RS256: its kty is not RSA"
    );
}

#[test]
fn names_that_begin_alike_are_different_members() {
    let bench = Bench::new();
    assert_eq!(bench.claims(&[("preferred_a", "1"), ("preferred_b", "2")]).map(drop), Ok(()));
}
