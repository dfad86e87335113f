//! The deciding core, with a given clock and given keys; and what the pages and the sources say of it.

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod claims;
mod clock;
mod documents;
mod forgeries;
mod judge;
mod key_set;
mod mutations;
mod object;
mod oracle;
mod order;
mod properties;
mod rfc;
mod schedule;
mod settings;
mod tidy;
mod vector;
mod vectors;
mod wycheproof;
