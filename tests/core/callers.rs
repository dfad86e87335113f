//! "Who may call" in the README: the settings as they stand there, each with a token that they are for
//! and one that they just do not accept.

use crate::bench::{Bench, CLIENT, ENTRA_KEY_ISSUER, header, key, payload, signed};
use crate::mint::mint;
use crate::readme::{README, table};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;
use entra_handler::settings::{KeySource, Settings};
use serde_json::json;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const API: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const V2: &str = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";

/// The titles of the examples with their settings, in the README's order.
fn examples() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let section = README.split("\n## ").find(|section| section.starts_with("Who may call\n")).expect("the section");
    let titled = section.split("\n**").skip(1).filter_map(|part| part.split_once("**"));
    let block = |text: &'static str| text.split("```\n").nth(1).expect("a block of settings");
    let pair = |line: &'static str| line.split_once('=').expect("NAME=value");
    titled.map(|(title, text)| (title, block(text).lines().map(pair).collect())).collect()
}

fn settings(title: &str) -> Settings {
    let (_, pairs) = examples().into_iter().find(|(found, _)| *found == title).expect("an example with this title");
    let value = |name: &str| pairs.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
    Settings::read(value).expect("the settings are good")
}

/// The API that is set up as the example says, with a key that names this issuer, or none.
fn example(title: &str, key_issuer: Option<&str>) -> Bench {
    Bench::of(settings(title), &[key(1).jwk(key_issuer)])
}

fn keys_of(bench: &Bench) -> &str {
    match &bench.settings.key_source {
        KeySource::Url(url) => url,
        KeySource::File(_) => "a file",
    }
}

