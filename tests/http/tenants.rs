//! Which issuers, tenants and clouds are accepted, and which keys may sign for them.

use crate::harness::{Handler, borrowed, wait_until};
use crate::key_server::KeyServer;
use crate::tokens::*;
use serde_json::{Value, json};

const GLOBAL: &str = "https://login.microsoftonline.com";

/// Fails unless exactly these claims are accepted, and the others refused as `invalid_claims`.
#[track_caller]
fn check(handler: &Handler, accepted: &[Value], refused: &[Value]) {
    for claims in accepted {
        let answer = handler.api(&signed(claims));
        assert_eq!(answer.status, 200, "{claims} {answer:?}");
    }
    for claims in refused {
        let answer = handler.api(&signed(claims));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_claims"),
            "{claims} {answer:?}"
        );
    }
}

fn handler(more: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, more), keys)
}

fn from(issuer: &str) -> Value {
    with(v2(), "iss", issuer)
}

#[test]
fn a_tenant_id_accepts_both_issuers_of_that_tenant_and_no_other() {
    for tenant in [TENANT.to_owned(), TENANT.to_uppercase()] {
        let (handler, _keys) = handler(&[("TENANT_ID", &tenant)]);
        check(
            &handler,
            &[v2(), v1(), without(v2(), "tid")],
            &[
                of_tenant(v2(), OTHER_TENANT),
                of_tenant(v1(), OTHER_TENANT),
                from(&v2_issuer("{tenantid}")),
                from(&v2_issuer("common")),
                from(&format!("{}/", v2_issuer(TENANT))),
                from(v1_issuer(TENANT).trim_end_matches('/')),
                from(&v2_issuer(TENANT).replace("https", "http")),
                from(&v2_issuer(TENANT).replace("microsoftonline.com", "microsoftonline.us")),
                from(&v2_issuer(TENANT).to_uppercase()),
            ],
        );
    }
}

#[test]
fn organizations_and_common_accept_any_tenant_that_the_token_itself_names() {
    for tenant in ["organizations", "common"] {
        let (handler, _keys) = handler(&[("TENANT_ID", tenant)]);
        let no_guid = "not-a-guid";
        check(
            &handler,
            &[
                v2(),
                v1(),
                of_tenant(v2(), OTHER_TENANT),
                of_tenant(v1(), OTHER_TENANT),
            ],
            &[
                with(v2(), "tid", OTHER_TENANT),
                with(v1(), "tid", OTHER_TENANT),
                without(v2(), "tid"),
                with(with(v2(), "tid", no_guid), "iss", v2_issuer(no_guid)),
                with(with(v2(), "tid", ""), "iss", v2_issuer("")),
                from(&v2_issuer("{tenantid}")),
                with(
                    with(v2(), "tid", "{tenantid}"),
                    "iss",
                    v2_issuer("{tenantid}"),
                ),
                from(&v2_issuer(tenant)),
            ],
        );
    }
}

#[test]
fn each_cloud_has_its_own_issuers() {
    let us = format!("https://login.microsoftonline.us/{TENANT}/v2.0");
    let china = format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0");
    let china_v1 = format!("https://sts.chinacloudapi.cn/{TENANT}/");
    let (us, china, china_v1) = (from(&us), from(&china), with(v1(), "iss", china_v1));
    let clouds = [
        (
            GLOBAL,
            [v2(), v1()],
            vec![us.clone(), china.clone(), china_v1.clone()],
        ),
        (
            "https://login.microsoftonline.us",
            [us.clone(), v1()],
            vec![v2(), china.clone(), china_v1.clone()],
        ),
        (
            "https://login.partner.microsoftonline.cn",
            [china, china_v1],
            vec![v2(), v1(), us],
        ),
    ];
    for (host, accepted, refused) in clouds {
        for slash in ["", "/"] {
            let (handler, _keys) = handler(&[("AUTHORITY_HOST", &format!("{host}{slash}"))]);
            check(&handler, &accepted, &refused);
        }
    }
}

#[test]
fn issuers_are_compared_exactly_and_replace_those_of_the_tenant() {
    let two = "https://one.example/, https://two.example/v2.0";
    let (handler, _keys) = handler(&[("ISSUERS", two)]);
    check(
        &handler,
        &[
            from("https://one.example/"),
            from("https://two.example/v2.0"),
            without(from("https://one.example/"), "tid"),
        ],
        &[
            v2(),
            v1(),
            from("https://one.example"),
            from("https://two.example/v2.0/"),
            from("https://ONE.example/"),
            from(two),
        ],
    );
}

