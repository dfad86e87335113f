//! The memory of verified signatures: what a hit saves, and all that it does not.

use crate::bench::{Bench, ENTRA_KEY_ISSUER, NOW, header, key, key_set, payload, signed};
use crate::mint::mint;
use entra_handler::checks::{self, Refusal};
use entra_handler::limits::MAX_REMEMBERED_SIGNATURES;
use entra_handler::memory::{Digest, SignatureMemory};
use entra_handler::rejection::Rejection;
use entra_handler::signature::sha256;
use serde_json::json;

fn judge(bench: &Bench, memory: &mut SignatureMemory, token: &str) -> Result<String, Refusal> {
    checks::decide(&mut bench.case(token).with_memory(memory)).map(|claims| claims.into_json())
}

fn digest_of(token: &str) -> Digest {
    sha256(&[token.as_bytes()])
}

/// What a key is remembered by.
fn digest_of_key(number: usize) -> Digest {
    let set = key_set(&[key(number).jwk(None)]);
    *set.named(&key(number).kid)[0].public_key().unwrap().digest()
}

fn nth(number: usize) -> Digest {
    sha256(&[&number.to_be_bytes()])
}

#[test]
fn an_accepted_token_is_remembered_once_and_accepted_again() {
    let (bench, mut memory) = (Bench::new(), SignatureMemory::default());
    assert!(memory.is_empty());
    let token = signed(&payload(&[]));
    for _ in 0..3 {
        assert_eq!(judge(&bench, &mut memory, &token), Ok(payload(&[])));
        assert_eq!(memory.len(), 1);
    }
    assert!(!memory.is_empty());
    assert!(memory.holds(&digest_of(&token), &digest_of_key(1)));
    assert!(!memory.holds(&digest_of(&token), &digest_of_key(2)));
    assert!(!memory.holds(&digest_of("x"), &digest_of_key(1)));
}

#[test]
fn a_hit_saves_the_verification_of_exactly_this_token_by_exactly_this_key() {
    let (bench, mut memory) = (Bench::new(), SignatureMemory::default());
    let token = mint(key(2), &header(&[]), &payload(&[]));
    assert_refused!(judge(&bench, &mut memory, &token), "signature", Rejection::BadSignature { .. });
    memory.remember(digest_of(&token), digest_of_key(2));
    assert_refused!(judge(&bench, &mut memory, &token), "signature", Rejection::BadSignature { .. });
    memory.remember(digest_of(&token), digest_of_key(1));
    assert_eq!(judge(&bench, &mut memory, &token), Ok(payload(&[])), "the memory is believed");
    let other = mint(key(2), &header(&[]), &payload(&[("sub", "\"x\"")]));
    assert_refused!(judge(&bench, &mut memory, &other), "signature", Rejection::BadSignature { .. });
}

#[test]
fn a_refused_token_is_never_remembered() {
    let mut memory = SignatureMemory::default();
    let bench = Bench::with(&[("REQUIRED_SCOPES", "x")]);
    assert_refused!(
        judge(&bench, &mut memory, &signed(&payload(&[]))),
        "permission",
        Rejection::PermissionMissing { .. }
    );
    let bench = Bench::new();
    for claims in [("exp", "1"), ("aud", "\"x\""), ("iss", "\"x\""), ("nbf", "1900000000")] {
        assert!(
            judge(&bench, &mut memory, &signed(&payload(&[claims]))).is_err_and(|refusal| refusal.check == claims.0)
        );
    }
    assert_refused!(judge(&bench, &mut memory, "a.b.c"), "base64url", Rejection::NotBase64url { .. });
    assert!(memory.is_empty());
}

#[test]
fn a_remembered_token_still_has_to_pass_every_other_check() {
    let mut memory = SignatureMemory::default();
    let token = signed(&payload(&[]));
    assert_eq!(judge(&Bench::new(), &mut memory, &token), Ok(payload(&[])));
    let late = Bench::new().at(NOW + 3_060.0);
    assert_refused!(judge(&late, &mut memory, &token), "exp", Rejection::Expired { .. });
    let early = Bench::new().at(NOW - 3_060.0);
    assert_refused!(judge(&early, &mut memory, &token), "nbf", Rejection::NotYetValid { .. });
    let other_api = Bench::with(&[("API_AUDIENCE", "api://other")]);
    assert_refused!(judge(&other_api, &mut memory, &token), "aud", Rejection::WrongAudience { .. });
    let more = Bench::with(&[("REQUIRED_ROLES", "Admin")]);
    assert_refused!(judge(&more, &mut memory, &token), "permission", Rejection::PermissionMissing { .. });
}

