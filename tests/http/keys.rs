//! When keys are fetched, from where, and who waits for them.

use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;
use std::fs;

/// A handler that has key 1.
fn with_key_1() -> (Handler, KeyServer) {
    let (handler, keys) = serving(&[]);
    assert_eq!(handler.api(&good()).status, 200);
    (handler, keys)
}

fn of_key(number: usize) -> String {
    signed_with(number, &v2())
}

#[test]
fn keys_are_fetched_once_at_start_without_being_asked_for() {
    let keys = KeyServer::with(set(&[1, 2]));
    let handler = Handler::with_keys(&keys, &[]);
    keys.wait_for_fetch(1);
    for _ in 0..10 {
        let statuses = [
            handler.api(&of_key(1)).status,
            handler.api(&of_key(2)).status,
        ];
        assert_eq!((statuses, handler.get("/public").status), ([200, 200], 200));
    }
    let received = keys.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("Authorization"), None);
}

#[test]
fn keys_are_looked_for_at_the_authority_below_the_tenant() {
    for tenant in [TENANT, "organizations", "common"] {
        for slash in ["", "/"] {
            let keys = KeyServer::start(Reply::close());
            let path = format!("/{tenant}/discovery/v2.0/keys");
            keys.reply_at(&path, Reply::body(set(&[1])));
            let (host, issuer) = (keys.origin() + slash, v2_issuer("{tenantid}"));
            let settings = [
                ("TENANT_ID", tenant),
                ("AUTHORITY_HOST", &host),
                ("ISSUERS", &issuer),
            ];
            let handler = Setup::new("").with(&settings).start();
            assert_eq!(handler.api(&good()).status, 200);
            assert_eq!(keys.received().len(), 1);
        }
    }
}

