//! The table of checks: their order, the walk to the first refusal and the walk to the end.

use crate::bench::{Bench, CLIENT, OTHER_TENANT, TENANT, V2, header, key, payload, signed};
use crate::mint::{b64, mint};
use entra_handler::checks::{self, CHECKS, Refusal};
use entra_handler::rejection::Rejection;

const NAMES: [&str; 20] = [
    "size",
    "three parts",
    "base64url",
    "header",
    "payload",
    "alg",
    "crit",
    "extensions",
    "typ",
    "key",
    "signature",
    "iss",
    "tid",
    "key issuer",
    "aud",
    "exp",
    "nbf",
    "iat",
    "client",
    "permission",
];

#[test]
fn the_checks_have_these_names_in_this_order_and_each_its_source() {
    assert_eq!(CHECKS.each_ref().map(|check| check.name), NAMES);
    for check in &CHECKS {
        assert!(check.source.contains("RFC ") || check.source.contains("Microsoft") || check.source.contains("APIs"));
    }
}

/// A token that all of the checks from `first` on refuse, and the bench that judges it.
fn bad_from(first: &str) -> (Bench, String) {
    let at = NAMES.iter().position(|name| *name == first).expect("a check");
    let bad = |name: &str| NAMES.iter().position(|n| *n == name).expect("a check") >= at;
    let when = |name: &str, member: &'static str, value: &'static str| bad(name).then_some((member, value));
    let header_changes: Vec<_> = [
        when("alg", "alg", "\"HS256\""),
        when("crit", "crit", "[]"),
        when("extensions", "b64", "false"),
        when("typ", "typ", "\"JOSE\""),
        when("key", "kid", "\"unknown\""),
    ]
    .into_iter()
    .flatten()
    .collect();
    let claims: Vec<_> = [
        when("iss", "iss", "\"https://elsewhere.example\""),
        when("tid", "tid", "\"bbbbcccc-1111-dddd-2222-eeee3333ffff\""),
        when("aud", "aud", "\"elsewhere\""),
        when("exp", "exp", "1"),
        when("nbf", "nbf", "1900000000"),
        when("iat", "iat", "-1"),
        when("client", "azp", "\"other\""),
        when("permission", "scp", "\"other\""),
    ]
    .into_iter()
    .flatten()
    .collect();
    let other = V2.replace(TENANT, OTHER_TENANT);
    let key_issuer = if bad("key issuer") { &other } else { V2 };
    let bench = Bench::with(&[("ALLOWED_CLIENTS", CLIENT), ("REQUIRED_SCOPES", "access_as_user")]);
    let signer = if bad("signature") { 2 } else { 1 };
    let (mut header, mut payload) = (header(&header_changes), payload(&claims));
    if bad("header") {
        header.push('}');
    }
    if bad("payload") {
        payload.push('}');
    }
    let mut token = mint(key(signer), &header, &payload);
    if bad("base64url") {
        token.push('=');
    }
    if bad("three parts") {
        token.push_str(".x");
    }
    if bad("size") {
        token.push_str(&"x".repeat(16_384));
    }
    (bench.keys(&[key(1).jwk(Some(key_issuer))]), token)
}

#[test]
fn of_all_faults_the_one_whose_check_comes_first_is_told() {
    for name in NAMES {
        let (bench, token) = bad_from(name);
        assert_eq!(bench.judge(&token).map_err(|refusal| refusal.check), Err(name));
    }
}

#[test]
fn the_walk_to_the_end_finds_the_same_first_refusal_as_the_decision() {
    for name in NAMES {
        let (bench, token) = bad_from(name);
        let findings = bench.findings(&token);
        assert_eq!(findings.iter().map(|finding| finding.name).collect::<Vec<_>>(), NAMES);
        let first = findings
            .into_iter()
            .find_map(|finding| finding.outcome.err().map(|rejection| Refusal { check: finding.name, rejection }));
        assert_eq!(first, bench.judge(&token).err(), "{name}");
    }
}

