//! Key servers that misbehave, and tokens that name keys that nobody has.

use crate::handler::{Handler, free_port};
use crate::issuer::{self, Issuer, Reply};
use crate::mint::b64;
use crate::probe::Probe;
use crate::tokens::{clock, good, header, jwk, key, set, set_of, signed_with, v2, with};
use crate::usage::{NEARLY_NOTHING, must_settle, say};
use crate::wire::api;
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// Every way to misbehave.
fn misdeeds() -> Vec<(&'static str, Reply)> {
    let page = "<!doctype html><html><title>Sign in to your account</title></html>";
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    vec![
        ("never answers", Reply::Silence),
        ("a slow head", Reply::SlowHead(set(&[1, 2]))),
        ("a trickling body", Reply::SlowBody(set(&[1, 2]))),
        ("50 MB", Reply::Flood(50_000_000)),
        ("a redirect loop", Reply::RedirectToItself),
        ("HTML", issuer::good(page.into())),
        ("an empty set", issuer::good(r#"{"keys":[]}"#.into())),
        (
            "no HTTP",
            Reply::Raw(b"\x00\x01 this is no HTTP \xff\r\n\r\n".to_vec()),
        ),
        (
            "a head without an end",
            Reply::Raw([b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 3_000_000]].concat()),
        ),
        ("deep JSON", issuer::good(format!(r#"{{"keys":{deep}}}"#))),
        ("hangs up", Reply::HangUp),
    ]
}

/// At start: open resources answer at once, tokens get 503 in time, and seconds after the server
/// has come to its senses they get 200.
#[test]
fn a_key_server_that_misbehaves_at_start_costs_no_more_than_503_and_few_fetches() {
    let run = |name: &str, reply: Reply| {
        let issuer = Issuer::start(reply);
        let mut handler = Handler::start(&issuer.url());
        let before = handler.usage();
        let start = Instant::now();
        assert!(handler.public(Duration::from_secs(5)).is_some(), "{name}");
        assert_eq!(handler.api(&good()).0, 503, "{name}");
        let first = start.elapsed();
        assert!(
            first < Duration::from_secs(9),
            "{name}: 503 came after {first:?}"
        );
        issuer.reply(issuer::good(set(&[1])));
        while handler.api(&good()).0 != 200 {
            assert!(
                start.elapsed() < Duration::from_secs(25),
                "{name}: no recovery"
            );
            thread::sleep(Duration::from_millis(50));
        }
        // One at the start, one five seconds after that has ended; a slow machine may make it one more.
        let fetches = issuer.fetches();
        say(&format!(
            "{name} at start: 503 after {first:.1?}, 200 after {:.1?}, {fetches} fetches",
            start.elapsed()
        ));
        assert!(fetches <= 3, "{name}: {fetches} fetches");
        must_settle(
            &mut handler,
            &before,
            NEARLY_NOTHING,
            &format!("{name} at start"),
        );
    };
    thread::scope(|scope| {
        for (name, reply) in misdeeds() {
            scope.spawn(move || run(name, reply));
        }
    });
}

/// Later: known keys stay good, unknown ones get 503, and one fetch is all that they cause.
#[test]
fn a_key_server_that_misbehaves_later_takes_no_key_away() {
    let run = |name: &str, reply: Reply| {
        let issuer = Issuer::with(set(&[1]));
        let mut handler = Handler::start(&issuer.url());
        assert_eq!(handler.api(&good()).0, 200, "{name}");
        let before = handler.usage();
        issuer.reply(reply);
        let start = Instant::now();
        let mut unknown = handler.connect();
        unknown.send(&api(&signed_with(2, &v2())));
        while start.elapsed() < Duration::from_secs(6) {
            assert_eq!(handler.api(&good()).0, 200, "{name}");
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(
            unknown
                .answer(Duration::from_secs(3))
                .map(|answer| answer.0),
            Some(503),
            "{name}"
        );
        assert_eq!(handler.api(&signed_with(3, &v2())).0, 503, "{name}");
        assert_eq!(issuer.fetches(), 2, "{name}");
        must_settle(
            &mut handler,
            &before,
            NEARLY_NOTHING,
            &format!("{name} later"),
        );
    };
    thread::scope(|scope| {
        for (name, reply) in misdeeds() {
            scope.spawn(move || run(name, reply));
        }
    });
}

#[test]
fn a_key_server_that_is_not_there_or_speaks_no_tls_is_an_outage_like_any_other() {
    let plain = Issuer::with(set(&[1]));
    let nobody = format!("http://127.0.0.1:{}/keys", free_port());
    for url in [nobody, plain.url().replace("http:", "https:")] {
        let mut handler = Handler::start(&url);
        assert_eq!(handler.api(&good()).0, 503, "{url}");
        assert!(handler.public(Duration::from_secs(5)).is_some(), "{url}");
        handler.must_be_the_same();
    }
}

#[test]
fn bad_keys_among_good_ones_spoil_nothing() {
    let keys = vec![
        json!(null),
        jwk(2, json!({ "n": "!!" })),
        jwk(3, json!({ "e": "AQ" })),
        jwk(1, json!({ "kty": "EC" })),
        json!({ "kty": "RSA" }),
        key(1).jwk(None),
    ];
    let issuer = Issuer::with(set_of(keys));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
}

/// A token that was accepted is refused once its key has left the set, remembered or not.
#[test]
fn keys_that_are_swapped_back_and_forth_are_never_mixed_up() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    let (first, second) = (good(), signed_with(2, &v2()));
    assert_eq!(handler.api(&first).0, 200);
    issuer.reply(issuer::good(set(&[2])));
    assert_eq!(handler.api(&second).0, 200);
    for number in 0..20 {
        issuer.reply(issuer::good(set(&[1 + number % 2])));
        assert_eq!(
            [handler.api(&first).0, handler.api(&second).0],
            [401, 200],
            "swap {number}"
        );
    }
    assert_eq!(issuer.fetches(), 2);
    handler.must_be_the_same();
}

/// Tokens that would be refused anyway cause no fetch; of the others, two thousand cause one.
#[test]
fn a_flood_of_unknown_keys_causes_one_fetch_and_holds_up_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let before = handler.usage();
    issuer.reply(Reply::Late(Duration::from_secs(1), set(&[1])));
    let request = |claims: &serde_json::Value, number: usize| {
        let header = b64(header(json!({ "kid": format!("unknown {number}") })).to_string());
        api(&format!(
            "{header}.{}.{}",
            b64(claims.to_string()),
            b64([7; 256])
        ))
    };
    let patience = Duration::from_secs(10);
    let probe = Probe::start(&handler);
    for claims in [
        with(v2(), "aud", "another"),
        with(v2(), "iss", "another"),
        with(v2(), "exp", clock() - 4000),
    ] {
        let mut wire = handler.connect();
        wire.send_aside(
            (0..2000)
                .flat_map(|number| request(&claims, number))
                .collect(),
        );
        let statuses: Vec<u16> = (0..2000)
            .map_while(|_| wire.answer(patience))
            .map(|answer| answer.0)
            .collect();
        assert_eq!(statuses, [401; 2000]);
    }
    assert_eq!(issuer.fetches(), 1);
    let mut wires: Vec<_> = (0..40).map(|_| handler.connect()).collect();
    for round in 0..50 {
        for (number, wire) in wires.iter_mut().enumerate() {
            wire.send(&request(&v2(), 40 * round + number));
        }
        for wire in &mut wires {
            assert_eq!(
                wire.answer(patience).map(|answer| answer.0),
                Some(401),
                "round {round}"
            );
        }
    }
    drop(wires);
    assert_eq!(issuer.fetches(), 2);
    probe.end("8,000 tokens with unknown keys");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "8,000 tokens with unknown keys",
    );
}
