//! APIs built on the handler: the examples that a reader can paste, the table of a real API, and what
//! only sockets show of endpoints.

mod http;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod tests;
