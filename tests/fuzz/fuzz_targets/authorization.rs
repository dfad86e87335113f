//! Arbitrary text as the `Authorization` headers of a request, one a line.
#![no_main]

use entra_handler::bearer;
use entra_handler::rejection::Rejection;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let headers = || text.split('\n');
    match bearer::token(headers()) {
        Ok(token) => {
            assert_eq!(headers().count(), 1);
            assert!(!token.is_empty() && !token.contains(' ') && text[..6].eq_ignore_ascii_case("bearer"));
        }
        Err(Rejection::SeveralAuthorizations) => assert!(headers().count() > 1),
        Err(refused) => {
            assert_eq!(headers().count(), 1);
            assert!(matches!(refused, Rejection::NotBearer | Rejection::TokenMissing | Rejection::SeveralTokens));
        }
    }
});
