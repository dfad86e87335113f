//! Tokens of the local issuer, from its endpoints to the response with their claims.

use crate::support::tokens::*;
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

const API: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";

/// The local issuer as a child process.
pub(crate) struct Issuer {
    _process: Process,
    port: u16,
}

impl Issuer {
    pub(crate) fn start() -> Issuer {
        // `cargo test --test http` does not build it.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(["run", "--quiet", "--package", "dev", "--", "issuer"]);
        // With the variables of this test, crates with a build script would be built again.
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let process = Process::start_group(command);
        let mut port = None;
        wait_until("the issuer listens", || {
            let said = process.stdout.all().concat();
            port = said
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok());
            port.is_some()
        });
        Issuer {
            _process: process,
            port: port.expect("waited for"),
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Posts a form to this path, for most below the tenant.
    pub(crate) fn post(&self, path: &str, form: &str) -> Response {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let headers = [
            ("Connection", "close"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let mut connection = Connection::to(address).expect("it listens");
        let path = if path == "rotate" {
            "/rotate"
        } else {
            &format!("/{TENANT}/{path}")
        };
        connection.send(post(path, &headers, form));
        connection.last_response()
    }

    /// An access token of this grant.
    fn token(&self, path: &str, form: &str) -> String {
        let response = self.post(path, &format!("client_id=an-app&{form}"));
        response.json()["access_token"]
            .as_str()
            .expect("a string")
            .to_owned()
    }

    /// A v2.0 token of an application.
    fn app_token(&self) -> String {
        let form = "grant_type=client_credentials&client_secret=any&scope=";
        self.token(
            "oauth2/v2.0/token",
            &format!("{form}api%3A%2F%2F{API}%2F.default"),
        )
    }

    /// A v1.0 token of a user.
    fn user_token(&self) -> String {
        let form = "grant_type=password&username=alice&password=any&resource=";
        self.token("oauth2/token", &format!("{form}api%3A%2F%2F{API}"))
    }

    /// A handler that accepts the tokens of this issuer.
    pub(crate) fn handler(&self, settings: &[(&str, &str)]) -> Handler {
        let (base, audiences) = (self.base(), format!("{API},api://{API}"));
        let issuers = format!("{base}/{{tenantid}}/v2.0,{base}/sts/{{tenantid}}/");
        let addresses = [("AUTHORITY_HOST", &*base), ("ISSUERS", &issuers)];
        let usual = [("TENANT_ID", TENANT), ("API_AUDIENCE", &audiences)];
        Setup::bare()
            .with(&addresses)
            .with(&usual)
            .with(settings)
            .start()
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn tokens_of_both_versions_are_accepted_and_their_claims_come_back() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[]);
    for (token, version) in [(issuer.app_token(), "2.0"), (issuer.user_token(), "1.0")] {
        let response = handler.api(&token);
        assert_eq!((response.status, &response.body), (200, &claims(&token)));
        let found = ["ver", "tid"].map(|name| response.json()[name].clone());
        assert_eq!(found, [version, TENANT]);
    }
}

#[test]
fn a_rollover_of_the_signing_keys_goes_unnoticed() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[]);
    let first = issuer.app_token();
    assert_eq!(handler.api(&first).status, 200);
    // The next key was published before, so nothing needs to be fetched.
    assert_eq!(issuer.post("rotate", "").status, 200);
    let second = issuer.user_token();
    assert_eq!(
        [handler.api(&second).status, handler.api(&first).status],
        [200, 200]
    );
    // The key after that was not: its first token brings it, and the first key is gone then.
    assert_eq!(issuer.post("rotate", "").status, 200);
    assert_eq!(handler.api(&issuer.app_token()).status, 200);
    handler.api(&first).must_be(401, "invalid_header");
    handler.api(&second).must_be(401, "invalid_header");
}
