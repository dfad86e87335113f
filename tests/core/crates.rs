//! tests/CRATES.md against Cargo.lock and against what cargo links: a new crate is a reviewed change.

use crate::table::{code, table};
use std::collections::BTreeSet;
use std::process::Command;

const PAGE: &str = include_str!("../CRATES.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");
const MOST_LINKED: usize = 30;
const DIRECT: [&str; 5] = ["base64", "ring", "serde_json", "tiny_http", "ureq"];

/// `name version` of every crate, sorted.
fn locked() -> Vec<String> {
    let packages = include_str!("../../Cargo.lock").split("[[package]]").skip(1);
    let crates = packages.filter(|package| package.contains("\nsource = "));
    let member = |text: &str, name: &str| {
        let start = format!("{name} = ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name}: {text}")).trim_matches('"').to_owned()
    };
    sorted(crates.map(|package| format!("{} {}", member(package, "name"), member(package, "version"))))
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

/// `[name, version, repository, licence]` of each crate that cargo compiles along these edges.
#[cfg(target_os = "linux")]
fn compiled(edges: &str) -> BTreeSet<[String; 4]> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline", "--package", "entra-handler"]);
    cargo.args(["--edges", edges, "--no-dedupe", "--prefix", "none", "--format", "{p}|{r}|{l}"]);
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let crates = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.splitn(3, '|').collect();
        let [package, repository, licence] = fields[..] else { panic!("not understood: {line}") };
        let (name, version) = package.split_once(" v").expect("a name and a version");
        let repository = repository.trim_start_matches("https://github.com/").trim_end_matches('/');
        // Older packages write a slash for OR, which SPDX does not know.
        [name, version, repository, &licence.replace(" / ", "/").replace('/', " OR ")].map(str::to_owned)
    });
    crates.collect()
}

// On Linux of any kind the same crates are linked; other systems may need one that is not downloaded.
#[cfg(target_os = "linux")]
#[test]
fn the_page_says_which_of_them_cargo_links() {
    let described = compiled("normal");
    let in_brackets = |text: &str| text.rsplit_once('(').expect("a repository").1.trim_end_matches(')').to_owned();
    let listed = linked().into_iter().map(|row| [row[0].into(), row[1].into(), in_brackets(row[3]), row[5].into()]);
    assert_eq!(listed.collect::<BTreeSet<_>>(), described);

    let all = compiled("normal,build");
    let build = all.difference(&described).map(|package| package[..2].join(" "));
    assert_eq!(not_linked("for the build:"), sorted(build));
}
