//! The handler as the target of nginx's `auth_request`, with the configuration that the README shows.

use crate::client::{Answer, Client, request};
use crate::harness::{Handler, free_port, wait_until};
use crate::key_server::{KeyServer, Reply};
use crate::programs::{self, Program};
use crate::recorder::{Received, Recorder, answer};
use crate::tokens::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

const README: &str = include_str!("../../README.md");
const APPLICATION: &str = "the application";

/// nginx before an application and the handler, or None where there is no nginx.
struct Front {
    address: SocketAddr,
    application: Recorder,
    _nginx: Program,
}

impl Front {
    /// With the README's configuration after `change`; `decider` is who is asked.
    fn start(decider: SocketAddr, change: impl Fn(String) -> String) -> Option<Front> {
        let application = Recorder::start(|request| match request.start() {
            "GET /broken" => answer("500 Internal Server Error", "", "its own trouble"),
            "GET /secret" => answer(
                "403 Forbidden",
                "WWW-Authenticate: Own\r\n",
                "its own refusal",
            ),
            _ => answer("200 OK", "", APPLICATION),
        });
        let nginx = nginx()?;
        let (address, _nginx) = (0..20)
            .find_map(|_| {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
                let site = change(readme_block(0));
                let site = replaced(&site, "listen 8080;", &format!("listen {address};"));
                let site = replaced(&site, "127.0.0.1:9000", &application.address.to_string());
                let site = replaced(&site, "127.0.0.1:3000", &decider.to_string());
                Some((address, start(&nginx, &site, address)?))
            })
            .expect("of twenty free ports one stays free");
        Some(Front {
            address,
            application,
            _nginx,
        })
    }

    fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let mut client = Client::to(self.address);
        client.send(request(method, target, headers));
        client.answer()
    }

    fn get(&self, token: &str) -> Answer {
        self.ask("GET", "/", &[("Authorization", &format!("Bearer {token}"))])
    }

    /// What reached the application.
    fn passed(&self) -> Vec<Received> {
        self.application.received()
    }
}

/// Says once that there is none.
fn nginx() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let nginx = programs::find(&["nginx"], &["/usr/sbin"]);
    if nginx.is_none() {
        SAID.call_once(|| programs::say("no nginx: the handler is not tested behind it"));
    }
    nginx
}

/// nginx with this site, in a folder of its own; None when somebody else has the port.
fn start(nginx: &Path, site: &str, address: SocketAddr) -> Option<Program> {
    let folder = programs::folder("nginx");
    // Below the folder that `-p` names, whose own name may hold blanks.
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};\n"))
        .concat();
    let main = format!(
        "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}\n{site}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), main).expect("a file in a new folder");
    let mut command = Command::new(nginx);
    command
        .arg("-p")
        .arg(&folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .args(["-e", "stderr"]);
    let mut program = Program::start(command, folder);
    let mut has_ended = false;
    wait_until("nginx listens", || {
        has_ended = program.has_ended();
        has_ended || TcpStream::connect(address).is_ok()
    });
    if has_ended || program.has_ended() {
        assert!(
            program.log().contains("bind()"),
            "nginx has ended: {}",
            program.log()
        );
        return None;
    }
    Some(program)
}

/// An nginx block of the README, by number.
fn readme_block(number: usize) -> String {
    let block = README
        .split("```nginx\n")
        .nth(number + 1)
        .expect("the README has that block");
    block.split("```").next().expect("it ends").to_owned()
}

/// `text` with one part replaced that is there once.
fn replaced(text: &str, part: &str, by: &str) -> String {
    assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    text.replace(part, by)
}

fn as_shown(site: String) -> String {
    site
}

fn handler() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (
        Handler::with_keys(&keys, &[("REQUIRED_SCOPES", "user_impersonation")]),
        keys,
    )
}