/// A user's v2.0 token for this API, with changes: strings, arrays in JSON, or empty to leave a claim out.
fn claims(changes: &[(&str, &str)]) -> String {
    let text = |value: &str| if value.is_empty() { String::new() } else { json!(value).to_string() };
    let usual = [("aud", API), ("iss", V2), ("tid", TENANT), ("scp", "user_impersonation")];
    let mut all: Vec<(&str, String)> = usual.map(|(name, value)| (name, text(value))).into();
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        all.push((name, if value.starts_with('[') { (*value).to_owned() } else { text(value) }));
    }
    payload(&all.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

#[track_caller]
fn accepts(bench: &Bench, changes: &[(&str, &str)]) {
    let claims = claims(changes);
    assert_eq!(bench.judge(&signed(&claims)), Ok(claims));
}

#[track_caller]
fn refuses(bench: &Bench, check: &'static str, changes: &[(&str, &str)], rejection: Rejection) {
    assert_eq!(bench.judge(&signed(&claims(changes))), Err(Refusal { check, rejection }));
}

/// The refusal of an issuer by an API that accepts these.
fn wrong_issuer(found: &str, accepted: &[&str], hint: &'static str) -> Rejection {
    let accepted = accepted.iter().map(|issuer| format!("'{issuer}'")).collect::<Vec<_>>().join(" or ");
    Rejection::WrongIssuer { found: found.into(), accepted, hint }
}

fn scope_missing(found: &str, scope: &str) -> Rejection {
    Rejection::PermissionMissing {
        found: found.into(),
        scopes: vec![scope.into()],
        roles: vec![],
        hint: ". Ask for a scope that this API exposes, and have it consented",
    }
}

#[test]
fn every_example_has_a_test_and_good_settings_without_a_warning() {
    let names: Vec<String> =
        table("| name | default |").iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let mut titles = Vec::new();
    for (title, pairs) in examples() {
        assert_eq!(settings(title).warnings, [""; 0], "{title}");
        assert!(include_str!("callers.rs").contains(&format!("= example(\"{title}\"")), "no test of {title}");
        for (name, value) in pairs {
            assert!(names.iter().any(|known| known == name), "{title}: {name} is no setting");
            assert!(!value.is_empty() && !value.contains(char::is_whitespace), "{title}: {name}={value}");
        }
        titles.push(title);
    }
    assert_eq!(titles.len(), 11, "{titles:?}");
}

#[test]
fn users_of_one_tenant() {
    let api = example("Users of one tenant", Some(ENTRA_KEY_ISSUER));
    accepts(&api, &[]);
    accepts(&api, &[("scp", "profile.read user_impersonation")]);
    let found = "the delegated permissions (scp) 'profile.read'";
    refuses(&api, "permission", &[("scp", "profile.read")], scope_missing(found, "user_impersonation"));
}

#[test]
fn a_daemon_with_an_app_role() {
    let api = example("A daemon", Some(ENTRA_KEY_ISSUER));
    let oid = "99999999-aaaa-bbbb-cccc-dddddddddddd";
    let app = [("scp", ""), ("oid", oid), ("sub", oid)];
    accepts(&api, &[&app[..], &[("roles", r#"["access_as_application"]"#)]].concat());
    let rejection = Rejection::PermissionMissing {
        found: "no delegated permission (scp) and no app role (roles)".into(),
        scopes: vec![],
        roles: vec!["access_as_application".into()],
        hint: ". It is an app-only token: assign an app role of this API to the client application and grant admin consent",
    };
    refuses(&api, "permission", &app, rejection);
}

#[test]
fn the_tenants_of_a_multi_tenant_api() {
    let api = example("A multi-tenant API", Some(ENTRA_KEY_ISSUER));
    let issuer = |tid: &str| format!("https://login.microsoftonline.com/{tid}/v2.0");
    assert_eq!(keys_of(&api), "https://login.microsoftonline.com/organizations/discovery/v2.0/keys");
    for tid in ["22222222-3333-4444-5555-666666666666", "33333333-4444-5555-6666-777777777777"] {
        accepts(&api, &[("tid", tid), ("iss", &issuer(tid))]);
        accepts(&api, &[("tid", tid), ("iss", &format!("https://sts.windows.net/{tid}/"))]);
    }
    let other = "44444444-5555-6666-7777-888888888888";
    let rejection = Rejection::TenantNotAllowed { tid: other.into() };
    refuses(&api, "tid", &[("tid", other), ("iss", &issuer(other))], rejection);
}

#[test]
fn the_us_government_cloud() {
    let cloud = "https://login.microsoftonline.us";
    let api = example("The US Government cloud", Some(&format!("{cloud}/{{tenantid}}/v2.0")));
    let (v1, v2) = (format!("https://sts.windows.net/{TENANT}/"), format!("{cloud}/{TENANT}/v2.0"));
    assert_eq!(keys_of(&api), format!("{cloud}/{TENANT}/discovery/v2.0/keys"));
    accepts(&api, &[("iss", &v2)]);
    accepts(&api, &[("iss", &v1)]);
    refuses(&api, "iss", &[], wrong_issuer(V2, &[&v1, &v2], ""));
}

#[test]
fn the_cloud_in_china() {
    let cloud = "https://login.partner.microsoftonline.cn";
    let api = example("The cloud in China", Some(&format!("{cloud}/{{tenantid}}/v2.0")));
    let (v1, v2) = (format!("https://sts.chinacloudapi.cn/{TENANT}/"), format!("{cloud}/{TENANT}/v2.0"));
    assert_eq!(keys_of(&api), format!("{cloud}/{TENANT}/discovery/v2.0/keys"));
    accepts(&api, &[("iss", &v2)]);
    accepts(&api, &[("iss", &v1)]);
    let global = format!("https://sts.windows.net/{TENANT}/");
    refuses(&api, "iss", &[("iss", &global)], wrong_issuer(&global, &[&v1, &v2], ""));
}

#[test]
fn a_signing_key_of_its_own() {
    let api = example("A signing key of its own", Some(V2));
    assert_eq!(keys_of(&api), format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys?appid={API}"));
    accepts(&api, &[]);
    let api = api.keys(&[key(2).jwk(Some(V2))]);
    let outcome = api.judge(&signed(&claims(&[])));
    assert_refused!(outcome.clone(), "key", Rejection::UnknownKey { kid, .. } if *kid == key(1).kid);
    let description = outcome.expect_err("the tenant's keys do not have it").rejection.description();
    assert!(description.ends_with("set JWKS_URI to the key address with ?appid=CLIENT-ID"), "{description}");
}

#[test]
fn external_id() {
    let issuer = format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0");
    let token = [("iss", issuer.as_str()), ("scp", "orders.read")];
    // Whichever of its names a key's issuer has.
    for key_issuer in [None, Some(issuer.as_str()), Some(V2), Some(ENTRA_KEY_ISSUER)] {
        let api = example("External ID", key_issuer);
        assert_eq!(keys_of(&api), format!("https://contoso.ciamlogin.com/{TENANT}/discovery/v2.0/keys"));
        accepts(&api, &token);
        refuses(&api, "iss", &[("scp", "orders.read")], wrong_issuer(V2, &[&issuer], ""));
    }
}

/// The keys are per policy, whether or not the issuer is.
const B2C_KEYS: &str = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signupsignin/discovery/v2.0/keys";

/// Azure AD B2C's tokens say version 1.0, have `azp`, name the policy, and have no `tid`.
fn b2c<'a>(issuer: &'a str, policy: &'a str) -> [(&'a str, &'a str); 5] {
    [("iss", issuer), ("ver", "1.0"), ("tid", ""), ("tfp", policy), ("scp", "orders.read")]
}

#[test]
fn azure_ad_b2c() {
    let api = example("Azure AD B2C", None);
    let issuer = format!("https://contoso.b2clogin.com/{TENANT}/v2.0/");
    assert_eq!(keys_of(&api), B2C_KEYS);
    accepts(&api, &b2c(&issuer, "B2C_1_signupsignin"));
    accepts(&api, &b2c(&issuer, "B2C_1_edit_profile"));
    let without_slash = issuer.trim_end_matches('/');
    let rejection = wrong_issuer(without_slash, &[&issuer], "");
    refuses(&api, "iss", &b2c(without_slash, "B2C_1_signupsignin"), rejection);
}

#[test]
fn one_policy_of_azure_ad_b2c() {
    let api = example("One policy of Azure AD B2C", None);
    let issuer = |policy: &str| format!("https://contoso.b2clogin.com/tfp/{TENANT}/{policy}/v2.0/");
    assert_eq!(keys_of(&api), B2C_KEYS);
    let (own, other) = (issuer("b2c_1_signupsignin"), issuer("b2c_1_edit_profile"));
    accepts(&api, &b2c(&own, "B2C_1_signupsignin"));
    refuses(&api, "iss", &b2c(&other, "B2C_1_edit_profile"), wrong_issuer(&other, &[&own], ""));
}

#[test]
fn keycloak() {
    let api = example("Keycloak", None);
    assert_eq!(keys_of(&api), "https://sso.example.com/realms/shop/protocol/openid-connect/certs");
    // The realm's key for encryption stands beside the one for signatures.
    let mut encryption = key(2).jwk(None);
    encryption["use"] = "enc".into();
    encryption["alg"] = "RSA-OAEP".into();
    let mut signing = key(1).jwk(None);
    signing["alg"] = "RS256".into();
    let api = api.keys(&[encryption, signing]);
    let realm =
        [("iss", "https://sso.example.com/realms/shop"), ("tid", ""), ("ver", ""), ("scp", ""), ("typ", "Bearer")];
    let token = |more: &[(&'static str, &'static str)]| [&realm[..], more].concat();
    let scope = ("scope", "openid profile orders.read");
    accepts(&api, &token(&[("aud", r#"["orders-api","account"]"#), scope]));
    accepts(&api, &token(&[("aud", "orders-api"), scope]));
    refuses(&api, "aud", &token(&[("aud", ""), scope]), Rejection::ClaimMissing { name: "aud" });
    let login_only = token(&[("aud", "orders-api"), ("scope", "openid profile")]);
    let found = "the delegated permissions (scp) 'openid profile'";
    refuses(&api, "permission", &login_only, scope_missing(found, "orders.read"));
}

#[test]
fn auth0() {
    let api = example("Auth0", None);
    assert_eq!(keys_of(&api), "https://example.eu.auth0.com/.well-known/jwks.json");
    let audience = r#"["https://api.example.com/orders","https://example.eu.auth0.com/userinfo"]"#;
    let token = |aud: &'static str, scope: &'static str| {
        [
            ("iss", "https://example.eu.auth0.com/"),
            ("tid", ""),
            ("ver", ""),
            ("scp", ""),
            ("aud", aud),
            ("scope", scope),
        ]
    };
    accepts(&api, &token(audience, "openid read:orders"));
    let claims = claims(&[&token(audience, "read:orders")[..], &[("azp", ""), ("client_id", CLIENT)]].concat());
    let rfc9068 = mint(key(1), &header(&[("typ", "\"at+jwt\"")]), &claims);
    assert_eq!(api.judge(&rfc9068), Ok(claims), "the other form that an API of Auth0 can choose");
    let found = "the delegated permissions (scp) 'openid'";
    refuses(&api, "permission", &token(audience, "openid"), scope_missing(found, "read:orders"));
    let other = r#"["https://api.example.com/invoices","https://example.eu.auth0.com/userinfo"]"#;
    let rejection = Rejection::WrongAudience {
        found: "'https://api.example.com/invoices' or 'https://example.eu.auth0.com/userinfo'".into(),
        accepted: "'https://api.example.com/orders'".into(),
        hint: String::new(),
    };
    refuses(&api, "aud", &token(other, "read:orders"), rejection);
}
