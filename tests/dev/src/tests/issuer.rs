//! The local issuer over HTTP, as its clients meet it.

use crate::client::{Response, send};
use crate::issuer::{API, Issuer, Options, TENANT};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;

/// RFC 7636 appendix B: a code verifier and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REDIRECT: &str = "http://localhost:8000/";
/// An App ID URI that is an address, and a scope of it.
const RESOURCE: &str = "https://api.contoso.example/mcp";

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn issuer(options: Options) -> Arc<Issuer> {
    Issuer::start(options).expect("a free port")
}

fn usual() -> Arc<Issuer> {
    issuer(Options::default())
}

fn query(pairs: &[Pairs]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.concat())
        .finish()
}

fn get(issuer: &Issuer, path: &str) -> Response {
    send(&format!("{}{path}", issuer.base), None, None).expect("a response")
}

fn json_of(response: &Response) -> Value {
    serde_json::from_str(&response.body)
        .unwrap_or_else(|error| panic!("{error}: {}", response.body))
}

fn post(issuer: &Issuer, pairs: &[Pairs]) -> Response {
    send(&issuer.token_url(), None, Some(&query(pairs))).expect("a response")
}

/// An access token and its claims.
#[track_caller]
fn token(issuer: &Issuer, pairs: &[Pairs]) -> (String, Value) {
    let response = post(issuer, pairs);
    assert_eq!(response.status, 200, "{}", response.body);
    let token = json_of(&response)["access_token"]
        .as_str()
        .expect("a string")
        .to_owned();
    let claims = part(&token, 1);
    (token, claims)
}

/// The header or the payload of a token.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[track_caller]
fn refused(response: &Response, status: u16, error: &str, code: u32) {
    let body = json_of(response);
    let found = (response.status, &body["error"], &body["error_codes"]);
    assert_eq!(found, (status, &error.into(), &json!([code])));
    let description = body["error_description"].as_str().expect("a description");
    assert!(
        description.starts_with(&format!("AADSTS{code}: ")),
        "{description}"
    );
}

const APP: Pairs = &[
    ("grant_type", "client_credentials"),
    ("client_id", "app"),
    ("client_secret", "any"),
];
const USER: Pairs = &[
    ("grant_type", "password"),
    ("client_id", "app"),
    ("username", "alice"),
    ("password", "any"),
];

#[test]
fn each_version_names_the_api_as_entra_does() {
    let issuer = usual();
    let uri = format!("api://{API}");
    for (resource, version, audience) in [
        (uri.as_str(), "1.0", uri.as_str()),
        (&uri, "2.0", API),
        (RESOURCE, "1.0", RESOURCE),
        (RESOURCE, "2.0", API),
    ] {
        let asked = [("token_version", version)];
        let (_, app) = token(
            &issuer,
            &[APP, &asked, &[("scope", &format!("{resource}/.default"))]],
        );
        let scope = format!("{resource}/Items.Read {resource}/Items.Write openid");
        let (_, user) = token(&issuer, &[USER, &asked, &[("scope", &scope)]]);
        for claims in [&app, &user] {
            let found = (&claims["aud"], &claims["ver"], &claims["tid"]);
            assert_eq!(found, (&audience.into(), &version.into(), &TENANT.into()));
        }
        assert_eq!(
            (&app["roles"], &app["scp"]),
            (&json!(["access_as_application"]), &Value::Null)
        );
        assert_eq!(
            (&user["roles"], &user["scp"]),
            (&Value::Null, &"Items.Read Items.Write".into())
        );
    }
}

/// Picks a user on the page that the parameters show; the place where the browser ends.
fn sign_in(issuer: &Issuer, pairs: &[Pairs], user: &str) -> String {
    let address = format!(
        "{}/{TENANT}/oauth2/v2.0/authorize?{}",
        issuer.base,
        query(pairs)
    );
    let page = send(&address, None, None).expect("a page");
    assert_eq!(
        (page.status, page.body.contains("alice@contoso.example")),
        (200, true),
        "{}",
        page.body
    );
    let chosen = send(&address, None, Some(&query(&[&[("user", user)]]))).expect("a redirect");
    location(&chosen)
}

fn location(response: &Response) -> String {
    let mut headers = response.head.lines();
    let location = headers.find_map(|line| line.strip_prefix("Location: "));
    location
        .unwrap_or_else(|| panic!("no Location: {} {}", response.head, response.body))
        .to_owned()
}

