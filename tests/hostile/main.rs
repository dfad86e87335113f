//! Staying up: the real binary while clients and key servers misbehave.
//!
//! Each test has a handler of its own. While the hostile thing goes on, a well-behaved client
//! ([`probe`]) asks and has its answers timed; afterwards the process is the same one, and has
//! given back its memory, threads and file descriptors ([`usage`]).
#![cfg(target_os = "linux")]

mod bodies;
mod chunks;
mod crowds;
mod deafness;
mod descriptors;
mod handler;
mod heads;
mod issuer;
mod noise;
mod outages;
mod parking;
mod pipelines;
mod pipes;
mod probe;
mod restarts;
mod strangers;
mod usage;
mod wire;

#[path = "../support/mint.rs"]
mod mint;
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../support/tokens.rs"]
mod tokens;
