//! Keys of an issuer that is all there is in the settings: its metadata names them.

use crate::support::tokens::*;
use crate::support::*;
use serde_json::json;

const KIB: usize = 1024;

/// Where the metadata of the issuer with the path `/shop` is: OpenID Connect Discovery, and RFC 8414.
const BEHIND_THE_PATH: &str = "/shop/.well-known/openid-configuration";
const BEFORE_THE_PATH: &str = "/.well-known/openid-configuration/shop";

/// A handler that knows this issuer, and no address of keys.
fn knowing(issuer: &str) -> Handler {
    let settings = [("API_AUDIENCE", AUDIENCE), ("ISSUERS", issuer)];
    Setup::bare().with(&settings).start()
}

fn token_of(issuer: &str) -> String {
    signed(&with(v2(), "iss", issuer))
}

/// Metadata of exactly this length.
fn metadata(keys: &KeyServer, issuer: &str, bytes: usize) -> String {
    let text = json!({ "issuer": issuer, "jwks_uri": keys.url() }).to_string();
    format!("{text}{}", " ".repeat(bytes - text.len()))
}

#[test]
fn an_issuer_alone_suffices_for_its_tokens() {
    for path in ["", "/", "/shop", "/shop/"] {
        let keys = KeyServer::with(set(&[1]));
        let issuer = keys.issuer(path);
        assert_eq!(
            knowing(&issuer).api(&token_of(&issuer)).status,
            200,
            "{path}"
        );
        assert_eq!((keys.fetches(), keys.received().len()), (1, 2), "{path}");
    }
}

#[test]
fn where_there_is_no_metadata_behind_the_path_it_is_looked_for_before_it() {
    for (first, status, asked) in [(404, 200, 1), (500, 503, 0)] {
        let keys = KeyServer::with(set(&[1]));
        let issuer = format!("{}/shop", keys.origin());
        keys.reply_at(BEHIND_THE_PATH, Reply::status(first, ""));
        // As long as metadata may be.
        let longest = metadata(&keys, &issuer, 64 * KIB);
        keys.reply_at(BEFORE_THE_PATH, Reply::body(longest));
        assert_eq!(knowing(&issuer).api(&token_of(&issuer)).status, status);
        assert_eq!(keys.fetches_of(BEFORE_THE_PATH), asked, "{first}");
    }
}

/// Metadata that counts for nothing, and what the log says of it. `ISSUER` and `KEYS` stand for the
/// addresses of both, `PORTPATH` for the end of the latter.
const FAULTS: &[(&str, &str)] = &[
    (
        r#"{"issuer":"https://issuer.example","jwks_uri":"KEYS"}"#,
        "the metadata is of the issuer 'https://issuer.example', and not of 'ISSUER'",
    ),
    (
        r#"{"issuer":"ISSUER/","jwks_uri":"KEYS"}"#,
        "the metadata is of the issuer 'ISSUER/', and not of 'ISSUER'",
    ),
    (
        r#"{"jwks_uri":"KEYS"}"#,
        "the metadata is of the issuer '', and not of 'ISSUER'",
    ),
    (
        r#"{"issuer":"https://issuer.example","issuer":"ISSUER","jwks_uri":"KEYS"}"#,
        "the metadata has the member 'issuer' twice",
    ),
    (
        r#"{"issuer":"ISSUER","jwks_uri":"KEYS","jwks_uri":"KEYS"}"#,
        "the metadata has the member 'jwks_uri' twice",
    ),
    // No loopback address, which reaches this machine all the same.
    (
        r#"{"issuer":"ISSUER","jwks_uri":"http://0.0.0.0:PORTPATH"}"#,
        "the metadata has the jwks_uri 'http://0.0.0.0:PORTPATH', which is not https://",
    ),
    (
        r#"{"issuer":"ISSUER","jwks_uri":"https://name:secret@127.0.0.1:PORTPATH"}"#,
        "the metadata has the jwks_uri 'https://(user information)@",
    ),
    (
        r#"{"issuer":"ISSUER"}"#,
        "the metadata has the jwks_uri '', which is not https://",
    ),
];

#[test]
fn metadata_counts_only_if_it_is_of_the_issuer_and_names_a_safe_address() {
    for (metadata, words) in FAULTS {
        let keys = KeyServer::with(set(&[1]));
        let (issuer, url) = (format!("{}/shop", keys.origin()), keys.url());
        let (_, port_and_path) = url.rsplit_once(':').expect("a port");
        let filled = |text: &str| {
            let text = text.replace("ISSUER", &issuer).replace("KEYS", &url);
            text.replace("PORTPATH", port_and_path)
        };
        keys.reply_at(BEHIND_THE_PATH, Reply::body(filled(metadata)));
        must_have_no_keys(&keys, &issuer, &filled(words));
    }
}

#[test]
fn metadata_of_more_than_64_kib_is_not_read() {
    let keys = KeyServer::with(set(&[1]));
    let issuer = format!("{}/shop", keys.origin());
    let long = metadata(&keys, &issuer, 64 * KIB + 1);
    keys.reply_at(BEHIND_THE_PATH, Reply::body(long));
    must_have_no_keys(&keys, &issuer, "it is longer than 65536 bytes");
}

/// A handler that knows this issuer has no keys, and its log says where and why.
fn must_have_no_keys(keys: &KeyServer, issuer: &str, words: &str) {
    let handler = knowing(issuer);
    let response = handler.api(&token_of(issuer));
    assert_eq!(
        (response.status, &*response.code()),
        (503, "keys_unavailable"),
        "{words}"
    );
    let line = format!(
        "could not be fetched: {}{BEHIND_THE_PATH}: {words}",
        keys.origin()
    );
    let (_, stderr) = handler.into_lines();
    assert!(
        stderr.iter().any(|it| it.contains(&line)),
        "{line}: {stderr:?}"
    );
    assert!(!stderr.concat().contains("secret"), "{stderr:?}");
    assert_eq!(keys.fetches(), 0, "{words}");
}
