//! CORS as a real browser sees it: pages of an allowed and of a refused origin call the API.

use crate::harness::{Handler, borrowed, usual};
use crate::key_server::{KeyServer, Reply};
use crate::programs::{self, Program};
use crate::recorder::{Received, Recorder, answer};
use crate::tokens::*;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A guard against hanging for ever: a browser's first start on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(180);

/// One page: the calls that it is to make.
type Calls = Vec<Value>;

/// Serves the pages one after another, under every name of this machine, and sends their results.
fn site(pages: Arc<Mutex<Vec<(String, Calls)>>>, results: Sender<Vec<Value>>) -> Recorder {
    Recorder::start(move |request: &Received| {
        let mut pages = pages.lock().expect("no panic while held");
        match request.start() {
            "GET /" => answer(
                "200 OK",
                "Content-Type: text/html\r\n",
                include_str!("browser.html"),
            ),
            "GET /calls" => answer(
                "200 OK",
                "Content-Type: application/json\r\n",
                &json!(pages[0].1).to_string(),
            ),
            "POST /results" => {
                pages.remove(0);
                let _ = results.send(serde_json::from_str(&request.body).expect("a list"));
                let next = pages.first().map_or("", |(origin, _)| origin);
                answer("200 OK", "Content-Type: text/plain\r\n", next)
            }
            _ => answer("404 Not Found", "", ""),
        }
    })
}

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    named.or_else(|| programs::find(&["chromium", "chromium-browser", "google-chrome"], &[]))
}

fn open(chromium: PathBuf, url: &str) -> Program {
    let folder = programs::folder("browser");
    let mut command = Command::new(chromium);
    // Without a network it must not look for one; without a sandbox it runs as root.
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
    ]);
    command.args([
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]);
    command.args(["--disable-sync", "--disable-breakpad", "--no-proxy-server"]);
    command
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(url)
        .env("HOME", &folder);
    Program::start(command, folder)
}

/// `fetch(url, init)`, with a token when there is one.
fn call(handler: &str, path: &str, token: Option<&str>) -> Value {
    let headers = token.map_or(
        json!({}),
        |token| json!({ "Authorization": format!("Bearer {token}") }),
    );
    json!({ "url": format!("{handler}{path}"), "headers": headers })
}

/// The same as a POST that needs more than a token from the preflight.
fn post(handler: &str, token: &str) -> Value {
    let headers =
        json!({ "Authorization": format!("Bearer {token}"), "Content-Type": "application/json" });
    json!({ "url": format!("{handler}/api"), "method": "POST", "headers": headers, "body": r#"{"any":"thing"}"# })
}

/// A handler with these origins, and what reaches it: all calls go through there.
fn handler(keys: &KeyServer, origins: &str) -> (String, Recorder, Handler) {
    let handler = Handler::start(&borrowed(&usual(
        &keys.url(),
        &[("ALLOWED_ORIGINS", origins)],
    )));
    let seen = Recorder::before(handler.address);
    (
        format!("http://127.0.0.1:{}", seen.address.port()),
        seen,
        handler,
    )
}

/// The result of a call that the browser did not let the page have.
fn refused() -> Value {
    json!({ "error": "TypeError" })
}

/// What came of a call: status, code, and whether the challenge and Retry-After were readable.
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

#[test]
fn pages_of_other_origins_get_what_allowed_origins_grants_them() {
    let Some(chromium) = chromium() else {
        return programs::say(
            "no Chromium (CHROMIUM=PATH names one): CORS is not tested with a browser",
        );
    };
    let pages = Arc::new(Mutex::new(Vec::new()));
    let (sender, results) = mpsc::channel();
    let site = site(pages.clone(), sender);
    // Two names of one machine are two origins.
    let ours = format!("http://localhost:{}", site.address.port());
    let theirs = format!("http://127.0.0.1:{}", site.address.port());

    let keys = KeyServer::with(set(&[1]));
    let without_keys = KeyServer::start(Reply::Close);
    let (listed, seen, _listed) = handler(&keys, &ours);
    let (keyless, _seen, _keyless) = handler(&without_keys, &ours);
    let (star, _seen, _star) = handler(&keys, "*");
    let (none, _seen, _none) = handler(&keys, "none");

    let (good, expired) = (good(), signed(&with(v2(), "exp", now() - HOUR)));
    let powerless = signed(&without(v2(), "scp"));
    let of_ours = vec![
        call(&listed, "/api", Some(&good)),
        post(&listed, &good),
        call(&listed, "/api", None),
        call(&listed, "/api", Some(&expired)),
        call(&listed, "/api", Some(&powerless)),
        call(&keyless, "/api", Some(&good)),
        call(&star, "/api", Some(&good)),
        call(&none, "/api", Some(&good)),
    ];
    let of_theirs = vec![
        call(&listed, "/api", Some(&good)),
        call(&listed, "/api", None),
        call(&listed, "/public", None),
        call(&star, "/api", Some(&good)),
    ];
    *pages.lock().expect("no panic while held") =
        vec![(ours.clone(), of_ours), (theirs.clone(), of_theirs)];

    let browser = open(chromium, &ours);
    let wait = || {
        results
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the browser: {}", browser.log()))
    };
    let (of_ours, of_theirs) = (wait(), wait());
    drop(browser);

    for answer in [&of_ours[0], &of_ours[1], &of_ours[6], &of_theirs[3]] {
        assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &v2()));
    }
    assert_eq!(
        outcome(&of_ours[2]),
        (401, "authorization_header_missing", true, false)
    );
    assert_eq!(outcome(&of_ours[3]), (401, "token_expired", true, false));
    assert_eq!(
        outcome(&of_ours[4]),
        (403, "insufficient_scope", true, false)
    );
    assert_eq!(outcome(&of_ours[5]), (503, "keys_unavailable", false, true));
    assert_eq!(of_ours[7], refused());
    assert_eq!(of_theirs[..3], [refused(), refused(), refused()]);

    let seen = seen.received();
    let heads = |origin: &str| -> Vec<(&str, bool)> {
        let from = seen
            .iter()
            .filter(|request| request.header("Origin") == Some(origin));
        from.map(|request| (request.start(), request.header("Authorization").is_some()))
            .collect()
    };
    // One preflight, without the token, serves every call that follows.
    let of_ours = [
        ("OPTIONS /api", false),
        ("GET /api", true),
        ("POST /api", true),
    ];
    let refused = [("GET /api", false), ("GET /api", true), ("GET /api", true)];
    assert_eq!(heads(&ours), [of_ours, refused].concat());
    // From a refused origin the token does not even leave the browser.
    assert_eq!(
        heads(&theirs),
        [
            ("OPTIONS /api", false),
            ("GET /api", false),
            ("GET /public", false)
        ]
    );
}
