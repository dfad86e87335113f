//! The page of requirements, which is its own data, against the sources and the tests that it
//! names, and against the standards that the sources name.

use crate::table::{cells, code};
use entra_handler::checks::CHECKS;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../REQUIREMENTS.md");
const README: &str = include_str!("../../README.md");

/// A document and a section of it; no section where the document as a whole is meant.
type Citation = (String, String);

/// One row of the page, under the heading of its document.
struct Requirement {
    line: usize,
    document: &'static str,
    sections: Vec<&'static str>,
    /// Like `src/checks/token.rs crit`.
    places: Vec<&'static str>,
    /// Like `core::header::any_crit_is_refused`.
    tests: Vec<&'static str>,
    reason: &'static str,
}

fn requirements() -> Vec<Requirement> {
    let (mut document, mut found) = ("", Vec::new());
    for (line, text) in (1..).zip(PAGE.lines()) {
        if let Some(heading) = text.strip_prefix("## ") {
            document = heading.split([',', '(']).next().unwrap_or_default().trim();
        }
        let cells = cells(text);
        if !text.starts_with('|') || cells[0] == "section" || cells[0] == "---" {
            continue;
        }
        let [section, asks, places, tests, reason] = cells[..] else { panic!("line {line} has no five cells") };
        assert!(!section.is_empty() && !asks.is_empty(), "line {line}");
        let sections = section.split(", ").collect();
        found.push(Requirement { line, document, sections, places: code(places), tests: code(tests), reason });
    }
    found
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// Whether a source declares this function, constant, type or variant of an enum.
fn declares(source: &str, name: &str) -> bool {
    let mut in_enum = false;
    source.lines().any(|line| {
        in_enum = (in_enum && line != "}") || line.trim_start_matches("pub ").starts_with("enum ");
        let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        let first = words.find(|word| !["pub", "super", "crate"].contains(word));
        let is_item = first.is_some_and(|word| ["fn", "const", "struct", "enum"].contains(&word));
        if is_item { words.next() == Some(name) } else { in_enum && first == Some(name) }
    })
}

/// What is wrong with a test that a row names, if anything.
pub(crate) fn fault_of_test(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split("::").collect();
    let [folders @ .., module, name] = &parts[..] else { return Some("is no path of a test") };
    let folder = format!("tests/{}", folders.join("/"));
    let parent = if folders.len() == 1 { format!("{folder}/main.rs") } else { format!("{folder}.rs") };
    if !read(&parent).is_some_and(|text| text.lines().any(|line| line == format!("mod {module};"))) {
        return Some("is in a module that is not compiled");
    }
    let source = read(&format!("{folder}/{module}.rs")).unwrap_or_default();
    let (before, _) = source.split_once(&format!("\nfn {name}() {{\n")).unwrap_or_default();
    let attributes: Vec<&str> = before.lines().rev().take_while(|line| line.starts_with("#[")).collect();
    match (attributes.contains(&"#[test]"), attributes.iter().any(|line| line.starts_with("#[ignore"))) {
        (false, _) => Some("does not exist"),
        (true, true) => Some("is ignored"),
        (true, false) => None,
    }
}

/// The words of a text; a comment or a string goes on over the end of its line.
fn words(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.trim_start().trim_start_matches(['/', '!']).split_whitespace()).collect()
}

/// The number at the beginning of a word, such as 4.1.11.
fn number(word: &str) -> &str {
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    word[..end].trim_end_matches('.')
}

/// What a text cites: RFCs, with "section 4", "sections 3.1 and 3.2" or neither, and documents in
/// the form Microsoft: "Title".
fn citations(text: &str) -> BTreeSet<Citation> {
    let words = words(text);
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).copied().unwrap_or_default();
        if !word.ends_with("RFC") || number(next).is_empty() {
            continue;
        }
        let document = format!("RFC {}", number(next));
        let listed = words[at + 2..].iter().skip(1).filter(|word| **word != "and").map(|word| number(word));
        let sections: Vec<&str> = match words.get(at + 2) {
            Some(&"section") => listed.take(1).collect(),
            Some(&"sections") => listed.take_while(|number| !number.is_empty()).collect(),
            _ => vec![""],
        };
        found.extend(sections.into_iter().map(|section| (document.clone(), section.to_owned())));
    }
    let joined = words.join(" ");
    let titles = joined.split("Microsoft: \"").skip(1).filter_map(|rest| rest.split('"').next());
    found.extend(titles.map(|title| (title.to_owned(), String::new())));
    found
}

