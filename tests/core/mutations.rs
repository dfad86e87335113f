//! Good tokens and good key sets with a few things changed: what the handler says of them is
//! what the oracle says, in both directions.

use crate::bench::{API, Bench, ENTRA_KEY_ISSUER, TENANT, V1, V2, encoded, key};
use crate::mint::mint;
use crate::oracle;
use crate::properties::each;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;

type Members = Vec<(String, String)>;

/// One change: what kind, and two numbers that choose from what there is.
type Change = (u8, usize, usize);

fn text_of(members: &Members) -> String {
    let all: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", all.join(","))
}

fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}

/// Values that a claim may be given, good ones and bad ones.
fn claim_values(name: &str) -> Vec<String> {
    let texts = |values: &[&str]| values.iter().map(|value| quoted(value)).collect::<Vec<_>>();
    let raw = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let upper = TENANT.to_uppercase();
    match name {
        "aud" => [texts(&[API, "x"]), vec![format!("[\"x\",\"{API}\"]"), format!("[1,\"{API}\"]")], raw(&["[]", "1"])]
            .concat(),
        "iss" => [texts(&[V1, V2, "https://elsewhere.example", ""]), raw(&["null"])].concat(),
        "tid" => [texts(&[TENANT, &upper, "x"]), raw(&["1"])].concat(),
        "exp" => raw(&["1800003000", "1799999940", "1799999941", "1799999940.5", "-1", "1e11", "1e12", "\"x\"", "0"]),
        "nbf" => raw(&["1799999000", "1800000060", "1800000061", "1800000060.5", "-0", "null", "253402300800"]),
        "iat" => raw(&["1799999000", "1900000000", "-1", "true", "253402300799.5"]),
        "scp" | "scope" => [texts(&["read", "", "  ", " a b"]), raw(&["1", "[\"read\"]"])].concat(),
        "roles" => raw(&["[\"Admin\"]", "[]", "[\"\"]", "\"Admin\"", "[1]", "[\"\",\"x\"]"]),
        _ => [texts(&["x", ""]), raw(&["null", "{\"a\":{\"a\":1}}", "{\"a\":1,\"a\":2}", "[[]]"])].concat(),
    }
}

fn header_values(name: &str) -> Vec<String> {
    let list: &[&str] = match name {
        "alg" => &["\"RS256\"", "\"none\"", "\"RS384\"", "\"RS25\\u0036\"", "null"],
        "typ" => &["\"JWT\"", "\"at+jwt\"", "\"APPLICATION/AT+JWT\"", "\"JOSE\"", "1"],
        "crit" => &["[]", "[\"x\"]"],
        _ => &["\"x\"", "null", "{\"a\":1,\"\\u0061\":2}", "[1]"],
    };
    list.iter().map(|value| (*value).to_owned()).collect()
}

const CLAIMS: [&str; 13] =
    ["aud", "iss", "tid", "exp", "nbf", "iat", "scp", "scope", "roles", "azp", "appid", "oid", "x"];
const HEADERS: [&str; 10] = ["alg", "typ", "kid", "crit", "b64", "zip", "cty", "jwk", "x5t", "nonce"];

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
    let zeros = encoded([vec![0], key(1).modulus()].concat());
    let table: [(&str, Vec<Value>); 8] = [
        ("kty", vec![json!("RSA"), json!("EC"), json!(1)]),
        ("use", vec![json!("sig"), json!("enc"), json!(null)]),
        ("alg", vec![json!("RS256"), json!("RS512"), json!(null)]),
        (
            "key_ops",
            vec![json!(["verify"]), json!([]), json!(["sign", "verify"]), json!("verify"), json!(["verify", 1])],
        ),
        ("issuer", vec![json!(ENTRA_KEY_ISSUER), json!(V2), json!(V1), json!("https://elsewhere.example"), json!(7)]),
        ("n", vec![json!(zeros), json!("AQAB"), json!(encoded(key(2).modulus())), json!(encoded(key(4).modulus()))]),
        ("e", vec![json!("AQAB"), json!("AAEAAQ"), json!("Aw"), json!("AQ"), json!("AQAA"), json!("AQAB=")]),
        ("kid", vec![json!(key(1).kid), json!(key(2).kid), json!(""), json!(1)]),
    ];
    let (name, values) = &table[first % table.len()];
    jwk[*name] = values[second % values.len()].clone();
}

/// A token and a key set, good but for the changes.
fn changed(changes: &[Change]) -> (String, Vec<Value>) {
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut header = vec![owned("typ", "\"JWT\""), owned("alg", "\"RS256\""), ("kid".to_owned(), quoted(&key(1).kid))];
    let mut claims = vec![
        ("aud".to_owned(), quoted(API)),
        ("iss".to_owned(), quoted(V2)),
        ("tid".to_owned(), quoted(TENANT)),
        owned("exp", "1800003000"),
        owned("nbf", "1799999000"),
        owned("scp", "\"read\""),
    ];
    let mut keys = vec![key(2).jwk(None), key(1).jwk(Some(ENTRA_KEY_ISSUER)), key(3).jwk(None)];
    let mut signer = 1;
    for (kind, first, second) in changes {
        match kind % 8 {
            0..=3 => {
                let name = CLAIMS[first % CLAIMS.len()];
                let values = claim_values(name);
                change(&mut claims, name, values[second % values.len()].clone(), *second);
            }
            4 => {
                let name = HEADERS[first % HEADERS.len()];
                let values =
                    if name == "kid" { (1..=4).map(|n| quoted(&key(n).kid)).collect() } else { header_values(name) };
                change(&mut header, name, values[second % values.len()].clone(), *second);
            }
            5 => signer = 1 + first % 4,
            6 => change_key(&mut keys[first % 3], *second, second / 8),
            _ => {
                let mut twin = keys[first % 3].clone();
                twin["kid"] = json!(key(1 + second % 3).kid);
                keys.insert(second % 4, twin);
            }
        }
    }
    (mint(key(signer), &text_of(&header), &text_of(&claims)), keys)
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    vec((any::<u8>(), 0..1_000usize, 0..1_000usize), 0..most)
}

/// Asserts that handler and oracle agree, and counts what they say.
fn assert_agreement(token: &str, keys: &[Value], counts: &Cell<(u32, u32)>) {
    let Some(expected) = oracle::accepts(token, keys) else { return };
    let judged = Bench::new().keys(keys).judge(token);
    assert_eq!(judged.is_ok(), expected, "{judged:?}: {token} with {keys:?}");
    let (accepted, refused) = counts.get();
    counts.set(if expected { (accepted + 1, refused) } else { (accepted, refused + 1) });
}

#[test]
fn handler_and_oracle_agree_on_changed_tokens_and_key_sets() {
    let counts = Cell::new((0, 0));
    each(900, &changes(4), |changes| {
        let (token, keys) = changed(&changes);
        assert_agreement(&token, &keys, &counts);
    });
    let (accepted, refused) = counts.get();
    assert!(accepted > 200 && refused > 300, "{accepted} accepted, {refused} refused");
}

#[test]
fn handler_and_oracle_agree_on_tokens_that_were_changed_after_they_were_signed() {
    let counts = Cell::new((0, 0));
    let edits = vec((0..6u8, any::<prop::sample::Index>(), prop::sample::select(b"AB_-.=+9 z".to_vec())), 0..2);
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
    assert!(accepted > 50 && refused > 150, "{accepted} accepted, {refused} refused");
}
