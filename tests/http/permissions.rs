//! Which clients, scopes and roles suffice.

use crate::harness::Handler;
use crate::key_server::KeyServer;
use crate::tokens::*;
use serde_json::{Value, json};

fn handler(more: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, more), keys)
}

/// Fails unless these claims are answered with this status, and the code that goes with it.
#[track_caller]
fn check(handler: &Handler, status: u16, claims: &[Value]) {
    let code = match status {
        200 => "",
        401 => "invalid_claims",
        _ => "insufficient_scope",
    };
    for claims in claims {
        let answer = handler.api(&signed(claims));
        let found = if answer.status == 200 {
            String::new()
        } else {
            answer.code()
        };
        assert_eq!(
            (answer.status, found.as_str()),
            (status, code),
            "{claims} {answer:?}"
        );
    }
}

fn scp(scp: &str) -> Value {
    with(v2(), "scp", scp)
}

fn scope(scope: &str) -> Value {
    with(without(v2(), "scp"), "scope", scope)
}

fn roles(roles: &[&str]) -> Value {
    with(app_only(v2()), "roles", json!(roles))
}

/// Claims without any permission.
fn powerless() -> Vec<Value> {
    vec![
        without(v2(), "scp"),
        scp(""),
        scp("  "),
        scope(""),
        roles(&[]),
        roles(&[""]),
        without(app_only(v1()), "roles"),
    ]
}

#[test]
fn with_nothing_required_any_permission_suffices_but_none_does_not() {
    let (handler, _keys) = handler(&[]);
    check(
        &handler,
        200,
        &[
            scp("x"),
            scp(" x "),
            scope("x"),
            roles(&["x"]),
            roles(&["", "x"]),
            app_only(v1()),
        ],
    );
    check(&handler, 403, &powerless());
}

#[test]
fn with_nothing_required_a_client_that_is_named_needs_no_permission() {
    let (handler, _keys) = handler(&[("ALLOWED_CLIENTS", CLIENT)]);
    check(&handler, 200, &powerless());
    check(
        &handler,
        401,
        &powerless()
            .into_iter()
            .map(|claims| {
                let name = if claims["azp"].is_null() {
                    "appid"
                } else {
                    "azp"
                };
                with(claims, name, OTHER_CLIENT)
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn only_clients_that_are_named_may_call() {
    let both = format!("{}, {OTHER_CLIENT}", CLIENT.to_uppercase());
    let (handler, _keys) = handler(&[("ALLOWED_CLIENTS", &both)]);
    check(
        &handler,
        200,
        &[
            v2(),
            v1(),
            with(v2(), "azp", OTHER_CLIENT),
            with(v1(), "appid", OTHER_CLIENT),
            with(v2(), "appid", "x"),
        ],
    );
    let third = "abababab-1111-2222-3333-ffffffffffff";
    check(
        &handler,
        401,
        &[
            with(v2(), "azp", third),
            with(v1(), "appid", third),
            without(v2(), "azp"),
            without(v1(), "appid"),
            // appid counts only where there is no azp.
            with(with(v2(), "azp", third), "appid", CLIENT),
            with(v2(), "azp", ""),
            with(v2(), "azp", json!([CLIENT])),
            with(v2(), "azp", 1),
        ],
    );
}

#[test]
fn a_named_client_still_needs_what_is_required() {
    let (handler, _keys) = handler(&[("ALLOWED_CLIENTS", CLIENT), ("REQUIRED_SCOPES", "read")]);
    check(&handler, 200, &[scp("read")]);
    check(&handler, 403, &powerless());
    check(&handler, 401, &[with(scp("read"), "azp", OTHER_CLIENT)]);
}

#[test]
fn one_required_scope_suffices_compared_exactly() {
    for setting in [
        "Tasks.Read Tasks.Write",
        "Tasks.Read,Tasks.Write",
        " Tasks.Read , Tasks.Write ",
    ] {
        let (handler, _keys) = handler(&[("REQUIRED_SCOPES", setting)]);
        check(
            &handler,
            200,
            &[
                scp("Tasks.Read"),
                scp("Tasks.Write"),
                scp("a Tasks.Write b"),
                scp("Tasks.Read Tasks.Write"),
                scope("Tasks.Read"),
            ],
        );
        let too_little = [
            scp("tasks.read"),
            scp("Tasks.Rea"),
            scp("Tasks.Read.All"),
            scp("Tasks.Read,Tasks.Write"),
            scp("Tasks.Read\tTasks.Write"),
            v2(),
            // A scope in scp's place counts only where there is no scp.
            with(v2(), "scope", "Tasks.Read"),
            roles(&["Tasks.Read"]),
        ];
        check(&handler, 403, &too_little);
        check(&handler, 403, &powerless());
    }
}

#[test]
fn one_required_role_suffices_compared_exactly() {
    let (handler, _keys) = handler(&[("REQUIRED_ROLES", "Admin, Tasks.Read.All")]);
    let user_with_role = with(v2(), "roles", json!(["Admin"]));
    check(
        &handler,
        200,
        &[
            roles(&["Admin"]),
            roles(&["x", "Tasks.Read.All"]),
            user_with_role,
        ],
    );
    check(
        &handler,
        403,
        &[
            roles(&["admin"]),
            roles(&["Adm"]),
            roles(&["Admin Tasks.Read.All"]),
            roles(&["x"]),
            scp("Admin"),
        ],
    );
    check(&handler, 403, &powerless());
}

#[test]
fn with_both_required_one_match_in_either_suffices() {
    let (handler, _keys) = handler(&[("REQUIRED_SCOPES", "read"), ("REQUIRED_ROLES", "Reader")]);
    check(
        &handler,
        200,
        &[
            scp("read"),
            roles(&["Reader"]),
            with(scp("x"), "roles", json!(["Reader"])),
        ],
    );
    check(
        &handler,
        403,
        &[scp("Reader"), roles(&["read"]), scp("x"), roles(&["x"])],
    );
    check(&handler, 403, &powerless());
}

#[test]
fn permissions_of_the_wrong_type_are_no_permissions() {
    let (handler, _keys) = handler(&[("REQUIRED_SCOPES", "read"), ("REQUIRED_ROLES", "Reader")]);
    let wrong = [
        with(v2(), "scp", json!(["read"])),
        with(v2(), "scp", json!({ "read": true })),
        with(v2(), "roles", "Reader"),
        with(scp("read"), "roles", "Reader"),
        with(scp("read"), "roles", json!([1])),
        with(scp("read"), "scope", json!(["read"])),
    ];
    check(&handler, 401, &wrong);
}

#[test]
fn a_refusal_for_want_of_permission_names_what_was_found_and_what_is_needed() {
    let (handler, _keys) = handler(&[("REQUIRED_SCOPES", "read"), ("REQUIRED_ROLES", "Reader")]);
    let description = handler.api(&signed(&scp("other"))).description();
    for part in ["'other'", "'read'", "'Reader'"] {
        assert!(description.contains(part), "{description}");
    }
}
