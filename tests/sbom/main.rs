//! Says what is in the handler: as the section that `cargo audit bin` reads, and as a CycloneDX SBOM.
//!
//! `build.sh` compiles it with rustc alone and runs it for every build, so it uses nothing but the
//! standard library. What is linked it asks `cargo tree`, which resolves features as the build does;
//! `cargo metadata` would add those that only tests switch on.

mod cyclonedx;
mod lock;
mod packages;
mod section;

use lock::Lock;
use packages::Packages;
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: sbom section TARGET
       sbom cyclonedx TARGET SHA256-OF-THE-HANDLER [C-LIBRARY [VERSION]]

Writes to standard output: an assembler file with the section .dep-v0, or the SBOM as JSON.
To be run in the folder of Cargo.lock.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let written = match arguments[..] {
        ["section", target] => {
            packages(target).map(|packages| section::assembly(&section::json(&packages)))
        }
        ["cyclonedx", target, sha256] => bom(target, sha256, &[]),
        ["cyclonedx", target, sha256, ref c_library @ ..] if c_library.len() <= 2 => {
            bom(target, sha256, c_library)
        }
        _ => Err(USAGE.to_owned()),
    };
    match written {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn bom(target: &str, sha256: &str, c_library: &[&str]) -> Result<String, String> {
    let rustc = output("rustc", &["--version"])?;
    let rust_version = rustc
        .split(' ')
        .nth(1)
        .ok_or("rustc --version says no version")?;
    let foundation = cyclonedx::Foundation {
        target,
        sha256,
        rust_version,
        c_library,
    };
    Ok(cyclonedx::json(&packages(target)?, &foundation))
}

fn packages(target: &str) -> Result<Packages, String> {
    let lock =
        std::fs::read_to_string("Cargo.lock").map_err(|error| format!("Cargo.lock: {error}"))?;
    let tree = |edges| {
        output(
            "cargo",
            &[&packages::TREE[..], &["--target", target, "--edges", edges]].concat(),
        )
    };
    Packages::of(&tree("normal")?, &tree("normal,build")?, &Lock::of(&lock))
}

fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{program}: not UTF-8"))
}