const SIGN_IN: Pairs = &[
    ("client_id", "app"),
    ("response_type", "code"),
    ("redirect_uri", REDIRECT),
    ("state", "a b"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];
const ITEMS: (&str, &str) = ("scope", "https://api.contoso.example/mcp/Items.Read openid");

/// A new code for alice.
fn code(issuer: &Issuer) -> String {
    let place = sign_in(issuer, &[SIGN_IN, &[ITEMS]], "alice");
    let code = place
        .strip_prefix("http://localhost:8000/?code=")
        .and_then(|rest| rest.strip_suffix("&state=a%20b"));
    code.unwrap_or_else(|| panic!("{place}")).to_owned()
}

fn redeem(issuer: &Issuer, code: &str, more: Pairs) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
    ];
    post(issuer, &[more, &form, &[("redirect_uri", REDIRECT)]])
}

#[test]
fn a_code_is_good_once_for_its_own_client_with_its_own_verifier() {
    let issuer = usual();
    let text = code(&issuer);
    let verified = [("code_verifier", VERIFIER)];
    refused(&redeem(&issuer, &text, &[]), 400, "invalid_grant", 501_481);
    refused(
        &redeem(&issuer, &text, &[("code_verifier", CHALLENGE)]),
        400,
        "invalid_grant",
        501_481,
    );
    refused(
        &redeem(&issuer, "none", &verified),
        400,
        "invalid_grant",
        9_002_313,
    );
    let response = json_of(&redeem(&issuer, &text, &verified));
    let [access, id] =
        ["access_token", "id_token"].map(|name| part(response[name].as_str().expect(name), 1));
    assert_eq!(
        (&access["aud"], &access["scp"]),
        (&API.into(), &"Items.Read".into())
    );
    assert_eq!(
        (&id["aud"], &id["preferred_username"]),
        (&"app".into(), &"alice@contoso.example".into())
    );
    refused(
        &redeem(&issuer, &text, &verified),
        400,
        "invalid_grant",
        54_005,
    );
}

#[test]
fn a_client_is_told_what_is_wrong_with_its_sign_in() {
    let issuer = usual();
    for (more, told) in [
        (
            ("response_type", "token"),
            "error=unsupported_response_type&error_description=AADSTS700054",
        ),
        (
            ("code_challenge_method", "plain"),
            "error=invalid_request&error_description=AADSTS501491",
        ),
        (
            ("prompt", "none"),
            "error=login_required&error_description=AADSTS50058",
        ),
        // Entra compares the parameter of RFC 8707 with the scope to the letter.
        (
            ("resource", "https://api.contoso.example/mcp/"),
            "error=invalid_target&error_description=AADSTS9010010",
        ),
    ] {
        let mut pairs = [SIGN_IN, &[ITEMS]].concat();
        pairs.retain(|(name, _)| *name != more.0);
        let address = format!(
            "/{TENANT}/oauth2/v2.0/authorize?{}",
            query(&[&pairs, &[more]])
        );
        let place = location(&get(&issuer, &address));
        assert!(
            place.starts_with(&format!("{REDIRECT}?{told}")) && place.ends_with("&state=a%20b"),
            "{place}"
        );
    }
    let place = sign_in(&issuer, &[SIGN_IN, &[ITEMS, ("resource", RESOURCE)]], "");
    assert!(
        place.starts_with("http://localhost:8000/?error=access_denied"),
        "{place}"
    );
    let elsewhere = [
        ("client_id", "app"),
        ("redirect_uri", "http://localhost.example/"),
    ];
    let page = get(
        &issuer,
        &format!("/{TENANT}/oauth2/v2.0/authorize?{}", query(&[&elsewhere])),
    );
    assert_eq!((page.status, page.head.contains("Location")), (400, false));
}

