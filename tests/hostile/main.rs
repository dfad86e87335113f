//! Staying up: the real binary while clients and key servers misbehave.
#![cfg(target_os = "linux")]

mod deafness;
mod handler;
mod issuer;
mod parking;
mod wire;

#[path = "../support/mint.rs"]
mod mint;
#[allow(dead_code)]
#[path = "../http/tokens.rs"]
mod tokens;
