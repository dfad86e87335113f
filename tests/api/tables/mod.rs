//! The tables of routes that these tests serve, each in a file as the author of an API writes it.
// They are written for src/endpoints.rs, so the lints of src hold for them.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
// Not every target needs each table's MAX_BODY_BYTES.
#![allow(dead_code, unreachable_pub)]

#[path = "../../examples/items.rs"]
pub mod items;
#[path = "../../examples/managed_identity.rs"]
pub mod managed_identity;
#[path = "../../examples/mcp.rs"]
pub mod mcp;
#[path = "../../examples/on_behalf_of.rs"]
pub mod on_behalf_of;
#[path = "../../examples/readme.rs"]
pub mod readme;
#[allow(clippy::indexing_slicing)]
pub mod rex;
#[allow(clippy::indexing_slicing)]
pub mod wire;
