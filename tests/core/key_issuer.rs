//! The check `key issuer`: a key that names an issuer signs for that issuer only.

use crate::bench::{Bench, ENTRA_KEY_ISSUER, OTHER_TENANT, TENANT, V1, V2, key, payload, signed};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;
use serde_json::Value;

/// Microsoft's tenant of personal accounts: the owner of some keys of the common key set.
const CONSUMERS: &str = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";

fn text(value: &str) -> String {
    format!("\"{value}\"")
}

/// Judges a token of this issuer and tenant with a key of that issuer.
fn judged(settings: &[(&str, &str)], key_issuer: &str, iss: &str, tid: &str) -> Result<String, Refusal> {
    let tid = if tid.is_empty() { String::new() } else { text(tid) };
    let claims = payload(&[("iss", &text(iss)), ("tid", &tid)]);
    let accepted = Bench::with(settings).keys(&[key(1).jwk(Some(key_issuer))]).judge(&signed(&claims))?;
    assert_eq!(accepted, claims);
    Ok("accepted".into())
}

fn refused(key_issuer: &str, issuer: &str) -> Result<String, Refusal> {
    let rejection = Rejection::WrongKeyIssuer { key_issuer: key_issuer.into(), issuer: issuer.into() };
    Err(Refusal { check: "key issuer", rejection })
}

fn accepted() -> Result<String, Refusal> {
    Ok("accepted".into())
}

#[test]
fn entras_key_issuer_covers_v2_tokens_and_the_v1_tokens_of_the_same_tenant() {
    for settings in [[("TENANT_ID", TENANT)], [("TENANT_ID", "organizations")], [("TENANT_ID", "common")]] {
        for iss in [V1, V2] {
            assert_eq!(judged(&settings, ENTRA_KEY_ISSUER, iss, TENANT), accepted(), "{iss}");
            assert_eq!(judged(&settings, V2, iss, TENANT), accepted(), "{iss}, the tenant filled in");
        }
    }
}

#[test]
fn a_key_of_another_tenant_is_refused() {
    let other = V2.replace(TENANT, OTHER_TENANT);
    for settings in [[("TENANT_ID", TENANT)], [("TENANT_ID", "organizations")]] {
        for iss in [V1, V2] {
            assert_eq!(judged(&settings, &other, iss, TENANT), refused(&other, iss), "{iss}");
            assert_eq!(judged(&settings, CONSUMERS, iss, TENANT), refused(CONSUMERS, iss), "{iss}");
        }
    }
    let multi = [("TENANT_ID", "organizations")];
    assert_eq!(judged(&multi, &other, &other, OTHER_TENANT), accepted());
    assert_eq!(judged(&multi, &other, &V1.replace(TENANT, OTHER_TENANT), OTHER_TENANT), accepted());
}

#[test]
fn a_key_issuer_is_compared_exactly() {
    let near = [
        format!("{V2}/"),
        V2.replace("https", "http"),
        V2.to_uppercase(),
        V2.replace("/v2.0", ""),
        "".into(),
        "https://login.microsoftonline.com/".into(),
        "https://login.microsoftonline.com/{tenantId}/v2.0".into(),
        "https://login.microsoftonline.com/{tenantid}/v2.0/".into(),
        "https://login.microsoftonline.com/common/v2.0".into(),
    ];
    for key_issuer in near {
        assert_eq!(judged(&[], &key_issuer, V2, TENANT), refused(&key_issuer, V2), "{key_issuer}");
    }
}

#[test]
fn a_key_of_the_v1_issuer_signs_v1_tokens_only() {
    assert_eq!(judged(&[], V1, V1, TENANT), accepted());
    assert_eq!(judged(&[], V1, V2, TENANT), refused(V1, V2));
    assert_eq!(judged(&[], "https://sts.windows.net/{tenantid}/", V1, TENANT), accepted());
}

#[test]
fn a_template_needs_a_tenant_to_be_filled_in() {
    assert_eq!(judged(&[], ENTRA_KEY_ISSUER, V2, ""), refused(ENTRA_KEY_ISSUER, V2));
    assert_eq!(judged(&[], V2, V2, ""), accepted(), "nothing to fill in");
    assert_eq!(judged(&[], V2, V1, ""), refused(V2, V1), "the tenant of a v1.0 token is its tid");
    let custom = [("ISSUERS", "https://one.example")];
    let template = "https://{tenantid}.example";
    assert_eq!(judged(&custom, template, "https://one.example", "one"), refused(template, "https://one.example"));
}

#[test]
fn the_v2_issuer_is_that_of_the_cloud_of_the_settings() {
    for cloud in ["https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"] {
        let settings = [("AUTHORITY_HOST", cloud)];
        let host = if cloud.ends_with(".us") { "https://sts.windows.net" } else { "https://sts.chinacloudapi.cn" };
        let (v1, key_issuer) = (format!("{host}/{TENANT}/"), format!("{cloud}/{{tenantid}}/v2.0"));
        assert_eq!(judged(&settings, &key_issuer, &v1, TENANT), accepted(), "{cloud}");
        assert_eq!(judged(&settings, ENTRA_KEY_ISSUER, &v1, TENANT), refused(ENTRA_KEY_ISSUER, &v1), "{cloud}");
    }
}

#[test]
fn a_key_that_names_no_issuer_signs_for_every_accepted_one() {
    let bench = Bench::new().keys(&[key(1).jwk(None)]);
    for iss in [V1, V2] {
        assert_eq!(bench.claims(&[("iss", &text(iss))]), Ok(payload(&[("iss", &text(iss))])));
    }
}

fn under_the_kid(number: usize, issuer: Option<&str>) -> Value {
    let mut jwk = key(number).jwk(issuer);
    jwk["kid"] = key(1).kid.as_str().into();
    jwk
}

#[test]
fn only_the_key_that_verified_counts_among_several_with_its_kid() {
    let other = V2.replace(TENANT, OTHER_TENANT);
    let judge = |jwks: &[Value]| Bench::new().keys(jwks).judge(&signed(&payload(&[])));
    let (pinned, free_but_wrong) = (under_the_kid(1, Some(&other)), under_the_kid(2, None));
    assert_eq!(judge(&[pinned.clone(), free_but_wrong.clone()]), refused(&other, V2));
    assert_eq!(judge(&[free_but_wrong, pinned]), refused(&other, V2));
    let (right, pinned_and_wrong) = (under_the_kid(1, Some(V2)), under_the_kid(2, Some(&other)));
    assert_eq!(judge(&[pinned_and_wrong.clone(), right.clone()]), Ok(payload(&[])));
    assert_eq!(judge(&[right, pinned_and_wrong]), Ok(payload(&[])));
}

#[test]
fn one_key_that_is_listed_for_several_issuers_signs_for_each_of_them() {
    let other = V2.replace(TENANT, OTHER_TENANT);
    let judge = |jwks: &[Value]| Bench::new().keys(jwks).judge(&signed(&payload(&[])));
    let (first, second) = (under_the_kid(1, Some(&other)), under_the_kid(1, Some(ENTRA_KEY_ISSUER)));
    assert_eq!(judge(&[first.clone(), second.clone()]), Ok(payload(&[])));
    assert_eq!(judge(&[second, first.clone()]), Ok(payload(&[])));
    assert_eq!(judge(&[first.clone(), under_the_kid(1, Some(CONSUMERS))]), refused(&other, V2));
    assert_eq!(judge(&[first]), refused(&other, V2));
}
