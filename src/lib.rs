//! An Azure Functions custom handler that checks Microsoft Entra ID access tokens.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod answer;
pub mod api;
pub mod audit_log;
pub mod bearer;
pub mod body;
pub mod caretaker;
pub mod check;
pub mod checks;
pub mod claims;
pub mod clock;
pub mod command;
pub mod explain;
pub mod fetch;
pub mod head;
pub mod json;
pub mod jwks;
pub mod keys;
pub mod limits;
pub mod log;
pub mod memory;
pub mod muted;
pub mod rejection;
pub mod server;
pub mod settings;
pub mod signature;
pub mod token;
