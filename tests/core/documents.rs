//! The pages, where they mislead when they are wrong: the table of checks, the requirements of the
//! standards, and the crates.

use crate::support::table::{cells, code, table};
use crate::vector::Vector;
use entra_handler::CHECKS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A page in Markdown.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The pages in the root, in `api` and in `tests`.
pub(crate) fn pages() -> Vec<Page> {
    let files = ["", "api", "tests"].iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let pages = files.filter(|file| file.extension().is_some_and(|it| it == "md"));
    let page = |file: PathBuf| Page {
        name: file.display().to_string(),
        text: fs::read_to_string(file).expect("a text"),
    };
    pages.map(page).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

#[test]
fn the_page_lists_the_checks_in_their_order_with_their_sources_and_codes() {
    let pages = pages();
    let rows: Vec<Vec<&str>> = pages
        .iter()
        .flat_map(|page| table(&page.text, "| | check |"))
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(names, CHECKS.each_ref().map(|check| check.name));
    for (row, check) in rows.iter().zip(&CHECKS) {
        let codes: Vec<String> = check
            .refuses_with
            .iter()
            .map(|it| format!("`{}`", it.as_str()))
            .collect();
        assert!(
            row.contains(&check.source),
            "{row:?} instead of {}",
            check.source
        );
        assert!(
            row.contains(&&*codes.join(", ")),
            "{row:?} instead of {codes:?}"
        );
    }
}

/// Whether a text has this word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.split(|char| !is_part(char)).any(|it| it == word)
}

/// Whether a proof that a row names exists: a test `target::module::name` that runs, or a vector
/// `file: name`.
fn exists(proof: &str, vectors: &BTreeSet<String>) -> bool {
    let Some((module, name)) = proof.rsplit_once("::") else {
        return vectors.contains(proof);
    };
    let source = read(&format!("tests/{}.rs", module.replace("::", "/"))).unwrap_or_default();
    source.contains(&format!("\n#[test]\nfn {name}() {{\n"))
}

/// The names of all vectors.
fn sentences() -> BTreeSet<String> {
    Vector::all().into_iter().map(|it| it.sentence).collect()
}

#[test]
fn every_proof_that_the_audit_names_exists() {
    let page = read("tests/AUDIT.md").expect("the page");
    let (vectors, mut tables) = (sentences(), 0);
    let is_proof = |name: &&str| ["proof", "one of its proofs"].contains(name);
    for (number, head) in page.lines().enumerate() {
        let names = cells(head);
        let Some(column) = names.iter().position(is_proof) else {
            continue;
        };
        let rows = page.lines().skip(number + 2);
        for row in rows.take_while(|line| line.starts_with('|')).map(cells) {
            assert_eq!(row.len(), names.len(), "{row:?}");
            assert!(!row[column].is_empty(), "{row:?} has no proof");
            for proof in code(row[column]) {
                assert!(exists(proof, &vectors), "there is no {proof}");
            }
        }
        tables += 1;
    }
    assert_eq!(tables, 5);
}

#[test]
fn every_requirement_has_a_place_and_a_proof_that_exist_or_a_reason() {
    let page = read("tests/REQUIREMENTS.md").expect("the page");
    let vectors = sentences();
    let rows = page
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("| ---"));
    let (mut tried, mut places) = (0, String::new());
    for row in rows.map(cells).filter(|row| row[0] != "section") {
        let [section, asks, place, proof, reason] = row[..] else {
            panic!("{row:?} has no five cells")
        };
        assert!(!section.is_empty() && !asks.is_empty(), "{row:?}");
        assert_eq!(
            place.is_empty(),
            proof.is_empty(),
            "{row:?}: a place needs a proof"
        );
        assert!(
            !proof.is_empty() || !reason.is_empty(),
            "{row:?} has neither proof nor reason"
        );
        for place in code(place) {
            let (path, name) = place.split_once(' ').expect("a file and a name");
            let source = read(path).unwrap_or_else(|| panic!("there is no {path}"));
            assert!(has_word(&source, name), "{path} has no {name}");
        }
        for proof in code(proof) {
            assert!(exists(proof, &vectors), "there is no {proof}");
        }
        places += place;
        tried += 1;
    }
    assert!(tried > 50, "only {tried} rows");
    for check in &CHECKS {
        let sections = check
            .source
            .split(", ")
            .map(|source| source.split(" section").next().expect("a name"));
        for document in sections.filter(|source| source.starts_with("RFC ")) {
            assert!(
                page.contains(&format!("## {document},")),
                "{} comes from {document}",
                check.name
            );
        }
    }
}

/// `name version` of every crate in Cargo.lock that comes from elsewhere.
fn locked() -> BTreeSet<String> {
    let lock = read("Cargo.lock").expect("the lock file");
    let packages = lock
        .split("[[package]]")
        .filter(|package| package.contains("\nsource = "));
    let value = |package: &str, name: &str| {
        let line = package
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} = \"")));
        line.expect("a value").trim_end_matches('"').to_owned()
    };
    packages
        .map(|it| format!("{} {}", value(it, "name"), value(it, "version")))
        .collect()
}

#[test]
fn the_page_of_crates_lists_what_the_lock_file_names_and_what_cargo_links() {
    let page = read("tests/CRATES.md").expect("the page");
    let linked = table(&page, "## Linked");
    let names = linked.iter().map(|row| format!("{} {}", row[0], row[1]));
    let names: BTreeSet<String> = names.collect();
    let others = table(&page, "## Named by Cargo.lock and not linked");
    let others = others
        .iter()
        .flat_map(|row| code(row[1]))
        .map(str::to_owned);
    let listed: BTreeSet<String> = others.chain(names.clone()).collect();
    assert_eq!(listed, locked());
    assert!(names.len() <= 30, "{} are linked", names.len());
    for row in &linked {
        assert!(
            row.len() == 6 && !row.contains(&""),
            "a cell of {} is empty",
            row[0]
        );
    }
    // On Linux of any kind the same crates are linked; other systems may need some that are not
    // downloaded.
    if cfg!(target_os = "linux") {
        assert_eq!(names, tree());
    }
}

/// `name version` of every crate that cargo links.
fn tree() -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    let arguments = [
        "tree",
        "--offline",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ];
    let output = cargo
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text
        .lines()
        .filter(|line| !line.contains("(/") && !line.contains("(proc-macro)"));
    let words = lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    words
        .filter(|words| !words.is_empty())
        .map(|words| words.replace(" v", " "))
        .collect()
}
