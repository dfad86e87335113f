//! What a key set may have in it, and where it may come from.

use crate::harness::{Handler, borrowed, run, usual};
use crate::key_server::{KeyServer, Reply};
use crate::mint::b64;
use crate::tokens::*;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Keys that may not verify, each for another reason.
fn bad_keys() -> Vec<(&'static str, Value)> {
    let even = {
        let mut modulus = key(1).modulus();
        *modulus.last_mut().expect("not empty") &= 0xfe;
        b64(modulus)
    };
    vec![
        ("use enc", jwk(1, json!({ "use": "enc" }))),
        ("alg RS512", jwk(1, json!({ "alg": "RS512" }))),
        ("alg PS256", jwk(1, json!({ "alg": "PS256" }))),
        (
            "key_ops without verify",
            jwk(1, json!({ "key_ops": ["sign", "encrypt"] })),
        ),
        (
            "key_ops that are no list",
            jwk(1, json!({ "key_ops": "verify" })),
        ),
        ("kty EC", jwk(1, json!({ "kty": "EC" }))),
        ("no kty", without(jwk(1, json!({})), "kty")),
        ("no modulus", without(jwk(1, json!({})), "n")),
        ("no exponent", without(jwk(1, json!({})), "e")),
        (
            "a modulus with padding",
            jwk(1, json!({ "n": format!("{}==", b64(key(1).modulus())) })),
        ),
        ("an even modulus", jwk(1, json!({ "n": even }))),
        (
            "a modulus of 2047 bits",
            jwk(
                1,
                json!({ "n": b64([&[0x7f; 1][..], &[0xff; 255]].concat()) }),
            ),
        ),
        (
            "a modulus of 8193 bits",
            jwk(
                1,
                json!({ "n": b64([&[1; 1][..], &[0xff; 1024]].concat()) }),
            ),
        ),
        ("exponent 1", jwk(1, json!({ "e": "AQ" }))),
        ("an even exponent", jwk(1, json!({ "e": b64([1, 0, 0]) }))),
        (
            "an exponent that is a number",
            jwk(1, json!({ "e": 65537 })),
        ),
        (
            "an issuer that is no string",
            jwk(1, json!({ "issuer": 1 })),
        ),
    ]
}

#[test]
fn one_bad_key_does_not_spoil_the_set_and_verifies_nothing() {
    for (name, bad) in bad_keys() {
        let keys = KeyServer::with(set_of(vec![bad, key(2).jwk(None)]));
        let handler = Handler::with_keys(&keys, &[]);
        assert_eq!(handler.api(&signed_with(2, &v2())).status, 200, "{name}");
        let answer = handler.api(&good());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_header"),
            "{name}"
        );
        // The key is there, so there is nothing to fetch.
        assert_eq!(keys.fetches(), 1, "{name}");
    }
}

#[test]
fn what_is_no_key_at_all_is_passed_over() {
    let twice = format!(
        r#"{{"kid":"x","kid":"x","kty":"RSA","n":"{}","e":"AQAB"}}"#,
        b64(key(1).modulus())
    );
    let set = format!(
        r#"{{"odd":{{"a":1,"a":2}},"keys":[null,1,"x",[],{{}},{twice},{{"kid":7}},{},{{"kid":""}}]}}"#,
        key(2).jwk(None)
    );
    let keys = KeyServer::with(set);
    let handler = Handler::with_keys(&keys, &[]);
    assert_eq!(handler.api(&signed_with(2, &v2())).status, 200);
}

#[test]
fn usable_keys_may_leave_out_or_add_what_does_not_matter() {
    let mut zeros = vec![0, 0];
    zeros.extend(key(1).modulus());
    let good_keys = [
        without(jwk(1, json!({})), "use"),
        jwk(1, json!({ "alg": "RS256", "key_ops": ["verify"] })),
        jwk(
            1,
            json!({ "key_ops": ["sign", "verify"], "x5c": ["not read"], "nbf": 4e9 }),
        ),
        jwk(1, json!({ "n": b64(zeros), "e": b64([0, 1, 0, 1]) })),
        jwk(
            1,
            json!({ "issuer": v2_issuer("{tenantid}"), "cloud_instance_name": "microsoftonline.com" }),
        ),
    ];
    for jwk in good_keys {
        let keys = KeyServer::with(set_of(vec![jwk.clone()]));
        assert_eq!(
            Handler::with_keys(&keys, &[]).api(&good()).status,
            200,
            "{jwk}"
        );
    }
}

