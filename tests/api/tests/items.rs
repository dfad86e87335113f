//! The example with items in memory.

use crate::support::ask::{Ask, ask};
use crate::tables::items::ROUTES;
use serde_json::{Value, json};

fn call(method: &str, target: &str) -> Ask {
    ask(method, target).routes(ROUTES)
}

/// Somebody with both scopes.
fn user(oid: &str, method: &str, target: &str) -> Ask {
    let call = call(method, target).claim("oid", oid);
    call.scope("Items.Read").scope("Items.Write")
}

fn name(text: &str) -> Value {
    json!({ "name": text })
}

#[test]
fn an_item_is_made_found_listed_and_deleted() {
    let made = user("ann", "POST", "/api/items")
        .json(json!({ "name": "milk", "done": true }))
        .send();
    assert_eq!(made.status(), 201);
    let location = made.header("Location").expect("a Location").to_owned();
    let milk = json!({ "id": made.json()["id"], "name": "milk", "done": true });
    assert_eq!(
        (made.json(), location),
        (milk.clone(), format!("/api/items/{}", milk["id"]))
    );

    user("ann", "POST", "/api/items").json(name("tea")).send();
    let location = made.header("Location").expect("a Location");
    assert_eq!(user("ann", "GET", location).send().json(), milk);
    for (query, names) in [
        ("", vec!["milk", "tea"]),
        ("?done=true", vec!["milk"]),
        ("?done=false", vec!["tea"]),
        ("?limit=1", vec!["milk"]),
    ] {
        let list = user("ann", "GET", &format!("/api/items{query}"))
            .send()
            .json();
        let list: Vec<&Value> = list
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| &item["name"])
            .collect();
        assert_eq!(list, names, "{query}");
    }

    assert_eq!(user("ann", "DELETE", location).send().status(), 204);
    for method in ["GET", "DELETE"] {
        let gone = user("ann", method, location).send();
        assert_eq!(
            (gone.status(), &gone.json()["code"]),
            (404, &"not_found".into())
        );
    }
}

#[test]
fn nobody_meets_the_items_of_somebody_else() {
    let made = user("bob", "POST", "/api/items")
        .json(name("secret"))
        .send();
    let location = made.header("Location").expect("a Location");
    assert_eq!(user("eve", "GET", "/api/items").send().json(), json!([]));
    for method in ["GET", "DELETE"] {
        assert_eq!(user("eve", method, location).send().status(), 404);
    }
    assert_eq!(user("bob", "GET", location).send().status(), 200);
}

#[test]
fn a_scope_or_a_role_is_needed() {
    let cases = [
        (
            "GET",
            "/api/items",
            200,
            call("GET", "/api/items").scope("Items.Read"),
        ),
        (
            "GET",
            "/api/items",
            200,
            call("GET", "/api/items").role("Items.Read.All"),
        ),
        ("GET", "/api/items", 403, call("GET", "/api/items")),
        (
            "GET",
            "/api/items",
            403,
            call("GET", "/api/items").scope("Items.Write"),
        ),
        (
            "POST",
            "/api/items",
            403,
            call("POST", "/api/items").scope("Items.Read"),
        ),
        (
            "POST",
            "/api/items",
            201,
            call("POST", "/api/items")
                .role("Items.Write.All")
                .json(name("x")),
        ),
        (
            "DELETE",
            "/api/items/1",
            403,
            call("DELETE", "/api/items/1").role("Items.Read.All"),
        ),
        (
            "GET",
            "/api/items",
            401,
            call("GET", "/api/items").anonymous(),
        ),
    ];
    for (method, target, status, call) in cases {
        assert_eq!(call.send().status(), status, "{method} {target}");
    }
    let refused = call("GET", "/api/items").send();
    let challenge = refused.header("WWW-Authenticate").expect("a challenge");
    assert!(challenge.ends_with("scope=\"Items.Read\""), "{challenge}");
}

#[test]
fn bad_requests_get_what_they_deserve() {
    let long = format!(
        "{{\"name\":\"{}\"}}",
        "x".repeat(entra_handler::MAX_BODY_BYTES)
    );
    let post = || user("ann", "POST", "/api/items");
    let cases = [
        (422, "no_name", post().json(json!({}))),
        (
            415,
            "unsupported_media_type",
            post().body("text/plain", "milk"),
        ),
        (415, "unsupported_media_type", post()),
        (400, "bad_request", post().body("application/json", "{")),
        (
            400,
            "bad_request",
            post().body("application/json", r#"{"name":"a","name":"b"}"#),
        ),
        (
            413,
            "payload_too_large",
            post().body("application/json", long),
        ),
        (
            400,
            "bad_request",
            user("ann", "GET", "/api/items?done=yes"),
        ),
        (
            400,
            "bad_request",
            user("ann", "GET", "/api/items?limit=1&limit=2"),
        ),
        (404, "not_found", user("ann", "GET", "/api/items/milk")),
        (404, "not_found", user("ann", "GET", "/api/items/")),
        (
            405,
            "method_not_allowed",
            user("ann", "PUT", "/api/items/1"),
        ),
        (
            403,
            "no_owner",
            user("ann", "GET", "/api/items").claim("oid", 7),
        ),
    ];
    for (status, code, call) in cases {
        let response = call.send();
        assert_eq!(
            (response.status(), &response.json()["code"]),
            (status, &code.into())
        );
    }
}