#[test]
fn a_remembered_token_is_refused_once_its_key_is_gone_or_replaced() {
    let mut memory = SignatureMemory::default();
    let token = signed(&payload(&[]));
    assert_eq!(judge(&Bench::new(), &mut memory, &token), Ok(payload(&[])));
    let gone = Bench::new().keys(&[key(2).jwk(None)]);
    assert_refused!(judge(&gone, &mut memory, &token), "key", Rejection::UnknownKey { .. });
    let mut replaced = key(2).jwk(None);
    replaced["kid"] = key(1).kid.as_str().into();
    let replaced = Bench::new().keys(&[replaced]);
    assert_refused!(judge(&replaced, &mut memory, &token), "signature", Rejection::BadSignature { .. });
    let mut for_encryption = key(1).jwk(None);
    for_encryption["use"] = json!("enc");
    let withdrawn = Bench::new().keys(&[for_encryption, key(2).jwk(None)]);
    assert_refused!(judge(&withdrawn, &mut memory, &token), "key", Rejection::UnusableKey { .. });
    let of_another = Bench::new().keys(&[key(1).jwk(Some("https://elsewhere.example"))]);
    assert_refused!(judge(&of_another, &mut memory, &token), "key issuer", Rejection::WrongKeyIssuer { .. });
}

#[test]
fn no_other_spelling_of_a_remembered_token_profits_from_it() {
    let (bench, mut memory) = (Bench::new(), SignatureMemory::default());
    let token = signed(&payload(&[]));
    assert_eq!(judge(&bench, &mut memory, &token), Ok(payload(&[])));
    assert_refused!(judge(&bench, &mut memory, &format!("{token}=")), "base64url", Rejection::NotBase64url { .. });
    let (signed_part, _) = token.rsplit_once('.').unwrap();
    let stripped = format!("{signed_part}.AA");
    assert_refused!(judge(&bench, &mut memory, &stripped), "signature", Rejection::BadSignature { .. });
}

#[test]
fn a_new_key_set_makes_the_memory_forget_what_it_has_no_key_for() {
    let mut memory = SignatureMemory::default();
    for number in 0..10 {
        memory.remember(nth(number), digest_of_key(1 + number % 2));
    }
    memory.keep_only(&key_set(&[key(1).jwk(Some(ENTRA_KEY_ISSUER)), key(3).jwk(None)]));
    assert_eq!(memory.len(), 5);
    for number in 0..10 {
        assert_eq!(memory.holds(&nth(number), &digest_of_key(1)), number % 2 == 0);
        assert!(!memory.holds(&nth(number), &digest_of_key(2)));
    }
    memory.keep_only(&key_set(&[key(3).jwk(None)]));
    assert!(memory.is_empty());
}

#[test]
fn a_key_that_may_no_longer_be_used_is_no_key_to_the_memory() {
    let mut memory = SignatureMemory::default();
    memory.remember(nth(0), digest_of_key(1));
    let mut withdrawn = key(1).jwk(None);
    withdrawn["use"] = json!("enc");
    memory.keep_only(&key_set(&[withdrawn, key(2).jwk(None)]));
    assert!(memory.is_empty());
}

#[test]
fn a_full_memory_forgets_what_was_accepted_longest_ago() {
    let mut memory = SignatureMemory::default();
    let owner = digest_of_key(1);
    for number in 0..MAX_REMEMBERED_SIGNATURES {
        memory.remember(nth(number), owner);
    }
    assert_eq!(memory.len(), MAX_REMEMBERED_SIGNATURES);
    assert!(memory.holds(&nth(0), &owner), "full, and nothing forgotten yet");
    memory.remember(nth(0), owner);
    assert_eq!(memory.len(), MAX_REMEMBERED_SIGNATURES, "again is no addition");
    memory.remember(nth(MAX_REMEMBERED_SIGNATURES), owner);
    assert_eq!(memory.len(), MAX_REMEMBERED_SIGNATURES);
    assert!(memory.holds(&nth(0), &owner), "accepted again a moment ago");
    assert!(!memory.holds(&nth(1), &owner), "the oldest now");
    assert!(memory.holds(&nth(2), &owner) && memory.holds(&nth(MAX_REMEMBERED_SIGNATURES), &owner));
}

