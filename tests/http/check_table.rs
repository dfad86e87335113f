//! The table of checks, as `handler check --list` prints it, as the README shows it, and as it works.

use crate::harness::{run, usual};
use crate::samples;
use crate::table::table;
use crate::tokens::*;
use entra_handler::checks::{self, CHECKS, Case};
use entra_handler::jwks::KeySet;
use entra_handler::rejection::Rejection;
use entra_handler::settings::Settings;
use serde_json::Value;
use std::collections::BTreeSet;

/// The checks go on after a refusal, so that each is met by more than the samples meant for it.
#[test]
fn each_check_refuses_with_the_codes_of_its_row_and_no_others() {
    let usual = usual("https://keys.invalid/", &[]);
    let settings = Settings::read(|name| usual.get(name).cloned()).expect("good settings");
    let restricted = |name: &str| match name {
        "ALLOWED_TENANTS" => Some(OTHER_TENANT.to_owned()),
        "ALLOWED_CLIENTS" => Some(OTHER_CLIENT.to_owned()),
        name => usual.get(name).cloned(),
    };
    let restricted = Settings::read(restricted).expect("good settings");
    let keys = KeySet::parse(samples::key_set().into_bytes()).expect("a key set");
    let mut seen = BTreeSet::new();
    for sample in samples::all() {
        for (settings, keys) in [
            (&settings, Some(&keys)),
            (&settings, None),
            (&restricted, Some(&keys)),
        ] {
            let findings = checks::explain_all(&mut Case::new(
                &sample.token,
                settings,
                keys,
                clock() as f64,
            ));
            let refusals = findings
                .iter()
                .filter_map(|finding| Some((finding.name, finding.outcome.as_ref().err()?)));
            let reached = refusals.filter(|(_, rejection)| **rejection != Rejection::NotReached);
            seen.extend(reached.map(|(name, rejection)| (name, rejection.code().as_str())));
        }
    }
    let rows = CHECKS.iter().flat_map(|check| {
        check
            .refuses_with
            .iter()
            .map(|code| (check.name, code.as_str()))
    });
    assert_eq!(seen, rows.collect());
}

/// The rows of the README's table of checks: number, name, source and codes.
fn readme_rows() -> Vec<[String; 4]> {
    let rows = table(include_str!("../../README.md"), "| | check |");
    rows.iter()
        .map(|row| [0, 1, 3, 4].map(|column| row[column].replace('`', "")))
        .collect()
}

#[test]
fn the_list_is_the_table_of_checks_and_the_one_in_the_readme() {
    let text = run(&["check", "--list"], &[], "");
    let json = run(&["check", "--json", "--list"], &[], "");
    assert_eq!(
        (
            text.status,
            text.stderr.as_str(),
            json.status,
            json.stderr.as_str()
        ),
        (0, "", 0, "")
    );
    let rows: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let codes = |row: &Value| {
        row["refuses_with"]
            .as_array()
            .expect("codes")
            .iter()
            .map(|code| code.as_str().expect("a code").to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let cell = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
    let rows = rows.as_array().expect("an array").iter();
    let listed: Vec<_> = rows
        .map(|row| {
            [
                row["number"].to_string(),
                cell(row, "name"),
                cell(row, "source"),
                codes(row),
            ]
        })
        .collect();
    assert_eq!(listed, readme_rows());
    assert_eq!(
        listed.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(),
        CHECKS.map(|check| check.name)
    );
    let lines = listed.iter().map(|[number, name, source, codes]| {
        format!("{number:>2}  {name:<13}  {codes:<35}  {source}")
    });
    assert_eq!(
        text.stdout.lines().collect::<Vec<_>>(),
        lines.collect::<Vec<_>>()
    );
}
