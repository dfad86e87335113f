//! The check `iss`.

use crate::bench::{Bench, OTHER_TENANT, TENANT, V1, V2, key, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

/// A bench whose key names no issuer, so that `iss` alone decides.
fn bench(changes: &[(&str, &str)]) -> Bench {
    Bench::with(changes).keys(&[key(1).jwk(None)])
}

fn text(value: &str) -> String {
    format!("\"{value}\"")
}

fn judged(settings: &[(&str, &str)], iss: &str, tid: &str) -> Result<String, Refusal> {
    let tid = if tid.is_empty() { String::new() } else { text(tid) };
    bench(settings).claims(&[("iss", &text(iss)), ("tid", &tid)])
}

#[test]
fn the_v1_and_the_v2_issuer_of_the_tenant_are_accepted() {
    for iss in [V1, V2] {
        assert_eq!(bench(&[]).claims(&[("iss", &text(iss))]), Ok(payload(&[("iss", &text(iss))])));
    }
}

#[test]
fn an_issuer_is_compared_exactly() {
    let others = [
        "".to_owned(),
        V2.trim_end_matches("/v2.0").into(),
        format!("{V2}/"),
        format!("{V2} "),
        format!(" {V2}"),
        format!("{V2}?x=1"),
        format!("{V2}#"),
        V1.trim_end_matches('/').into(),
        V2.replace("https", "http"),
        V2.replace("https", "HTTPS"),
        V2.replace("login", "Login"),
        V2.replace("login.", "login.evil."),
        V2.replace("login.microsoftonline.com", "login.microsoftonline.com.evil.example"),
        V2.replace("login.microsoftonline.com", "login.microsoftonline.com:443"),
        V2.replace("login.microsoftonline.com", "login.microsoftonline.us"),
        V2.replace("login.microsoftonline.com", "login.windows.net"),
        V2.replace("//", "//user@"),
        V2.replace(TENANT, &TENANT.to_uppercase()),
        V2.replace(TENANT, OTHER_TENANT),
        V1.replace(TENANT, OTHER_TENANT),
        V2.replace(TENANT, "{tenantid}"),
        V2.replace(TENANT, "common"),
        V1.replace("net", "net."),
        format!("{V2},{V1}"),
    ];
    for iss in others {
        assert_refused!(bench(&[]).claims(&[("iss", &text(&iss))]), "iss",
            Rejection::WrongIssuer { found, .. } if *found == iss, iss);
    }
}

#[test]
fn an_issuer_that_is_missing_or_no_string_is_refused() {
    assert_eq!(
        bench(&[]).claims(&[("iss", "")]),
        Err(Refusal { check: "iss", rejection: Rejection::ClaimMissing { name: "iss" } })
    );
    for iss in ["null", "1", "true", "{}", &format!("[\"{V2}\"]")] {
        let rejection = Rejection::ClaimMalformed { name: "iss", expected: "a string" };
        assert_eq!(bench(&[]).claims(&[("iss", iss)]), Err(Refusal { check: "iss", rejection }), "{iss}");
    }
    let judged = bench(&[]).claims(&[("iss", ""), ("Iss", &text(V2))]);
    assert_refused!(judged, "iss", Rejection::ClaimMissing { name: "iss" });
}

#[test]
fn an_escaped_issuer_is_the_same_issuer() {
    let escaped = text(&V2.replace('/', "\\/").replacen('h', "\\u0068", 1));
    assert_eq!(bench(&[]).claims(&[("iss", &escaped)]), Ok(payload(&[("iss", &escaped)])));
}

#[test]
fn a_multi_tenant_api_accepts_the_issuer_of_the_tokens_own_tenant() {
    for tenant in ["organizations", "common"] {
        let settings = [("TENANT_ID", tenant)];
        for (template, tid) in [(V1, TENANT), (V2, TENANT), (V1, OTHER_TENANT), (V2, OTHER_TENANT)] {
            let iss = template.replace(TENANT, tid);
            assert!(judged(&settings, &iss, tid).is_ok_and(|claims| claims.contains(&iss)), "{tenant} {iss}");
            let other = if tid == TENANT { OTHER_TENANT } else { TENANT };
            assert_refused!(judged(&settings, &iss, other), "iss", Rejection::WrongIssuer { .. }, iss);
            assert_refused!(judged(&settings, &iss, ""), "iss", Rejection::WrongIssuer { .. }, iss);
        }
    }
}

#[test]
fn the_tenant_that_fills_a_template_is_a_guid() {
    let settings = [("TENANT_ID", "common")];
    for tid in [
        "common",
        "{tenantid}",
        "",
        "x",
        "contoso.onmicrosoft.com",
        "aaaabbbb-0000-cccc-1111-dddd2222eee",
        "aaaabbbb-0000-cccc-1111-dddd2222eeeeF",
        "aaaabbbb-0000-cccc-1111-dddd2222eeeg",
        "aaaabbbb00000cccc-1111-dddd2222eeee",
        "aaaabbbb-0000-cccc-1111-dddd2222eeee/../x",
        "../aaaabbbb",
        "aaaabbbb_0000_cccc_1111_dddd2222eeee",
    ] {
        let claims = [("iss", text(&V2.replace(TENANT, tid))), ("tid", text(tid))];
        let judged = bench(&settings).claims(&claims.each_ref().map(|(name, value)| (*name, value.as_str())));
        assert_refused!(judged, "iss", Rejection::WrongIssuer { .. }, tid);
    }
    assert_refused!(
        bench(&settings).claims(&[("tid", "5")]),
        "iss",
        Rejection::ClaimMalformed { name: "tid", expected: "a string" }
    );
}

#[test]
fn issuers_that_are_set_replace_those_of_the_tenant() {
    let settings = [("ISSUERS", " https://one.example , https://two.example/{tenantid}/ ,")];
    assert!(judged(&settings, "https://one.example", TENANT).is_ok());
    assert!(judged(&settings, "https://one.example", "").is_ok());
    assert!(judged(&settings, &format!("https://two.example/{OTHER_TENANT}/"), OTHER_TENANT).is_ok());
    assert_refused!(judged(&settings, "https://two.example/{tenantid}/", TENANT), "iss", Rejection::WrongIssuer { .. });
    assert_refused!(
        judged(&settings, &format!("https://two.example/{TENANT}/"), OTHER_TENANT),
        "iss",
        Rejection::WrongIssuer { .. }
    );
    assert_refused!(judged(&settings, V2, TENANT), "iss", Rejection::WrongIssuer { .. });
    assert_refused!(judged(&settings, V1, TENANT), "iss", Rejection::WrongIssuer { .. });
}

#[test]
fn a_template_may_name_the_tenant_twice() {
    let settings = [("ISSUERS", "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0")];
    let iss = |first: &str, second: &str| format!("https://{first}.ciamlogin.com/{second}/v2.0");
    assert!(judged(&settings, &iss(TENANT, TENANT), TENANT).is_ok());
    assert_refused!(judged(&settings, &iss(TENANT, OTHER_TENANT), TENANT), "iss", Rejection::WrongIssuer { .. });
    assert_refused!(judged(&settings, &iss(OTHER_TENANT, TENANT), TENANT), "iss", Rejection::WrongIssuer { .. });
}

#[test]
fn each_cloud_has_its_own_issuers() {
    let clouds = [
        ("https://login.microsoftonline.com", "https://sts.windows.net"),
        ("https://login.microsoftonline.us", "https://sts.windows.net"),
        ("https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"),
    ];
    for (authority, v1) in clouds {
        let settings = [("AUTHORITY_HOST", authority)];
        for (other, other_v1) in clouds {
            let (v1_iss, v2_iss) = (format!("{other_v1}/{TENANT}/"), format!("{other}/{TENANT}/v2.0"));
            assert_eq!(judged(&settings, &v1_iss, TENANT).is_ok(), v1 == other_v1, "{authority} {v1_iss}");
            assert_eq!(judged(&settings, &v2_iss, TENANT).is_ok(), authority == other, "{authority} {v2_iss}");
        }
    }
}
