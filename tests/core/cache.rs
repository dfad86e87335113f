//! The cache of verified tokens: what a hit saves, and all that it does not.

use crate::judge::{Judge, outcome, token};
use crate::vector::NOW;
use entra_handler::TokenCache;
use serde_json::{Value, json};

/// The word of a judge with these changes about a token that the cache may hold.
fn judged(cache: &mut TokenCache, line: Value, token: &str) -> String {
    outcome(&Judge::of(line).decide_with(cache, token))
}

/// A cache in which the usual token is, and that token.
fn filled() -> (TokenCache, String) {
    let (mut cache, token) = (TokenCache::default(), token(json!({})));
    assert_eq!(judged(&mut cache, json!({}), &token), "accepted");
    assert_eq!(cache.len(), 1);
    (cache, token)
}

#[test]
fn an_accepted_token_enters_once_and_is_accepted_again_with_the_same_claims() {
    let (mut cache, token) = filled();
    let fresh = Judge::usual()
        .decide(&token)
        .expect("a good token")
        .json()
        .to_owned();
    let bytes = cache.bytes();
    assert!(bytes > token.len() && !cache.is_empty());
    for _ in 0..3 {
        let claims = Judge::usual()
            .decide_with(&mut cache, &token)
            .expect("a good token");
        assert_eq!((claims.json(), claims.assertion()), (&*fresh, &*token));
        assert_eq!((cache.len(), cache.bytes()), (1, bytes));
    }
}

/// Bytes of a cache that holds the token of a line alone.
fn bytes_of(line: Value) -> usize {
    let (mut cache, token) = (TokenCache::default(), token(line.clone()));
    assert_eq!(judged(&mut cache, line, &token), "accepted");
    cache.bytes()
}

#[test]
fn what_a_token_holds_is_counted_text_signature_and_members() {
    let usual = bytes_of(json!({}));
    // A text of base64url, and what it says.
    for part in ["header", "claims"] {
        let longer = bytes_of(json!({ part: { "filler": "<3000*x>" } })) - usual;
        assert!((7_000..8_000).contains(&longer), "{longer} bytes of {part}");
    }
    // 128 bytes more of signature, and 170 letters.
    let keys = json!([{ "key": 4 }]);
    let other = json!({ "keys": keys, "header": { "kid": "$KID4" }, "signer": 4 });
    let longer = bytes_of(other) - usual;
    assert!((290..310).contains(&longer), "{longer} bytes of signature");

    let names = |name: fn(usize) -> String| -> Value {
        let members = (0..400).map(|number| (name(number), json!(1)));
        json!({ "claims": members.collect::<Value>() })
    };
    let many = bytes_of(names(|number| format!("m{number}")));
    assert!(many > usual + 400 * 40, "a member has a name and a place");
    let escapes = bytes_of(names(|number| format!("json:\\u006d{number}"))) - many;
    assert!(
        (400 * 16..400 * 40).contains(&escapes),
        "{escapes} bytes of escaped names"
    );
}

#[test]
fn a_refused_token_never_enters() {
    let mut cache = TokenCache::default();
    for (line, wanted) in [
        (json!({ "signer": 2 }), "signature BadSignature"),
        (json!({ "claims": { "exp": 1 } }), "exp Expired"),
        (json!({ "claims": { "aud": "x" } }), "aud WrongAudience"),
        (
            json!({ "claims": { "nbf": "now+1000" } }),
            "nbf NotYetValid",
        ),
        (
            json!({ "claims": { "scp": null } }),
            "permission NoPermission",
        ),
        (json!({ "token": "a.b.c" }), "base64url NotBase64url"),
        (json!({ "claims": { "iss": "x" } }), "iss WrongIssuer"),
        (json!({ "header": { "kid": "x" } }), "key UnknownKey"),
    ] {
        assert_eq!(judged(&mut cache, json!({}), &token(line)), wanted);
    }
    assert!(cache.is_empty());
    assert_eq!((cache.len(), cache.bytes()), (0, 0));
}