#[test]
fn what_the_handler_accepts_reaches_the_application_as_it_came() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    let body = "name=value&".repeat(5000);
    let mut client = Client::to(front.address);
    let (bearer, length) = (format!("Bearer {}", good()), body.len().to_string());
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Length", &length),
    ];
    client.send(request("PUT", "/things/7?with=query", &headers) + &body);
    let answer = client.answer();
    assert_eq!((answer.status, answer.body.as_str()), (200, APPLICATION));

    let [passed] = &front.passed()[..] else {
        panic!("not one request: {:?}", front.passed())
    };
    assert_eq!(
        (passed.start(), passed.body == body),
        ("PUT /things/7?with=query", true)
    );
    // Who is calling, as the README has the application read it.
    let token = passed
        .header("Authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .expect("a token");
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).expect("three parts"))
        .expect("base64url");
    assert_eq!(
        serde_json::from_slice::<Value>(&payload).expect("JSON"),
        v2()
    );
}

#[test]
fn what_the_handler_refuses_is_refused_with_its_own_challenge() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    let nobody = front.ask("GET", "/", &[]);
    assert_eq!(
        (nobody.status, nobody.header("WWW-Authenticate")),
        (401, Some("Bearer"))
    );

    let expired = signed(&with(v2(), "exp", now() - HOUR));
    let without_scope = signed(&with(v2(), "scp", "other"));
    for (token, status) in [
        (expired, 401),
        (signed_with(2, &v2()), 401),
        (without_scope, 403),
    ] {
        let (direct, answer) = (handler.api(&token), front.get(&token));
        assert_eq!(
            (direct.status, answer.status),
            (status, status),
            "{direct:?} {answer:?}"
        );
        // Its only difference may be the age of the token.
        let challenge = |answer: &Answer| {
            let challenge = answer.header("WWW-Authenticate").expect("a challenge");
            challenge
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect::<String>()
        };
        assert!(
            challenge(&direct).contains("error_description="),
            "{direct:?}"
        );
        assert_eq!(challenge(&answer), challenge(&direct));
        assert_eq!(answer.header("Retry-After"), None);
    }
    let two = [
        ("Authorization", format!("Bearer {}", good())),
        ("Authorization", "Bearer x".to_owned()),
    ];
    // Newer releases of nginx refuse a second Authorization header themselves, with 400.
    let answer = front.ask(
        "GET",
        "/",
        &two.each_ref().map(|(name, value)| (*name, value.as_str())),
    );
    assert!([400, 401].contains(&answer.status), "{answer:?}");
    assert_eq!(front.passed().len(), 0, "{:?}", front.passed());
}

#[test]
fn without_keys_and_without_the_handler_it_is_unavailable() {
    let keys = KeyServer::start(Reply::Close);
    let handler = Handler::with_keys(&keys, &[]);
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    let answer = front.get(&good());
    assert_eq!(
        (answer.status, answer.header("WWW-Authenticate")),
        (503, None)
    );
    assert!((1..=5).contains(&answer.retry_after()), "{answer:?}");

    drop(handler);
    let answer = front.get(&good());
    assert_eq!((answer.status, answer.header("Retry-After")), (503, None));
    assert_eq!(front.passed().len(), 0);
}

#[test]
fn what_the_application_answers_is_left_as_it_is() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    let bearer = format!("Bearer {}", good());
    let broken = front.ask("GET", "/broken", &[("Authorization", &bearer)]);
    assert_eq!(
        (broken.status, broken.body.as_str()),
        (500, "its own trouble")
    );
    let secret = front.ask("GET", "/secret", &[("Authorization", &bearer)]);
    assert_eq!(
        (secret.status, secret.header("WWW-Authenticate")),
        (403, Some("Own"))
    );
}

#[test]
fn the_longest_token_passes_and_the_place_that_asks_is_not_for_clients() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    assert_eq!(front.get(&of_length(16 * 1024)).status, 200);
    assert_eq!(front.get(&of_length(16 * 1024 + 1)).status, 401);
    assert_eq!(
        front
            .ask(
                "GET",
                "/_auth",
                &[("Authorization", &format!("Bearer {}", good()))]
            )
            .status,
        404
    );
    assert_eq!(front.passed().len(), 1);
}

