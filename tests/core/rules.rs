//! The rules of the sources: who may name which crate, what no file may hold, and how long they may be.

use crate::readme::{README, table};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What only these files may name, and why it matters to a reader.
const NAMED_BY: &[(&str, &[&str])] = &[
    // The crates: each at one edge, so that a reader knows where it is looked at.
    ("tiny_http::", &["body.rs", "head.rs", "server.rs", "server/answers.rs", "server/lines.rs"]),
    ("ureq::", &["fetch.rs"]),
    ("ring::", &["signature.rs"]),
    ("base64::", &["jwks.rs", "token.rs"]),
    ("serde_json::", &["answer.rs", "check.rs", "json.rs", "json/scanner.rs"]),
    // The outside world: what decides knows none of it.
    ("SystemTime", &["clock.rs"]),
    ("Instant::now", &["caretaker.rs", "server.rs", "server/answers.rs", "server/lines.rs"]),
    ("std::env", &["check.rs", "main.rs", "server.rs", "settings.rs"]),
    ("std::fs", &["caretaker.rs", "fetch.rs"]),
    (
        "std::io",
        &[
            "body.rs",
            "caretaker.rs",
            "check.rs",
            "check/lines.rs",
            "command.rs",
            "fetch.rs",
            "log.rs",
            "outgoing.rs",
            "server.rs",
        ],
    ),
    ("std::net", &["caretaker.rs", "server.rs", "server/answers.rs", "server/lines.rs", "settings/reader.rs"]),
    ("std::process", &["command.rs", "main.rs", "server.rs"]),
    ("std::thread", &["body.rs", "caretaker.rs", "fetch.rs", "log.rs", "outgoing.rs", "server.rs"]),
    // The only way to a verified token, and the only way to claims for an endpoint.
    ("VerifiedToken(", &["signature.rs"]),
    ("Claims::of(token)", &["checks.rs"]),
];

/// Where endpoints of one's own go: it may grow, and make JSON, without a change here.
const OWN: &str = "api.rs";

/// What no line of code may hold.
const FORBIDDEN: &[&str] = &[
    ".unwrap()",
    ".expect(",
    ".unwrap_err(",
    ".expect_err(",
    "panic!",
    "unreachable!",
    "todo!",
    "unimplemented!",
    "assert!",
    "dbg!",
    "print!",
    "println!",
    "eprintln!",
    "unsafe ",
    "unsafe{",
    "static mut",
    "mem::transmute",
];

/// The modules that decide about a token.
const DECIDING: &[&str] = &[
    "bearer.rs",
    "checks.rs",
    "checks/claims.rs",
    "checks/token.rs",
    "claims.rs",
    "json.rs",
    "json/scanner.rs",
    "jwks.rs",
    "keys.rs",
    "memory.rs",
    "rejection.rs",
    "signature.rs",
    "token.rs",
];

/// Lines of code of the modules that decide: what has to be read in one sitting.
const MOST_LINES_DECIDING: usize = 1500;

/// Lines of code in all, but for the endpoints. 1,500 would be the aim for the whole; more than that
/// again goes into waiting for nobody and into surviving, on top of a server that offers neither: lines,
/// bodies, slow peers, the caretaker, the log. Folding those together would save lines and cost their
/// explanation.
const MOST_LINES: usize = 3450;

/// Lines of code of one file, and of one function.
const MOST_LINES_OF_A_FILE: usize = 250;
const MOST_LINES_OF_A_FUNCTION: usize = 60;

/// The sources: their names from `src` on, and their text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else {
                let name = entry.strip_prefix(root()).expect("below src").to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&entry).expect("a text")));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    found
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The lines that are neither blank nor a comment: `grep -vcE '^\s*(//|$)'` counts the same.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//") && !line.trim().is_empty())
}

/// Whether a name stands in a line, not as the end of a longer one.
fn holds(line: &str, name: &str) -> bool {
    let is_part = |before: &str| before.ends_with(|char: char| char.is_alphanumeric() || char == '_');
    line.match_indices(name).any(|(at, _)| !is_part(&line[..at]))
}