#[test]
fn the_walk_over_a_good_token_says_what_each_check_has_found() {
    let bench = Bench::new();
    let token = signed(&payload(&[]));
    let found: Vec<String> =
        bench.findings(&token).into_iter().map(|finding| finding.outcome.expect("the token is good")).collect();
    let kid = &key(1).kid;
    let expected = [
        format!("{} bytes of at most 16384", token.len()),
        "header, payload and signature".into(),
        "canonical, without padding".into(),
        "a JSON object, no member twice".into(),
        "a JSON object, no member twice".into(),
        "RS256".into(),
        "absent".into(),
        "no b64, zip or cty".into(),
        "'JWT'".into(),
        format!("1 of 1 keys that have the kid '{kid}'"),
        format!("holds, with the key '{kid}'"),
        format!("'{V2}'"),
        format!("'{TENANT}'"),
        "'https://login.microsoftonline.com/{tenantid}/v2.0'".into(),
        "'api://11112222-bbbb-3333-cccc-4444dddd5555'".into(),
        "2027-01-15T08:50:00Z, in 3000 seconds".into(),
        "2027-01-15T07:43:20Z".into(),
        "2027-01-15T07:43:20Z".into(),
        format!("'{CLIENT}'"),
        "the delegated permissions (scp) 'access_as_user'".into(),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_walk_says_what_is_absent() {
    let bench = Bench::new().keys(&[key(1).jwk(None)]);
    let claims = payload(&[("tid", ""), ("nbf", ""), ("iat", ""), ("azp", "")]);
    let token = mint(key(1), &header(&[("typ", "")]), &claims);
    for finding in bench.findings(&token) {
        let found = finding.outcome.expect("the token is good");
        let is_absent = ["crit", "typ", "tid", "nbf", "iat", "client"].contains(&finding.name);
        assert_eq!(found == "absent", is_absent, "{}: {found}", finding.name);
        assert_eq!(found == "the key names no issuer", finding.name == "key issuer");
    }
}

#[test]
fn checks_that_need_what_an_earlier_one_did_not_get_are_not_reached() {
    let not_reached = |bench: &Bench, token: &str| -> Vec<&str> {
        let findings = bench.findings(token);
        findings.into_iter().filter(|f| f.outcome == Err(Rejection::NotReached)).map(|f| f.name).collect()
    };
    let bench = Bench::new();
    assert_eq!(not_reached(&bench, "a.b"), NAMES[2..]);
    assert_eq!(not_reached(&bench, "=.=.="), NAMES[3..]);
    let no_header = format!("{}.{}.QQ", b64("x"), b64("{}"));
    assert_eq!(not_reached(&bench, &no_header), NAMES[4..]);
    let unknown = mint(key(1), &header(&[("kid", "\"x\"")]), &payload(&[]));
    assert_eq!(not_reached(&bench, &unknown), ["signature", "key issuer"]);
    assert_eq!(not_reached(&bench, &signed(&payload(&[("iss", "\"x\"")]))), [""; 0]);
}

#[test]
fn claims_of_an_unverified_token_are_explained_all_the_same_and_never_accepted() {
    let bench = Bench::new();
    let forged = mint(key(2), &header(&[]), &payload(&[]));
    let mut case = bench.case(&forged);
    let refused: Vec<_> =
        checks::explain_all(&mut case).into_iter().filter(|f| f.outcome.is_err()).map(|f| f.name).collect();
    assert_eq!(refused, ["signature"]);
    assert!(!case.is_verified());
    assert_eq!(case.token().map(|token| token.payload().text().to_owned()), Some(payload(&[])));
}

#[test]
fn a_case_knows_whether_its_signature_held_and_what_was_read() {
    let bench = Bench::new();
    let expired = signed(&payload(&[("exp", "1")]));
    let mut case = bench.case(&expired);
    assert!(!case.is_verified() && case.token().is_none());
    assert!(matches!(checks::decide(&mut case), Err(Refusal { check: "exp", rejection: Rejection::Expired { .. } })));
    assert!(case.is_verified());
    assert!(case.token().is_some_and(|token| token.payload().text() == payload(&[("exp", "1")])));
}

#[test]
fn only_a_token_that_could_still_be_accepted_is_worth_a_fetch() {
    let bench = Bench::new();
    let worth = |claims: &[(&str, &str)]| {
        let token = mint(key(1), &header(&[("kid", "\"unknown\"")]), &payload(claims));
        let mut case = bench.case(&token);
        assert!(checks::decide(&mut case).is_err_and(|refusal| refusal.check == "key"));
        case.worth_a_fetch()
    };
    assert!(worth(&[]));
    assert!(worth(&[("exp", "1799999941")]));
    for claims in [
        ("iss", "\"https://elsewhere.example\""),
        ("iss", ""),
        ("aud", "\"elsewhere\""),
        ("aud", ""),
        ("exp", "1799999940"),
        ("exp", ""),
        ("exp", "\"1900000000\""),
    ] {
        assert!(!worth(&[claims]), "{claims:?}");
    }
    assert!(!bench.case("a.b.c").worth_a_fetch(), "nothing was read");
}
