//! Signing in at the local issuer as Entra's documents describe it: authorization code with PKCE,
//! refresh token and device code, up to the claims that the handler answers with.

use crate::client::Answer;
use crate::issuer::{API, Issuer, claims};
use crate::tokens::TENANT;
use serde_json::Value;

/// RFC 7636 appendix B: a code verifier and its S256 challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const CLIENT: &str = "an-app";
const REDIRECT: &str = "http%3A%2F%2Flocalhost%3A8000%2F";

fn token_path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

/// The parameters of the authorize endpoint, with a challenge.
fn authorize_form(scope: &str) -> String {
    format!(
        "client_id={CLIENT}&response_type=code&redirect_uri={REDIRECT}&scope={scope}&state=a%20b\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

fn api_scope() -> String {
    format!("api%3A%2F%2F{API}%2Fuser_impersonation%20offline_access%20openid")
}

/// Picks a user on the sign-in page, and gives where the browser is sent.
fn sign_in(issuer: &Issuer, form: &str) -> String {
    let path = format!("/{TENANT}/oauth2/v2.0/authorize");
    let page = issuer.get(&format!("{path}?{form}"));
    assert_eq!(
        (
            page.status,
            page.body.contains("value=\"alice@contoso.example\"")
        ),
        (200, true),
        "{page:?}"
    );
    let sent = issuer.post(&path, &format!("{form}&user=alice%40contoso.example"));
    assert_eq!(sent.status, 302, "{sent:?}");
    sent.header("Location").expect("a Location").to_owned()
}

/// The code in the address that the browser was sent to.
fn code(location: &str) -> String {
    let query = location
        .strip_prefix("http://localhost:8000/?")
        .expect("the redirect URI");
    let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
    code.expect("a code").to_owned()
}

fn redeem(issuer: &Issuer, code: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type=authorization_code&client_id={CLIENT}&redirect_uri={REDIRECT}&code={code}"
    );
    issuer.post(&token_path(), &format!("{form}{more}"))
}

/// A refusal in the form of Entra's token endpoint.
#[track_caller]
fn must_be_refused(answer: &Answer, error: &str, number: u32) {
    let body = answer.json();
    assert_eq!(
        (&body["error"], &body["error_codes"][0]),
        (&error.into(), &number.into()),
        "{answer:?}"
    );
    let description = body["error_description"].as_str().unwrap_or_default();
    assert!(
        description.starts_with(&format!("AADSTS{number}: ")),
        "{answer:?}"
    );
    for member in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
        assert!(body[member].is_string(), "{member}: {answer:?}");
    }
}

#[test]
fn a_user_who_signs_in_with_pkce_gets_a_token_that_is_answered_with_its_claims() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[("REQUIRED_SCOPES", "user_impersonation")]);
    let location = sign_in(&issuer, &authorize_form(&api_scope()));
    assert!(location.contains("state=a%20b"), "{location}");
    let answer = redeem(
        &issuer,
        &code(&location),
        &format!("&code_verifier={VERIFIER}"),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    let token = tokens["access_token"].as_str().expect("an access token");
    let answer = handler.api(token);
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, claims(token).as_str())
    );
    assert_eq!(answer.json()["preferred_username"], "alice@contoso.example");

    let id_token = tokens["id_token"].as_str().expect("an ID token");
    handler.api(id_token).must_be(401, "invalid_claims");

    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    // As in Entra's example, without offline_access: a refresh brings the next refresh token all the same.
    let scope = format!("&scope=api%3A%2F%2F{API}%2Fuser_impersonation");
    let refresh = |token: &str| {
        let form =
            format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={token}{scope}");
        issuer.post(&token_path(), &form).json()
    };
    let again = refresh(refresh_token);
    assert_eq!(
        handler
            .api(again["access_token"].as_str().expect("an access token"))
            .status,
        200
    );
    let once_more = refresh(again["refresh_token"].as_str().expect("a refresh token"));
    assert!(once_more["refresh_token"].is_string(), "{once_more}");
}

#[test]
fn a_code_is_good_once_for_its_own_client_with_its_own_verifier() {
    let issuer = Issuer::start();
    let fresh = || code(&sign_in(&issuer, &authorize_form(&api_scope())));
    let other = VERIFIER.replace('d', "e");
    must_be_refused(
        &redeem(&issuer, &fresh(), &format!("&code_verifier={other}")),
        "invalid_grant",
        501_481,
    );
    must_be_refused(&redeem(&issuer, &fresh(), ""), "invalid_grant", 501_481);
    must_be_refused(
        &redeem(&issuer, "no-code", &format!("&code_verifier={VERIFIER}")),
        "invalid_grant",
        9_002_313,
    );
    let used = fresh();
    let verified = format!("&code_verifier={VERIFIER}");
    assert_eq!(redeem(&issuer, &used, &verified).status, 200);
    must_be_refused(&redeem(&issuer, &used, &verified), "invalid_grant", 54_005);
    let elsewhere = format!(
        "grant_type=authorization_code&client_id={CLIENT}&redirect_uri=http%3A%2F%2Flocalhost"
    );
    let answer = issuer.post(
        &token_path(),
        &format!("{elsewhere}&code={}{verified}", fresh()),
    );
    must_be_refused(&answer, "invalid_client", 500_112);
    let bare = authorize_form(&api_scope()).replace(
        &format!("&code_challenge={CHALLENGE}&code_challenge_method=S256"),
        "",
    );
    let unbound = code(&sign_in(&issuer, &bare));
    must_be_refused(&redeem(&issuer, &unbound, ""), "invalid_client", 7_000_218);
}

