//! The binary as it is shipped: what it says it is made of, and that it needs nothing beside it.
//! The environment variable `HANDLER` names it, for `cargo test` builds another:
//!
//! `./build.sh && HANDLER=$PWD/handler cargo test --test http shipped -- --nocapture`

use crate::harness::{Handler, Outcome, borrowed, prepared, run_command, usual};
use crate::key_server::KeyServer;
use crate::table::{code, table};
use crate::tokens::{good, set};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../CRATES.md");
/// Bytes of the binary. 2.5 MB would be the aim, but glibc alone is 0.94, ring's C and assembler 0.45, and
/// Rust's standard library 0.65. Whoever moves this says why.
const MOST_BYTES: usize = 3_800_000;
/// Where the key file stands in the empty root.
const KEY_FILE: &str = "/keys.json";

/// The shipped binary, when there is one.
fn shipped() -> Option<PathBuf> {
    let shipped = std::env::var_os("HANDLER").map(PathBuf::from);
    if shipped.is_none() {
        println!("skipped: HANDLER names no binary");
    }
    shipped
}

/// A folder with nothing in it but the shipped binary and a key file; gone at the end.
struct EmptyRoot(PathBuf);

impl EmptyRoot {
    /// None, with a line saying so, where this cannot be tried.
    fn new(name: &str) -> Option<EmptyRoot> {
        let shipped = shipped()?;
        if has_loader(&read(&shipped)) {
            println!("skipped: {} is not linked statically", shipped.display());
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("root-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for tests");
        let root = EmptyRoot(folder);
        // By a process of its own: while this one has the copy open, whatever it starts has it too,
        // and a file that is open for writing does not run.
        let copied = Command::new("cp")
            .arg(&shipped)
            .arg(root.0.join("handler"))
            .status()
            .expect("cp runs");
        assert!(copied.success(), "{} is copied", shipped.display());
        std::fs::write(root.0.join("keys.json"), set(&[1])).expect("a key file");
        // Only root may change the root.
        let outcome = run_command(root.command(&["--version"], &[]), "");
        if outcome.stderr.contains("Operation not permitted") {
            println!("skipped: chroot needs root");
            return None;
        }
        assert_eq!(
            outcome.stdout,
            concat!("handler ", env!("CARGO_PKG_VERSION"), "\n"),
            "{outcome:?}"
        );
        Some(root)
    }

    fn command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args([
                "-c",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec chroot \"$0\" /handler \"$@\"",
            ])
            .arg(&self.0);
        shell.args(arguments);
        prepared(shell, settings)
    }

    fn serve(&self, settings: &HashMap<String, String>) -> Handler {
        Handler::by(|| self.command(&[], &borrowed(settings)))
    }
}

