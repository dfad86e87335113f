//! Settings that are refused: each problem on one line, all of them at once.

use crate::bench::{API, TENANT};
use entra_handler::settings::Settings;

fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let get = |name: &str| settings.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    Settings::read(get).err().unwrap_or_default()
}

/// The problems with this one setting besides two good ones.
fn problems_with(name: &str, value: &str) -> Vec<String> {
    let good = [("TENANT_ID", TENANT), ("API_AUDIENCE", API)];
    let rest = good.into_iter().filter(|(other, _)| *other != name);
    problems(&rest.chain([(name, value)]).collect::<Vec<_>>())
}

#[test]
fn each_bad_value_is_one_problem_that_names_the_setting_and_shows_a_right_value() {
    let table: [(&str, &[&str]); 9] = [
        (
            "TENANT_ID",
            &[
                "contoso.onmicrosoft.com",
                "Common",
                "consumers",
                "{tenantid}",
                "aaaabbbb-0000-cccc-1111-dddd2222eee",
                "aaaabbbb00000cccc-1111-dddd2222eeee",
                "gaaabbbb-0000-cccc-1111-dddd2222eeee",
            ],
        ),
        ("API_AUDIENCE", &["", " ", ",", " , ", "api://a\nb", "api://\u{fffd}", "a,\u{1b}[2J"]),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", &[" ", "0", "65536", "-1", "x", "80.0", "1e3"]),
        ("CLOCK_SKEW_SECONDS", &[" ", "301", "-1", "1.5", "x", "60s", "99999999999999999999"]),
        ("AUDIT_LOG", &[" ", "none", "Denied", "ALL", "true", "denied,all"]),
        (
            "ALLOWED_ORIGINS",
            &[
                "*,https://x.example",
                "none,https://x.example",
                "x.example",
                "https://",
                "https://x.example/",
                "https://x.example/path",
                "https://*.example",
                "ftp://x.example",
                "https://x.example?y",
                "https://a@b.example",
            ],
        ),
        (
            "AUTHORITY_HOST",
            &[
                "https://login.example",
                "https://login.microsoftonline.com.evil.example",
                "https://login.microsoftonline.com/x",
                "https://LOGIN.microsoftonline.com",
                "http://127.0.0.1",
                "http://login.microsoftonline.com",
                "login.microsoftonline.com",
                " ",
            ],
        ),
        (
            "JWKS_URI",
            &[
                "http://login.example/keys",
                "http://localhost.evil.example/",
                "http://127.0.0.1.evil.example/",
                "http://localhost@evil.example/",
                "http://evil.example#localhost",
                "http://evil.example/127.0.0.1",
                "http://128.0.0.1/",
                "http://[::2]/",
                "https://",
                "https:///keys",
                "https://user@login.example/keys",
                "https://login.example:0/",
                "https://login.example:65536/",
                "https://login.example:/keys",
                "https://login.example:x/",
                "https://a b/",
                "https://login.example/\"",
                "file:///keys.json",
                "ftp://login.example/",
                "HTTPS//://x",
            ],
        ),
        ("ISSUERS", &[",", " , ,"]),
    ];
    for (name, values) in table {
        for value in values {
            let problems = problems_with(name, value);
            assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
            assert!(problems[0].starts_with(&format!("{name} ")), "{name}={value}: {problems:?}");
            assert!(problems[0].contains(&format!("; for example {name}=")), "{problems:?}");
            assert!(!problems[0].contains('\n'));
        }
    }
}

#[test]
fn a_list_that_is_set_and_names_nothing_is_a_problem_and_no_permission_for_anybody() {
    for name in ["ALLOWED_TENANTS", "ALLOWED_CLIENTS", "REQUIRED_SCOPES", "REQUIRED_ROLES"] {
        for value in [",", " , ", " ", "\t"] {
            let problems = problems_with(name, value);
            assert!(
                problems.len() == 1 && problems[0].starts_with(&format!("{name} ")),
                "{name}={value}: {problems:?}"
            );
        }
    }
}

#[test]
fn what_is_required_is_missed() {
    let all = problems(&[]);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].starts_with("TENANT_ID is required") && all[1].starts_with("API_AUDIENCE is required"), "{all:?}");
    for half in [("ISSUERS", "https://x.example"), ("JWKS_URI", "/keys.json")] {
        let problems = problems(&[("API_AUDIENCE", API), half]);
        assert!(problems.len() == 1 && problems[0].starts_with("TENANT_ID is required"), "{problems:?}");
    }
    let both = [("API_AUDIENCE", API), ("ISSUERS", "https://x.example"), ("JWKS_URI", "/keys.json")];
    assert_eq!(problems(&both), [""; 0]);
}

#[test]
fn an_authority_that_is_no_url_is_a_problem_even_with_issuers() {
    let of = |authority: &str| {
        problems(&[
            ("TENANT_ID", TENANT),
            ("API_AUDIENCE", API),
            ("ISSUERS", "https://x.example"),
            ("AUTHORITY_HOST", authority),
        ])
    };
    for bad in ["login.microsoftonline.com", "http://login.microsoftonline.com", "https://", "https://a b", "/"] {
        let problems = of(bad);
        assert!(problems.len() == 1 && problems[0].starts_with("AUTHORITY_HOST "), "{bad}: {problems:?}");
    }
    for good in ["https://login.example", "https://login.example/", "http://127.0.0.1:5000", "http://localhost"] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let names = [
        ("TENANT_ID", "x"),
        ("AUTHORITY_HOST", "http://x"),
        ("JWKS_URI", "http://x"),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", "x"),
        ("CLOCK_SKEW_SECONDS", "x"),
        ("ALLOWED_ORIGINS", "x"),
        ("AUDIT_LOG", "x"),
    ];
    let told = problems(&names);
    for (name, _) in names.iter().chain(&[("API_AUDIENCE", "")]) {
        assert!(told.iter().any(|problem| problem.starts_with(&format!("{name} "))), "{name} in {told:?}");
    }
}
