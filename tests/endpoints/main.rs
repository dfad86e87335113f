//! Tests of your API: of `ROUTES` in `src/endpoints.rs`. Yours to edit, as that file is.

#[path = "../support/mod.rs"]
mod support;

use support::ask::ask;

#[test]
fn anybody_may_read_the_public_message() {
    let response = ask("GET", "/public").anonymous().send();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json()["message"], "Public endpoint - open to all");
}

#[test]
fn a_user_gets_the_claims_of_the_token() {
    for method in ["GET", "POST"] {
        let ada = ask(method, "/api").claim("name", "Ada");
        let response = ada.scope("Items.Read").send();
        assert_eq!(response.status(), 200);
        let claims = response.json();
        assert_eq!(
            (&claims["name"], &claims["scp"]),
            (&"Ada".into(), &"Items.Read".into())
        );
    }
}

#[test]
fn a_program_gets_them_too() {
    let response = ask("GET", "/api").role("Items.Read.All").send();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.json()["roles"],
        serde_json::json!(["Items.Read.All"])
    );
}

#[test]
fn without_a_token_nobody_gets_claims() {
    let response = ask("GET", "/api").anonymous().send();
    assert_eq!(response.status(), 401);
    assert_eq!(response.json()["code"], "authorization_header_missing");
    assert_eq!(response.header("WWW-Authenticate"), Some("Bearer"));
}
