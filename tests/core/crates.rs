//! tests/CRATES.md against Cargo.lock and against what cargo links: a new crate is a reviewed change.

use crate::lock::Lock;
use crate::packages::{Packages, TREE};
use crate::table::{code, table};
use std::process::Command;

const PAGE: &str = include_str!("../CRATES.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");
const MOST_LINKED: usize = 30;
const DIRECT: [&str; 5] = ["base64", "ring", "serde_json", "tiny_http", "ureq"];

/// `name version` of every crate, sorted.
fn locked() -> Vec<String> {
    let lock = Lock::of(include_str!("../../Cargo.lock"));
    let others = lock.0.iter().filter(|package| package.source.is_some());
    sorted(others.map(|package| format!("{} {}", package.name, package.version)))
}

fn linked() -> Vec<Vec<&'static str>> {
    table(PAGE, "## Linked")
}

/// `name version` of those in a row of the second table that begins so.
fn not_linked(when: &str) -> Vec<String> {
    let rows = table(PAGE, "## Named by Cargo.lock and not linked");
    let cells = rows.iter().filter(|row| row[0].starts_with(when)).map(|row| row[1]);
    sorted(cells.flat_map(code).map(str::to_owned))
}

fn sorted(list: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = list.collect();
    list.sort();
    list
}

#[test]
fn the_page_lists_what_the_lock_file_names() {
    let linked = linked();
    let linked = linked.iter().map(|row| format!("{} {}", row[0], row[1]));
    assert_eq!(sorted(linked.chain(not_linked(""))), locked());
}

#[test]
fn at_most_thirty_are_linked_and_five_named_directly() {
    assert!(linked().len() <= MOST_LINKED, "{} are linked", linked().len());
    let section = MANIFEST.split("\n[dependencies]\n").nth(1).expect("dependencies").split("\n[").next();
    let names = section.expect("a section").lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
    assert_eq!(sorted(names), DIRECT);
    for row in linked() {
        assert_eq!((row.len(), row.contains(&"")), (6, false), "a cell of {} is empty", row[0]);
    }
}

// On Linux of any kind the same crates are linked; other systems may need one that is not downloaded.
#[cfg(target_os = "linux")]
#[test]
fn the_page_says_which_of_them_cargo_links() {
    let tree = |edges: &str| {
        let mut cargo = Command::new(env!("CARGO"));
        let cargo = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(TREE).args(["--offline", "--edges", edges]);
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let lock = Lock::of(include_str!("../../Cargo.lock"));
    let packages = Packages::of(&tree("normal"), &tree("normal,build"), &lock).expect("cargo's own format");
    let crates = || packages.all.values().filter(|package| package.locked.source.is_some());

    let described = crates().filter(|package| package.is_linked).map(|package| {
        let repository = package.repository.trim_start_matches("https://github.com/").trim_end_matches('/');
        [&package.locked.name, &package.locked.version, repository, &package.licence].map(str::to_owned)
    });
    let in_brackets = |text: &str| text.rsplit_once('(').expect("a repository").1.trim_end_matches(')').to_owned();
    let listed: Vec<[String; 4]> =
        linked().iter().map(|row| [row[0].into(), row[1].into(), in_brackets(row[3]), row[5].into()]).collect();
    assert_eq!(listed, described.collect::<Vec<_>>());

    let build = crates().filter(|package| !package.is_linked);
    let build = build.map(|package| format!("{} {}", package.locked.name, package.locked.version));
    assert_eq!(not_linked("for the build:"), sorted(build));
}
