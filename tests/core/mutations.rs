//! Good tokens and good key sets with a few things changed: what the handler says of them is
//! what the oracle says, in both directions.

use crate::judge::Judge;
use crate::oracle;
use crate::properties::each;
use crate::support::mint::{b64, mint};
use crate::support::tokens::key;
use crate::vector::text;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;

type Members = Vec<(String, String)>;

/// The values of a member by its name.
type Values = fn(&str) -> &'static [&'static str];

/// One change: what kind, and two numbers that choose from what there is.
type Change = (u8, usize, usize);

fn text_of(members: &Members) -> String {
    let all: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", all.join(","))
}

/// Values that a claim may be given in JSON, good ones and bad ones.
fn claim_values(name: &str) -> &'static [&'static str] {
    match name {
        "aud" => &[
            "\"$API\"",
            "\"x\"",
            "[\"x\",\"$API\"]",
            "[1,\"$API\"]",
            "[]",
            "1",
        ],
        "iss" => &[
            "\"$V1\"",
            "\"$V2\"",
            "\"https://elsewhere.example\"",
            "\"\"",
            "null",
        ],
        "tid" => &["\"$TENANT\"", "\"$UPPER_TENANT\"", "\"x\"", "1", "null"],
        "exp" => &[
            "1800003000",
            "1799999940",
            "1799999941",
            "1799999940.5",
            "-1",
            "1e11",
            "1e12",
            "\"x\"",
            "0",
        ],
        "nbf" => &[
            "1799999000",
            "1800000060",
            "1800000061",
            "1800000060.5",
            "-0",
            "null",
            "253402300800",
        ],
        "iat" => &["1799999000", "1900000000", "-1", "true", "253402300799.5"],
        "scp" | "scope" => &["\"read\"", "\"\"", "\"  \"", "\" a b\"", "1", "[1]", "null"],
        "roles" => &[
            "[\"Admin\"]",
            "[]",
            "[\"\"]",
            "\"Admin\"",
            "[1]",
            "[\"\",\"x\"]",
        ],
        _ => &[
            "\"x\"",
            "\"\"",
            "null",
            "{\"a\":{\"a\":1}}",
            "{\"a\":1,\"a\":2}",
            "[[]]",
        ],
    }
}

fn header_values(name: &str) -> &'static [&'static str] {
    match name {
        "alg" => &[
            "\"RS256\"",
            "\"none\"",
            "\"RS384\"",
            "\"RS25\\u0036\"",
            "null",
        ],
        "typ" => &[
            "\"JWT\"",
            "\"at+jwt\"",
            "\"APPLICATION/AT+JWT\"",
            "\"JOSE\"",
            "1",
        ],
        "kid" => &["\"$KID1\"", "\"$KID2\"", "\"$KID3\"", "\"$KID4\"", "\"\""],
        "crit" => &["[]", "[\"x\"]"],
        _ => &["\"x\"", "null", "{\"a\":1,\"\\u0061\":2}", "[1]"],
    }
}

const CLAIMS: [&str; 13] = [
    "aud", "iss", "tid", "exp", "nbf", "iat", "scp", "scope", "roles", "azp", "appid", "oid", "x",
];
const HEADERS: [&str; 10] = [
    "alg", "typ", "kid", "crit", "b64", "zip", "cty", "jwk", "x5t", "nonce",
];

/// Sets, removes, doubles or moves a member.
fn change(members: &mut Members, name: &str, value: String, how: usize) {
    let place = members.iter().position(|(n, _)| n == name);
    match (how % 6, place) {
        (0, Some(at)) => drop(members.remove(at)),
        (1, Some(at)) if how.is_multiple_of(4) => members.push(members[at].clone()),
        (2, Some(at)) => members.swap(at, how % 3),
        (_, Some(at)) => members[at].1 = value,
        (_, None) => members.push((name.to_owned(), value)),
    }
}

fn change_key(jwk: &mut Value, first: usize, second: usize) {
    let zeros = b64([vec![0], key(1).modulus()].concat());
    let table: [(&str, Value); 8] = [
        ("kty", json!(["RSA", "EC", 1])),
        ("use", json!(["sig", "enc", 1])),
        ("alg", json!(["RS256", "RS512"])),
        (
            "key_ops",
            json!([["verify"], [], ["sign", "verify"], "verify", ["verify", 1]]),
        ),
        (
            "issuer",
            json!([
                text("$ANY_V2"),
                text("$V2"),
                text("$V1"),
                "https://elsewhere.example",
                7
            ]),
        ),
        (
            "n",
            json!([zeros, "AQAB", b64(key(2).modulus()), b64(key(4).modulus())]),
        ),
        ("e", json!(["AQAB", "AAEAAQ", "Aw", "AQ", "AQAA", "AQAB="])),
        ("kid", json!([key(1).kid, key(2).kid, "", 1])),
    ];
    let (name, values) = &table[first % table.len()];
    let values = values.as_array().expect("a list");
    jwk[*name] = values[second % values.len()].clone();
}

