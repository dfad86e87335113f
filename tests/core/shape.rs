//! The checks `size` and `three parts`.

use crate::bench::{Bench, header, key, payload};
use crate::mint::mint;
use entra_handler::checks::Refusal;
use entra_handler::limits::MAX_TOKEN_BYTES;
use entra_handler::rejection::Rejection;

/// A well-signed token of exactly so many bytes; a claim and a header member fill it up.
fn token_of(bytes: usize) -> String {
    let fill = |length: usize| format!("\"{}\"", "x".repeat(length));
    let room = bytes * 3 / 4 - 800;
    (room..room + 400)
        .flat_map(|claim| (0..3).map(move |member| (claim, member)))
        .find_map(|(claim, member)| {
            let (header, payload) = (header(&[("x", &fill(member))]), payload(&[("filler", &fill(claim))]));
            let encoded = |length: usize| (length * 4).div_ceil(3);
            let total = encoded(header.len()) + 1 + encoded(payload.len()) + 1 + encoded(256);
            (total == bytes).then(|| mint(key(1), &header, &payload))
        })
        .expect("some filling has this length")
}

#[test]
fn a_token_of_16_kib_is_accepted_and_one_byte_more_is_too_long() {
    assert_eq!(MAX_TOKEN_BYTES, 16_384);
    let (fits, too_long) = (token_of(16_384), token_of(16_385));
    assert_eq!((fits.len(), too_long.len()), (16_384, 16_385));
    assert!(Bench::new().judge(&fits).is_ok_and(|claims| claims.contains("filler")));
    assert_refused!(Bench::new().judge(&too_long), "size", Rejection::TokenTooLong { bytes: 16_385 });
}

#[test]
fn the_limit_counts_bytes_and_not_characters() {
    let bench = Bench::new();
    assert_refused!(bench.judge(&"é".repeat(8_192)), "three parts", Rejection::NotThreeParts { found: 1 });
    assert_refused!(bench.judge(&"é".repeat(8_193)), "size", Rejection::TokenTooLong { bytes: 16_386 });
}

#[test]
fn a_token_has_three_parts_that_are_not_empty() {
    let table = [
        ("", 0),
        (".", 0),
        ("..", 0),
        ("...", 0),
        ("a", 1),
        ("a..", 1),
        ("..c", 1),
        (".b.", 1),
        ("a.b", 2),
        ("a.b.", 2),
        ("a..c", 2),
        (".b.c", 2),
        ("a.b.c.", 3),
        (".a.b.c", 3),
        ("a.b..c", 3),
        ("a.b.c.d", 4),
        ("a.b.c.d.e.f", 6),
        (".....", 0),
    ];
    for (text, found) in table {
        let refused = Refusal { check: "three parts", rejection: Rejection::NotThreeParts { found } };
        assert_eq!(Bench::new().judge(text), Err(refused), "{text:?}");
    }
}

#[test]
fn five_parts_are_an_encrypted_token_whether_empty_or_not() {
    for text in ["a.b.c.d.e", "a..c.d.e", "....", "a...."] {
        assert_refused!(Bench::new().judge(text), "three parts", Rejection::Encrypted, text);
    }
}

#[test]
fn three_parts_of_one_letter_get_as_far_as_the_next_check() {
    assert_refused!(Bench::new().judge("a.b.c"), "base64url", Rejection::NotBase64url { .. });
}
