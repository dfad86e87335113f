//! `handler routes`: the table of routes, and who may call.

use super::print;
use crate::http::{Kind, Needs, Role, Route, Scope, faults};
use crate::server::to_stderr;
use serde_json::{Value, json};
use std::fmt::Write;

/// Prints the table. The exit status is 1 when it cannot work; the reasons go to standard error.
///
/// # Errors
/// Why standard output did not work.
pub(super) fn list(routes: &[Route], json: bool) -> Result<u8, String> {
    let text = if json {
        format!("{}\n", Value::from_iter(routes.iter().map(as_json)))
    } else {
        as_text(routes)
    };
    print(text.as_bytes())?;
    let faults = faults(routes);
    faults.iter().for_each(|fault| to_stderr(fault));
    Ok(u8::from(!faults.is_empty()))
}

fn as_json(route: &Route) -> Value {
    let kind = match route.kind() {
        Kind::Open => "open",
        Kind::Protected => "protected",
        Kind::Slow => "slow",
    };
    let mut row = json!({ "method": route.method(), "pattern": route.path(), "kind": kind });
    let permissions = route.needs().permissions().iter();
    let permissions = permissions.map(|permission| match permission {
        Scope(name) => json!({ "scope": name }),
        Role(name) => json!({ "role": name }),
    });
    let name = match route.needs() {
        Needs::Token | Needs::Any([]) | Needs::All([]) => return row,
        Needs::Any(_) => "any",
        Needs::All(_) => "all",
    };
    if let Some(members) = row.as_object_mut() {
        members.insert(name.into(), permissions.collect());
    }
    row
}

fn as_text(routes: &[Route]) -> String {
    let width = routes.iter().map(|route| route.path().len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for route in routes {
        let _ = write!(text, "{:<7} {:<width$}  ", route.method(), route.path());
        let join = match route.needs() {
            Needs::All(_) => " and ",
            Needs::Token | Needs::Any(_) => " or ",
        };
        let permissions = route.needs().permissions().iter();
        let permissions: Vec<String> = permissions
            .map(|permission| match permission {
                Scope(name) => format!("scope {name}"),
                Role(name) => format!("role {name}"),
            })
            .collect();
        let who = match (route.kind(), permissions.is_empty()) {
            (Kind::Open, _) => "anybody".into(),
            (_, true) => "any accepted token".into(),
            (_, false) => permissions.join(join),
        };
        let slow = if route.kind() == Kind::Slow {
            " (slow)"
        } else {
            ""
        };
        let _ = writeln!(text, "{who}{slow}");
    }
    text
}
