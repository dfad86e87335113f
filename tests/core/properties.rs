//! Properties of every text: arbitrary ones, JSON ones, and every neighbour of a good token. The
//! seed is fixed, so that every run tries the same.

use crate::judge::{Judge, token};
use crate::oracle;
use crate::support::mint::b64;
use crate::vector::Vector;
use entra_handler::{CHECKS, KeySet, Object, walk};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::json;

/// Runs a test on so many values, the same ones in every run.
pub(crate) fn each<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        // Each try prints its own failure.
        max_shrink_iters: 50,
        rng_seed: RngSeed::Fixed(20_261_124),
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Asserts that a text is refused, in words that may be said; and that explaining it takes no harm.
fn assert_refused_somehow(judge: &Judge, text: &str) {
    let refused = judge.decide(text).expect_err("nobody signed this");
    assert_eq!(refused.status(), 401, "{refused:?}");
    let words = refused.description();
    let is_allowed = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    assert!(words.bytes().all(is_allowed), "{words:?}");
    assert_eq!(walk(&mut judge.case(text)).len(), CHECKS.len());
}

#[test]
fn no_text_makes_the_checks_panic_or_accept() {
    let judge = Judge::usual();
    let texts = prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_.=-]{0,80}",
        "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){2}"
    ];
    each(3_000, &texts, |text| assert_refused_somehow(&judge, &text));
}

#[test]
fn no_bytes_within_the_parts_make_the_checks_panic_or_accept() {
    let judge = Judge::usual();
    let bytes = || {
        prop_oneof![
            vec(any::<u8>(), 0..60),
            any_json().prop_map(String::into_bytes)
        ]
    };
    each(
        2_000,
        &(bytes(), bytes(), vec(any::<u8>(), 0..300)),
        |(header, claims, signature)| {
            let token = format!("{}.{}.{}", b64(header), b64(claims), b64(signature));
            assert_refused_somehow(&judge, &token);
        },
    );
}

#[test]
fn no_signed_bytes_make_the_checks_panic_or_pass_the_claims() {
    let judge = Judge::usual();
    each(300, &any_json(), |claims| {
        let token = token(json!({ "claims": claims }));
        let refused = judge.decide(&token).expect_err("claims of nobody");
        assert!(["payload", "iss"].contains(&refused.check), "{refused:?}");
        assert_eq!(walk(&mut judge.case(&token)).len(), CHECKS.len());
    });
}

#[test]
fn no_bytes_make_the_key_set_panic() {
    let sets = prop_oneof![
        vec(any::<u8>(), 0..100),
        any_json().prop_map(String::into_bytes),
        any_json().prop_map(|text| format!("{{\"keys\":[{text}]}}").into_bytes()),
    ];
    // None of these holds 2048 bits, so none holds a usable key.
    each(3_000, &sets, |bytes| assert!(KeySet::parse(bytes).is_err()));
}

/// Texts that are JSON, with names that repeat, escapes, white space and all kinds of numbers.
fn any_json() -> impl Strategy<Value = String> {
    let words = |list: &'static str| prop::sample::select(list.split(' ').collect::<Vec<_>>());
    let names = move || words(r#""a" "\u0061" "b" "" "é" "\u00e9" "\"" "keys""#);
    let leaves = r#"0 -0 1 -1.5 1e5 1E-5 1e999 0.10 true false null "" "\ud83d\ude00" "a:[{" "\\" "\"" [] {}"#;
    let number = any::<f64>().prop_filter("finite", |number| number.is_finite());
    let leaves = prop_oneof![
        words(leaves).prop_map(str::to_owned),
        number.prop_map(|number| format!("{number:e}")),
        any::<String>().prop_map(|text| json!(text).to_string()),
    ];
    let spaces = || prop::sample::select(vec!["", "", "", " ", "\n", "\t\r "]);
    leaves.prop_recursive(5, 40, 5, move |inner| {
        let member = (names(), spaces(), inner.clone());
        let member =
            member.prop_map(|(name, space, value)| format!("{space}{name}{space}:{value}{space}"));
        let members = vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(",")));
        let element = (spaces(), inner).prop_map(|(space, value)| format!("{space}{value}{space}"));
        let elements = vec(element, 0..5).prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![2 => members, 1 => elements]
    })
}