#[test]
fn a_cached_token_still_has_to_pass_every_check_of_a_request() {
    let (mut cache, token) = filled();
    let later = |seconds: f64| json!({ "now": NOW + seconds });
    for (line, wanted) in [
        (later(3_060.0), "exp Expired"),
        (later(-1_061.0), "nbf NotYetValid"),
        (later(0.0), "accepted"),
        (
            json!({ "settings": { "API_AUDIENCE": "api://other" } }),
            "aud WrongAudience",
        ),
        (
            json!({ "settings": { "TENANT_ID": "$OTHER_TENANT" } }),
            "iss WrongIssuer",
        ),
        (
            json!({ "settings": { "ALLOWED_CLIENTS": "x" } }),
            "client ClientNotAllowed",
        ),
        (
            json!({ "settings": { "REQUIRED_ROLES": "Admin" } }),
            "permission PermissionMissing",
        ),
        (
            json!({ "needs": { "any": ["scope x"] } }),
            "permission PermissionMissing",
        ),
        (
            json!({ "settings": { "TENANT_ID": "common", "ALLOWED_TENANTS": "$OTHER_TENANT" } }),
            "tid TenantNotAllowed",
        ),
    ] {
        assert_eq!(judged(&mut cache, line.clone(), &token), wanted, "{line}");
        assert_eq!(
            judged(&mut cache, json!({}), &token),
            "accepted",
            "after {line}"
        );
    }
    assert_eq!(cache.len(), 1);
}

/// The clock is read anew for every request, and a step of it in either direction counts at once.
#[test]
fn an_expired_token_is_refused_however_often_it_was_accepted() {
    let (mut cache, token) = filled();
    let mut at = |seconds: f64| judged(&mut cache, json!({ "now": NOW + seconds }), &token);
    for _ in 0..100 {
        assert_eq!(at(3_059.0), "accepted");
    }
    for _ in 0..3 {
        assert_eq!(at(3_060.0), "exp Expired");
    }
    assert_eq!(at(-9_000.0), "nbf NotYetValid");
    assert_eq!(at(0.0), "accepted");
}

#[test]
fn a_key_that_leaves_the_set_or_changes_takes_its_tokens_along() {
    let (mut cache, token) = filled();
    for (keys, wanted) in [
        (json!([{ "key": 2 }]), "key UnknownKey"),
        (
            json!([{ "key": 2, "kid": "$KID1" }]),
            "signature BadSignature",
        ),
        (json!([{ "key": 1, "e": "Aw" }]), "signature BadSignature"),
        (
            json!([{ "key": 1, "use": "enc" }, { "key": 2 }]),
            "key UnusableKey",
        ),
        (json!([{ "key": 1, "kid": "x" }]), "key UnknownKey"),
        (
            json!([{ "key": 1, "issuer": "$OTHER_V2" }]),
            "key issuer WrongKeyIssuer",
        ),
        (json!(null), "key KeysUnavailable"),
        (
            json!([{ "key": 2, "kid": "$KID1" }, { "key": 1 }]),
            "accepted",
        ),
    ] {
        let line = json!({ "keys": keys });
        assert_eq!(judged(&mut cache, line.clone(), &token), wanted, "{line}");
    }
}

#[test]
fn another_source_does_not_profit_from_a_cached_token() {
    let two = |keys: Value| {
        json!({ "settings": { "TENANT_ID": null, "ISSUERS": "https://one.example,https://two.example",
        "JWKS_URI": "/1.json,/2.json" }, "keys": keys })
    };
    let mut cache = TokenCache::default();
    let of = |iss: &str| token(json!({ "claims": { "iss": iss, "tid": null } }));
    let (first, second) = (
        json!([[{ "key": 1 }], [{ "key": 2 }]]),
        json!([[{ "key": 2 }], [{ "key": 1 }]]),
    );
    let (one, other) = (of("https://one.example"), of("https://two.example"));
    assert_eq!(judged(&mut cache, two(first.clone()), &one), "accepted");
    assert_eq!(judged(&mut cache, two(first), &other), "key UnknownKey");
    assert_eq!(judged(&mut cache, two(second.clone()), &other), "accepted");
    assert_eq!(judged(&mut cache, two(second), &one), "key UnknownKey");
}

