//! The names that `crate::http` brings in `src`, for tables that are written as if they stood there.
#![allow(unused_imports, unreachable_pub)]

pub use entra_handler::Permission::{Role, Scope};
pub use entra_handler::{Claims, Needs, Reply, Request, Response, Route};
pub use serde_json::{Value, json};
