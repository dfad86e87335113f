//! The binary as it is shipped: it says which crates are in it, and needs nothing beside it.
//! The environment variable `HANDLER` names it, for `cargo test` builds another:
//!
//! `./build.sh && HANDLER=$PWD/handler cargo test --test http shipped -- --nocapture`

use crate::support::table::{code, table};
use crate::support::tokens::*;
use crate::support::*;
use serde_json::Value;
use std::process::Command;

const PAGE: &str = include_str!("../CRATES.md");

/// Bytes of the binary: glibc, ring and Rust's standard library are two thirds of it.
#[cfg(target_os = "linux")]
const MOST_BYTES: usize = 3_800_000;

/// The path and the bytes of the shipped binary, when there is one.
fn shipped() -> Option<(String, Vec<u8>)> {
    let Ok(path) = std::env::var("HANDLER") else {
        println!("skipped: HANDLER names no binary");
        return None;
    };
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Some((path, file))
}

/// Only root may change the root, and a binary that is not static needs a loader there.
#[test]
fn it_serves_and_checks_in_an_empty_root() {
    let Some((path, file)) = shipped() else {
        return;
    };
    if has_loader(&file) {
        return println!("skipped: {path} is not linked statically");
    }
    let root = Folder::new("root");
    // By a process of its own: while this one has the copy open, whatever it starts has it too,
    // and a file that is open for writing does not run.
    let copied = Command::new("cp")
        .arg(&path)
        .arg(root.file("handler"))
        .status();
    assert!(copied.expect("cp runs").success(), "{path} is copied");
    std::fs::write(root.file("keys.json"), set(&[1])).expect("a key file");
    let script = format!(
        "PATH=$PATH:/usr/sbin:/sbin; exec chroot '{}' /handler",
        root.0.display()
    );
    let checked = Setup::new("/keys.json")
        .script(&(script.clone() + " check"))
        .run(good());
    if checked.stderr.contains("Operation not permitted") {
        return println!("skipped: chroot needs root");
    }
    let last = checked.stdout.lines().last();
    assert_eq!(
        last,
        Some("accepted: the server would answer 200 with the claims")
    );

    let keys = KeyServer::with(set(&[1]));
    for jwks_uri in ["/keys.json", &keys.url()] {
        let handler = Setup::new(jwks_uri).script(&script).start();
        assert_eq!(handler.get("/public").status, 200);
        handler
            .get("/api")
            .must_be(401, "authorization_header_missing");
        assert_eq!(handler.api(&good()).json()["aud"], AUDIENCE);
        let token = good();
        let (input, signature) = token.rsplit_once('.').expect("three parts");
        let reversed: String = signature.chars().rev().collect();
        handler
            .api(&format!("{input}.{reversed}"))
            .must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn it_is_small_and_names_the_crates_of_the_page() {
    let Some((_, file)) = shipped() else { return };
    assert!(file.len() <= MOST_BYTES, "{}", file.len());
    let list: Value = serde_json::from_slice(stored(section(&file, ".dep-v0"))).expect("JSON");
    let packages = list["packages"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let named = |kind: Value| -> Vec<String> {
        let is_of = |it: &&Value| it["kind"] == kind && it["source"] == "crates.io";
        let packages = packages.iter().filter(is_of);
        packages
            .map(|it| format!("{} {}", text(&it["name"]), text(&it["version"])))
            .collect()
    };
    let linked = table(PAGE, "## Linked");
    let linked: Vec<String> = linked.iter().map(|row| row[..2].join(" ")).collect();
    assert_eq!(named(Value::Null), linked);
    let others = table(PAGE, "## Named by Cargo.lock and not linked");
    let build = others
        .iter()
        .find(|row| row[0].starts_with("for the build:"))
        .expect("a row");
    assert_eq!(named("build".into()), code(build[1]));
}

/// A number of an ELF file, little-endian.
fn number(file: &[u8], offset: usize, size: usize) -> usize {
    let bytes = file[offset..offset + size].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Whether a 64-bit ELF file names a loader (a program header of type PT_INTERP), or is none.
fn has_loader(file: &[u8]) -> bool {
    let (offset, size, count) = (
        number(file, 32, 8),
        number(file, 54, 2),
        number(file, 56, 2),
    );
    let is_interpreter = |index: usize| number(file, offset + index * size, 4) == 3;
    !file.starts_with(b"\x7fELF\x02\x01") || (0..count).any(is_interpreter)
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
    let content = |header: usize| {
        let (start, length) = (number(file, header + 24, 8), number(file, header + 32, 8));
        &file[start..start + length]
    };
    let names = content(header(number(file, 62, 2)));
    let start = |header: &usize| &names[number(file, *header, 4)..];
    let is_it = |header: &usize| start(header).starts_with(format!("{name}\0").as_bytes());
    content(
        (0..count)
            .map(header)
            .find(is_it)
            .unwrap_or_else(|| panic!("no section {name}")),
    )
}

/// The content of a zlib stream of one stored block.
#[cfg(target_os = "linux")]
fn stored(stream: &[u8]) -> &[u8] {
    assert_eq!(stream[..3], [0x78, 0x01, 1], "zlib, and one stored block");
    let length = number(stream, 3, 2);
    assert_eq!(stream.len(), 7 + length + 4);
    &stream[7..7 + length]
}
