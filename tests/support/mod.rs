//! One support for all test targets: start a handler, speak HTTP, be a key server, mint tokens,
//! read /proc.
//!
//! A target brings it in with `#[path = "../support/mod.rs"] mod support;`, once, in its `main.rs`.

// Every target uses another part of it.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

pub mod ask;
pub mod cargo;
pub mod handler;
pub mod host;
pub mod http;
pub mod issuer;
pub mod key_server;
pub mod mint;
pub mod probe;
pub mod process;
pub mod server;
pub mod table;
pub mod tokens;
pub mod usage;

pub use handler::{Handler, Outcome, Setup, serving};
pub use http::{Connection, PUBLIC, Response, api_request, post, request};
pub use key_server::{KeyServer, Reply};
pub use process::{Folder, GUARD, Lines, Process, find_program, free_port, say, wait_until};