#[test]
fn a_token_that_comes_again_is_the_newest_wherever_it_stood() {
    let owner = digest_of_key(1);
    for others in [0, 1, 2, 1000, MAX_REMEMBERED_SIGNATURES - 1] {
        let mut memory = SignatureMemory::default();
        (0..=others).for_each(|number| memory.remember(nth(number), owner));
        memory.remember(nth(0), owner);
        let new = others + 1..others + MAX_REMEMBERED_SIGNATURES;
        new.clone().for_each(|number| memory.remember(nth(number), owner));
        assert_eq!(memory.len(), MAX_REMEMBERED_SIGNATURES);
        assert!(memory.holds(&nth(0), &owner), "{others} others went first");
        assert!(!(1..=others).any(|number| memory.holds(&nth(number), &owner)), "all {others} of them");
        memory.remember(nth(new.end), owner);
        assert!(!memory.holds(&nth(0), &owner), "after {others} others it is the oldest");
    }
}

#[test]
fn what_was_forgotten_with_its_key_takes_no_room() {
    let mut memory = SignatureMemory::default();
    memory.remember(nth(0), digest_of_key(2));
    memory.keep_only(&key_set(&[key(1).jwk(None)]));
    (1..=MAX_REMEMBERED_SIGNATURES).for_each(|number| memory.remember(nth(number), digest_of_key(1)));
    assert!(memory.holds(&nth(1), &digest_of_key(1)), "room for as many as ever");
    memory.remember(nth(0), digest_of_key(1));
    assert_eq!(memory.len(), MAX_REMEMBERED_SIGNATURES);
    assert!(!memory.holds(&nth(1), &digest_of_key(1)) && memory.holds(&nth(2), &digest_of_key(1)));
}

#[test]
fn keys_are_told_apart_by_modulus_and_exponent_together() {
    let digest = |n: &str, e: &str| {
        let jwk = json!({ "kty": "RSA", "kid": "k", "n": n, "e": e });
        *key_set(&[jwk]).named("k")[0].public_key().unwrap().digest()
    };
    let modulus = |end: &[u8]| crate::bench::encoded([vec![0xff; 255], end.to_vec()].concat());
    // Written one after the other, the two numbers of both keys are the same bytes.
    assert_ne!(
        digest(&modulus(&[1]), &crate::bench::encoded([1, 3])),
        digest(&modulus(&[1, 1]), &crate::bench::encoded([3]))
    );
    assert_ne!(digest(&modulus(&[1]), "AQAB"), digest(&modulus(&[1]), "Aw"), "by the exponent alone");
    assert_eq!(digest(&modulus(&[1]), "AQAB"), digest(&modulus(&[1]), "AAEAAQ"), "leading zeros count for nothing");
}

/// The clock is read anew for every request, and a step of it in either direction counts at once.
#[test]
fn a_clock_that_steps_decides_by_what_it_reads() {
    let mut memory = SignatureMemory::default();
    let token = signed(&payload(&[("nbf", "1800000000"), ("exp", "1800003600")]));
    let mut codes = Vec::new();
    for now in [1_800_000_100.0, 1_800_009_999.0, 1_800_000_100.0, 1_799_990_000.0, 0.0, 1_800_003_000.0] {
        let bench = Bench::new().at(now);
        let outcome = checks::decide(&mut bench.case(&token).with_memory(&mut memory));
        codes.push(outcome.map_or_else(|refusal| refusal.rejection.code().as_str(), |_| "accepted"));
    }
    let early = "token_not_yet_valid";
    assert_eq!(codes, ["accepted", "token_expired", "accepted", early, early, "accepted"]);
}
