//! Serves one of the tables, `TABLE` names which, with the settings of the environment.

mod http;
mod tables;

use entra_handler::{Settings, serve};
use std::process::ExitCode;
use tables::{items, managed_identity, mcp, on_behalf_of, rex, wire};

fn main() -> ExitCode {
    let table = match std::env::var("TABLE").as_deref() {
        Ok("items") => items::ROUTES,
        Ok("managed_identity") => managed_identity::ROUTES,
        Ok("mcp") => mcp::ROUTES,
        Ok("on_behalf_of") => on_behalf_of::ROUTES,
        Ok("rex") => rex::ROUTES,
        _ => wire::ROUTES,
    };
    let problems = Settings::from_environment().and_then(|settings| serve(settings, table));
    for problem in problems.map_or_else(|problems| problems, |never| match never {}) {
        eprintln!("{problem}");
    }
    ExitCode::FAILURE
}
