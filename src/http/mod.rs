//! HTTP without a socket: requests, responses, routes, challenges and CORS. `use crate::http::*`
//! brings all that the author of an endpoint needs.

mod api;
mod bearer;
mod challenge;
mod cors;
mod decoding;
mod request;
mod response;
mod route;

pub use crate::policy::Permission::{Role, Scope};
pub use crate::policy::{Claims, Needs};
pub use api::Api;
pub use bearer::{after_scheme, token};
pub use challenge::refused;
pub use cors::Cors;
pub use request::Request;
pub use response::{Connection, Reply, Response};
pub use route::{Kind, Route, faults};
#[allow(unused_imports, reason = "for the author of an endpoint")]
pub use serde_json::{Value, json};
