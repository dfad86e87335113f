//! What a refusal adds in Entra's own terms, so that the caller's developer can mend it.

use crate::bench::{API, Bench, CLIENT, OTHER_TENANT, TENANT, V1, V2, header, key, payload, signed};
use crate::mint::mint;

/// Changes of settings or claims.
type Changes<'a> = &'a [(&'a str, &'a str)];

/// The description of the refusal of a token with these claims.
fn description(settings: &[(&str, &str)], claims: &[(&str, &str)]) -> String {
    let bench = Bench::with(settings).keys(&[key(1).jwk(None)]);
    bench.judge(&signed(&payload(claims))).expect_err("a refusal").rejection.description()
}

/// Every hint, by words that only it has.
const HINTS: [&str; 15] = [
    "Static Web Apps",
    "requestedAccessTokenVersion",
    "another tenant",
    "It is a v2.0 token",
    "Microsoft Graph: ask",
    "Azure AD Graph: ask",
    "Azure Resource Manager: ask",
    "trailing slash",
    "leave the scope out",
    "ends in a scope or a path",
    "App ID URI",
    "which is not accepted here",
    "?appid=",
    "ID token",
    "app-only token",
];

/// Asserts that a description has this one hint, or none.
fn assert_hint(description: &str, hint: &str) {
    let found: Vec<_> = HINTS.iter().filter(|words| description.contains(**words)).collect();
    let expected: Vec<_> = HINTS.iter().filter(|words| **words == hint).collect();
    assert_eq!(found, expected, "{description}");
    assert!(hint.is_empty() || expected.len() == 1, "{hint} is no hint of the list");
}

#[test]
fn an_issuer_of_the_other_version_or_of_another_tenant_is_recognized() {
    let other = |issuer: &str| format!("\"{}\"", issuer.replace(TENANT, OTHER_TENANT));
    let text = |issuer: &str| format!("\"{issuer}\"");
    let (v1_only, v2_only) = ([("ISSUERS", V1)], [("ISSUERS", V2)]);
    let china = "https://sts.chinacloudapi.cn/aaaabbbb-0000-cccc-1111-dddd2222eeee/";
    let ours: Changes = &[];
    let table: [(Changes, String, &str); 11] = [
        (&v2_only, text(V1), "requestedAccessTokenVersion"),
        (&v2_only, text(china), "requestedAccessTokenVersion"),
        (&v1_only, text(V2), "It is a v2.0 token"),
        (&v1_only, other(V2), "It is a v2.0 token"),
        (&v1_only, text("https://login.microsoftonline.us/x/v2.0"), "It is a v2.0 token"),
        (ours, other(V1), "another tenant"),
        (ours, other(V2), "another tenant"),
        (&v1_only, other(V1), "another tenant"),
        (ours, text("https://elsewhere.example/"), ""),
        (ours, text("https://login.microsoftonline.us/x/v2.0"), ""),
        (&[("ISSUERS", "https://one.example")], text(V2), ""),
    ];
    for (settings, iss, hint) in table {
        assert_hint(&description(settings, &[("iss", &iss)]), hint);
    }
}

#[test]
fn the_accepted_issuers_are_told() {
    let words = description(&[], &[("iss", "\"https://elsewhere.example/\"")]);
    assert_eq!(
        words,
        format!("The token's issuer (iss) is 'https://elsewhere.example/'; accepted is '{V1}' or '{V2}'")
    );
}

#[test]
fn a_token_for_one_of_microsofts_own_apis_is_recognized() {
    for (aud, hint) in [
        ("00000003-0000-0000-c000-000000000000", "Microsoft Graph: ask"),
        ("https://graph.microsoft.com", "Microsoft Graph: ask"),
        ("https://graph.microsoft.com/", "Microsoft Graph: ask"),
        ("00000002-0000-0000-c000-000000000000", "Azure AD Graph: ask"),
        ("https://graph.windows.net/", "Azure AD Graph: ask"),
        ("https://management.azure.com/", "Azure Resource Manager: ask"),
        ("https://management.core.windows.net/", "Azure Resource Manager: ask"),
        ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Resource Manager: ask"),
        ("https://graph.microsoft.example", ""),
    ] {
        assert_hint(&description(&[], &[("aud", &format!("\"{aud}\""))]), hint);
    }
}

