//! CORS as a real browser sees it: pages of an allowed and of a refused origin call the API.

use crate::support::server::{Received, Server, response};
use crate::support::tokens::*;
use crate::support::*;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A guard against hanging for ever: a browser's first start on a busy machine takes its time.
const BROWSER_GUARD: Duration = Duration::from_secs(180);

/// The origin of each page and the calls that it is to make.
type Pages = Arc<Mutex<Vec<(String, Vec<Value>)>>>;

/// Serves the pages one after another, under every name of this machine, and sends their results.
fn site(pages: Pages, results: Sender<Vec<Value>>) -> Server {
    Server::start(move |request: &Received, stream| {
        let mut pages = pages.lock().expect("no panic while held");
        let page =
            |kind: &str, body: &str| response("200 OK", &format!("Content-Type: {kind}\r\n"), body);
        let bytes = match request.call() {
            "GET /" => page("text/html", include_str!("browser.html")),
            "GET /calls" => page("application/json", &json!(pages[0].1).to_string()),
            "POST /results" => {
                pages.remove(0);
                let _ = results.send(serde_json::from_str(&request.body).expect("a list"));
                page("text/plain", pages.first().map_or("", |(origin, _)| origin))
            }
            _ => response("404 Not Found", "", ""),
        };
        stream.write_all(bytes.as_bytes())
    })
}

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    named.or_else(|| find_program(&["chromium", "chromium-browser", "google-chrome"], &[]))
}

fn open(chromium: PathBuf, url: &str, folder: &Folder) -> Process {
    // Without a network it must not look for one; without a sandbox it runs as root.
    let options = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --disable-breakpad --no-proxy-server";
    let mut command = Command::new(chromium);
    command
        .args(options.split_whitespace())
        .env("HOME", &folder.0);
    command
        .arg(format!("--user-data-dir={}", folder.file("profile")))
        .arg(url);
    Process::start_group(command)
}

/// A call of `fetch`, and the outcome that the page has to see: status, code and the headers that it
/// may read, or the error when the browser keeps the response from it.
struct Call {
    init: Value,
    expected: String,
}

fn call(handler: &Front, call: &str, token: &str, expected: &str) -> Call {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let mut init = json!({ "url": format!("{}{path}", handler.url), "method": method });
    if !token.is_empty() {
        init["headers"] = json!({ "Authorization": format!("Bearer {token}") });
    }
    if method == "POST" {
        init["headers"]["Content-Type"] = "application/json".into();
        init["body"] = r#"{"any":"thing"}"#.into();
    }
    Call {
        init,
        expected: expected.into(),
    }
}

/// A handler with these origins, and a server before it that keeps every request.
struct Front {
    url: String,
    server: Server,
    _handler: Handler,
}

impl Front {
    fn start(keys: &KeyServer, origins: &str) -> Front {
        let handler = Handler::with_keys(keys, &[("ALLOWED_ORIGINS", origins)]);
        let server = Server::before(handler.address);
        Front {
            url: format!("http://{}", server.address),
            server,
            _handler: handler,
        }
    }

    /// The calls from pages of this origin, and whether they had a token.
    fn passed(&self, origin: &str) -> Vec<String> {
        let mut received = self.server.received();
        received.retain(|it| it.header("Origin") == Some(origin));
        let token = |it: &Received| it.header("Authorization").map_or("", |_| " with a token");
        received
            .iter()
            .map(|it| it.call().to_owned() + token(it))
            .collect()
    }
}

/// A result as `expected` has it.
fn outcome(result: &Value) -> String {
    let code = result["body"]["code"].as_str().unwrap_or("the claims");
    let is_there = |name: &str, word| if result[name].is_string() { word } else { "" };
    let (challenge, retry) = (
        is_there("challenge", " challenge"),
        is_there("retryAfter", " Retry-After"),
    );
    match result["error"].as_str() {
        Some(error) => error.to_owned(),
        None => format!("{} {code}{challenge}{retry}", result["status"]),
    }
}

/// The calls of a page of an allowed origin, and those of another one.
fn calls([listed, keyless, star, none]: &[Front; 4]) -> [Vec<Call>; 2] {
    let (good, expired) = (good(), signed(&with(v2(), "exp", now() - HOUR)));
    let powerless = signed(&without(v2(), "scp"));
    let missing = "401 authorization_header_missing challenge";
    let ours = vec![
        call(listed, "GET /api", &good, "200 the claims"),
        call(listed, "POST /api", &good, "200 the claims"),
        call(listed, "GET /api", "", missing),
        call(listed, "GET /api", &expired, "401 token_expired challenge"),
        call(
            listed,
            "GET /api",
            &powerless,
            "403 insufficient_scope challenge",
        ),
        call(
            keyless,
            "GET /api",
            &good,
            "503 keys_unavailable Retry-After",
        ),
        call(star, "GET /api", &good, "200 the claims"),
        call(none, "GET /api", &good, "TypeError"),
    ];
    let theirs = vec![
        call(listed, "GET /api", &good, "TypeError"),
        call(listed, "GET /api", "", "TypeError"),
        call(listed, "GET /public", "", "TypeError"),
        call(star, "GET /api", &good, "200 the claims"),
    ];
    [ours, theirs]
}

#[test]
fn pages_of_other_origins_get_what_allowed_origins_grants_them() {
    let Some(chromium) = chromium() else {
        return say("no Chromium (CHROMIUM=PATH names one): CORS is not tested with a browser");
    };
    let (pages, (sender, results)) = (Pages::default(), mpsc::channel());
    let site = site(pages.clone(), sender);
    // Two names of one machine are two origins.
    let port = site.address.port();
    let origins = ["localhost", "127.0.0.1"].map(|name| format!("http://{name}:{port}"));
    let (keys, no_keys) = (KeyServer::with(set(&[1])), KeyServer::start(Reply::close()));
    let settings = [
        (&keys, &*origins[0]),
        (&no_keys, &origins[0]),
        (&keys, "*"),
        (&keys, "none"),
    ];
    let fronts = settings.map(|(keys, origins)| Front::start(keys, origins));
    let calls = calls(&fronts);
    for (origin, calls) in origins.iter().zip(&calls) {
        let inits = calls.iter().map(|call| call.init.clone()).collect();
        pages
            .lock()
            .expect("no panic while held")
            .push((origin.clone(), inits));
    }
    let folder = Folder::new("browser");
    let browser = open(chromium, &origins[0], &folder);
    for calls in &calls {
        let results = results.recv_timeout(BROWSER_GUARD);
        let results = results.unwrap_or_else(|_| panic!("{:?}", browser.stderr.all()));
        for (result, Call { init, expected }) in results.iter().zip(calls) {
            assert_eq!(&outcome(result), expected, "{init}: {result}");
            let is_claims = expected == "200 the claims";
            assert_eq!(result["body"] == v2(), is_claims, "{init}: {result}");
        }
        assert_eq!(results.len(), calls.len());
    }
    // One preflight, without the token, serves every call that follows.
    let with_token = ["GET /api with a token", "POST /api with a token"];
    let refused = ["GET /api", with_token[0], with_token[0]];
    let passed = [&["OPTIONS /api"], &with_token[..], &refused].concat();
    assert_eq!(fronts[0].passed(&origins[0]), passed);
    // From a refused origin the token does not even leave the browser.
    let passed = fronts[0].passed(&origins[1]);
    assert_eq!(passed, ["OPTIONS /api", "GET /api", "GET /public"]);
}
