//! The check `base64url`: one spelling for the same bytes, in each of the three parts.

use crate::bench::{Bench, payload, signed};
use entra_handler::checks::Refusal;
use entra_handler::rejection::{Part, Rejection};

const PARTS: [Part; 3] = [Part::Header, Part::Payload, Part::Signature];

/// A token of three short parts, one of which is `text`.
fn with_part(place: usize, text: &str) -> String {
    let mut parts = ["QQ"; 3];
    parts[place] = text;
    parts.join(".")
}

#[test]
fn each_part_is_refused_when_it_is_not_canonical_base64url() {
    let table = [
        ("QQ==", "padding"),
        ("QQ=", "half of a padding"),
        ("QUI=", "padding of two bytes"),
        ("=", "nothing but padding"),
        ("QQ=Q", "padding in the middle"),
        ("Q", "one letter, which is no byte"),
        ("QUJDR", "one letter more than a group"),
        ("QR", "a bit set after the last of one byte"),
        ("QU", "the highest unused bit set"),
        ("QUJ", "a bit set after the last of two bytes"),
        ("QUL", "both unused bits set"),
        ("++++", "plus, of the other alphabet"),
        ("////", "slash, of the other alphabet"),
        ("Q Q", "a space inside"),
        (" QQ", "a space before"),
        ("QQ ", "a space after"),
        ("QQ\n", "a line end after"),
        ("QU\r\nJD", "a folded line"),
        ("QQ\t", "a tab after"),
        ("QUJ\u{0}", "a zero byte"),
        ("QUJé", "a letter outside ASCII"),
        ("QUJＡ", "a full-width letter"),
        ("QU%4D", "percent encoding"),
        ("QU,D", "a comma"),
        ("QU:D", "a colon"),
    ];
    for (place, part) in PARTS.into_iter().enumerate() {
        for (text, what) in table {
            let refused = Refusal { check: "base64url", rejection: Rejection::NotBase64url { part } };
            assert_eq!(Bench::new().judge(&with_part(place, text)), Err(refused), "{what} in {part:?}");
        }
    }
}

#[test]
fn every_letter_of_the_alphabet_passes_in_canonical_form() {
    for text in ["QQ", "QUI", "QUJD", "QUJDRA", "-_-_", "AA", "AAA", "____", "--__", "ABCDEFGHIJKLMNOPQRSTUVWXYZab"] {
        for place in 0..3 {
            // The first part of these tokens is no JSON, so the walk stops right after base64url.
            assert_refused!(Bench::new().judge(&with_part(place, text)), "header", Rejection::BadJson { .. }, text);
        }
    }
}

#[test]
fn of_several_bad_parts_the_first_is_named() {
    assert_refused!(Bench::new().judge("=.=.="), "base64url", Rejection::NotBase64url { part: Part::Header });
    assert_refused!(Bench::new().judge("QQ.=.="), "base64url", Rejection::NotBase64url { part: Part::Payload });
}

#[test]
fn a_good_token_is_refused_in_every_other_spelling_of_its_parts() {
    let token = signed(&payload(&[]));
    let parts: Vec<&str> = token.split('.').collect();
    for (place, part) in PARTS.into_iter().enumerate() {
        for end in ["=", "==", "\n", " ", "A==="] {
            let mut spelled: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            spelled[place].push_str(end);
            let refused = Refusal { check: "base64url", rejection: Rejection::NotBase64url { part } };
            assert_eq!(Bench::new().judge(&spelled.join(".")), Err(refused), "{end:?} after {part:?}");
        }
    }
}

#[test]
fn the_unused_bits_of_a_signature_are_not_free() {
    // 256 bytes end in two letters, the second of which has four unused bits.
    let token = signed(&payload(&[]));
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(token.chars().last().unwrap()).unwrap();
    assert_eq!(last % 16, 0, "a canonical end");
    for low in 1..16 {
        let changed = format!("{}{}", &token[..token.len() - 1], &alphabet[last + low..=last + low]);
        let refused = Rejection::NotBase64url { part: Part::Signature };
        assert_eq!(Bench::new().judge(&changed), Err(Refusal { check: "base64url", rejection: refused }));
    }
}