#[test]
fn an_audience_that_nearly_matches_is_recognized() {
    let guid = API.trim_start_matches("api://");
    let slash = format!("{API}/");
    let scope = format!("{API}/access_as_user");
    for (accepted, aud, hint) in [
        (API, slash.as_str(), "trailing slash"),
        (&slash, API, "trailing slash"),
        (&scope, API, "leave the scope out"),
        (API, &scope, "ends in a scope or a path"),
        (API, guid, "App ID URI"),
        (guid, API, "App ID URI"),
        (guid, &guid.to_uppercase(), "App ID URI"),
        (API, CLIENT, ""),
        (API, &API[..API.len() - 1], ""),
        (API, &format!("{API}x"), ""),
        (&format!("{API}x"), API, ""),
    ] {
        assert_hint(&description(&[("API_AUDIENCE", accepted)], &[("aud", &format!("\"{aud}\""))]), hint);
    }
    let list = format!("[\"x\",\"{slash}\"]");
    assert_hint(&description(&[("API_AUDIENCE", &format!("y,{API}"))], &[("aud", &list)]), "trailing slash");
}

#[test]
fn an_unknown_key_is_explained_by_the_issuer_of_the_token() {
    let unknown = |claims: &[(&str, &str)]| {
        let token = mint(key(1), &header(&[("kid", "\"x\"")]), &payload(claims));
        Bench::new().judge(&token).expect_err("an unknown key").rejection.description()
    };
    assert_hint(&unknown(&[]), "?appid=");
    assert_hint(&unknown(&[("iss", &format!("\"{}\"", V2.replace(TENANT, OTHER_TENANT)))]), "?appid=");
    for iss in ["\"https://accounts.example\"", "", "7"] {
        assert_hint(&unknown(&[("iss", iss)]), "which is not accepted here");
    }
    assert!(unknown(&[("iss", "\"https://accounts.example\"")]).contains("'https://accounts.example'"));
}

#[test]
fn the_token_of_static_web_apps_is_recognized_by_its_issuer() {
    let judged = |iss: &str| {
        let token = mint(key(1), &header(&[("alg", "\"HS256\"")]), &payload(&[("iss", &format!("\"{iss}\""))]));
        Bench::new().judge(&token).expect_err("another algorithm").rejection.description()
    };
    assert_hint(&judged("https://0a1b.scm.azurewebsites.net"), "Static Web Apps");
    assert_hint(&judged("https://blue-sea-0123.azurestaticapps.net/.auth"), "Static Web Apps");
    assert_hint(&judged("https://scm.azurewebsites.net.example"), "");
    assert_hint(&judged(V2), "");
}

#[test]
fn a_token_without_permission_is_explained_by_what_it_is() {
    let gone = [("scp", "")];
    let with = |more: &[(&'static str, &'static str)]| description(&[], &[&gone[..], more].concat());
    assert_hint(&with(&[("nonce", "\"x\"")]), "ID token");
    assert_hint(&with(&[("at_hash", "\"x\"")]), "ID token");
    assert_hint(&with(&[("c_hash", "\"x\"")]), "ID token");
    assert_hint(&with(&[("azp", "")]), "ID token");
    assert_hint(&with(&[("azp", ""), ("appid", "\"x\""), ("idtyp", "\"app\"")]), "app-only token");
    assert_hint(&with(&[("idtyp", "\"app\"")]), "app-only token");
    assert_hint(&with(&[("oid", "\"x\""), ("sub", "\"x\"")]), "app-only token");
    assert_hint(&with(&[("oid", "\"x\""), ("sub", "\"y\"")]), "");
    assert!(with(&[]).contains("Ask for a scope that this API exposes"));
    let for_a_role = |settings: &[(&str, &str)]| description(settings, &[]);
    assert!(
        for_a_role(&[("REQUIRED_ROLES", "Reader")])
            .ends_with(". Assign the app role to the user or to the client application, then ask for a new token")
    );
    assert!(for_a_role(&[("REQUIRED_ROLES", "Reader"), ("REQUIRED_SCOPES", "x")]).contains("Ask for a scope"));
    assert_hint(&with(&[("oid", ""), ("sub", "")]), "");
    let required = [("REQUIRED_SCOPES", "read")];
    assert_hint(&description(&required, &[("nonce", "\"x\"")]), "");
    assert_hint(&description(&required, &[("scp", ""), ("nonce", "\"x\"")]), "ID token");
    for (name, value) in [("scp", "\"x\""), ("scope", "\"x\""), ("roles", "[\"x\"]")] {
        let claims = [("scp", ""), ("nonce", "\"x\""), (name, value)];
        let claims = if name == "scp" { &claims[1..] } else { &claims[..] };
        assert_hint(&description(&required, claims), "");
    }
}
