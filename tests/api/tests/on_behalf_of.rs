//! The example that calls another API on behalf of the user, against the local issuer.

use super::{exchange, program};
use crate::support::issuer::{API, Issuer};
use crate::support::server::{Received, Server, Stream, response};
use crate::support::tokens::TENANT;
use crate::support::{Handler, Response, Setup};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::net::SocketAddr;

const PROFILE: &str = r#"{"displayName":"Alice Example"}"#;

/// The issuer, the other API, and the handler between them.
struct Scene {
    issuer: Issuer,
    other: Server,
    handler: Handler,
}

impl Scene {
    fn new(options: &[&str], settings: &[(&str, &str)]) -> Scene {
        let issuer = Issuer::start(options);
        let other = Server::start(|received: &Received, stream: &mut dyn Stream| {
            let status = match received.header("Authorization") {
                Some(_) => "200 OK",
                None => "401 Unauthorized",
            };
            let json = "Content-Type: application/json\r\n";
            stream.write_all(response(status, json, PROFILE).as_bytes())
        });
        let (accepted, profile) = (issuer.of(TENANT), format!("http://{}/me", other.address));
        let usual = [
            ("TABLE", "on_behalf_of"),
            ("TENANT_ID", TENANT),
            ("API_AUDIENCE", API),
            ("AUTHORITY_HOST", &issuer.base),
            ("ISSUERS", &accepted),
            ("CLIENT_ID", API),
            ("CLIENT_SECRET", "a-secret"),
            ("PROFILE_URL", &profile),
        ];
        let setup = Setup::bare().program(program()).with(&usual);
        let handler = setup.with(settings).start();
        Scene {
            issuer,
            other,
            handler,
        }
    }

    /// A token of Alice for the handler.
    fn token(&self, more: &str) -> String {
        let (_, port) = self.issuer.base.rsplit_once(':').expect("a port");
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        let form = format!(
            "grant_type=password&username=alice&password=any&client_id=spa&scope=api://{API}/Profile.Read{more}"
        );
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let response = exchange(address, "POST", &path, &headers, &form);
        let token = response.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{}", response.body))
    }

    fn call(&self, token: &str) -> Response {
        let authorization = format!("Bearer {token}");
        let headers = [("Authorization", authorization.as_str())];
        exchange(self.handler.address, "GET", "/api/me", &headers, "")
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    serde_json::from_slice(&payload).expect("JSON")
}

#[test]
fn the_other_api_gets_a_token_of_its_own_for_the_same_user() {
    let scene = Scene::new(&[], &[]);
    let token = scene.token("");
    let response = scene.call(&token);
    assert_eq!((response.status, response.body.as_str()), (200, PROFILE));

    let received = scene.other.received();
    let [call] = received.as_slice() else {
        panic!("one call: {received:?}");
    };
    let passed = call
        .header("Authorization")
        .and_then(|it| it.strip_prefix("Bearer "));
    let (caller, passed) = (claims(&token), claims(passed.expect("a token")));
    assert_eq!(passed["oid"], caller["oid"]);
    assert_eq!(
        (&passed["scp"], &passed["azp"]),
        (&json!("User.Read"), &json!(API))
    );

    let (stdout, stderr) = scene.handler.into_lines();
    let said = [stdout, stderr].concat().concat();
    assert!(!said.contains("eyJ"), "a token in the log: {said}");
}

#[test]
fn what_entra_wants_of_the_user_comes_back_as_a_claims_challenge() {
    let scene = Scene::new(&["--interaction-required"], &[]);
    let response = scene.call(&scene.token(""));
    response.must_be(401, "insufficient_claims");
    let challenge = response.header("WWW-Authenticate").expect("a challenge");
    let authority = &scene.issuer.base;
    let start = format!(
        "Bearer realm=\"\", authorization_uri=\"{authority}/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\""
    );
    let claims = challenge
        .strip_prefix(&start)
        .and_then(|rest| rest.strip_suffix('"'));
    let claims = STANDARD.decode(claims.expect(challenge)).expect("base64");
    let wanted: Value = serde_json::from_slice(&claims).expect("JSON");
    let acrs = json!({ "acrs": { "essential": true, "value": "c1" } });
    assert_eq!(wanted, json!({ "access_token": acrs }));
    assert_eq!(scene.other.received().len(), 0);

    // The client asks for a token with these claims, and the call works.
    let claims = String::from_utf8(claims).expect("UTF-8");
    let response = scene.call(&scene.token(&format!("&claims={claims}")));
    assert_eq!((response.status, response.body.as_str()), (200, PROFILE));
}

#[test]
fn what_the_operator_has_to_mend_is_no_challenge() {
    let cases = [
        (
            ("CLIENT_ID", "another"),
            502,
            "bad_gateway",
            "No token for the other API: \"invalid_grant\" [500131]",
        ),
        (
            ("CLIENT_SECRET", ""),
            500,
            "not_configured",
            "The setting CLIENT_SECRET is missing",
        ),
        (("PROFILE_URL", "nonsense"), 504, "gateway_timeout", ""),
    ];
    for (setting, status, code, words) in cases {
        let scene = Scene::new(&[], &[setting]);
        let response = scene.call(&scene.token(""));
        response.must_be(status, code);
        assert!(response.description().starts_with(words), "{response:?}");
        assert_eq!(response.header("WWW-Authenticate"), None);
    }
}
