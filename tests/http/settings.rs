//! Every row of the table of settings, and what is said about wrong values. What right values do
//! is tested with what they do it to.

use crate::harness::{Handler, Outcome, borrowed, run, usual};
use crate::key_server::KeyServer;
use crate::tokens::*;

const KEYS: &str = "https://keys.invalid/keys";

/// The lines about these settings, which are bad.
fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let Outcome {
        status,
        stdout,
        stderr,
    } = run(&[], settings, "");
    assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
    stderr
        .lines()
        .map(|line| {
            line.strip_prefix("handler: ")
                .expect("says who speaks")
                .to_owned()
        })
        .collect()
}

/// The lines about the usual settings with these.
fn problems_with(more: &[(&str, &str)]) -> Vec<String> {
    problems(&borrowed(&usual(KEYS, more)))
}

/// Fails unless nothing is wrong with these. One deliberate mistake keeps the handler from serving.
#[track_caller]
fn check_right(more: &[(&str, &str)]) {
    let mistake = if more.iter().any(|(name, _)| *name == "AUDIT_LOG") {
        ("CLOCK_SKEW_SECONDS", "soon")
    } else {
        ("AUDIT_LOG", "loud")
    };
    let problems = problems_with(&[more, &[mistake]].concat());
    assert!(
        problems.len() == 1 && problems[0].starts_with(mistake.0),
        "{more:?}: {problems:?}"
    );
}

/// Fails unless one line names the setting and has an example, which is right when it is taken.
#[track_caller]
fn check_wrong(name: &str, more: &[(&str, &str)]) {
    let problems = problems_with(more);
    assert_eq!(problems.len(), 1, "{more:?}: {problems:?}");
    assert!(
        problems[0].starts_with(&format!("{name} ")),
        "{more:?}: {problems:?}"
    );
    let (_, example) = problems[0]
        .split_once(&format!("for example {name}="))
        .expect("an example");
    check_right(&[more, &[(name, example)]].concat());
}

#[test]
fn wrong_values_are_named_with_an_example_of_a_right_one() {
    let wrong: [(&str, &[&str]); 8] = [
        (
            "TENANT_ID",
            &[
                "contoso.onmicrosoft.com",
                "Common",
                "1111-2222",
                "consumers",
                "{tenantid}",
                "not-a-guid",
            ],
        ),
        ("API_AUDIENCE", &["", " ", ",", " , "]),
        (
            "AUTHORITY_HOST",
            &[
                "https://login.example.com",
                "https://login.microsoftonline.com/common",
                "https://login.microsoftonline.de",
            ],
        ),
        (
            "JWKS_URI",
            &[
                "http://login.microsoftonline.com/common/discovery/v2.0/keys",
                "http://127.0.0.1.example.com/keys",
                "http://localhost.example.com/keys",
                "http://127.0.0.1@example.com/keys",
                "http://192.168.0.1/keys",
                "ftp://127.0.0.1/keys",
                "file:///keys",
                "https://",
                "https://example.com:0/keys",
                "https://example.com:99999/keys",
                "https://example.com/a b",
            ],
        ),
        (
            "CLOCK_SKEW_SECONDS",
            &["301", "-1", "1.5", "60s", "sixty", "18446744073709551616"],
        ),
        (
            "ALLOWED_ORIGINS",
            &[
                "app.example.com",
                "https://app.example.com/",
                "https://app.example.com/path",
                "*,https://app.example.com",
                "none,https://app.example.com",
                "https://*.example.com",
                "https://",
                "ftp://app.example.com",
                "https://a.example https://b.example",
            ],
        ),
        ("AUDIT_LOG", &["yes", "Denied", "ALL", "none", "1"]),
        (
            "FUNCTIONS_CUSTOMHANDLER_PORT",
            &["0", "65536", "-1", "http", "80.0", "３０００"],
        ),
    ];
    for (name, values) in wrong {
        for value in values {
            check_wrong(name, &[(name, value)]);
        }
    }
}

#[test]
fn a_list_that_is_set_and_names_nothing_is_a_slip_and_does_not_mean_any() {
    let lists = [
        "ISSUERS",
        "ALLOWED_TENANTS",
        "ALLOWED_CLIENTS",
        "REQUIRED_SCOPES",
        "REQUIRED_ROLES",
        "ALLOWED_ORIGINS",
    ];
    for name in lists {
        for value in [",", " , ,"] {
            check_wrong(name, &[(name, value)]);
        }
    }
}

