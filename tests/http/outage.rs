//! Key servers that fail: what is answered meanwhile, and how it ends.

use crate::harness::{Handler, wait_until};
use crate::key_server::{KeyServer, Reply};
use crate::tokens::*;
use std::thread;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

/// Every way in which an answer is no usable key set. A good-looking body in some of them must
/// not be taken for one.
fn failures(elsewhere: &KeyServer) -> Vec<(&'static str, Reply)> {
    let body = |text: &str| Reply::Body(text.to_owned());
    let good = set(&[1, 2]);
    vec![
        ("status 500", Reply::Status(500, good.clone())),
        ("status 404", Reply::Status(404, good.clone())),
        ("status 201", Reply::Status(201, good.clone())),
        ("a redirect", Reply::Redirect(elsewhere.url())),
        (
            "HTML",
            body("<!doctype html><html><title>Sign in</title></html>"),
        ),
        ("nothing", body("")),
        ("an empty set", body(r#"{"keys":[]}"#)),
        ("no set", body(r#"{"key":[]}"#)),
        ("a list", body("[]")),
        ("keys that are no list", body(r#"{"keys":{}}"#)),
        ("two sets", Reply::Body(format!("{good}{good}"))),
        (
            "only bad keys",
            Reply::Body(set_of(vec![jwk(2, serde_json::json!({ "use": "enc" }))])),
        ),
        ("half a set", Reply::Body(good[..good.len() / 2].to_owned())),
        ("a body that is cut", Reply::Cut(good.clone())),
        ("50 MB", Reply::Bytes(50_000_000, true)),
        ("50 MB of unknown length", Reply::Bytes(50_000_000, false)),
        ("a closed connection", Reply::Close),
        ("no HTTP", Reply::Garbage),
    ]
}

#[test]
fn a_failure_at_start_leaves_no_keys_and_one_later_takes_none_away() {
    let elsewhere = KeyServer::with(set(&[1, 2]));
    for (name, reply) in failures(&elsewhere) {
        let keys = KeyServer::start(reply.clone());
        let handler = Handler::with_keys(&keys, &[]);
        let answer = handler.api(&good());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "keys_unavailable"),
            "{name}"
        );
        assert!(
            (1..=5).contains(&answer.retry_after()),
            "{name}: {answer:?}"
        );
        wait_until("the failure is logged", || {
            handler
                .stderr
                .count("the signing keys could not be fetched")
                > 0
        });

        let keys = KeyServer::with(set(&[1]));
        let handler = Handler::with_keys(&keys, &[]);
        assert_eq!(handler.api(&good()).status, 200, "{name}");
        keys.reply(reply);
        let answer = handler.api(&signed_with(2, &v2()));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "keys_unavailable"),
            "{name}"
        );
        assert!(
            (1..=60).contains(&answer.retry_after()),
            "{name}: {answer:?}"
        );
        assert_eq!(handler.api(&good()).status, 200, "{name}");
        assert_eq!(keys.fetches(), 2, "{name}");
    }
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
}

#[test]
fn nobody_waits_longer_than_a_fetch_may_take() {
    // Side by side, because each takes the five seconds that a fetch has.
    let cases = [("silence", Reply::Silence), ("a trickle", Reply::Trickle)];
    let run = |(name, reply): (&'static str, Reply)| {
        thread::spawn(move || {
            let keys = KeyServer::start(reply.clone());
            let handler = Handler::with_keys(&keys, &[]);
            let mut waiting = handler.api_sent(&good());
            assert_eq!(handler.get("/public").status, 200, "{name}");

            let rotated = KeyServer::with(set(&[1]));
            let other = Handler::with_keys(&rotated, &[]);
            assert_eq!(other.api(&good()).status, 200, "{name}");
            rotated.reply(reply);
            let mut unknown = other.api_sent(&signed_with(2, &v2()));
            rotated.wait_for_fetch(2);
            assert_eq!(other.api(&good()).status, 200, "{name}");

            let answer = waiting.answer();
            answer.must_be(503, "keys_unavailable");
            assert!(
                (1..=5).contains(&answer.retry_after()),
                "{name}: {answer:?}"
            );
            keys.reply(Reply::Body(set(&[1])));
            let answer = unknown.answer();
            answer.must_be(503, "keys_unavailable");
            assert!(
                (1..=60).contains(&answer.retry_after()),
                "{name}: {answer:?}"
            );
            assert_eq!(other.api(&good()).status, 200, "{name}");
            // The fetch is over, not only the wait for it: another one brings the keys.
            wait_until("the keys are there", || {
                thread::sleep(Duration::from_millis(50));
                handler.api(&good()).status == 200
            });
            assert_eq!(keys.fetches(), 2, "{name}");
        })
    };
    for thread in cases.map(run) {
        thread.join().expect("no failure");
    }
}

#[test]
fn recovery_takes_seconds_and_an_outage_costs_few_fetches() {
    let keys = KeyServer::start(Reply::Status(503, String::new()));
    let handler = Handler::with_keys(&keys, &[]);
    let start = Instant::now();
    for _ in 0..20 {
        handler.api(&good()).must_be(503, "keys_unavailable");
    }
    // Within the five seconds after a failure there is no other fetch.
    if start.elapsed() < Duration::from_secs(4) {
        assert_eq!(keys.fetches(), 1);
    }
    let before = keys.fetches();
    keys.reply(Reply::Body(set(&[1])));
    let mut last = 5;
    wait_until("the keys are there", || {
        let answer = handler.api(&good());
        if answer.status == 503 {
            assert!(answer.retry_after() <= last, "{answer:?}");
            last = answer.retry_after();
            thread::sleep(Duration::from_millis(50));
        }
        answer.status == 200
    });
    assert_eq!(keys.fetches(), before + 1);
}

#[test]
fn nobody_listening_is_an_outage_like_any_other() {
    let port = crate::harness::free_port();
    let handler = Handler::start(&[
        ("TENANT_ID", TENANT),
        ("API_AUDIENCE", AUDIENCE),
        ("JWKS_URI", &format!("http://127.0.0.1:{port}/keys")),
    ]);
    let answer = handler.api(&good());
    answer.must_be(503, "keys_unavailable");
    assert!((1..=5).contains(&answer.retry_after()), "{answer:?}");
    assert_eq!(handler.get("/public").status, 200);
}

#[test]
fn a_set_of_one_mebibyte_is_read_and_a_longer_one_is_not() {
    let padded = |bytes: usize| {
        let set = set(&[1]);
        format!("{set}{}", " ".repeat(bytes - set.len()))
    };
    let keys = KeyServer::with(padded(MIB));
    assert_eq!(Handler::with_keys(&keys, &[]).api(&good()).status, 200);
    let keys = KeyServer::with(padded(MIB + 1));
    Handler::with_keys(&keys, &[])
        .api(&good())
        .must_be(503, "keys_unavailable");
}

#[test]
fn what_the_key_server_says_is_not_repeated() {
    let keys = KeyServer::start(Reply::Body("<p>internal secret</p>".into()));
    let handler = Handler::with_keys(&keys, &[]);
    let answer = handler.api(&good());
    answer.must_be(503, "keys_unavailable");
    assert!(
        !answer.body.contains("secret") && !answer.body.contains(&keys.origin()),
        "{}",
        answer.body
    );
    let (stdout, stderr) = handler.into_lines();
    assert!(
        !stdout
            .iter()
            .chain(&stderr)
            .any(|line| line.contains("secret")),
        "{stderr:?}"
    );
}