#[test]
fn a_hundred_requests_on_one_connection_are_each_decided() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    let (good, bad) = (good(), signed_with(2, &v2()));
    let mut client = Client::to(front.address);
    for number in 0..100 {
        let (token, status) = if number % 2 == 0 {
            (&good, 200)
        } else {
            (&bad, 401)
        };
        client.send(request(
            "GET",
            &format!("/{number}"),
            &[("Authorization", &format!("Bearer {token}"))],
        ));
        assert_eq!(client.answer().status, status, "request {number}");
    }
    let passed = front.passed();
    let passed: Vec<&str> = passed.iter().map(Received::start).collect();
    let even: Vec<String> = (0..100)
        .step_by(2)
        .map(|number| format!("GET /{number}"))
        .collect();
    assert_eq!(passed, even);
}

#[test]
fn the_handler_is_asked_with_get_and_without_the_body() {
    let decider = Recorder::start(|_| answer("200 OK", "", "{}"));
    let Some(front) = Front::start(decider.address, as_shown) else {
        return;
    };
    for headers in [("Content-Length", "5"), ("Transfer-Encoding", "chunked")] {
        let mut client = Client::to(front.address);
        let body = if headers.0 == "Content-Length" {
            "hello"
        } else {
            "5\r\nhello\r\n0\r\n\r\n"
        };
        client.send(request("POST", "/", &[headers, ("Authorization", "Bearer x")]) + body);
        assert_eq!(client.answer().status, 200);
    }
    for asked in decider.received() {
        assert_eq!(
            (asked.start(), asked.header("Authorization")),
            ("GET /api", Some("Bearer x"))
        );
        assert_eq!(
            (
                asked.header("Content-Length"),
                asked.header("Transfer-Encoding")
            ),
            (None, None),
            "{asked:?}"
        );
        assert_eq!(asked.body, "");
    }
    let bodies: Vec<String> = front
        .passed()
        .into_iter()
        .map(|passed| passed.body)
        .collect();
    assert_eq!(bodies, ["hello", "hello"]);
}

#[test]
fn a_header_of_the_readmes_endpoint_reaches_the_application_and_no_other() {
    // What the README's endpoint answers, to a token with `oid` and to one without.
    let decider = Recorder::start(|request| {
        assert_eq!(request.start(), "GET /auth");
        let oid = if request.header("Authorization") == Some("Bearer user") {
            "a11ce000"
        } else {
            ""
        };
        answer("200 OK", &format!("X-Auth-Oid: {oid}\r\n"), "")
    });
    let change = |site: String| {
        let site = replaced(
            &site,
            "auth_request /_auth;\n",
            &format!("auth_request /_auth;\n{}", readme_block(1)),
        );
        assert!(README.contains("`proxy_pass http://handler/auth;`"));
        replaced(
            &site,
            "proxy_pass http://handler/api;",
            "proxy_pass http://handler/auth;",
        )
    };
    let Some(front) = Front::start(decider.address, change) else {
        return;
    };
    for caller in ["Bearer user", "Bearer other"] {
        let answer = front.ask(
            "GET",
            "/",
            &[("Authorization", caller), ("X-Auth-Oid", "forged")],
        );
        assert_eq!(answer.status, 200);
    }
    let passed = front.passed();
    let oids: Vec<Option<&str>> = passed
        .iter()
        .map(|passed| passed.header("X-Auth-Oid"))
        .collect();
    assert_eq!(oids, [Some("a11ce000"), None]);
}

#[test]
fn with_the_readmes_line_a_preflight_reaches_the_application_and_nothing_else_does() {
    let (handler, _keys) = handler();
    let line = "if ($request_method = OPTIONS) { return 204; }";
    assert!(README.contains(&format!("put `{line}`\nfirst in `/_auth`")));
    let change = |site: String| replaced(&site, "internal;\n", &format!("{line}\ninternal;\n"));
    let Some(front) = Front::start(handler.address, change) else {
        return;
    };
    assert_eq!(
        front
            .ask("OPTIONS", "/", &[("Origin", "https://app.example.com")])
            .status,
        200
    );
    for method in ["GET", "POST"] {
        assert_eq!(front.ask(method, "/", &[]).status, 401, "{method}");
    }
    let passed = front.passed();
    assert_eq!(
        passed.iter().map(Received::start).collect::<Vec<_>>(),
        ["OPTIONS /"]
    );

    let Some(front) = Front::start(handler.address, as_shown) else {
        return;
    };
    assert_eq!(front.ask("OPTIONS", "/", &[]).status, 401);
}