impl Drop for EmptyRoot {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn it_serves_in_an_empty_root_with_keys_from_a_file() {
    let Some(root) = EmptyRoot::new("file") else {
        return;
    };
    let handler = root.serve(&usual(KEY_FILE, &[]));
    serves(&handler);
}

#[test]
fn it_serves_in_an_empty_root_with_keys_from_loopback() {
    let Some(root) = EmptyRoot::new("loopback") else {
        return;
    };
    let keys = KeyServer::with(set(&[1]));
    let handler = root.serve(&usual(&keys.url(), &[]));
    serves(&handler);
    assert_eq!(keys.fetches(), 1);
}

fn serves(handler: &Handler) {
    let answer = handler.get("/public");
    assert_eq!(
        (answer.status, answer.body.contains("open to all")),
        (200, true),
        "{}",
        answer.body
    );
    handler
        .get("/api")
        .must_be(401, "authorization_header_missing");
    let answer = handler.api(&good());
    assert_eq!(
        (answer.status, &answer.json()["aud"]),
        (200, &Value::from(crate::tokens::AUDIENCE))
    );
    let token = good();
    let (start, signature) = token.rsplit_once('.').expect("three parts");
    handler
        .api(&format!(
            "{start}.{}",
            signature.chars().rev().collect::<String>()
        ))
        .must_be(401, "invalid_header");
}

#[test]
fn it_checks_a_token_in_an_empty_root() {
    let Some(root) = EmptyRoot::new("check") else {
        return;
    };
    let settings = usual(KEY_FILE, &[]);
    let Outcome {
        status,
        stdout,
        stderr,
    } = run_command(root.command(&["check"], &borrowed(&settings)), good());
    assert_eq!(status, 0, "{stdout}{stderr}");
    assert_eq!(
        stdout.lines().last(),
        Some("accepted: the server would answer 200 with the claims"),
        "{stdout}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn it_is_small() {
    let Some(shipped) = shipped() else { return };
    let bytes = read(&shipped).len();
    assert!(bytes <= MOST_BYTES, "{bytes}");
}

/// The section that `cargo audit bin` reads, with the reader's own steps.
#[cfg(target_os = "linux")]
#[test]
fn it_names_the_crates_of_the_page() {
    let Some(shipped) = shipped() else { return };
    let file = read(&shipped);
    let list: Value = serde_json::from_slice(&stored(section(&file, ".dep-v0"))).expect("JSON");
    let packages = list["packages"].as_array().expect("a list");
    let named = |kind: Value| -> Vec<String> {
        let packages = packages
            .iter()
            .filter(|package| package["kind"] == kind && package["source"] == "crates.io");
        packages
            .map(|package| format!("{} {}", text(&package["name"]), text(&package["version"])))
            .collect()
    };

    let linked = table(PAGE, "## Linked");
    assert_eq!(
        named(Value::Null),
        linked
            .iter()
            .map(|row| row[..2].join(" "))
            .collect::<Vec<_>>()
    );
    let others = table(PAGE, "## Named by Cargo.lock and not linked");
    let build = others
        .iter()
        .find(|row| row[0].starts_with("for the build:"))
        .expect("a row");
    assert_eq!(named("build".into()), code(build[1]));

    let roots: Vec<&Value> = packages
        .iter()
        .filter(|package| package["root"] == true)
        .collect();
    let [root] = roots[..] else {
        panic!("{} roots", roots.len())
    };
    assert_eq!(
        (&root["name"], &root["source"]),
        (&"entra-handler".into(), &"local".into())
    );
    let needs = root["dependencies"].as_array().expect("a list").iter();
    let needs: Vec<&str> = needs
        .map(|place| text(&packages[place.as_u64().expect("a place") as usize]["name"]))
        .collect();
    assert_eq!(needs, ["base64", "ring", "serde_json", "tiny_http", "ureq"]);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A number of an ELF file, little-endian.
fn number(file: &[u8], offset: usize, size: usize) -> usize {
    file[offset..offset + size]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Whether a 64-bit ELF file names a dynamic loader (a program header of type PT_INTERP), or is none.
fn has_loader(file: &[u8]) -> bool {
    let (offset, size, count) = (
        number(file, 32, 8),
        number(file, 54, 2),
        number(file, 56, 2),
    );
    !file.starts_with(b"\x7fELF\x02\x01")
        || (0..count).any(|i| number(file, offset + i * size, 4) == 3)
}

/// The content of a section of a 64-bit ELF file.
#[cfg(target_os = "linux")]
fn section<'f>(file: &'f [u8], name: &str) -> &'f [u8] {
    let (offset, size, count) = (
        number(file, 40, 8),
        number(file, 58, 2),
        number(file, 60, 2),
    );
    let header = |index: usize| offset + index * size;
    let content =
        |header: usize| &file[number(file, header + 24, 8)..][..number(file, header + 32, 8)];
    let names = content(header(number(file, 62, 2)));
    let is_named = |header: &usize| {
        names[number(file, *header, 4)..].starts_with(format!("{name}\0").as_bytes())
    };
    content(
        (0..count)
            .map(header)
            .find(is_named)
            .unwrap_or_else(|| panic!("no section {name}")),
    )
}

/// What a zlib stream of one stored block holds.
#[cfg(target_os = "linux")]
fn stored(stream: &[u8]) -> Vec<u8> {
    assert_eq!(stream[..3], [0x78, 0x01, 1], "zlib, and one stored block");
    let length = number(stream, 3, 2);
    assert_eq!(stream.len(), 7 + length + 4);
    stream[7..7 + length].to_vec()
}