#[test]
fn right_values_are_taken() {
    let right: [(&str, &[&str]); 9] = [
        (
            "TENANT_ID",
            &[
                TENANT,
                "ABCDEFAB-CDEF-abcd-efab-cdefabcdefab",
                "organizations",
                "common",
                " common ",
            ],
        ),
        (
            "API_AUDIENCE",
            &[
                AUDIENCE,
                "66666666-7777-8888-9999-aaaaaaaaaaaa",
                "a,b",
                "https://api.example.com/",
            ],
        ),
        (
            "AUTHORITY_HOST",
            &[
                "https://login.microsoftonline.com",
                "https://login.microsoftonline.com/",
                "https://login.microsoftonline.us",
                "https://login.partner.microsoftonline.cn/",
            ],
        ),
        (
            "ISSUERS",
            &[
                "https://one.example/",
                "https://one.example/{tenantid}/,urn:two",
            ],
        ),
        (
            "JWKS_URI",
            &[
                "https://login.microsoftonline.com/common/discovery/v2.0/keys?appid=66666666-7777-8888-9999-aaaaaaaaaaaa",
                "http://127.0.0.1:8080/keys",
                "http://127.8.7.6/keys",
                "http://localhost:8080/keys",
                "http://[::1]:8080/keys",
                "keys.json",
                "/etc/keys with spaces.json",
            ],
        ),
        ("CLOCK_SKEW_SECONDS", &["0", "60", "300"]),
        (
            "ALLOWED_ORIGINS",
            &[
                "*",
                "none",
                "null",
                "http://localhost:5173",
                "https://a.example, https://b.example:8443",
            ],
        ),
        ("AUDIT_LOG", &["denied", "all", "off"]),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", &["1", "65535"]),
    ];
    for (name, values) in right {
        for value in values {
            check_right(&[(name, value)]);
        }
    }
}

#[test]
fn all_problems_are_told_at_once_one_line_each() {
    let wrong = [
        ("TENANT_ID", "x"),
        ("API_AUDIENCE", ""),
        ("AUTHORITY_HOST", "http://example.com"),
        ("JWKS_URI", "http://example.com"),
        ("CLOCK_SKEW_SECONDS", "x"),
        ("ALLOWED_ORIGINS", "x"),
        ("AUDIT_LOG", "x"),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", "x"),
    ];
    let problems = problems(&wrong);
    for (name, _) in wrong {
        let about = problems
            .iter()
            .filter(|line| line.starts_with(&format!("{name} ")))
            .collect::<Vec<_>>();
        assert!(!about.is_empty(), "{name}: {problems:?}");
        assert!(
            about
                .iter()
                .all(|line| line.contains(&format!("for example {name}="))),
            "{about:?}"
        );
    }
}

#[test]
fn without_any_setting_the_required_ones_are_named() {
    for empty in [
        &[][..],
        &[
            ("TENANT_ID", ""),
            ("API_AUDIENCE", " "),
            ("ISSUERS", ""),
            ("JWKS_URI", ""),
        ],
    ] {
        let problems = problems(empty);
        let names: Vec<_> = problems
            .iter()
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(names, ["TENANT_ID", "API_AUDIENCE"], "{problems:?}");
    }
}

#[test]
fn a_tenant_is_required_unless_issuers_and_keys_are_both_named() {
    let (issuers, keys) = (("ISSUERS", "https://one.example/"), ("JWKS_URI", ""));
    check_wrong("TENANT_ID", &[("TENANT_ID", "")]);
    check_wrong("TENANT_ID", &[("TENANT_ID", ""), issuers, keys]);
    check_right(&[("TENANT_ID", ""), issuers]);
}

#[test]
fn an_authority_that_is_no_cloud_needs_issuers() {
    check_wrong(
        "AUTHORITY_HOST",
        &[("AUTHORITY_HOST", "https://contoso.ciamlogin.com")],
    );
    check_right(&[
        ("AUTHORITY_HOST", "https://contoso.ciamlogin.com"),
        ("ISSUERS", "https://one.example/"),
    ]);
}

#[test]
fn empty_values_count_as_unset() {
    let names = [
        "AUTHORITY_HOST",
        "ISSUERS",
        "ALLOWED_TENANTS",
        "ALLOWED_CLIENTS",
        "REQUIRED_SCOPES",
        "REQUIRED_ROLES",
        "CLOCK_SKEW_SECONDS",
        "ALLOWED_ORIGINS",
        "AUDIT_LOG",
    ];
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &names.map(|name| (name, "")));
    let answer = handler.api(&good());
    assert_eq!(
        (answer.status, answer.header("Access-Control-Allow-Origin")),
        (200, Some("*"))
    );
    assert_eq!(handler.api(&signed(&v1())).status, 200);
    assert_eq!(handler.stderr.all(), Vec::<String>::new());
}

/// The warnings of a handler that serves with these settings.
fn warnings(more: &[(&str, &str)]) -> Vec<String> {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, more);
    let (_, stderr) = handler.into_lines();
    stderr
        .into_iter()
        .filter(|line| line.contains("warning") && !line.contains("100 MiB"))
        .collect()
}

#[test]
fn settings_that_are_probably_wrong_are_warned_about() {
    for ending in ["user_impersonation", ".default", "access_as_user"] {
        let warnings = warnings(&[("API_AUDIENCE", &format!("{AUDIENCE},{AUDIENCE}/{ending}"))]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("API_AUDIENCE") && warnings[0].contains(ending),
            "{warnings:?}"
        );
    }
    for tenant in ["common", "organizations"] {
        let lines = warnings(&[("TENANT_ID", tenant)]);
        assert!(
            lines.len() == 1 && lines[0].contains("ALLOWED_TENANTS"),
            "{lines:?}"
        );
        assert_eq!(
            warnings(&[("TENANT_ID", tenant), ("ALLOWED_TENANTS", TENANT)]),
            Vec::<String>::new()
        );
    }
    assert_eq!(warnings(&[]), Vec::<String>::new());
    assert_eq!(
        warnings(&[("API_AUDIENCE", "api://x/user_impersonation2")]),
        Vec::<String>::new()
    );
}