/// Path and text of every source.
fn sources(folder: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder");
    let paths = entries.map(|entry| format!("{folder}/{}", entry.expect("an entry").file_name().display()));
    let texts = |path: String| match path.ends_with(".rs") {
        true => vec![(path.clone(), read(&path).expect("a file"))],
        false => sources(&path),
    };
    paths.flat_map(texts).collect()
}

#[test]
fn every_requirement_has_a_place_and_a_test_or_a_reason() {
    let requirements = requirements();
    assert!(requirements.len() >= 60, "{} rows", requirements.len());
    for row in requirements {
        assert!(!row.document.is_empty(), "line {}", row.line);
        assert_eq!(row.places.is_empty(), row.tests.is_empty(), "line {}: a place needs a test", row.line);
        assert!(!row.tests.is_empty() || !row.reason.is_empty(), "line {} has neither test nor reason", row.line);
    }
}

#[test]
fn every_place_and_every_test_that_is_named_exists() {
    for row in requirements() {
        for place in row.places {
            let (path, name) = place.split_once(' ').unwrap_or((place, ""));
            assert!(path.starts_with("src/"), "line {}: {place}", row.line);
            let source = read(path).unwrap_or_else(|| panic!("line {}: there is no {path}", row.line));
            assert!(declares(&source, name), "line {}: {path} does not declare {name:?}", row.line);
        }
        for test in row.tests {
            assert_eq!(fault_of_test(test), None, "line {}: {test}", row.line);
        }
    }
}

#[test]
fn every_section_that_is_cited_has_a_requirement() {
    let rows = requirements();
    let check = |place: &str, (document, section): &Citation| {
        let of_document = || rows.iter().filter(|row| row.document == document);
        let has_one = of_document().any(|row| section.is_empty() || row.sections.contains(&section.as_str()));
        assert!(has_one, "{place} cites {document} section {section:?}, which has no row");
    };
    for (path, text) in sources("src").iter().chain(&[("README.md".into(), README.into())]) {
        citations(text).iter().for_each(|citation| check(path, citation));
    }
    let titles = CHECKS.iter().flat_map(|check| check.source.split(", ")).filter(|source| !source.starts_with("RFC "));
    titles.for_each(|title| check("CHECKS", &(title.to_owned(), String::new())));
}

#[test]
fn every_check_enforces_a_requirement() {
    let table = read("src/checks.rs").expect("the policy");
    let (_, table) = table.split_once("pub const CHECKS").expect("the table");
    let (table, _) = table.split_once("];").expect("its end");
    let paths = table.split(|char: char| !(char.is_alphanumeric() || "_:".contains(char)));
    let functions: Vec<(&str, &str)> = paths.filter_map(|path| path.split_once("::")).collect();
    assert_eq!(functions.len(), CHECKS.len());
    let rows = requirements();
    for (module, name) in functions {
        let place = format!("src/checks/{module}.rs {name}");
        assert!(rows.iter().any(|row| row.places.contains(&place.as_str())), "no row names {place}");
    }
}

#[test]
fn citations_are_found_in_comments_strings_and_tables() {
    let text = "//! see (RFC 7515 section 4, RFC\n    /// 7519 section 4.1.11). RFC 9068 writes\n| RFC 8725 sections 3.1 and 3.2 |\n\
        \"RFC 6750 section 3.1, Title\" Microsoft: \"Signing key\n/// rollover\" RFC 7515 section 5.2 step 8, rfc3339(1) RFCs RFC";
    let expected = [
        ("RFC 6750", "3.1"),
        ("RFC 7515", "4"),
        ("RFC 7515", "5.2"),
        ("RFC 7519", "4.1.11"),
        ("RFC 8725", "3.1"),
        ("RFC 8725", "3.2"),
        ("RFC 9068", ""),
        ("Signing key rollover", ""),
    ];
    let expected = expected.map(|(document, section)| (document.to_owned(), section.to_owned()));
    assert_eq!(citations(text).into_iter().collect::<Vec<_>>(), expected);
}
