//! What an endpoint can ask of the claims of an accepted token.

use crate::bench::{Bench, TENANT, payload, signed};
use entra_handler::checks;

/// Asks something of the claims of an accepted token with these changes.
fn asked<T>(changes: &[(&str, &str)], ask: impl Fn(&entra_handler::claims::Claims) -> T) -> T {
    let (bench, token) = (Bench::new(), signed(&payload(changes)));
    ask(&checks::decide(&mut bench.case(&token)).expect("a good token"))
}

#[test]
fn a_claim_that_is_a_string_is_given_as_text() {
    let text = |changes: &[(&str, &str)], name: &str| asked(changes, |claims| claims.text(name).map(String::from));
    assert_eq!(text(&[], "tid"), Some(TENANT.into()));
    assert_eq!(text(&[("oid", "\"a\\u0062c\"")], "oid"), Some("abc".into()));
    assert_eq!(text(&[("oid", "\"\"")], "oid"), Some(String::new()));
    assert_eq!(text(&[], "exp"), None, "a number");
    assert_eq!(text(&[("oid", "null")], "oid"), None);
    assert_eq!(text(&[], "missing"), None);
}

#[test]
fn a_token_has_the_roles_that_it_lists() {
    let has = |roles: &str, role: &str| asked(&[("roles", roles)], |claims| claims.has_role(role));
    assert!(has("[\"Admin\",\"Reader\"]", "Admin") && has("[\"Admin\",\"Reader\"]", "Reader"));
    assert!(has("[\"\\u0041dmin\"]", "Admin"));
    for role in ["admin", "Adm", "Admin ", "Admin,Reader", ""] {
        assert!(!has("[\"Admin\",\"Reader\"]", role), "{role}");
    }
    assert!(!has("[]", "Admin") && !has("", "Admin"));
    assert!(!has("", "access_as_user"), "a scope is no role");
}

#[test]
fn a_token_has_the_scopes_that_it_lists() {
    let has = |name: &str, scopes: &str, scope: &str| {
        let changes = [("scp", ""), ("roles", "[\"Role\"]"), (name, scopes)];
        asked(if name == "scp" { &changes[1..] } else { &changes }, |claims| claims.has_scope(scope))
    };
    for name in ["scp", "scope"] {
        assert!(has(name, "\"read write\"", "read") && has(name, "\"read write\"", "write"));
        for scope in ["Read", "rea", "read write", "writes", "Role"] {
            assert!(!has(name, "\"read write\"", scope), "{scope}");
        }
    }
    assert!(!has("x", "\"read\"", "read"));
}
