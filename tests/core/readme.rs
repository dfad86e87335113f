//! The README's tables against the code.

use crate::attacks::ATTACKS;
use entra_handler::checks::{CHECKS, Check};

pub(crate) const README: &str = include_str!("../../README.md");

/// The cells of the rows that follow a line, up to the next line that is no row.
pub(crate) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let rows = README.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn the_readme_lists_the_checks_in_their_order_with_their_sources_and_codes() {
    let listed: Vec<(&str, &str, String)> =
        table("| | check |").iter().map(|row| (row[1], row[3], row[4].to_owned())).collect();
    let codes =
        |check: &Check| check.refuses_with.iter().map(|code| format!("`{}`", code.as_str())).collect::<Vec<_>>();
    let checks: Vec<(&str, &str, String)> =
        CHECKS.iter().map(|check| (check.name, check.source, codes(check).join(", "))).collect();
    assert_eq!(listed, checks);
}

#[test]
fn the_readme_names_a_test_of_each_check() {
    let rows = table("| | check |");
    let names: Vec<&str> = rows.iter().map(|row| row[5].trim_matches('`')).collect();
    assert_eq!(names.len(), CHECKS.len());
    for name in names {
        let (module, function) = name.split_once("::").expect("a module and a test");
        let path = format!("{}/tests/core/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(path).expect("a module of this suite");
        assert!(source.contains(&format!("#[test]\nfn {function}() {{")), "{name}");
    }
}

#[test]
fn the_readme_lists_the_attacks_with_their_tests() {
    let listed: Vec<(&str, &str, &str)> =
        table("| attack |").iter().map(|row| (row[0], row[1], row[2].trim_matches('`'))).collect();
    assert_eq!(listed, ATTACKS);
}
