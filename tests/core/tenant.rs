//! The check `tid`.

use crate::bench::{Bench, OTHER_TENANT, TENANT, V1, V2, key, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

fn bench(changes: &[(&str, &str)]) -> Bench {
    Bench::with(changes).keys(&[key(1).jwk(None)])
}

fn text(value: &str) -> String {
    format!("\"{value}\"")
}

#[test]
fn a_tid_is_the_guid_in_the_issuer() {
    for iss in [V1, V2] {
        for tid in [OTHER_TENANT, "", "x", "aaaabbbb", &format!("{TENANT} "), &TENANT.replace('-', "")] {
            let rejection = Rejection::WrongTenant { tid: tid.into(), issuer: iss.into() };
            assert_eq!(
                bench(&[]).claims(&[("iss", &text(iss)), ("tid", &text(tid))]),
                Err(Refusal { check: "tid", rejection }),
                "{tid}"
            );
        }
    }
}

#[test]
fn the_letter_case_of_a_guid_does_not_count() {
    let upper = text(&TENANT.to_uppercase());
    assert_eq!(bench(&[]).claims(&[("tid", &upper)]), Ok(payload(&[("tid", &upper)])));
    assert_eq!(Bench::new().claims(&[("tid", &upper)]), Ok(payload(&[("tid", &upper)])), "nor for the key's issuer");
}

#[test]
fn a_token_without_a_tid_is_accepted_where_no_tenant_is_asked_for() {
    assert_eq!(bench(&[]).claims(&[("tid", "")]), Ok(payload(&[("tid", "")])));
    let judged = bench(&[("ALLOWED_TENANTS", TENANT)]).claims(&[("tid", "")]);
    assert_eq!(judged, Err(Refusal { check: "tid", rejection: Rejection::ClaimMissing { name: "tid" } }));
}

#[test]
fn a_tid_that_is_no_string_is_refused() {
    for tid in ["null", "1", "[]", &format!("[\"{TENANT}\"]")] {
        assert_refused!(
            bench(&[]).claims(&[("tid", tid)]),
            "iss",
            Rejection::ClaimMalformed { name: "tid", expected: "a string" },
            tid
        );
    }
}

#[test]
fn an_issuer_without_a_guid_ties_no_tenant() {
    let bench = bench(&[("ISSUERS", "https://one.example/abc-def")]);
    for tid in [TENANT, OTHER_TENANT, "anything"] {
        let claims = [("iss", "\"https://one.example/abc-def\""), ("tid", &*text(tid))];
        assert_eq!(bench.claims(&claims), Ok(payload(&claims)));
    }
}

#[test]
fn every_guid_in_the_issuer_is_compared() {
    let iss = format!("https://{TENANT}.ciamlogin.com/{OTHER_TENANT}/v2.0");
    let bench = bench(&[("ISSUERS", &iss)]);
    for tid in [TENANT, OTHER_TENANT] {
        let rejection = Rejection::WrongTenant { tid: tid.into(), issuer: iss.clone() };
        assert_eq!(
            bench.claims(&[("iss", &text(&iss)), ("tid", &text(tid))]),
            Err(Refusal { check: "tid", rejection })
        );
    }
}

#[test]
fn a_guid_is_found_wherever_it_stands_in_the_issuer() {
    for iss in [
        format!("https://tenant-{OTHER_TENANT}.idp.example/"),
        format!("urn:a{OTHER_TENANT}"),
        format!("https://x/{OTHER_TENANT}-a/0"),
        format!("https://x/é{OTHER_TENANT}é"),
        OTHER_TENANT.to_owned(),
    ] {
        let bench = bench(&[("ISSUERS", &iss)]);
        let rejection = Rejection::WrongTenant { tid: TENANT.into(), issuer: iss.clone() };
        let judged = |tid: &str| bench.claims(&[("iss", &text(&iss)), ("tid", &text(tid))]).map(drop);
        assert_eq!(judged(TENANT), Err(Refusal { check: "tid", rejection }), "{iss}");
        assert_eq!(judged(OTHER_TENANT), Ok(()), "{iss}");
    }
}

#[test]
fn only_allowed_tenants_may_call_a_multi_tenant_api() {
    let judged = |allowed: &str, tid: &str| {
        let settings = [("TENANT_ID", "organizations"), ("ALLOWED_TENANTS", allowed)];
        bench(&settings).claims(&[("iss", &text(&V2.replace(TENANT, tid))), ("tid", &text(tid))])
    };
    let refused = |tid: &str| Err(Refusal { check: "tid", rejection: Rejection::TenantNotAllowed { tid: tid.into() } });
    assert!(judged(TENANT, TENANT).is_ok_and(|claims| claims.contains(TENANT)));
    assert_eq!(judged(TENANT, OTHER_TENANT), refused(OTHER_TENANT));
    let both = format!("{OTHER_TENANT} ,, {}", TENANT.to_uppercase());
    assert!(judged(&both, TENANT).is_ok_and(|claims| claims.contains(TENANT)));
    assert!(judged(&both, OTHER_TENANT).is_ok_and(|claims| claims.contains(OTHER_TENANT)));
    assert_eq!(judged(&both, "bbbbcccc-1111-dddd-2222-eeee3333fff0"), refused("bbbbcccc-1111-dddd-2222-eeee3333fff0"));
    assert!(judged("", OTHER_TENANT).is_ok_and(|claims| claims.contains(OTHER_TENANT)), "unset is any");
    assert_eq!(judged("contoso.onmicrosoft.com", TENANT), refused(TENANT));
}

#[test]
fn a_single_tenant_api_may_name_allowed_tenants_too() {
    assert_eq!(bench(&[("ALLOWED_TENANTS", TENANT)]).claims(&[]), Ok(payload(&[])));
    let rejection = Rejection::TenantNotAllowed { tid: TENANT.into() };
    assert_eq!(bench(&[("ALLOWED_TENANTS", OTHER_TENANT)]).claims(&[]), Err(Refusal { check: "tid", rejection }));
}
