//! The table of checks: their order, the walk to the first refusal and the walk to the end.

use crate::judge::{Judge, outcome, token};
use entra_handler::{CHECKS, Reason, TokenCache, decide, walk};
use serde_json::{Value, json};

/// The checks in their order, each with what makes it refuse.
fn faults() -> [(&'static str, Value); 20] {
    [
        (
            "size",
            json!({ "token": "HEADER}.PAYLOAD}=.SIGNATURE.<17000*x>" }),
        ),
        (
            "three parts",
            json!({ "token": "HEADER}.PAYLOAD}=.SIGNATURE.x" }),
        ),
        (
            "base64url",
            json!({ "token": "HEADER}.PAYLOAD}=.SIGNATURE" }),
        ),
        ("header", json!({ "header_end": "}" })),
        ("payload", json!({ "claims_end": "}" })),
        ("alg", json!({ "header": { "alg": "HS256" } })),
        ("crit", json!({ "header": { "crit": [] } })),
        ("extensions", json!({ "header": { "b64": false } })),
        ("typ", json!({ "header": { "typ": "JOSE" } })),
        (
            "iss",
            json!({ "claims": { "iss": "https://elsewhere.example" } }),
        ),
        ("key", json!({ "header": { "kid": "unknown" } })),
        ("signature", json!({ "signer": 2 })),
        ("tid", json!({ "claims": { "tid": "$OTHER_TENANT" } })),
        (
            "key issuer",
            json!({ "keys": [{ "key": 1, "issuer": "$OTHER_V2" }] }),
        ),
        ("aud", json!({ "claims": { "aud": "elsewhere" } })),
        ("exp", json!({ "claims": { "exp": 1 } })),
        ("nbf", json!({ "claims": { "nbf": 1_900_000_000 } })),
        ("iat", json!({ "claims": { "iat": -1 } })),
        ("client", json!({ "claims": { "azp": "other" } })),
        ("permission", json!({ "claims": { "scp": "other" } })),
    ]
}

/// A line with the faults of all checks from this one on.
fn bad_from(first: usize) -> Value {
    let settings = json!({ "ALLOWED_CLIENTS": "$CLIENT", "REQUIRED_SCOPES": "access_as_user" });
    let mut line = json!({ "settings": settings, "header": {}, "claims": {} });
    for (_, fault) in faults().into_iter().skip(first).rev() {
        for (member, value) in fault.as_object().expect("an object") {
            match (line[member].as_object_mut(), value.as_object()) {
                (Some(before), Some(more)) => before.extend(more.clone()),
                _ => line[member] = value.clone(),
            }
        }
    }
    for name in ["header", "claims"] {
        if line.get(format!("{name}_end")).is_some() {
            line[name] = json!("{USUAL}}");
        }
    }
    line
}

#[test]
fn of_all_faults_the_one_whose_check_comes_first_is_told() {
    assert_eq!(
        CHECKS.each_ref().map(|check| check.name),
        faults().map(|(name, _)| name)
    );
    for (place, check) in CHECKS.iter().enumerate() {
        let line = bad_from(place);
        let refused = Judge::of(line.clone())
            .decide(&token(line))
            .expect_err(check.name);
        assert_eq!(refused.check, check.name);
        assert!(check.refuses_with.contains(&refused.code()), "{refused:?}");
    }
}

#[test]
fn the_limits_that_are_told_are_those_of_the_interface() {
    let limits = CHECKS
        .iter()
        .filter_map(|check| Some((check.name, check.limit?.0)));
    let expected = [
        ("size", 16_384),
        ("header", 64),
        ("payload", 64),
        ("key", 256),
        ("exp", 300),
        ("nbf", 300),
    ];
    assert_eq!(limits.collect::<Vec<_>>(), expected);
}

#[test]
fn the_walk_to_the_end_finds_the_same_first_refusal_as_the_decision() {
    for place in 0..CHECKS.len() {
        let line = bad_from(place);
        let (judge, token) = (Judge::of(line.clone()), token(line));
        let outcomes = walk(&mut judge.case(&token));
        assert_eq!(outcomes.len(), CHECKS.len());
        let refused = judge.decide(&token).expect_err("a fault");
        let found = outcomes
            .into_iter()
            .find_map(|it| Some((it.check.name, it.result.err()?)));
        assert_eq!(found, Some((refused.check, refused.reason)));
    }
}

/// The checks with this outcome of a walk.
fn walked(token: &str, is_it: fn(&Result<(), Reason>) -> bool) -> Vec<&'static str> {
    let judge = Judge::usual();
    let outcomes = walk(&mut judge.case(token));
    let found = outcomes.iter().filter(|outcome| is_it(&outcome.result));
    found.map(|outcome| outcome.check.name).collect()
}

