//! The README's tables against the code.

use crate::attacks::ATTACKS;
use crate::requirements::fault_of_test;
use entra_handler::checks::{CHECKS, Check};

pub(crate) const README: &str = include_str!("../../README.md");

/// The cells of the table with this head.
pub(crate) fn table(head: &str) -> Vec<Vec<&'static str>> {
    crate::table::table(README, head)
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
        assert_eq!(fault_of_test(&format!("core::{name}")), None, "{name}");
    }
}

#[test]
fn the_readme_lists_the_attacks_with_their_tests() {
    let listed: Vec<(&str, &str, &str)> =
        table("| attack |").iter().map(|row| (row[0], row[1], row[2].trim_matches('`'))).collect();
    assert_eq!(listed, ATTACKS);
}