#[test]
fn an_api_gets_a_token_on_behalf_of_its_user_once_the_challenge_is_met() {
    let issuer = issuer(Options {
        requires_interaction: true,
        ..Options::default()
    });
    let scope = format!("api://{API}/user_impersonation");
    let own = [("scope", scope.as_str())];
    let exchange = |assertion: &str, more: Pairs| {
        let grant = [
            ("requested_token_use", "on_behalf_of"),
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
            ("scope", "https://graph.microsoft.com/User.Read"),
            ("client_id", API),
            ("client_secret", "any"),
        ];
        post(&issuer, &[&grant, more])
    };
    let (plain, claims) = token(&issuer, &[USER, &own]);
    let challenged = exchange(&plain, &[]);
    refused(&challenged, 400, "interaction_required", 50_076);
    let challenge = json_of(&challenged)["claims"]
        .as_str()
        .expect("a challenge")
        .to_owned();
    assert_eq!(
        challenge,
        r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#
    );

    let (strong, _) = token(&issuer, &[USER, &own, &[("claims", &challenge)]]);
    let response = json_of(&exchange(&strong, &[]));
    let downstream = part(response["access_token"].as_str().expect("a token"), 1);
    assert_eq!(
        (&downstream["azp"], &downstream["scp"]),
        (&API.into(), &"User.Read".into())
    );
    assert_eq!(downstream["oid"], claims["oid"]);

    let (changed, _) = strong.rsplit_once('.').expect("a signature");
    refused(
        &exchange(&format!("{changed}.AAAA"), &[]),
        400,
        "invalid_grant",
        50_013,
    );
    let (expired, _) = token(&issuer, &[USER, &own, &[("lifetime", "-1")]]);
    refused(&exchange(&expired, &[]), 400, "invalid_grant", 500_133);
    let (others, _) = token(&issuer, &[USER, &[("scope", "User.Read")]]);
    refused(&exchange(&others, &[]), 400, "invalid_grant", 500_131);
    let (app_only, _) = token(
        &issuer,
        &[APP, &[("scope", &format!("api://{API}/.default"))]],
    );
    refused(&exchange(&app_only, &[]), 400, "invalid_grant", 7_000_114);
    refused(
        &exchange(&strong, &[("client_secret", "")]),
        401,
        "invalid_client",
        7_000_218,
    );
}

#[test]
fn metadata_is_where_clients_look_and_leads_to_the_endpoints() {
    let issuer = usual();
    let quiet = self::issuer(Options {
        has_code_challenge_methods: false,
        ..Options::default()
    });
    let v2 = format!("{TENANT}/v2.0");
    let v1 = format!("sts/{TENANT}");
    for (path, name) in [
        (
            format!("/{v2}/.well-known/openid-configuration"),
            v2.clone(),
        ),
        (
            format!("/.well-known/openid-configuration/{v2}"),
            v2.clone(),
        ),
        (
            format!("/.well-known/oauth-authorization-server/{v2}"),
            v2.clone(),
        ),
        (
            "/common/v2.0/.well-known/openid-configuration".into(),
            "{tenantid}/v2.0".into(),
        ),
        (
            format!("/{TENANT}/.well-known/openid-configuration"),
            format!("{v1}/"),
        ),
        (
            format!("/{v1}/.well-known/openid-configuration"),
            format!("{v1}/"),
        ),
    ] {
        let document = json_of(&get(&issuer, &path));
        assert_eq!(
            document["issuer"],
            format!("{}/{name}", issuer.base),
            "{path}"
        );
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(
            json_of(&get(&quiet, &path))["code_challenge_methods_supported"],
            Value::Null
        );
        let at = |name: &str| {
            send(document[name].as_str().expect(name), None, None).expect("a response")
        };
        assert_eq!(
            json_of(&at("jwks_uri"))["keys"]
                .as_array()
                .expect("keys")
                .len(),
            2
        );
        assert_eq!(at("authorization_endpoint").status, 400);
        let asked = send(
            document["token_endpoint"].as_str().expect("an address"),
            None,
            Some("client_id=x"),
        );
        refused(&asked.expect("a response"), 400, "invalid_request", 900_144);
    }
}

#[test]
fn a_second_issuer_has_other_keys_and_can_claim_to_be_the_first() {
    let (first, tenant) = (usual(), "99999999-8888-7777-6666-555555555555");
    let second = issuer(Options {
        tenant: tenant.to_owned(),
        keys: vec![3, 4],
        kid: "second-".to_owned(),
        ..Options::default()
    });
    let scope = format!("api://{API}/.default");
    let (of_second, claims) = token(&second, &[APP, &[("scope", &scope)]]);
    assert_eq!(
        (&claims["iss"], &claims["tid"]),
        (&second.issuers()[0].as_str().into(), &tenant.into())
    );
    let (_, mixed) = token(
        &second,
        &[APP, &[("scope", &scope), ("iss", &first.issuers()[0])]],
    );
    assert_eq!(mixed["iss"], first.issuers()[0]);

    let kids = |issuer: &Issuer| -> Vec<Value> {
        let keys = json_of(&send(&issuer.jwks_uri(), None, None).expect("keys"));
        keys["keys"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|key| key["kid"].clone())
            .collect()
    };
    let [current, next] = &kids(&second)[..] else {
        panic!("two keys")
    };
    assert_eq!(&part(&of_second, 0)["kid"], current);
    assert!(current.as_str().expect("a text").starts_with("second-"));
    assert!(!kids(&first).contains(current) && !kids(&first).contains(next));

    // The next key was published before it signs.
    send(&format!("{}/rotate", second.base), None, Some("")).expect("a response");
    let (after, _) = token(&second, &[APP, &[("scope", &scope)]]);
    assert_eq!(&part(&after, 0)["kid"], next);
}
