//! Key servers that fail: the responses meanwhile, and how it ends.

use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;
use std::thread;

const MIB: usize = 1024 * 1024;

fn padded(set: &str, bytes: usize) -> String {
    format!("{set}{}", " ".repeat(bytes - set.len()))
}

/// Every way in which a reply is no usable key set, some of which look good.
fn failures(elsewhere: &str) -> Vec<(&'static str, Reply)> {
    let good = set(&[1, 2]);
    let wrong_chunk = format!("{:x}\r\n{good}\r\n0\r\n\r\n", good.len() + 2);
    let encrypts = jwk(2, json!({ "use": "enc" }));
    vec![
        ("status 500", Reply::status(500, &good)),
        ("status 404", Reply::status(404, &good)),
        ("status 201", Reply::status(201, &good)),
        ("a redirect", Reply::redirect(elsewhere)),
        (
            "HTML",
            Reply::body("<!doctype html><html><title>Sign in</title></html>"),
        ),
        ("nothing", Reply::body("")),
        ("an empty set", Reply::body(r#"{"keys":[]}"#)),
        ("no set", Reply::body(r#"{"key":[]}"#)),
        ("a list", Reply::body("[]")),
        ("keys that are no list", Reply::body(r#"{"keys":{}}"#)),
        ("two sets", Reply::body(format!("{good}{good}"))),
        ("only bad keys", Reply::body(set_of(vec![encrypts]))),
        ("half a set", Reply::body(&good[..good.len() / 2])),
        ("a body that is cut", Reply::truncated(&good)),
        ("chunks that lie", Reply::chunks(&wrong_chunk)),
        ("one byte over 1 MiB", Reply::body(padded(&good, MIB + 1))),
        ("50 MB", Reply::blanks(50_000_000, true)),
        ("50 MB of unknown length", Reply::blanks(50_000_000, false)),
        ("a closed connection", Reply::close()),
        (
            "no HTTP",
            Reply::raw(b"\x00\x01\x02 this is no HTTP \xff\xfe\r\n\r\n"),
        ),
        ("headers that drip", Reply::dripping(&good, 0)),
        ("a body that drips", Reply::dripping(&good, 150)),
        ("silence", Reply::silence()),
    ]
}

/// A handler whose fetch at start fails so, and one that has key 1 and whose next fetch does.
fn check(name: &str, reply: Reply) {
    let keys = KeyServer::start(reply.clone());
    let handler = Handler::with_keys(&keys, &[]);
    let response = handler.api(&good());
    assert_eq!(
        (response.status, &*response.code()),
        (503, "keys_unavailable"),
        "{name}"
    );
    assert!(
        (1..=5).contains(&response.retry_after()),
        "{name}: {response:?}"
    );
    let logged = "the signing keys could not be fetched";
    wait_until(name, || handler.stderr.count(logged) > 0);

    let (handler, keys) = serving(&[]);
    assert_eq!(handler.api(&good()).status, 200, "{name}");
    keys.reply(reply);
    for number in [2, 2, 3] {
        let response = handler.api(&signed_with(number, &v2()));
        assert_eq!(
            (response.status, &*response.code()),
            (503, "keys_unavailable"),
            "{name}"
        );
        assert!(
            (1..=60).contains(&response.retry_after()),
            "{name}: {response:?}"
        );
        assert_eq!(response.header("WWW-Authenticate"), None, "{name}");
        assert_eq!(handler.api(&good()).status, 200, "{name}");
    }
    // A token that is wrong whatever its key is refused, not put off.
    let hopeless = signed_with(2, &with(v2(), "exp", 0));
    assert_eq!(handler.api(&hopeless).status, 401, "{name}");
    assert_eq!(keys.fetches(), 2, "{name}");
}

#[test]
fn a_failure_at_start_leaves_no_keys_and_one_later_takes_none_away() {
    let elsewhere = KeyServer::with(set(&[1, 2]));
    // Side by side, because some take the five seconds that a fetch has.
    thread::scope(|scope| {
        for (name, reply) in failures(&elsewhere.url()) {
            scope.spawn(move || check(name, reply));
        }
    });
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
}

#[test]
fn keys_are_taken_from_a_server_for_which_ca_file_vouches_and_from_no_other() {
    // Of the server itself, and of the authority that signed it.
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-only-1.pem");
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/test-only-ca.pem");
    let keys = KeyServer::start_tls(Reply::body(set(&[1])));
    for (ca_file, words) in [("", "set CA_FILE"), (other, "nor in CA_FILE")] {
        let handler = Handler::with_keys(&keys, &[("CA_FILE", ca_file)]);
        handler.api(&good()).must_be(503, "keys_unavailable");
        wait_until(words, || handler.stderr.count(words) > 0);
        // It is the certificate that is refused, so all before it went well.
        assert!(handler.stderr.count("certificate") > 0);
        assert_eq!(keys.fetches(), 0, "{words}");
    }
    let handler = Handler::with_keys(&keys, &[("CA_FILE", authority)]);
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn nobody_listening_and_no_tls_are_outages_like_any_other() {
    let nobody = format!("http://127.0.0.1:{}/keys", free_port());
    let plain = KeyServer::with(set(&[1])).url().replace("http:", "https:");
    for url in [nobody, plain] {
        let handler = Setup::new(&url).start();
        let response = handler.api(&good());
        response.must_be(503, "keys_unavailable");
        assert!((1..=5).contains(&response.retry_after()), "{response:?}");
        assert_eq!(handler.get("/public").status, 200);
    }
}

#[test]
fn recovery_takes_seconds_and_an_outage_costs_few_fetches() {
    let keys = KeyServer::start(Reply::status(503, ""));
    let handler = Handler::with_keys(&keys, &[]);
    let mut waits = vec![5];
    wait_until("the keys are there", || {
        let response = handler.api(&good());
        // As long as a set may be.
        keys.reply(Reply::body(padded(&set(&[1]), MIB)));
        if response.status == 503 {
            waits.push(response.retry_after());
        }
        response.status == 200
    });
    assert!(
        waits.is_sorted_by(|before, after| before >= after),
        "{waits:?}"
    );
    assert_eq!((keys.fetches(), waits.last()), (2, Some(&1)));
}

#[test]
fn a_reply_of_the_key_server_is_not_repeated() {
    let keys = KeyServer::start(Reply::body("<p>internal secret</p>"));
    let handler = Handler::with_keys(&keys, &[]);
    let body = handler.api(&good()).body;
    assert!(
        !body.contains("secret") && !body.contains(&keys.origin()),
        "{body}"
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
