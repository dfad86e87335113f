//! The settings: what each value means, and what holds where none is given.

use crate::bench::{API, CLIENT, OTHER_TENANT, TENANT, V1, V2, settings};
use entra_handler::settings::{Audit, KeySource, Origins, Settings};

fn owned(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn url(text: &str) -> KeySource {
    KeySource::Url(text.into())
}

#[test]
fn two_settings_suffice_and_the_rest_have_defaults() {
    assert_eq!(
        settings(&[]),
        Settings {
            port: 3000,
            audiences: owned(&[API]),
            authority: "https://login.microsoftonline.com".into(),
            issuers: owned(&[V1, V2]),
            key_source: url(&format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys")),
            allowed_tenants: vec![],
            allowed_clients: vec![],
            required_scopes: vec![],
            required_roles: vec![],
            clock_skew: 60,
            origins: Origins::Any,
            audit: Audit::Denied,
            warnings: vec![],
        }
    );
}

#[test]
fn an_empty_value_counts_as_unset() {
    let names = [
        "FUNCTIONS_CUSTOMHANDLER_PORT",
        "AUTHORITY_HOST",
        "ISSUERS",
        "JWKS_URI",
        "ALLOWED_TENANTS",
        "ALLOWED_CLIENTS",
        "REQUIRED_SCOPES",
        "REQUIRED_ROLES",
        "CLOCK_SKEW_SECONDS",
        "ALLOWED_ORIGINS",
        "AUDIT_LOG",
    ];
    assert_eq!(settings(&names.map(|name| (name, ""))), settings(&[]));
}

#[test]
fn lists_are_separated_by_commas_and_trimmed() {
    let list = " a , b,,c d ,";
    let all =
        settings(&[("API_AUDIENCE", list), ("ISSUERS", list), ("ALLOWED_TENANTS", list), ("ALLOWED_CLIENTS", list)]);
    let expected = owned(&["a", "b", "c d"]);
    assert_eq!(
        (all.audiences, all.issuers, all.allowed_tenants, all.allowed_clients),
        (expected.clone(), expected.clone(), expected.clone(), expected)
    );
}

#[test]
fn permissions_are_separated_by_spaces_or_commas() {
    let read = settings(&[("REQUIRED_SCOPES", " a b,c , d"), ("REQUIRED_ROLES", "X,Y Z")]);
    assert_eq!((read.required_scopes, read.required_roles), (owned(&["a", "b", "c", "d"]), owned(&["X", "Y", "Z"])));
}

#[test]
fn a_multi_tenant_api_has_templates_for_issuers() {
    for tenant in ["organizations", "common"] {
        let read = settings(&[("TENANT_ID", tenant), ("ALLOWED_TENANTS", OTHER_TENANT)]);
        let expected = ["https://sts.windows.net/{tenantid}/", "https://login.microsoftonline.com/{tenantid}/v2.0"];
        assert_eq!(read.issuers, expected);
        assert_eq!(read.key_source, url(&format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys")));
        assert_eq!(read.warnings, [""; 0]);
    }
}

#[test]
fn a_tenant_id_is_put_into_lower_case_as_entra_writes_it() {
    assert_eq!(settings(&[("TENANT_ID", &TENANT.to_uppercase())]), settings(&[]));
}

#[test]
fn a_sovereign_cloud_has_its_own_authority_issuers_and_keys() {
    for (authority, v1) in [
        ("https://login.microsoftonline.com", "https://sts.windows.net"),
        ("https://login.microsoftonline.us", "https://sts.windows.net"),
        ("https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"),
    ] {
        for end in ["", "/"] {
            let read = settings(&[("AUTHORITY_HOST", &format!("{authority}{end}"))]);
            assert_eq!(read.authority, authority, "without the slash");
            assert_eq!(read.issuers, [format!("{v1}/{TENANT}/"), format!("{authority}/{TENANT}/v2.0")]);
            assert_eq!(read.key_source, url(&format!("{authority}/{TENANT}/discovery/v2.0/keys")));
            assert_eq!(read.v2_issuer(OTHER_TENANT), format!("{authority}/{OTHER_TENANT}/v2.0"));
        }
    }
}

#[test]
fn another_authority_is_good_together_with_issuers() {
    let read = settings(&[("AUTHORITY_HOST", "https://contoso.ciamlogin.com/"), ("ISSUERS", "https://x.example")]);
    assert_eq!(read.issuers, ["https://x.example"]);
    assert_eq!(read.key_source, url(&format!("https://contoso.ciamlogin.com/{TENANT}/discovery/v2.0/keys")));
}

#[test]
fn no_tenant_is_needed_where_issuers_and_keys_are_named() {
    let read = settings(&[("TENANT_ID", ""), ("ISSUERS", "https://x.example"), ("JWKS_URI", "/etc/keys.json")]);
    assert_eq!(read.issuers, ["https://x.example"]);
    assert_eq!(read.key_source, KeySource::File("/etc/keys.json".into()));
}

#[test]
fn keys_come_from_https_from_loopback_or_from_a_file() {
    for good in [
        "https://login.example/keys",
        "https://login.example:8443/keys?x=1",
        "http://127.0.0.1/keys",
        "http://127.0.0.1:8080/keys",
        "http://127.255.0.9/",
        "http://localhost:1/keys",
        "http://[::1]/keys",
        "http://[::1]:65535/keys",
    ] {
        assert_eq!(settings(&[("JWKS_URI", good)]).key_source, url(good));
    }
    for file in ["keys.json", "./keys.json", "/a b/keys.json", "C:\\keys.json", "keys"] {
        assert_eq!(settings(&[("JWKS_URI", file)]).key_source, KeySource::File(file.into()));
    }
}

#[test]
fn numbers_are_read_to_both_ends_of_their_range() {
    for (text, port) in [("1", 1), ("65535", 65_535), (" 8080 ", 8_080)] {
        assert_eq!(settings(&[("FUNCTIONS_CUSTOMHANDLER_PORT", text)]).port, port);
    }
    for (text, skew) in [("0", 0), ("300", 300), (" 5 ", 5)] {
        assert_eq!(settings(&[("CLOCK_SKEW_SECONDS", text)]).clock_skew, skew);
    }
}

#[test]
fn origins_are_any_none_or_those_listed() {
    let origins = |text: &str| settings(&[("ALLOWED_ORIGINS", text)]).origins;
    assert_eq!(origins("*"), Origins::Any);
    assert_eq!(origins("none"), Origins::Off);
    assert_eq!(origins(" none "), Origins::Off);
    let two = owned(&["https://app.example.com", "http://localhost:5173"]);
    assert_eq!(origins("https://app.example.com, http://localhost:5173"), Origins::Listed(two));
    assert_eq!(origins("null"), Origins::Listed(owned(&["null"])));
}

#[test]
fn the_audit_log_is_denied_all_or_off() {
    for (text, audit) in [("denied", Audit::Denied), ("all", Audit::All), ("off", Audit::Off)] {
        assert_eq!(settings(&[("AUDIT_LOG", text)]).audit, audit);
    }
}

#[test]
fn what_is_legal_and_probably_wrong_is_warned_about() {
    let warned = |changes: &[(&str, &str)]| settings(changes).warnings;
    for ending in ["/user_impersonation", "/.default", "/access_as_user"] {
        let audience = format!("{API}{ending}");
        let warnings = warned(&[("API_AUDIENCE", &format!("{API},{audience}"))]);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with(&format!("API_AUDIENCE {audience} ")), "{warnings:?}");
    }
    assert_eq!(warned(&[("API_AUDIENCE", "api://x/default")]), [""; 0]);
    for multi in [("TENANT_ID", "common"), ("ISSUERS", "https://x.example/{tenantid}")] {
        let warnings = warned(&[multi]);
        assert!(warnings.len() == 1 && warnings[0].starts_with("ALLOWED_TENANTS is not set"), "{warnings:?}");
        assert_eq!(warned(&[multi, ("ALLOWED_TENANTS", TENANT)]), [""; 0]);
    }
    assert_eq!(warned(&[("ALLOWED_CLIENTS", CLIENT)]), [""; 0]);
}
