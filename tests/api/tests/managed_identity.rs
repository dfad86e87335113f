//! The example that calls another service with the managed identity, against a small endpoint.

use super::{exchange, served};
use crate::support::ask::ask;
use crate::support::server::{Received, Server, Stream, response};
use crate::support::tokens::clock;
use crate::support::{Handler, KeyServer, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;

const REPORT: &str = "name,count\nmilk,2\n";

/// The identity endpoint, the storage, and the handler.
struct Scene {
    /// Seconds for which the next tokens are good; negative: there are none.
    lifetime: Arc<AtomicI64>,
    fetches: Arc<AtomicUsize>,
    handler: Handler,
    _servers: (Server, KeyServer),
}

impl Scene {
    fn new(lifetime: i64, settings: &[(&str, &str)]) -> Scene {
        let lifetime = Arc::new(AtomicI64::new(lifetime));
        let fetches = Arc::new(AtomicUsize::new(0));
        let (seconds, count) = (lifetime.clone(), fetches.clone());
        let server = Server::start(move |received: &Received, stream: &mut dyn Stream| {
            let reply = match received.path() {
                "/token" => identity(received, seconds.load(Ordering::Relaxed), &count),
                _ => storage(received, count.load(Ordering::Relaxed)),
            };
            stream.write_all(reply.as_bytes())
        });
        let address = server.address;
        let own = [
            ("IDENTITY_ENDPOINT", &*format!("http://{address}/token")),
            ("IDENTITY_HEADER", "known-to-this-app-only"),
            ("REPORT_URL", &format!("http://{address}/report.csv")),
        ];
        let (handler, keys) = served("managed_identity", &[&own, settings].concat());
        Scene {
            lifetime,
            fetches,
            handler,
            _servers: (server, keys),
        }
    }

    fn call(&self) -> Response {
        call(&self.handler)
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

fn call(handler: &Handler) -> Response {
    let token = ask("GET", "/api/report").role("Reports.Read.All").token();
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str())];
    exchange(handler.address, "GET", "/api/report", &headers, "")
}

/// As App Service has it: another header gets no token.
fn identity(received: &Received, lifetime: i64, count: &AtomicUsize) -> String {
    let is_right = received.call()
        == "GET /token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
        && received.header("X-IDENTITY-HEADER") == Some("known-to-this-app-only");
    if !is_right || lifetime < 0 {
        return response("400 Bad Request", "", "{\"statusCode\":400}");
    }
    let number = count.fetch_add(1, Ordering::Relaxed) + 1;
    let expires_on = clock() + lifetime;
    let body = format!(
        r#"{{"access_token":"token-{number}","expires_on":"{expires_on}","resource":"https://storage.azure.com/","token_type":"Bearer"}}"#
    );
    response("200 OK", "Content-Type: application/json\r\n", &body)
}

/// Gives the report for the newest token.
fn storage(received: &Received, newest: usize) -> String {
    let token = format!("Bearer token-{newest}");
    let is_right = received.header("Authorization") == Some(&token)
        && received.header("x-ms-version") == Some("2021-08-06");
    match is_right {
        true => response("200 OK", "", REPORT),
        false => response("403 Forbidden", "", ""),
    }
}

#[test]
fn a_token_is_kept_until_five_minutes_before_it_expires() {
    let scene = Scene::new(360, &[]);
    for _ in 0..3 {
        let response = scene.call();
        assert_eq!((response.status, response.body.as_str()), (200, REPORT));
        assert_eq!(response.header("Content-Type"), Some("text/csv"));
    }
    assert_eq!(scene.fetches(), 1);

    let scene = Scene::new(299, &[]);
    for number in 1..=3 {
        assert_eq!(scene.call().status, 200);
        assert_eq!(scene.fetches(), number);
    }
    scene.lifetime.store(3600, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(scene.call().status, 200);
        assert_eq!(scene.fetches(), 4);
    }
}

#[test]
fn callers_at_the_same_time_share_one_fetch() {
    let scene = Scene::new(3600, &[]);
    thread::scope(|scope| {
        let calls = [(); 8].map(|()| scope.spawn(|| scene.call().status));
        let statuses = calls.map(|call| call.join().expect("a response"));
        assert_eq!(statuses, [200; 8]);
    });
    assert_eq!(scene.fetches(), 1);
}

#[test]
fn without_a_token_the_caller_is_told_and_the_next_call_tries_again() {
    let scene = Scene::new(-1, &[]);
    let response = scene.call();
    response.must_be(502, "bad_gateway");
    let words = "The identity endpoint gave no token: status 400";
    assert_eq!(response.description(), words);
    scene.lifetime.store(3600, Ordering::Relaxed);
    assert_eq!(scene.call().status, 200);

    let other = [("IDENTITY_HEADER", "another")];
    Scene::new(3600, &other).call().must_be(502, "bad_gateway");
    let nowhere = [("REPORT_URL", "http://127.0.0.1:1/")];
    Scene::new(3600, &nowhere)
        .call()
        .must_be(504, "gateway_timeout");
    let (handler, _keys) = served("managed_identity", &[]);
    let response = call(&handler);
    response.must_be(500, "not_configured");
    assert_eq!(
        response.description(),
        "The setting IDENTITY_ENDPOINT is missing"
    );
}
