//! The development program by what it serves, writes and starts.

#[cfg(unix)]
mod build_script;
mod issuer;
mod package;

use std::path::PathBuf;

/// The folder of the handler.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