/// The functions that are longer than allowed, with their lengths, from `fn` to the closing brace.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let is_fn = |line: &str| {
        ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "const fn "].iter().any(|start| line.starts_with(start))
    };
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| is_fn(line.trim_start()) && !line.ends_with(['}', ';']));
    starts
        .filter_map(|(at, line)| {
            let end = format!("{}}}", " ".repeat(line.len() - line.trim_start().len()));
            let length = lines[at..].iter().position(|line| *line == end).expect("rustfmt closes it there") + 1;
            (length > MOST_LINES_OF_A_FUNCTION).then(|| (line.trim().to_owned(), length))
        })
        .collect()
}

#[test]
fn only_these_files_name_a_crate_or_the_outside_world() {
    for (name, allowed) in NAMED_BY {
        let namers: Vec<String> = sources()
            .into_iter()
            .filter(|(_, text)| code(text).any(|line| holds(line, name)))
            .map(|(file, _)| file)
            .filter(|file| !(file == OWN && *name == "serde_json::"))
            .collect();
        assert_eq!(namers, *allowed, "{name}");
    }
}

#[test]
fn no_file_holds_what_could_end_the_process_or_is_not_safe() {
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("\nunsafe_code = \"forbid\"\n"));
    let lib = include_str!("../../src/lib.rs");
    for lint in ["unwrap_used", "expect_used", "indexing_slicing", "panic"] {
        assert!(lib.contains(&format!("clippy::{lint}")), "{lint}");
    }
    for (file, text) in sources() {
        for forbidden in FORBIDDEN {
            let found = code(&text).find(|line| line.contains(forbidden));
            assert_eq!(found, None, "{forbidden} in {file}");
        }
    }
}

#[test]
fn the_sources_stay_small() {
    let lengths: Vec<(String, usize)> =
        sources().iter().map(|(file, text)| (file.clone(), code(text).count())).collect();
    let long: Vec<_> = lengths.iter().filter(|(_, lines)| *lines > MOST_LINES_OF_A_FILE).collect();
    assert!(long.is_empty(), "{long:?}");
    let deciding: Vec<_> = lengths.iter().filter(|(file, _)| DECIDING.contains(&file.as_str())).collect();
    assert_eq!(deciding.len(), DECIDING.len());
    let lines: usize = deciding.iter().map(|(_, lines)| lines).sum();
    assert!(lines <= MOST_LINES_DECIDING, "{lines}");
    let lines: usize = lengths.iter().filter(|(file, _)| file != OWN).map(|(_, lines)| lines).sum();
    assert!(lines <= MOST_LINES, "{lines}");
    for (file, text) in sources() {
        assert_eq!(long_functions(&text), [], "in {file}");
    }
}

#[test]
fn the_readme_lists_every_file_with_its_lines() {
    let listed: Vec<(String, usize)> = table("| read | lines |")
        .iter()
        .map(|row| (row[0].trim_matches('`').trim_start_matches("src/").to_owned(), row[1].parse().expect("a number")))
        .collect();
    let shipped = listed.iter().find(|(file, _)| file == OWN).map_or(0, |(_, lines)| *lines);
    let counted: BTreeSet<(String, usize)> = sources()
        .into_iter()
        .map(|(file, text)| {
            let lines = code(&text).count();
            let grown = file == OWN && lines > shipped;
            (file, if grown { shipped } else { lines })
        })
        .collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), counted);
    let sum: usize = counted.iter().map(|(_, lines)| lines).sum();
    let deciding: usize =
        counted.iter().filter(|(file, _)| DECIDING.contains(&file.as_str())).map(|(_, lines)| lines).sum();
    let words = |lines: usize| format!("{},{:03} lines", lines / 1000, lines % 1000);
    for lines in [sum, deciding] {
        assert!(README.contains(&words(lines)), "{}", words(lines));
    }
}

#[test]
fn every_link_within_the_readme_leads_to_a_heading() {
    let slug = |heading: &str| {
        let kept = |char: char| char.is_alphanumeric() || char == ' ' || char == '-' || char == '_';
        heading.to_lowercase().chars().filter(|char| kept(*char)).collect::<String>().replace(' ', "-")
    };
    let is_heading = |line: &&str| line.starts_with("##");
    let headings: Vec<String> =
        README.lines().filter(is_heading).map(|line| slug(line.trim_start_matches('#').trim())).collect();
    let links: Vec<&str> = README.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 15);
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "{link}");
    }
}
