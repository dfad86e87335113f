//! The real binary on free ports, over real sockets.

mod audit;
mod bodies;
#[cfg(unix)]
mod browser;
mod check_command;
mod check_lines;
mod check_streams;
mod check_table;
mod claims;
mod client;
mod codes;
mod command_line;
mod cors;
mod crowd;
mod harness;
mod issuer;
mod key_issuers;
mod key_server;
mod key_set;
mod key_tls;
mod keys;
#[cfg(unix)]
mod nginx;
mod outage;
mod pasted;
mod permissions;
mod pipeline;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod recorder;
mod repetition;
mod routes;
mod samples;
mod settings;
#[cfg(unix)]
mod shipped;
mod sign_in;
mod tenants;
mod tokens;

#[path = "../support/mint.rs"]
mod mint;
#[path = "../support/table.rs"]
mod table;
