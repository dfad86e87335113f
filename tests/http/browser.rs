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
    Process::start(command)
}

/// `fetch(url, init)`, with a token when there is one.
fn call(handler: &str, path: &str, token: &str) -> Value {
    let headers = json!({ "Authorization": format!("Bearer {token}") });
    let headers = if token.is_empty() { json!({}) } else { headers };
    json!({ "url": format!("{handler}{path}"), "headers": headers })
}

/// The same as a POST that needs more than a token from the preflight.
fn post_call(handler: &str, token: &str) -> Value {
    let mut call = with(call(handler, "/api", token), "method", "POST");
    call["headers"]["Content-Type"] = "application/json".into();
    with(call, "body", r#"{"any":"thing"}"#)
}

/// A handler with these origins, and a server before it that keeps every request.
fn handler(keys: &KeyServer, origins: &str) -> (String, Server, Handler) {
    let handler = Handler::with_keys(keys, &[("ALLOWED_ORIGINS", origins)]);
    let front = Server::before(handler.address);
    (format!("http://{}", front.address), front, handler)
}

/// Status, code, and whether the challenge and `Retry-After` were readable.
fn outcome(result: &Value) -> (u64, &str, bool, bool) {
    let status = result["status"].as_u64().unwrap_or_default();
    let code = result["body"]["code"].as_str().unwrap_or_default();
    (
        status,
        code,
        result["challenge"].is_string(),
        result["retryAfter"].is_string(),
    )
}

/// What passed the front from pages of this origin, and whether it had a token.
fn passed<'r>(received: &'r [Received], origin: &str) -> Vec<(&'r str, bool)> {
    let from = received
        .iter()
        .filter(|it| it.header("Origin") == Some(origin));
    from.map(|it| (it.call(), it.header("Authorization").is_some()))
        .collect()
}

#[test]
fn pages_of_other_origins_get_what_allowed_origins_grants_them() {
    let Some(chromium) = chromium() else {
        return say("no Chromium (CHROMIUM=PATH names one): CORS is not tested with a browser");
    };
    let pages = Pages::default();
    let (sender, results) = mpsc::channel();
    let site = site(pages.clone(), sender);
    // Two names of one machine are two origins.
    let [ours, theirs] =
        ["localhost", "127.0.0.1"].map(|name| format!("http://{name}:{}", site.address.port()));
    let (keys, no_keys) = (KeyServer::with(set(&[1])), KeyServer::start(Reply::close()));
    let (listed, front, _listed) = handler(&keys, &ours);
    let (keyless, _front, _keyless) = handler(&no_keys, &ours);
    let (star, _front, _star) = handler(&keys, "*");
    let (none, _front, _none) = handler(&keys, "none");
    let (good, expired) = (good(), signed(&with(v2(), "exp", now() - HOUR)));
    let powerless = signed(&without(v2(), "scp"));
    let of_ours = vec![
        call(&listed, "/api", &good),
        post_call(&listed, &good),
        call(&listed, "/api", ""),
        call(&listed, "/api", &expired),
        call(&listed, "/api", &powerless),
        call(&keyless, "/api", &good),
        call(&star, "/api", &good),
        call(&none, "/api", &good),
    ];
    let of_theirs = vec![
        call(&listed, "/api", &good),
        call(&listed, "/api", ""),
        call(&listed, "/public", ""),
        call(&star, "/api", &good),
    ];
    *pages.lock().expect("no panic while held") =
        vec![(ours.clone(), of_ours), (theirs.clone(), of_theirs)];

    let folder = Folder::new("browser");
    let browser = open(chromium, &ours, &folder);
    let wait = || {
        let results = results.recv_timeout(BROWSER_GUARD);
        results.unwrap_or_else(|_| panic!("the browser: {:?}", browser.stderr.all()))
    };
    let (of_ours, of_theirs) = (wait(), wait());
    for result in [&of_ours[0], &of_ours[1], &of_ours[6], &of_theirs[3]] {
        assert_eq!((&result["status"], &result["body"]), (&json!(200), &v2()));
    }
    let expected = [
        (401, "authorization_header_missing", true, false),
        (401, "token_expired", true, false),
        (403, "insufficient_scope", true, false),
        (503, "keys_unavailable", false, true),
    ];
    assert_eq!(
        [2, 3, 4, 5].map(|number| outcome(&of_ours[number])),
        expected
    );
    // A call that the browser did not let the page have.
    let refused = || json!({ "error": "TypeError" });
    assert_eq!(of_ours[7], refused());
    assert_eq!(of_theirs[..3], [(); 3].map(|()| refused()));

    let received = front.received();
    // One preflight, without the token, serves every call that follows.
    let expected = [
        ("OPTIONS /api", false),
        ("GET /api", true),
        ("POST /api", true),
        ("GET /api", false),
        ("GET /api", true),
        ("GET /api", true),
    ];
    assert_eq!(passed(&received, &ours), expected);
    // From a refused origin the token does not even leave the browser.
    let expected = [
        ("OPTIONS /api", false),
        ("GET /api", false),
        ("GET /public", false),
    ];
    assert_eq!(passed(&received, &theirs), expected);
}
