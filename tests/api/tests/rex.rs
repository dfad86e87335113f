//! The routes of a real API: every row by the kit, and a day of its users by the kit, over HTTP and
//! under the Functions host.

use super::{exchange, hosted, served};
use crate::support::ask::{Ask, ask};
use crate::support::host::MODES;
use crate::tables::rex::{REQUIRED_ROLES, ROUTES};
use entra_handler::{Kind, Needs};
use serde_json::{Value, json};
use std::net::SocketAddr;

const ANN: &str = "a0000000-0000-4000-8000-000000000001";
const BOB: &str = "b0000000-0000-4000-8000-000000000002";
const EVE: &str = "e0000000-0000-4000-8000-000000000003";

const SCOPES: [&str; 5] = [
    "Ideas.Read",
    "Ideas.Write",
    "Collections.Read",
    "Collections.Write",
    "RoleAssignments.Write",
];

fn call(method: &str, target: &str) -> Ask {
    let call = ask(method, target).routes(ROUTES);
    call.setting("REQUIRED_ROLES", REQUIRED_ROLES)
}

/// A user with every scope.
fn user(oid: &str, method: &str, target: &str) -> Ask {
    let call = call(method, target).role("User").claim("oid", oid);
    SCOPES.iter().fold(call, |call, scope| call.scope(scope))
}

