//! The questions of an endpoint to the claims of an accepted token, and the needs of its route.

use crate::judge::{Judge, token};
use entra_handler::Claims;
use serde_json::{Value, json};

fn claims(changes: Value) -> Claims {
    let token = token(json!({ "claims": changes }));
    Judge::usual().decide(&token).expect("a good token")
}

#[test]
fn a_claim_is_given_as_text_when_it_is_one_and_as_a_value_in_any_case() {
    let claims = claims(
        json!({ "oid": "json:\"a\\u0062c\"", "empty": "", "n": 1.5, "none": "json:null",
        "huge": "json:1e999", "list": ["x", { "y": 1 }] }),
    );
    let text = |name: &str| claims.text(name).map(String::from);
    assert_eq!(text("oid").as_deref(), Some("abc"));
    assert_eq!(text("empty").as_deref(), Some(""));
    assert_eq!(
        [
            text("n"),
            text("none"),
            text("list"),
            text("missing"),
            text("Oid")
        ],
        [const { None }; 5]
    );
    assert_eq!(claims.value("oid"), Some(json!("abc")));
    assert_eq!(claims.value("n"), Some(json!(1.5)));
    assert_eq!(claims.value("none"), Some(Value::Null));
    assert_eq!(claims.value("list"), Some(json!(["x", { "y": 1 }])));
    assert_eq!(
        [claims.value("missing"), claims.value("huge")],
        [None, None]
    );
}

#[test]
fn a_token_has_the_roles_that_it_lists_and_no_others() {
    let of = |roles: Value| claims(json!({ "roles": roles }));
    let two = of(json!(["Admin", "Reader"]));
    assert!(two.has_role("Admin") && two.has_role("Reader"));
    for role in [
        "admin",
        "Adm",
        "Admin ",
        "Admin,Reader",
        "Admin Reader",
        "",
        "access_as_user",
    ] {
        assert!(!two.has_role(role), "{role}");
    }
    assert!(of(json!("json:[\"\\u0041dmin\"]")).has_role("Admin"));
    assert!(!of(json!([])).has_role("Admin") && !of(Value::Null).has_role("Admin"));
}

#[test]
fn a_token_has_the_scopes_that_it_lists_and_no_others() {
    let of = |name: &str, scopes: Value| claims(json!({ name: scopes, "roles": ["Role"] }));
    for scopes in [
        json!("read write"),
        json!(" read  write "),
        json!(["read", "write"]),
    ] {
        let two = of("scp", scopes);
        assert!(two.has_scope("read") && two.has_scope("write"));
        for scope in ["Read", "rea", "read write", "writes", "Role", ""] {
            assert!(!two.has_scope(scope), "{scope}");
        }
    }
    let scope = claims(json!({ "scp": null, "scope": "read" }));
    assert!(scope.has_scope("read"));
    assert!(!of("x", json!("read")).has_scope("read"));
    assert!(
        !of("scope", json!("read")).has_scope("read"),
        "scp goes before scope"
    );
}

#[test]
fn the_token_and_its_claims_come_out_as_they_were_sent() {
    let token = token(json!({ "claims": { "n": "json:1.0e0" } }));
    let claims = Judge::usual().decide(&token).expect("a good token");
    assert_eq!(claims.assertion(), token);
    assert!(claims.json().contains("\"n\":1.0e0"), "{}", claims.json());
}
