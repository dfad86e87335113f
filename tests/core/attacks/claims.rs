//! Attacks with claims of a token that the issuer did sign.

use crate::bench::{API, Bench, OTHER_TENANT, TENANT, V1, V2, payload};
use entra_handler::rejection::Rejection;

#[test]
fn names_of_other_languages_mean_nothing() {
    let hidden = r#"{"scp":"access_as_user","roles":["Admin"]}"#;
    for name in
        ["__proto__", "constructor", "prototype", "$ref", "$type", "@type", "scp.", "scp[]", "scp\\u0000", "SCP"]
    {
        assert_refused!(
            Bench::new().claims(&[("scp", ""), (name, hidden)]),
            "permission",
            Rejection::NoPermission { .. },
            name
        );
    }
    let kept = [("__proto__", hidden)];
    assert_eq!(Bench::new().claims(&kept), Ok(payload(&kept)), "it comes out as it was written");
    let escaped = [("scp", ""), ("\\u0073cp", "\"access_as_user\"")];
    assert_eq!(Bench::new().claims(&escaped), Ok(payload(&escaped)), "an escaped name is the same name");
}

#[test]
fn a_number_beyond_every_type_is_no_date() {
    let digits = "9".repeat(400);
    for number in
        ["1e400", "1e99999999999999999999", "18446744073709551616", "9223372036854775808", "1e19", &digits, "-1e400"]
    {
        assert_refused!(
            Bench::new().claims(&[("exp", number)]),
            "exp",
            Rejection::ClaimMalformed { name: "exp", .. },
            number
        );
        assert_refused!(
            Bench::new().claims(&[("nbf", number)]),
            "nbf",
            Rejection::ClaimMalformed { name: "nbf", .. },
            number
        );
    }
    let elsewhere = [("x", "1e400"), ("y", "18446744073709551616"), ("z", "0.1000000000000000000000000000001")];
    assert_eq!(Bench::new().claims(&elsewhere), Ok(payload(&elsewhere)), "numbers nobody reads come out as they are");
}

#[test]
fn a_claim_does_not_end_at_a_zero_byte() {
    for end in ["\\u0000", "\\u0000.attacker.example", "\\n", "\\u200b", " "] {
        let (aud, iss, tid) = (format!("\"{API}{end}\""), format!("\"{V2}{end}\""), format!("\"{TENANT}{end}\""));
        assert_refused!(Bench::new().claims(&[("aud", &aud)]), "aud", Rejection::WrongAudience { .. }, end);
        assert_refused!(Bench::new().claims(&[("iss", &iss)]), "iss", Rejection::WrongIssuer { .. }, end);
        assert_refused!(Bench::new().claims(&[("tid", &tid)]), "tid", Rejection::WrongTenant { .. }, end);
    }
    let bench = Bench::with(&[("REQUIRED_SCOPES", "read")]);
    for scp in ["read\\u0000", "\\u0000read", "x\\tread", "x\\nread", "x\\u00a0read"] {
        let scp = format!("\"{scp}\"");
        assert_refused!(bench.claims(&[("scp", &scp)]), "permission", Rejection::PermissionMissing { .. }, scp);
    }
}

#[test]
fn an_audience_cannot_be_emptied() {
    for aud in ["[]", "[\"\"]", "\"\"", "[\"x\"]"] {
        assert_refused!(Bench::new().claims(&[("aud", aud)]), "aud", Rejection::WrongAudience { .. }, aud);
    }
    for aud in ["null", "{}", "0", "[null]", "[[]]", "false"] {
        assert_refused!(
            Bench::new().claims(&[("aud", aud)]),
            "aud",
            Rejection::ClaimMalformed { name: "aud", .. },
            aud
        );
    }
    assert_refused!(Bench::new().claims(&[("aud", "")]), "aud", Rejection::ClaimMissing { name: "aud" });
}

#[test]
fn an_expiry_cannot_be_left_out() {
    assert_refused!(Bench::new().claims(&[("exp", "")]), "exp", Rejection::ClaimMissing { name: "exp" });
    for exp in ["null", "\"9999999999\"", "true", "[9999999999]", "{}", "\"\""] {
        assert_refused!(
            Bench::new().claims(&[("exp", exp)]),
            "exp",
            Rejection::ClaimMalformed { name: "exp", .. },
            exp
        );
    }
    assert_refused!(Bench::new().claims(&[("exp", "0")]), "exp", Rejection::Expired { .. });
}

#[test]
fn an_id_token_is_refused() {
    // The audience of an ID token is the client; an API that is its own client accepts both.
    let claims = [("scp", ""), ("azp", ""), ("nonce", "\"n-0S6\""), ("at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\"")];
    assert_refused!(Bench::new().claims(&claims), "permission",
        Rejection::NoPermission { hint } if hint.contains("ID token"));
    let bench = Bench::with(&[("REQUIRED_SCOPES", "read")]);
    assert_refused!(bench.claims(&claims), "permission",
        Rejection::PermissionMissing { hint, .. } if hint.contains("ID token"));
    let bench = Bench::with(&[("ALLOWED_CLIENTS", "00001111-aaaa-2222-bbbb-3333cccc4444")]);
    assert_refused!(bench.claims(&claims), "client", Rejection::ClaimMissing { name: "azp" });
}

#[test]
fn a_jwt_of_another_kind_is_refused() {
    for typ in [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "vc+sd-jwt",
        "kb+jwt",
        "client-authentication+jwt",
    ] {
        for name in [typ.to_owned(), format!("application/{typ}"), typ.to_uppercase()] {
            let judged = Bench::new().header(&[("typ", &format!("\"{name}\""))]);
            assert_refused!(judged, "typ", Rejection::WrongType { found } if *found == name);
        }
    }
}

#[test]
fn a_template_does_not_mix_tenants() {
    let text = |value: &str| format!("\"{value}\"");
    for tenant in ["organizations", "common"] {
        let bench = Bench::with(&[("TENANT_ID", tenant), ("ALLOWED_TENANTS", TENANT)]);
        let judged = |iss: &str, tid: &str| bench.claims(&[("iss", &text(iss)), ("tid", &text(tid))]);
        for iss in [V1, V2] {
            let other = iss.replace(TENANT, OTHER_TENANT);
            assert!(judged(iss, TENANT).is_ok_and(|claims| claims.contains(iss)));
            // A true token of another tenant; one whose tid was put next to it; templates unfilled.
            assert_refused!(judged(&other, OTHER_TENANT), "tid", Rejection::TenantNotAllowed { .. });
            assert_refused!(judged(&other, TENANT), "iss", Rejection::WrongIssuer { .. });
            assert_refused!(judged(iss, OTHER_TENANT), "iss", Rejection::WrongIssuer { .. });
            assert_refused!(
                judged(&iss.replace(TENANT, "{tenantid}"), "{tenantid}"),
                "iss",
                Rejection::WrongIssuer { .. }
            );
            assert_refused!(judged(&iss.replace(TENANT, tenant), tenant), "iss", Rejection::WrongIssuer { .. });
        }
    }
}

#[test]
fn an_app_without_a_role_is_refused() {
    let claims = [("scp", ""), ("idtyp", "\"app\""), ("roles", "[]")];
    assert_refused!(Bench::new().claims(&claims), "permission",
        Rejection::NoPermission { hint } if hint.contains("app-only"));
    let with_role = [("scp", ""), ("idtyp", "\"app\""), ("roles", "[\"Task.Read\"]")];
    assert_eq!(Bench::new().claims(&with_role), Ok(payload(&with_role)));
}