#[test]
fn the_table_has_the_shape_of_the_real_one() {
    let count = |is: &dyn Fn(&&entra_handler::Route) -> bool| ROUTES.iter().filter(is).count();
    let shape = [
        ("routes", count(&|_| true), 36),
        (
            "with path parts",
            count(&|route| route.path().contains('{')),
            23,
        ),
        (
            "with bodies",
            count(&|route| ["POST", "PUT"].contains(&route.method())),
            11,
        ),
        (
            "with a role",
            count(&|route| route.kind() != Kind::Open),
            34,
        ),
        (
            "with a scope",
            count(&|route| route.needs().scopes().next().is_some()),
            33,
        ),
        (
            "without needs",
            count(&|route| *route.needs() == Needs::Token),
            2,
        ),
    ];
    for (what, found, expected) in shape {
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn every_row_lets_in_whom_it_should_and_nobody_else() {
    for route in ROUTES.iter().filter(|route| route.kind() != Kind::Open) {
        let path = ["{collection}", "{id}", "{user}"];
        let path = path.iter().fold(route.path().to_owned(), |path, part| {
            path.replace(part, ANN)
        });
        let here = || call(route.method(), &path);
        let scope = route.needs().scopes().next();
        let others = SCOPES.iter().filter(|other| Some(**other) != scope);
        let with_scope = |call: Ask| {
            scope
                .into_iter()
                .fold(call, |call, scope| call.scope(scope))
        };
        let with_others = |call: Ask| others.fold(call, |call, scope| call.scope(scope));
        let refused = "insufficient_scope";
        let cases = [
            ("nobody", here().anonymous(), "authorization_header_missing"),
            ("no role", with_scope(here()), refused),
            ("another role", with_scope(here()).role("Guest"), refused),
            ("a user", with_scope(here()).role("User"), ""),
            (
                "an administrator",
                with_scope(here()).role("Administrator"),
                "",
            ),
            (
                "other scopes",
                with_others(here()).role("User"),
                if scope.is_some() { refused } else { "" },
            ),
        ];
        for (who, call, expected) in cases {
            let response = call.send();
            let body: Value = serde_json::from_str(response.text()).unwrap_or_default();
            let code = body["code"].as_str().unwrap_or_default();
            let is_refused = [refused, "authorization_header_missing"].contains(&code);
            let code = if is_refused { code } else { "" };
            assert_eq!(code, expected, "{} {who}", route.pattern());
        }
    }
}

/// The response: status, body, `Location`.
type Got = (u16, Value, Option<String>);

/// How a request of a user with a body, or null for none, gets there and back.
type Send<'a> = &'a dyn Fn(&str, &str, &str, Value) -> Got;

fn by_the_kit(oid: &str, method: &str, target: &str, body: Value) -> Got {
    let call = user(oid, method, target);
    let response = if body.is_null() {
        call
    } else {
        call.json(body)
    }
    .send();
    let location = response.header("Location").map(str::to_owned);
    let body = serde_json::from_str(response.text()).unwrap_or_default();
    (response.status(), body, location)
}

fn over_http(address: SocketAddr) -> impl Fn(&str, &str, &str, Value) -> Got {
    move |oid, method, target, body| {
        let token = format!("Bearer {}", user(oid, method, target).token());
        let authorization = ("Authorization", token.as_str());
        let headers = [authorization, ("Content-Type", "application/json")];
        let response = match body {
            Value::Null => exchange(address, method, target, &headers[..1], ""),
            body => exchange(address, method, target, &headers, &body.to_string()),
        };
        let location = response.header("Location").map(str::to_owned);
        let body = serde_json::from_str(&response.body).unwrap_or_default();
        (response.status, body, location)
    }
}

#[test]
fn a_day_by_the_kit() {
    a_day(&by_the_kit);
}

#[test]
fn a_day_over_http() {
    let (handler, _keys) = served("rex", &[("REQUIRED_ROLES", REQUIRED_ROLES)]);
    a_day(&over_http(handler.address));
}

#[test]
fn a_day_under_the_functions_host() {
    for mode in MODES {
        let settings = [("REQUIRED_ROLES", REQUIRED_ROLES)];
        let Some((host, _keys)) = hosted(mode, "rex", &settings) else {
            return;
        };
        a_day(&over_http(host.address));
    }
}

/// The calls of users, and their responses.
fn a_day(send: Send) {
    own_ideas(send);
    shared_ideas(send);
    bad_requests(send);
}

fn idea(name: &str, tag: &str, is_completed: bool) -> Value {
    json!({ "name": name, "description": "d", "tags": [tag], "completed": is_completed })
}

fn names((status, list, _): Got) -> Vec<String> {
    assert_eq!(status, 200, "{list}");
    let list = list.as_array().expect("a list");
    list.iter()
        .filter_map(|idea| Some(idea["name"].as_str()?.to_owned()))
        .collect()
}

fn own_ideas(send: Send) {
    let (status, made, location) = send(
        ANN,
        "POST",
        "/api/v3/ideas",
        idea("fly", "big plans", false),
    );
    let id = made["id"].as_str().expect("an id").to_owned();
    let location = location.expect("a Location");
    assert_eq!((status, location), (201, format!("/api/v3/idea/{id}")));
    send(ANN, "POST", "/api/v2/ideas", idea("walk", "a+b", true));

    // Each version shows what it knows.
    let v1 = json!({ "id": id, "name": "fly", "description": "d" });
    let mut v2 = v1.clone();
    v2["tags"] = json!(["big plans"]);
    v2["completed"] = json!(false);
    let mut v3 = v2.clone();
    v3["collection"] = json!(ANN.replace('-', ""));
    for (version, shown) in [("v1", v1), ("v2", v2), ("v3", v3)] {
        let target = format!("/api/{version}/idea/{id}");
        assert_eq!(send(ANN, "GET", &target, Value::Null), (200, shown, None));
    }

    let list = |query: &str| {
        names(send(
            ANN,
            "GET",
            &format!("/api/v3/ideas{query}"),
            Value::Null,
        ))
    };
    assert_eq!(list(""), ["fly", "walk"]);
    assert_eq!(list("?complete=true"), ["walk"]);
    assert_eq!(list("?complete=false&tag=big+plans"), ["fly"]);
    assert_eq!(list("?tag=a%2Bb"), ["walk"]);
    assert_eq!(list("?tag=none"), [""; 0]);

    // `random` is a row of its own above `{id}`.
    let (status, random, _) = send(ANN, "GET", "/api/v1/idea/random", Value::Null);
    assert_eq!((status, &random["name"]), (200, &json!("fly")));

    let target = format!("/api/v1/idea/{id}");
    let (status, stored, _) = send(ANN, "PUT", &target, idea("run", "t", true));
    assert_eq!((status, &stored["name"]), (200, &json!("run")));
    for who in [BOB, EVE] {
        assert_eq!(send(who, "GET", &target, Value::Null).0, 404);
        assert_eq!(send(who, "DELETE", &target, Value::Null).0, 404);
    }
    assert_eq!(
        send(ANN, "DELETE", &target, Value::Null),
        (204, Value::Null, None)
    );
    assert_eq!(send(ANN, "GET", &target, Value::Null).0, 404);
}

fn shared_ideas(send: Send) {
    let (status, made, location) = send(
        ANN,
        "POST",
        "/api/v3/collections",
        json!({ "name": "Trips" }),
    );
    assert_eq!(status, 201);
    let collection = location.expect("a Location");
    let ideas = format!("{collection}/ideas");
    let bob = format!("{collection}/user/{BOB}");
    let statuses = |who: &str| {
        let calls = [
            ("GET", &collection, Value::Null),
            ("PUT", &collection, json!({ "name": "Trips" })),
            ("GET", &ideas, Value::Null),
            ("POST", &ideas, idea("sail", "t", false)),
            ("GET", &format!("{collection}/users"), Value::Null),
        ];
        calls.map(|(method, target, body)| send(who, method, target, body).0)
    };
    assert_eq!(statuses(ANN), [200, 200, 200, 201, 200]);
    assert_eq!(statuses(BOB), [404; 5]);
    for (part, expected) in [
        ("Viewer", [200, 403, 200, 403, 403]),
        ("Contributor", [200, 403, 200, 201, 403]),
        ("Owner", [200, 200, 200, 201, 200]),
    ] {
        assert_eq!(send(ANN, "PUT", &bob, json!({ "role": part })).0, 200);
        assert_eq!(statuses(BOB), expected, "{part}");
    }
    assert_eq!(names(send(BOB, "GET", &ideas, Value::Null)), ["sail"; 3]);
    assert_eq!(
        send(BOB, "GET", "/api/v3/collections", Value::Null).1,
        json!([made])
    );
    assert_eq!(
        send(ANN, "GET", &format!("/api/v3/user/{BOB}"), Value::Null).0,
        200
    );
    assert_eq!(send(ANN, "DELETE", &bob, Value::Null).0, 204);
    assert_eq!(statuses(BOB), [404; 5]);
    assert_eq!(
        send(
            ANN,
            "DELETE",
            &format!("{collection}/user/{ANN}"),
            Value::Null
        )
        .0,
        400
    );
    assert_eq!(send(ANN, "DELETE", &collection, Value::Null).0, 204);
    assert_eq!(send(ANN, "GET", &collection, Value::Null).0, 404);
}

fn bad_requests(send: Send) {
    let cases = [
        (
            "GET",
            "/api/v3/idea/nonsense",
            Value::Null,
            404,
            "not_found",
        ),
        ("GET", "/api/v3/idea/", Value::Null, 404, "not_found"),
        (
            "GET",
            "/api/v3/ideas?complete=maybe",
            Value::Null,
            400,
            "bad_request",
        ),
        (
            "POST",
            "/api/v1/ideas",
            json!({ "name": "x" }),
            400,
            "bad_request",
        ),
        (
            "POST",
            "/api/v1/ideas",
            Value::Null,
            415,
            "unsupported_media_type",
        ),
        (
            "PATCH",
            "/api/v1/ideas",
            json!({}),
            405,
            "method_not_allowed",
        ),
        ("GET", "/api/v4/ideas", Value::Null, 404, "not_found"),
    ];
    for (method, target, body, status, code) in cases {
        let (found, body, _) = send(ANN, method, target, body);
        assert_eq!(
            (found, &body["code"]),
            (status, &json!(code)),
            "{method} {target}"
        );
    }
}