#[test]
fn a_sign_in_page_is_shown_for_complete_requests_only() {
    let issuer = Issuer::start();
    let whole = authorize_form(&api_scope());
    let ask = |part: &str, other: &str| {
        let form = whole.replace(part, other);
        issuer.get(&format!("/{TENANT}/oauth2/v2.0/authorize?{form}"))
    };
    for (part, other) in [
        ("client_id=an-app", "client_id="),
        (REDIRECT, "http%3A%2F%2Fexample.com%2F"),
    ] {
        let page = ask(part, other);
        assert_eq!(
            (page.status, page.header("Location")),
            (400, None),
            "{other}: {page:?}"
        );
    }
    for (part, other, error) in [
        (
            "response_type=code",
            "response_type=token",
            "unsupported_response_type",
        ),
        ("=S256", "=S512", "invalid_request"),
        (CHALLENGE, "short", "invalid_request"),
        ("&state=", "&prompt=none&state=", "login_required"),
    ] {
        let answer = ask(part, other);
        let location = answer.header("Location").unwrap_or_default();
        let is_told = location.starts_with(&format!(
            "http://localhost:8000/?error={error}&error_description="
        ));
        assert!(
            answer.status == 302 && is_told && location.contains("state=a%20b"),
            "{other}: {answer:?}"
        );
    }
}

#[test]
fn a_device_gets_its_token_once_a_person_has_typed_its_code() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[]);
    let start = format!("client_id={CLIENT}&scope={}", api_scope());
    let started = issuer
        .post(&format!("/{TENANT}/oauth2/v2.0/devicecode"), &start)
        .json();
    let text = |name: &str| {
        started[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {started}"))
            .to_owned()
    };
    let poll = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id={CLIENT}&device_code={}",
        text("device_code")
    );
    must_be_refused(
        &issuer.post(&token_path(), &poll),
        "authorization_pending",
        70_016,
    );
    let path = text("verification_uri")
        .strip_prefix(&issuer.base())
        .expect("of this issuer")
        .to_owned();
    let approved = issuer.post(
        &path,
        &format!(
            "user_code={}&user=alice%40contoso.example",
            text("user_code")
        ),
    );
    assert_eq!(approved.status, 200, "{approved:?}");
    let token = issuer.post(&token_path(), &poll).json();
    assert_eq!(
        handler
            .api(token["access_token"].as_str().expect("an access token"))
            .status,
        200
    );
    let unknown = poll.replace(&text("device_code"), "none");
    must_be_refused(
        &issuer.post(&token_path(), &unknown),
        "bad_verification_code",
        70_018,
    );
}

#[test]
fn the_openid_configuration_leads_to_the_endpoints_and_the_keys() {
    let issuer = Issuer::start();
    for (path, issued_by, keys_name_an_issuer) in [
        (
            format!("/{TENANT}/v2.0/.well-known/openid-configuration"),
            format!("{}/{TENANT}/v2.0", issuer.base()),
            true,
        ),
        (
            format!("/{TENANT}/.well-known/openid-configuration"),
            format!("{}/sts/{TENANT}/", issuer.base()),
            false,
        ),
        (
            "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration".into(),
            format!("{}/{TENANT}/v2.0", issuer.base()),
            true,
        ),
    ] {
        let configuration = issuer.get(&path).json();
        assert_eq!(configuration["issuer"], issued_by.as_str());
        let local = |name: &str| {
            let address = configuration[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {configuration}"));
            address
                .strip_prefix(&issuer.base())
                .expect("of this issuer")
                .to_owned()
        };
        let keys = issuer.get(&local("jwks_uri")).json();
        let keys: Vec<&Value> = keys["keys"].as_array().expect("a list").iter().collect();
        assert!(
            !keys.is_empty()
                && keys
                    .iter()
                    .all(|key| key["issuer"].is_string() == keys_name_an_issuer),
            "{keys:?}"
        );
        must_be_refused(
            &issuer.post(&local("token_endpoint"), "client_id=x"),
            "invalid_request",
            900_144,
        );
        assert_eq!(issuer.get(&local("authorization_endpoint")).status, 400);
    }
}