#[test]
fn another_byte_anywhere_in_the_text_is_another_token() {
    let (mut cache, token) = filled();
    for at in 0..token.len() {
        let (before, rest) = token.split_at(at);
        let other = if rest.starts_with('A') { 'B' } else { 'A' };
        for text in [
            format!("{before}{other}{}", &rest[1..]),
            format!("{before}{}", &rest[1..]),
        ] {
            assert_ne!(judged(&mut cache, json!({}), &text), "accepted", "{text}");
        }
    }
    for text in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}A"),
    ] {
        assert_ne!(judged(&mut cache, json!({}), &text), "accepted", "{text}");
    }
}

#[test]
fn two_tokens_with_one_signature_never_answer_for_each_other() {
    let (mut cache, good) = filled();
    let line = |claims: Value| json!({ "claims": claims, "signature": "$USUAL_SIGNATURE" });
    for claims in [
        json!({ "scp": "admin" }),
        json!({ "exp": "now+9000" }),
        json!({ "tid": null }),
    ] {
        let forged = token(line(claims));
        let end = |text: &str| text.rsplit_once('.').expect("a signature").1.to_owned();
        assert_eq!(end(&forged), end(&good));
        assert_eq!(
            judged(&mut cache, json!({}), &forged),
            "signature BadSignature"
        );
        assert_eq!(judged(&mut cache, json!({}), &good), "accepted");
    }
}

/// A token with this number, of about 12 KB.
fn long(number: usize) -> String {
    token(json!({ "claims": { "n": number, "filler": "<8700*x>" } }))
}

#[test]
fn the_bound_in_bytes_holds_when_many_more_and_long_tokens_come() {
    const BOUND: usize = 8 * 1024 * 1024;
    let (judge, mut cache) = (Judge::usual(), TokenCache::default());
    let first = judge
        .decide_with(&mut cache, &long(0))
        .expect("a good token");
    let (mut most, mut dropped) = (0, 0);
    for number in 1..700 {
        let before = cache.len();
        assert_eq!(
            outcome(&judge.decide_with(&mut cache, &long(number))),
            "accepted"
        );
        most = most.max(cache.bytes());
        dropped += usize::from(cache.len() <= before);
        assert!(cache.bytes() <= BOUND, "{} bytes", cache.bytes());
        let least = cache.len() * first.assertion().len();
        assert!(cache.bytes() >= least, "what is held is counted");
        // The first one is asked for all the time: it stays, is not read again, and counts once.
        if number % 50 == 0 {
            let held = (cache.len(), cache.bytes());
            let again = judge
                .decide_with(&mut cache, first.assertion())
                .expect("a good token");
            assert_eq!(
                again.json().as_ptr(),
                first.json().as_ptr(),
                "number {number}"
            );
            let is_same = (cache.len(), cache.bytes()) == held;
            assert!(is_same || cache.len() < held.0, "number {number}");
        }
    }
    assert!(most > BOUND / 2 && dropped > 0, "{most} bytes at most");
    let read_again = judge
        .decide_with(&mut cache, &long(1))
        .expect("a good token");
    assert_ne!(read_again.json().as_ptr(), first.json().as_ptr());
    assert!(!cache.is_empty());
}

#[test]
fn a_token_that_one_route_accepts_is_refused_where_another_needs_more() {
    let (mut cache, good) = filled();
    let needs_more = json!({ "needs": { "all": ["role Editor"] } });
    assert_eq!(
        judged(&mut cache, needs_more, &good),
        "permission PermissionMissing"
    );
    assert_eq!(judged(&mut cache, json!({}), &good), "accepted");
}
