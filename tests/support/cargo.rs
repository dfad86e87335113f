//! Programs of this package and of the development program, built when a test needs them.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds a program with these arguments of `cargo build`, and gives its path. `cargo test --test`
/// builds no examples and no other package.
pub fn built(arguments: &[&str]) -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--message-format=json"]);
    cargo.args(arguments);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // With the variables of this test, crates with a build script would be built again.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo build {arguments:?}");
    let messages = String::from_utf8(output.stdout).expect("UTF-8");
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut programs =
        messages.filter_map(|message: Value| Some(message["executable"].as_str()?.into()));
    programs.next_back().expect("a program")
}