#[test]
fn of_two_keys_with_one_name_the_one_that_verifies_counts() {
    let (first, second) = (
        jwk(1, json!({ "kid": "twin" })),
        jwk(2, json!({ "kid": "twin" })),
    );
    for set in [[first.clone(), second.clone()], [second, first]] {
        let keys = KeyServer::with(set_of(set.into()));
        let handler = Handler::with_keys(&keys, &[]);
        let header = header(json!({ "kid": "twin" }));
        for number in [1, 2] {
            let token = crate::mint::mint(key(number), &header.to_string(), &v2().to_string());
            assert_eq!(handler.api(&token).status, 200);
        }
        let token = crate::mint::mint(key(3), &header.to_string(), &v2().to_string());
        handler.api(&token).must_be(401, "invalid_header");
    }
}

/// A path of this test's own.
fn path(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("http");
    fs::create_dir_all(&directory).expect("a directory for files");
    directory.join(format!("{name}-{}", std::process::id()))
}

fn with_file(path: &std::path::Path) -> Handler {
    Handler::start(&borrowed(&usual(path.to_str().expect("UTF-8"), &[])))
}

#[test]
fn keys_may_come_from_a_file_and_change_there() {
    let path = path("keys");
    fs::write(&path, set(&[1])).expect("written");
    let handler = with_file(&path);
    assert_eq!(handler.api(&good()).status, 200);
    fs::write(&path, set(&[2])).expect("written");
    assert_eq!(handler.api(&signed_with(2, &v2())).status, 200);
    handler.api(&good()).must_be(401, "invalid_header");
    fs::remove_file(&path).expect("removed");
    assert_eq!(handler.api(&signed_with(2, &v2())).status, 200);
}

#[test]
fn without_a_good_file_there_are_no_keys() {
    let (empty, long) = (path("empty"), path("long"));
    fs::write(&empty, "").expect("written");
    fs::write(&long, format!("{}{}", set(&[1]), " ".repeat(1024 * 1024))).expect("written");
    for bad in [
        path("missing"),
        env!("CARGO_TARGET_TMPDIR").into(),
        empty.clone(),
        long.clone(),
        "/dev/zero".into(),
    ] {
        let handler = with_file(&bad);
        let answer = handler.api(&good());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "keys_unavailable"),
            "{}",
            bad.display()
        );
        assert_eq!(handler.get("/public").status, 200);
    }
    for path in [empty, long] {
        fs::remove_file(path).expect("removed");
    }
}

#[test]
fn a_file_that_appears_later_is_found_within_seconds() {
    let path = path("late");
    let handler = with_file(&path);
    handler.api(&good()).must_be(503, "keys_unavailable");
    fs::write(&path, set(&[1])).expect("written");
    crate::harness::wait_until("the file is read", || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        handler.api(&good()).status == 200
    });
    fs::remove_file(path).expect("removed");
}

/// Nobody ever writes into the pipe: a fetch that waits for it would be the last one.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_and_does_not_keep_the_handler_from_a_real_one() {
    let path = path("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let handler = with_file(&path);
    let answer = handler.api(&good());
    answer.must_be(503, "keys_unavailable");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, set(&[1])).expect("written");
    crate::harness::wait_until("the file is read", || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        handler.api(&good()).status == 200
    });
    fs::remove_file(path).expect("removed");
}

#[test]
fn keys_do_not_travel_in_the_clear_beyond_this_machine() {
    for address in [
        "http://keys.example.com/keys",
        "http://10.0.0.1/keys",
        "http://127.0.0.1.example.com/",
        "ftp://x/y",
    ] {
        let outcome = run(&[], &borrowed(&usual(address, &[])), "");
        assert_eq!(outcome.status, 2, "{address}");
        assert!(outcome.stderr.contains("JWKS_URI"), "{}", outcome.stderr);
    }
}

#[test]
fn a_proxy_does_not_come_between_the_handler_and_this_machine() {
    let (keys, proxy) = (
        KeyServer::with(set(&[1])),
        KeyServer::start(Reply::Body(set(&[2]))),
    );
    let origin = proxy.origin();
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
        "https_proxy",
    ];
    let handler = Handler::with_keys(&keys, &names.map(|name| (name, origin.as_str())));
    assert_eq!(handler.api(&good()).status, 200);
    assert_eq!(proxy.fetches(), 0);
}