#[test]
fn checks_that_need_what_an_earlier_one_did_not_get_are_not_reached() {
    let names = CHECKS.each_ref().map(|check| check.name);
    let skipped = |token: &str| walked(token, |result| *result == Err(Reason::NotReached));
    assert_eq!(skipped(&"x".repeat(17_000)), names[1..]);
    assert_eq!(skipped("a.b"), names[2..]);
    assert_eq!(skipped("=.=.="), names[3..]);
    assert_eq!(skipped(&token(json!({ "header": "x" }))), names[4..]);
    assert_eq!(skipped(&token(json!({ "claims": "x" }))), names[5..]);
    assert_eq!(
        skipped(&token(json!({ "header": { "kid": "x" } }))),
        ["signature", "key issuer"]
    );
    assert_eq!(skipped(&token(json!({ "signer": 2 }))), ["key issuer"]);
    assert_eq!(
        skipped(&token(json!({ "claims": { "aud": "x" } }))),
        [""; 0]
    );
}

#[test]
fn claims_of_an_unverified_token_are_explained_all_the_same_and_never_accepted() {
    let forged = token(json!({ "signer": 2, "claims": { "exp": 1, "scp": null } }));
    let failed = walked(&forged, |result| {
        result
            .as_ref()
            .is_err_and(|reason| *reason != Reason::NotReached)
    });
    assert_eq!(failed, ["signature", "exp", "permission"]);
}

#[test]
fn a_case_knows_what_was_read_and_whether_its_signature_held() {
    let judge = Judge::usual();
    for (line, wanted, is_verified) in [
        (json!({ "claims": { "exp": 1 } }), "exp Expired", true),
        (json!({ "signer": 2 }), "signature BadSignature", false),
    ] {
        let token = token(line);
        let mut case = judge.case(&token);
        assert!(
            case.token().is_err() && !case.is_verified(),
            "nothing was read yet"
        );
        let decided = decide(&mut case, &mut TokenCache::default());
        assert_eq!(outcome(&decided), wanted);
        assert_eq!(case.is_verified(), is_verified);
        assert_eq!(case.named_keys().len(), 1);
        assert_eq!(case.token().map(|it| it.text()), Ok(&*token));
    }
}

#[test]
fn a_case_names_the_source_of_its_keys() {
    let keys = json!([[{ "key": 1 }], [{ "key": 1 }]]);
    let issuers = "https://one.example,https://two.example";
    let settings = json!({ "TENANT_ID": null, "ISSUERS": issuers, "JWKS_URI": "/1.json,/2.json" });
    let two = Judge::of(json!({ "settings": settings, "keys": keys }));
    let source = |judge: &Judge, iss: &str| {
        let token = token(json!({ "claims": { "iss": iss, "tid": null } }));
        let mut case = judge.case(&token);
        let before = case.source();
        let _ = decide(&mut case, &mut TokenCache::default());
        (before, case.source())
    };
    assert_eq!(source(&two, "https://one.example"), (None, Some(0)));
    assert_eq!(source(&two, "https://two.example"), (None, Some(1)));
    assert_eq!(source(&two, "https://three.example"), (None, None));
    let only = (Some(0), Some(0));
    assert_eq!(
        source(&Judge::usual(), "https://three.example"),
        only,
        "the only one there is"
    );
}

#[test]
fn only_a_token_that_could_still_be_accepted_is_worth_a_fetch() {
    let judge = Judge::usual();
    let is_worth = |claims: Value| {
        let token = token(json!({ "header": { "kid": "unknown" }, "claims": claims }));
        let mut case = judge.case(&token);
        let refused = decide(&mut case, &mut TokenCache::default()).expect_err("an unknown key");
        assert!(["iss", "key"].contains(&refused.check), "{refused:?}");
        case.is_worth_a_fetch()
    };
    assert!(is_worth(json!({})));
    assert!(is_worth(json!({ "exp": "now-59" })));
    for claims in [
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "iss": null }),
        json!({ "aud": "elsewhere" }),
        json!({ "aud": null }),
        json!({ "exp": "now-60" }),
        json!({ "exp": null }),
        json!({ "exp": "1900000000" }),
    ] {
        assert!(!is_worth(claims.clone()), "{claims}");
    }
    assert!(!judge.case("a.b.c").is_worth_a_fetch(), "nothing was read");
}

#[test]
fn under_an_unknown_issuer_the_walk_looks_for_the_key_where_there_is_one_source() {
    let two = json!({
        "settings": { "TENANT_ID": null, "ISSUERS": "https://one.example,https://two.example" },
        "keys": [[{ "key": 1 }], [{ "key": 2 }]],
    });
    for (judge, found, keys) in [
        (Judge::usual(), Ok(()), 1),
        (Judge::of(two), Err(Reason::NotReached), 0),
    ] {
        let token = token(json!({ "claims": { "iss": "https://elsewhere.example" } }));
        let mut case = judge.case(&token);
        let outcomes = walk(&mut case);
        let mut outcomes = outcomes.into_iter().skip_while(|it| it.check.name != "key");
        assert_eq!(outcomes.next().map(|it| it.result), Some(found));
        assert_eq!(case.named_keys().len(), keys);
    }
}