#[test]
fn tenantid_in_an_issuer_stands_for_the_tid_of_the_token() {
    let issuers = "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0,https://fixed.example/";
    let (handler, _keys) = handler(&[("ISSUERS", issuers)]);
    let of = |host: &str, path: &str, tid: &str| {
        with(
            from(&format!("https://{host}.ciamlogin.com/{path}/v2.0")),
            "tid",
            tid,
        )
    };
    check(
        &handler,
        &[
            of(TENANT, TENANT, TENANT),
            of(OTHER_TENANT, OTHER_TENANT, OTHER_TENANT),
            from("https://fixed.example/"),
        ],
        &[
            of(TENANT, OTHER_TENANT, TENANT),
            of(OTHER_TENANT, TENANT, TENANT),
            of(TENANT, TENANT, OTHER_TENANT),
            of("contoso", "contoso", "contoso"),
            of("x.evil.example/", "x", "x.evil.example/"),
            without(of(TENANT, TENANT, TENANT), "tid"),
        ],
    );
}

#[test]
fn issuers_and_a_key_address_need_no_tenant() {
    let keys = KeyServer::with(set(&[1]));
    let url = keys.url();
    let settings = [
        ("API_AUDIENCE", AUDIENCE),
        ("ISSUERS", "https://one.example/"),
        ("JWKS_URI", url.as_str()),
    ];
    let handler = Handler::start(&settings);
    check(&handler, &[from("https://one.example/")], &[v2(), v1()]);
}

#[test]
fn only_tenants_that_are_allowed_may_call() {
    let (one, both) = (
        OTHER_TENANT.to_uppercase(),
        format!("{TENANT}, {OTHER_TENANT}"),
    );
    let foreign = || [of_tenant(v2(), OTHER_TENANT), of_tenant(v1(), OTHER_TENANT)];
    let (only_other, _keys) = handler(&[("TENANT_ID", "common"), ("ALLOWED_TENANTS", &one)]);
    check(
        &only_other,
        &foreign(),
        &[
            v2(),
            v1(),
            without(v2(), "tid"),
            with(v2(), "tid", OTHER_TENANT),
        ],
    );
    let (either, _keys) = handler(&[("TENANT_ID", "common"), ("ALLOWED_TENANTS", &both)]);
    let third = of_tenant(v2(), "77777777-8888-7777-6666-555555555555");
    check(
        &either,
        &[foreign().as_slice(), &[v2(), v1()]].concat(),
        &[third],
    );
    // With an issuer that names no tenant, the tid alone decides.
    let (fixed, _keys) = handler(&[
        ("ISSUERS", "https://one.example/"),
        ("ALLOWED_TENANTS", TENANT),
    ]);
    let from_one = || from("https://one.example/");
    check(
        &fixed,
        &[from_one()],
        &[
            without(from_one(), "tid"),
            with(from_one(), "tid", OTHER_TENANT),
        ],
    );
}

#[test]
fn a_tid_that_is_not_the_tenant_in_the_issuer_is_refused() {
    let (handler, _keys) = handler(&[]);
    check(
        &handler,
        &[with(v2(), "tid", TENANT.to_uppercase())],
        &[
            with(v2(), "tid", OTHER_TENANT),
            with(v1(), "tid", OTHER_TENANT),
            with(v2(), "tid", ""),
            with(v2(), "tid", "x"),
        ],
    );
}

#[test]
fn several_audiences_may_be_accepted_each_exactly() {
    let (handler, _keys) = handler(&[("API_AUDIENCE", " api://one ,two,,https://three.example/ ")]);
    let audience = |aud: Value| with(v2(), "aud", aud);
    check(
        &handler,
        &[
            audience(json!("api://one")),
            audience(json!("two")),
            audience(json!(["x", "https://three.example/"])),
        ],
        &[
            v2(),
            audience(json!("one")),
            audience(json!("https://three.example")),
            audience(json!("api://one ,two")),
        ],
    );
}

#[test]
fn keys_are_looked_for_at_the_authority_below_the_tenant() {
    for (tenant, folder) in [
        (TENANT, TENANT),
        ("organizations", "organizations"),
        ("common", "common"),
    ] {
        for slash in ["", "/"] {
            let keys = KeyServer::with(set(&[1]));
            let host = format!("{}{slash}", keys.origin());
            let issuer = v2_issuer("{tenantid}");
            let settings = crate::harness::usual(
                "",
                &[
                    ("TENANT_ID", tenant),
                    ("AUTHORITY_HOST", &host),
                    ("ISSUERS", &issuer),
                ],
            );
            let handler = Handler::start(&borrowed(&settings));
            wait_until("the keys are fetched", || keys.fetches() > 0);
            assert_eq!(handler.api(&good()).status, 200);
            assert_eq!(keys.targets(), [format!("/{folder}/discovery/v2.0/keys")]);
        }
    }
}
