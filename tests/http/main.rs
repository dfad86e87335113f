//! The real binary on free ports: what only sockets and the command line show.

mod audit;
mod bodies;
#[cfg(unix)]
mod browser;
mod check;
mod check_lines;
mod command_line;
mod cors;
mod issuer;
mod keys;
mod metadata;
#[cfg(unix)]
mod nginx;
mod outage;
mod pages;
mod pipeline;
mod refusals;
mod repetition;
mod routes;
mod samples;
#[cfg(unix)]
mod shipped;

#[path = "../support/mod.rs"]
mod support;
