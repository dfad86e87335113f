//! Keys that name an issuer, as those of Entra do, and whom they may sign for.

use crate::harness::Handler;
use crate::key_server::KeyServer;
use crate::tokens::*;
use serde_json::Value;

fn from(issuer: &str) -> Value {
    with(v2(), "iss", issuer)
}

/// A handler with a key set in which every key names an issuer, as those of Entra do: key 1 any
/// tenant, key 2 the other tenant, key 3 an issuer that is no tenant's, key 4 none.
fn with_key_issuers(more: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set_of(vec![
        key(1).jwk(Some(&v2_issuer("{tenantid}"))),
        key(2).jwk(Some(&v2_issuer(OTHER_TENANT))),
        key(3).jwk(Some("https://one.example/")),
        key(4).jwk(None),
    ]));
    (Handler::with_keys(&keys, more), keys)
}

#[test]
fn a_key_that_names_an_issuer_signs_for_that_issuer_in_both_versions() {
    let (handler, _keys) = with_key_issuers(&[("TENANT_ID", "common")]);
    let (v2_other, v1_other) = (of_tenant(v2(), OTHER_TENANT), of_tenant(v1(), OTHER_TENANT));
    let cases = [
        (1, v2(), true),
        (1, v1(), true),
        (1, v2_other.clone(), true),
        (1, v1_other.clone(), true),
        (2, v2_other, true),
        (2, v1_other, true),
        (2, v2(), false),
        (2, v1(), false),
        (3, v2(), false),
        (3, v1(), false),
        (4, v2(), true),
        (4, v1(), true),
    ];
    for (number, claims, accepted) in cases {
        let answer = handler.api(&signed_with(number, &claims));
        match accepted {
            true => assert_eq!(answer.status, 200, "key {number} {claims} {answer:?}"),
            false => answer.must_be(401, "invalid_claims"),
        }
    }
}

#[test]
fn a_key_of_any_tenant_needs_a_token_that_names_one() {
    let (handler, _keys) = with_key_issuers(&[]);
    let nameless = without(v2(), "tid");
    handler
        .api(&signed_with(1, &nameless))
        .must_be(401, "invalid_claims");
    assert_eq!(handler.api(&signed_with(4, &nameless)).status, 200);
}

#[test]
fn a_key_of_one_cloud_does_not_sign_for_another() {
    let (handler, _keys) =
        with_key_issuers(&[("AUTHORITY_HOST", "https://login.microsoftonline.us")]);
    // v1.0 issuers are the same in both clouds; the key's issuer tells them apart.
    handler
        .api(&signed_with(1, &v1()))
        .must_be(401, "invalid_claims");
    assert_eq!(handler.api(&signed_with(4, &v1())).status, 200);
}

#[test]
fn a_fixed_issuer_is_signed_for_by_its_own_key_only() {
    let (handler, _keys) =
        with_key_issuers(&[("ISSUERS", "https://one.example/,https://two.example/")]);
    assert_eq!(
        handler
            .api(&signed_with(3, &from("https://one.example/")))
            .status,
        200
    );
    handler
        .api(&signed_with(3, &from("https://two.example/")))
        .must_be(401, "invalid_claims");
}