/// A few bytes replaced, inserted or removed.
fn edited(mut text: Vec<u8>, edits: Vec<(u8, prop::sample::Index, u8)>) -> Vec<u8> {
    for (kind, place, byte) in edits {
        if text.is_empty() {
            break;
        }
        let at = place.index(text.len());
        match kind % 3 {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            _ => drop(text.remove(at)),
        }
    }
    text
}

fn edits() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, u8)>> {
    let bytes = prop_oneof![
        any::<u8>(),
        prop::sample::select(b"{}[]\",:\\0123456789.eE+-utfn \n".to_vec())
    ];
    vec((any::<u8>(), any::<prop::sample::Index>(), bytes), 0..3)
}

#[test]
fn the_reader_accepts_what_serde_json_accepts_but_for_duplicates_depth_and_huge_numbers() {
    let counts = std::cell::Cell::new((0, 0));
    let texts =
        (any_json(), 0usize..3, 50usize..70, edits()).prop_map(|(text, wrap, levels, edits)| {
            let wrapped = match wrap {
                0 => format!("{{\"x\":{text}}}"),
                1 => format!(
                    "{{\"x\":{}{text}{}}}",
                    "[".repeat(levels),
                    "]".repeat(levels)
                ),
                _ => text,
            };
            edited(wrapped.into_bytes(), edits)
        });
    each(8_000, &texts, |text| {
        // serde_json refuses numbers beyond a double; the reader leaves them to the range checks.
        let in_range = String::from_utf8_lossy(&text).replace("1e999", "1e111");
        let expected = match String::from_utf8(text.clone()) {
            Ok(_) => oracle::object(in_range.as_bytes()),
            Err(_) => Some(None),
        };
        let Some(expected) = expected else { return };
        let (accepted, refused) = counts.get();
        counts.set(if expected.is_some() {
            (accepted + 1, refused)
        } else {
            (accepted, refused + 1)
        });
        let read = Object::parse(text.clone());
        assert_eq!(
            read.is_ok(),
            expected.is_some(),
            "{read:?} of {:?}",
            String::from_utf8_lossy(&text)
        );
        for (name, value) in expected.unwrap_or_default() {
            let object = read.as_ref().unwrap();
            let found = object
                .get(&name)
                .expect("the member is there")
                .text()
                .replace("1e999", "1e111");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&found).unwrap(),
                value
            );
        }
    });
    let (accepted, refused) = counts.get();
    assert!(
        accepted > 1_000 && refused > 1_000,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn what_is_accepted_comes_out_byte_for_byte() {
    let judge = Judge::usual();
    let accepted = std::cell::Cell::new(0);
    each(400, &any_json(), |value| {
        let line = json!({ "claims": format!("{{\"x\":{value},USUAL}}") });
        let vector = Vector::of(line.clone());
        let claims = vector.payload(judge.now);
        match (
            judge.decide(&vector.token(judge.now)),
            Object::parse(claims.clone()),
        ) {
            (Ok(found), Ok(_)) => {
                assert_eq!(found.json().as_bytes(), claims);
                accepted.set(accepted.get() + 1);
            }
            (Err(refused), Err(_)) => assert_eq!(refused.check, "payload"),
            other => panic!("{other:?}: {value}"),
        }
    });
    assert!(accepted.get() > 100, "{accepted:?}");
}

#[test]
fn every_neighbour_of_a_good_token_is_refused_before_its_claims() {
    let (judge, token) = (Judge::usual(), token(json!({})));
    let of_the_text: Vec<&str> = CHECKS
        .iter()
        .map(|check| check.name)
        .take_while(|name| *name != "tid")
        .collect();
    let mut tried = 0;
    let mut assert_refused = |text: String| {
        let refused = judge.decide(&text).expect_err(&text);
        assert!(of_the_text.contains(&refused.check), "{refused:?}: {text}");
        tried += 1;
    };
    for at in 0..token.len() {
        let (before, rest) = token.split_at(at);
        let (letter, after) = rest.split_at(1);
        for other in ["A", "B", "_", ".", "=", " ", "\0", "é"]
            .into_iter()
            .filter(|other| *other != letter)
        {
            assert_refused(format!("{before}{other}{after}"));
        }
        assert_refused(format!("{before}{after}"));
        assert_refused(format!("{before}{letter}{letter}{after}"));
        assert_refused(before.to_owned());
        if !after.is_empty() && !after.starts_with(letter) {
            assert_refused(format!("{before}{}{letter}{}", &after[..1], &after[1..]));
        }
    }
    assert!(tried > token.len() * 10, "{tried}");
}