/// A token and a key set, good but for the changes.
fn changed(changes: &[Change]) -> (String, Vec<Value>) {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), text(value));
    let mut header: Members = [
        ("typ", "\"JWT\""),
        ("alg", "\"RS256\""),
        ("kid", "\"$KID1\""),
    ]
    .map(owned)
    .into();
    let claims = [
        ("aud", "\"$API\""),
        ("iss", "\"$V2\""),
        ("tid", "\"$TENANT\""),
        ("exp", "1800003000"),
        ("nbf", "1799999000"),
        ("scp", "\"read\""),
    ];
    let mut claims: Members = claims.map(owned).into();
    let mut keys = vec![
        key(2).jwk(None),
        key(1).jwk(Some(&text("$ANY_V2"))),
        key(3).jwk(None),
    ];
    let mut signer = 1;
    for (kind, first, second) in changes {
        let (list, names, values): (_, &[&str], Values) = match kind % 8 {
            0..=3 => (&mut claims, &CLAIMS, claim_values),
            4 => (&mut header, &HEADERS, header_values),
            5 => {
                signer = 1 + first % 4;
                continue;
            }
            6 => {
                change_key(&mut keys[first % 3], *second, second / 8);
                continue;
            }
            _ => {
                let mut twin = keys[first % 3].clone();
                twin["kid"] = json!(key(1 + second % 3).kid);
                keys.insert(second % 4, twin);
                continue;
            }
        };
        let name = names[first % names.len()];
        let value = values(name)[second % values(name).len()];
        change(list, name, text(value), *second);
    }
    (
        mint(key(signer), &text_of(&header), &text_of(&claims)),
        keys,
    )
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    vec((any::<u8>(), 0..1_000usize, 0..1_000usize), 0..most)
}

/// Asserts that handler and oracle agree, and counts what they say.
fn assert_agreement(token: &str, keys: &[Value], counts: &Cell<(u32, u32)>) {
    let Some(expected) = oracle::accepts(token, keys) else {
        return;
    };
    let judged = Judge::of(json!({ "keys": keys })).outcome(token);
    assert_eq!(
        judged == "accepted",
        expected,
        "{judged}: {token} with {keys:?}"
    );
    let (accepted, refused) = counts.get();
    counts.set(if expected {
        (accepted + 1, refused)
    } else {
        (accepted, refused + 1)
    });
}

#[test]
fn handler_and_oracle_agree_on_changed_tokens_and_key_sets() {
    let counts = Cell::new((0, 0));
    each(900, &changes(4), |changes| {
        let (token, keys) = changed(&changes);
        assert_agreement(&token, &keys, &counts);
    });
    let (accepted, refused) = counts.get();
    assert!(
        accepted > 200 && refused > 300,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn handler_and_oracle_agree_on_tokens_that_were_changed_after_they_were_signed() {
    let counts = Cell::new((0, 0));
    let edits = vec(
        (
            0..6u8,
            any::<prop::sample::Index>(),
            prop::sample::select(b"AB_-.=+9 z".to_vec()),
        ),
        0..2,
    );
    each(600, &(changes(2), edits), |(changes, edits)| {
        let (token, keys) = changed(&changes);
        let mut text = token.clone();
        for (kind, place, letter) in edits {
            let (at, letter) = (place.index(text.len()), char::from(letter));
            let mut parts: Vec<&str> = text.split('.').collect();
            text = match kind {
                0 => format!("{}{letter}{}", &text[..at], &text[at + 1..]),
                1 => format!("{}{letter}{}", &text[..at], &text[at..]),
                2 => format!("{}{}", &text[..at], &text[at + 1..]),
                3 => text[..at].to_owned(),
                4 => {
                    let (first, last) = (at % parts.len(), parts.len() - 1);
                    parts.swap(first, last);
                    parts.join(".")
                }
                _ => format!("{text}{letter}"),
            };
        }
        assert_agreement(&text, &keys, &counts);
    });
    let (accepted, refused) = counts.get();
    assert!(
        accepted > 50 && refused > 150,
        "{accepted} accepted, {refused} refused"
    );
}
