//! Good tokens and good key sets with a few things changed, as tests/vectors/mutations.json has them:
//! what the handler says of them is what the oracle says, in both directions.

use crate::judge::Judge;
use crate::oracle;
use crate::properties::each;
use crate::vector::Vector;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::sync::LazyLock;

/// The values that members of claims, header and keys may be given, good ones and bad ones.
static VALUES: LazyLock<Value> = LazyLock::new(|| {
    let page = include_str!("../vectors/mutations.json");
    serde_json::from_str(page).expect("JSON")
});

/// One change: what kind, and two numbers that choose from what there is.
type Change = (u8, usize, usize);

/// A member and its new value.
fn chosen(what: &str, first: usize, second: usize) -> (String, Value) {
    let members = VALUES[what].as_object().expect("an object");
    let (name, values) = members.iter().nth(first % members.len()).expect("a member");
    let values = values.as_array().expect("a list");
    (name.clone(), values[second % values.len()].clone())
}

/// A case that is good but for the changes.
fn changed(changes: &[Change]) -> Vector {
    let (mut claims, mut header, mut signer) = (Map::new(), Map::new(), 1);
    let mut keys = vec![
        json!({ "key": 2 }),
        json!({ "key": 1, "issuer": "$ANY_V2" }),
        json!({ "key": 3 }),
    ];
    for (kind, first, second) in changes {
        match kind % 8 {
            0..=3 => claims.extend([chosen("claims", *first, *second)]),
            4 => header.extend([chosen("header", *first, *second)]),
            5 => signer = 1 + first % 4,
            6 => {
                let (name, value) = chosen("keys", *second, second / 8);
                keys[first % 3][name] = value;
            }
            _ => {
                let mut twin = keys[first % 3].clone();
                twin["kid"] = json!(format!("$KID{}", 1 + second % 3));
                keys.insert(second % 4, twin);
            }
        }
    }
    Vector::of(json!({ "claims": claims, "header": header, "keys": keys, "signer": signer }))
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    vec((any::<u8>(), 0..1_000usize, 0..1_000usize), 0..most)
}

/// How often handler and oracle agreed, by what they said.
#[derive(Default)]
struct Agreed {
    accepted: Cell<u32>,
    refused: Cell<u32>,
}

impl Agreed {
    fn on(&self, case: &Vector, token: &str) {
        let set = case.key_sets().remove(0).expect("a set");
        let set: Value = serde_json::from_str(&set).expect("JSON");
        let keys = set["keys"].as_array().expect("a list");
        let Some(expected) = oracle::accepts(token, keys) else {
            return;
        };
        let judged = Judge::with(case, &case.settings()).outcome(token);
        assert_eq!(
            judged == "accepted",
            expected,
            "{judged}: {token} of {case:?}"
        );
        let count = if expected {
            &self.accepted
        } else {
            &self.refused
        };
        count.set(count.get() + 1);
    }
}

#[test]
fn handler_and_oracle_agree_on_changed_tokens_and_key_sets() {
    let agreed = Agreed::default();
    each(900, &changes(4), |changes| {
        let case = changed(&changes);
        agreed.on(&case, &case.token(case.now()));
    });
    assert!(agreed.accepted.get() > 200 && agreed.refused.get() > 300);
}

#[test]
fn handler_and_oracle_agree_on_tokens_that_were_changed_after_they_were_signed() {
    let agreed = Agreed::default();
    let letters = prop::sample::select(b"AB_-.=+9 z".to_vec());
    let edits = vec((0..6u8, any::<prop::sample::Index>(), letters), 0..2);
    each(600, &(changes(2), edits), |(changes, edits)| {
        let case = changed(&changes);
        let mut text = case.token(case.now());
        for (kind, place, letter) in edits {
            let (at, letter) = (place.index(text.len()), char::from(letter));
            match kind {
                0 => text.replace_range(at..=at, &letter.to_string()),
                1 => text.insert(at, letter),
                2 => drop(text.remove(at)),
                3 => text.truncate(at),
                4 => {
                    let mut parts: Vec<&str> = text.split('.').collect();
                    let count = parts.len();
                    parts.swap(at % count, count - 1);
                    text = parts.join(".");
                }
                _ => text.push(letter),
            }
        }
        agreed.on(&case, &text);
    });
    assert!(agreed.accepted.get() > 50 && agreed.refused.get() > 150);
}
