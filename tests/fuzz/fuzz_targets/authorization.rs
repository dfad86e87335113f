//! Arbitrary text as the `Authorization` headers of a request, one a line.
#![no_main]

use entra_handler::{Reason, bearer_token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let headers = || text.split('\n');
    let is_one = headers().count() == 1;
    match bearer_token(headers()).map_err(|rejection| rejection.reason) {
        Ok(token) => {
            let is_bearer = text[..6].eq_ignore_ascii_case("bearer");
            assert!(is_one && is_bearer && !token.is_empty() && !token.contains(' '));
        }
        Err(Reason::SeveralAuthorizations) => assert!(!is_one),
        Err(Reason::NotBearer | Reason::TokenMissing | Reason::SeveralTokens { .. }) => {
            assert!(is_one);
        }
        Err(other) => panic!("{other:?} is no reason here"),
    }
});
