//! The token in the `Authorization` headers of a request.

use crate::bench::{Bench, payload, signed};
use entra_handler::bearer;
use entra_handler::rejection::Rejection;

fn token(headers: &[&'static str]) -> Result<&'static str, Rejection> {
    bearer::token(headers.iter().copied())
}

#[test]
fn the_token_follows_the_scheme_after_one_or_more_spaces() {
    for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "bEaReR a.b.c", "Bearer   a.b.c", "Bearer a.b.c  "] {
        assert_eq!(token(&[header]), Ok("a.b.c"), "{header:?}");
    }
    assert_eq!(token(&["Bearer !\"#é"]), Ok("!\"#é"), "what a token is made of is decided elsewhere");
}

#[test]
fn no_header_is_told_from_an_empty_one() {
    assert_eq!(token(&[]), Err(Rejection::AuthorizationMissing));
    assert_eq!(token(&[""]), Err(Rejection::NotBearer));
}

#[test]
fn two_headers_are_refused_even_when_they_are_equal() {
    assert_eq!(token(&["Bearer a.b.c", "Bearer a.b.c"]), Err(Rejection::SeveralAuthorizations));
    assert_eq!(token(&["Basic x", "Bearer a.b.c"]), Err(Rejection::SeveralAuthorizations));
    assert_eq!(token(&["", ""]), Err(Rejection::SeveralAuthorizations));
}

#[test]
fn another_scheme_is_refused() {
    for header in [
        "Basic dXNlcjpwYXNz",
        "a.b.c",
        "Bearera.b.c",
        "Bearer\ta.b.c",
        "Bearer,a",
        "Bearer:a.b.c",
        "Bearer=a",
        " Bearer a.b.c",
        "Beare a.b.c",
        "Token a.b.c",
        "DPoP a.b.c",
        "Bearér a",
        "Bear",
        "B",
        "\"Bearer\" a.b.c",
        "Bearer\u{a0}a",
    ] {
        assert_eq!(token(&[header]), Err(Rejection::NotBearer), "{header:?}");
    }
}

#[test]
fn a_scheme_without_a_token_is_refused() {
    for header in ["Bearer", "bearer", "Bearer ", "Bearer     "] {
        assert_eq!(token(&[header]), Err(Rejection::TokenMissing), "{header:?}");
    }
}

#[test]
fn more_than_one_word_is_refused() {
    for header in [
        "Bearer a b",
        "Bearer a  b",
        "Bearer a.b.c, Bearer d.e.f",
        "Bearer a.b.c,Bearer a.b.c",
        "Bearer \t a",
        "Bearer Bearer a.b.c",
        "Bearer a.b.c ,",
    ] {
        assert_eq!(token(&[header]), Err(Rejection::SeveralTokens), "{header:?}");
    }
}

#[test]
fn a_comma_or_a_tab_within_a_word_is_refused_by_the_alphabet_of_tokens() {
    let good = signed(&payload(&[]));
    for (before, after) in [("", ","), (",", ""), ("", "\t"), ("\t", "")] {
        let header = format!("Bearer {before}{good}{after}");
        let word = bearer::token([header.as_str()].into_iter()).expect("one word");
        assert_refused!(Bench::new().judge(word), "base64url", Rejection::NotBase64url { .. });
    }
    let joined = format!("Bearer {good},{good}");
    let word = bearer::token([joined.as_str()].into_iter()).expect("one word");
    assert_refused!(Bench::new().judge(word), "three parts", Rejection::Encrypted);
}

#[test]
fn what_follows_the_scheme_is_given_with_its_spaces() {
    assert_eq!(bearer::after_scheme("Bearer  x "), Some("  x "));
    assert_eq!(bearer::after_scheme("bearer"), Some(""));
    assert_eq!(bearer::after_scheme("x"), None);
    assert_eq!(bearer::after_scheme("Bearerx"), None);
}