#[test]
fn requests_that_come_before_the_first_keys_wait_for_them_and_others_do_not() {
    let keys = KeyServer::held(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    let (good, expired) = (good(), signed(&with(v2(), "exp", 0)));
    let mut waiting: Vec<_> = (0..100).map(|_| handler.api_sent(&good)).collect();
    let mut refused = handler.api_sent(&expired);
    assert_eq!(handler.get("/healthz").status, 200);
    handler
        .api(&headed(&header(json!({ "typ": "JOSE" }))))
        .must_be(401, "invalid_header");
    assert!(waiting[0].is_silent() && waiting[99].is_silent() && refused.is_silent());
    keys.release();
    for connection in &mut waiting {
        assert_eq!(connection.response().status, 200);
    }
    refused.response().must_be(401, "token_expired");
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn a_new_key_is_fetched_in_time_for_the_first_token_that_names_it() {
    let (handler, keys) = with_key_1();
    keys.reply(Reply::body(set(&[2, 3])));
    assert_eq!(handler.api(&of_key(2)).status, 200);
    // The new set is the whole truth: key 1 is gone, and no fetch is made for it.
    assert_eq!(handler.api(&of_key(3)).status, 200);
    handler.api(&of_key(1)).must_be(401, "invalid_header");
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_key_that_is_nowhere_is_fetched_for_once_and_then_refused() {
    let (handler, keys) = with_key_1();
    for number in [2, 3, 2, 3] {
        let response = handler.api(&of_key(number));
        response.must_be(401, "invalid_header");
        assert_eq!(response.header("Retry-After"), None);
    }
    // Even when the key server has them meanwhile: the next fetch is a minute away.
    keys.reply(Reply::body(set(&[1, 2])));
    handler.api(&of_key(2)).must_be(401, "invalid_header");
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn while_a_fetch_hangs_only_those_who_need_it_wait_and_it_is_the_only_one() {
    let (handler, keys) = with_key_1();
    // Signed beforehand: the fetch, and so the wait for it, has only five seconds.
    let kids = (0..30).map(|number| header(json!({ "kid": format!("unknown {number}") })));
    let unknown: Vec<_> = kids.map(|header| headed(&header)).collect();
    let (new, good, expired) = (of_key(2), good(), signed(&with(v2(), "exp", 0)));
    keys.hold();
    keys.reply(Reply::body(set(&[1, 2])));
    let mut found = handler.api_sent(&new);
    keys.wait_for_fetch(2);
    let mut missing: Vec<_> = unknown
        .iter()
        .map(|token| handler.api_sent(token))
        .collect();
    assert_eq!(handler.api(&good).status, 200);
    assert_eq!(
        ["/", "/healthz", "/public"].map(|path| handler.get(path).status),
        [200; 3]
    );
    handler.api("nonsense").must_be(401, "invalid_header");
    handler.api(&expired).must_be(401, "token_expired");
    assert!(found.is_silent() && missing[0].is_silent() && missing[29].is_silent());
    keys.release();
    assert_eq!(found.response().status, 200);
    for connection in &mut missing {
        connection.response().must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_token_that_would_be_refused_anyway_causes_no_fetch() {
    let (handler, keys) = with_key_1();
    let claims = [
        with(v2(), "iss", "https://issuer.example/"),
        of_tenant(v2(), OTHER_TENANT),
        without(v2(), "iss"),
        with(v2(), "aud", "api://other"),
        with(v2(), "exp", now() - HOUR),
        with(v2(), "exp", "4000000000"),
    ];
    for claims in claims {
        // Which of its two faults is told is another matter.
        assert_eq!(
            handler.api(&signed_with(2, &claims)).status,
            401,
            "{claims}"
        );
    }
    for changes in [
        json!({ "alg": "none" }),
        json!({ "crit": [] }),
        json!({ "typ": "JOSE" }),
    ] {
        let unknown = with(header(changes), "kid", "nowhere");
        handler
            .api(&headed(&unknown))
            .must_be(401, "invalid_header");
    }
    let forged = mint::mint(key(2), &header(json!({})).to_string(), &v2().to_string());
    handler.api(&forged).must_be(401, "invalid_header");
    assert_eq!(keys.fetches(), 1);
    // None of them has used up the one fetch that an unknown key may cause.
    keys.reply(Reply::body(set(&[2])));
    assert_eq!(handler.api(&of_key(2)).status, 200);
    assert_eq!(keys.fetches(), 2);
}

#[test]
fn a_bad_key_does_not_spoil_the_set_and_verifies_nothing() {
    let twice = r#"{"kid":"x","kid":"x","kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    let (encrypts, good_key) = (jwk(1, json!({ "use": "enc" })), key(2).jwk(None));
    let keys = format!(r#"[null,1,"x",[],{{}},{twice},{encrypts},{good_key}]"#);
    let keys = KeyServer::with(format!(r#"{{"odd":{{"a":1,"a":2}},"keys":{keys}}}"#));
    let handler = Handler::with_keys(&keys, &[]);
    assert_eq!(handler.api(&of_key(2)).status, 200);
    handler.api(&good()).must_be(401, "invalid_header");
    // The key is there, so there is nothing to fetch.
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn keys_may_come_from_a_file_and_change_there() {
    let folder = Folder::new("keys");
    let path = folder.file("keys.json");
    fs::write(&path, set(&[1])).expect("written");
    let handler = Setup::new(&path).start();
    assert_eq!(handler.api(&good()).status, 200);
    fs::write(&path, set(&[2])).expect("written");
    assert_eq!(handler.api(&of_key(2)).status, 200);
    handler.api(&good()).must_be(401, "invalid_header");
    fs::remove_file(&path).expect("removed");
    assert_eq!(handler.api(&of_key(2)).status, 200);
}

/// Nobody ever writes into the pipe: a fetch that waits for it would be the last one.
#[cfg(unix)]
#[test]
fn without_a_good_file_there_are_no_keys_until_there_is_one() {
    let folder = Folder::new("no-keys");
    let path = |name: &str| folder.file(name);
    fs::write(path("empty"), "").expect("written");
    fs::write(path("long"), set(&[1]) + &" ".repeat(1024 * 1024)).expect("written");
    let made = std::process::Command::new("mkfifo")
        .arg(path("pipe"))
        .status();
    assert!(made.expect("mkfifo runs").success());
    let files = [
        path("missing"),
        path("empty"),
        path("long"),
        path("pipe"),
        path(""),
    ];
    for file in files.into_iter().chain(["/dev/zero".to_owned()]) {
        let handler = Setup::new(&file).start();
        handler.api(&good()).must_be(503, "keys_unavailable");
        assert_eq!(handler.get("/public").status, 200);
        if ["missing", "pipe"].iter().any(|name| file.ends_with(name)) {
            let _ = fs::remove_file(&file);
            fs::write(&file, set(&[1])).expect("written");
            wait_until("the file is read", || handler.api(&good()).status == 200);
        }
    }
}

#[test]
fn a_proxy_does_not_come_between_the_handler_and_this_machine() {
    let (keys, proxy) = (KeyServer::with(set(&[1])), KeyServer::with(set(&[2])));
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
    ];
    let origin = proxy.origin();
    let handler = Handler::with_keys(&keys, &names.map(|name| (name, origin.as_str())));
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(proxy.received().len(), 0);
}
