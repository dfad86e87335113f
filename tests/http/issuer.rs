//! Tokens of the local issuer, from its token endpoint to the answer with their claims.

use crate::client::{Answer, Client, request};
use crate::harness::{Handler, Lines, wait_until};
use crate::tokens::TENANT;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

pub(crate) const API: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";

/// The local issuer as a child process.
pub(crate) struct Issuer {
    child: Child,
    address: SocketAddr,
}

impl Issuer {
    pub(crate) fn start() -> Issuer {
        let mut child = Command::new(program())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the issuer starts");
        let stdout = Lines::of(child.stdout.take().expect("piped"));
        let mut port = None;
        wait_until("the issuer listens", || {
            port = stdout
                .all()
                .iter()
                .find_map(|line| line.rsplit_once(':')?.1.trim().parse().ok());
            port.is_some()
        });
        Issuer {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("waited for"))),
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        let mut client = Client::to(self.address);
        client.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ));
        client.answer_and_end()
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        let mut client = Client::to(self.address);
        client.send(request("GET", target, &[("Connection", "close")]));
        client.answer_and_end()
    }

    /// An access token of this grant.
    fn token(&self, path: &str, form: &str) -> String {
        let answer = self.post(&format!("/{TENANT}/oauth2/{path}"), form);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"]
            .as_str()
            .expect("a string")
            .to_owned()
    }

    /// A v2.0 token of an application.
    fn app_token(&self) -> String {
        let form = "grant_type=client_credentials&client_id=an-app&client_secret=any&scope=";
        self.token("v2.0/token", &format!("{form}api%3A%2F%2F{API}%2F.default"))
    }

    /// A v1.0 token of a user.
    fn user_token(&self) -> String {
        let form = "grant_type=password&client_id=an-app&username=alice&password=any&resource=";
        self.token("token", &format!("{form}api%3A%2F%2F{API}"))
    }

    /// A handler that accepts the tokens of this issuer.
    pub(crate) fn handler(&self, more: &[(&str, &str)]) -> Handler {
        let (base, audiences) = (self.base(), format!("{API},api://{API}"));
        let issuers = format!("{base}/{{tenantid}}/v2.0,{base}/sts/{{tenantid}}/");
        let usual = [
            ("TENANT_ID", TENANT),
            ("AUTHORITY_HOST", &base),
            ("ISSUERS", &issuers),
            ("API_AUDIENCE", &audiences),
        ];
        Handler::start(&[&usual, more].concat())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example `issuer`. `cargo test` builds it; `cargo test --test http` does not, so it is built
/// here when it is missing or older than its source.
fn program() -> PathBuf {
    let this = std::env::current_exe().expect("a test program");
    let profile = this
        .ancestors()
        .nth(2)
        .expect("target/profile/deps/http-…")
        .to_owned();
    let program = profile
        .join("examples")
        .join(format!("issuer{}", std::env::consts::EXE_SUFFIX));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    if modified(&program) < newest(&tests.join("issuer")).max(newest(&tests.join("support"))) {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--example", "issuer"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        build
            .arg("--target-dir")
            .arg(profile.parent().expect("a target directory"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(
            build.status().expect("cargo runs").success(),
            "the issuer is not built"
        );
    }
    program
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}

fn newest(directory: &Path) -> Option<SystemTime> {
    let entries = directory.read_dir().expect("a directory of sources");
    entries
        .filter_map(|entry| modified(&entry.ok()?.path()))
        .max()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> String {
    use base64::Engine;
    let payload = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn tokens_of_both_versions_are_accepted_and_answered_with_their_claims() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[]);
    for (token, version) in [(issuer.app_token(), "2.0"), (issuer.user_token(), "1.0")] {
        let answer = handler.api(&token);
        assert_eq!((answer.status, answer.body), (200, claims(&token)));
        let claims: Value = serde_json::from_str(&claims(&token)).expect("JSON");
        assert_eq!(
            (&claims["ver"], &claims["tid"]),
            (&version.into(), &TENANT.into())
        );
    }
}

#[test]
fn tokens_for_another_api_or_tenant_are_refused() {
    let issuer = Issuer::start();
    let token = issuer.app_token();
    issuer
        .handler(&[("API_AUDIENCE", "api://other")])
        .api(&token)
        .must_be(401, "invalid_claims");
    let other = crate::tokens::OTHER_TENANT;
    issuer
        .handler(&[("ALLOWED_TENANTS", other)])
        .api(&token)
        .must_be(401, "invalid_claims");
    issuer
        .handler(&[("REQUIRED_ROLES", "Admin")])
        .api(&token)
        .must_be(403, "insufficient_scope");
}

#[test]
fn a_rollover_of_the_signing_keys_goes_unnoticed() {
    let issuer = Issuer::start();
    let handler = issuer.handler(&[]);
    let first = issuer.app_token();
    assert_eq!(handler.api(&first).status, 200);

    // The next key was published before, so nothing needs to be fetched.
    assert_eq!(issuer.post("/rotate", "").status, 200);
    let second = issuer.user_token();
    assert_eq!(handler.api(&second).status, 200);
    assert_eq!(handler.api(&first).status, 200);

    // The key after that was not: its first token brings it, and the first key is gone then.
    assert_eq!(issuer.post("/rotate", "").status, 200);
    let third = issuer.app_token();
    let answer = handler.api(&third);
    assert_eq!((answer.status, answer.body), (200, claims(&third)));
    handler.api(&first).must_be(401, "invalid_header");
    handler.api(&second).must_be(401, "invalid_header");
}
