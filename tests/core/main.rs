//! The deciding core, with a given clock and given keys.

#[macro_use]
mod bench;
#[path = "../support/mint.rs"]
mod mint;
#[path = "../support/table.rs"]
mod table;

mod accepted;
mod attacks;
mod audience;
mod bearer;
mod callers;
mod client;
mod clock;
mod crates;
mod dates;
mod documents;
mod encoding;
mod endpoint;
mod forgeries;
mod freshness;
mod header;
mod hints;
mod issuer;
mod jwk;
mod key_choice;
mod key_issuer;
mod memory;
mod mutations;
mod object;
mod oracle;
mod order;
mod permission;
mod properties;
mod readme;
mod refusals;
mod rejection;
mod requirements;
mod rfc;
mod rules;
mod settings;
mod settings_problems;
mod shape;
mod tenant;
mod who;
mod wycheproof;
