//! The rules of the sources: which room may name which crate and which part of std, and that imports
//! run in one direction.

use std::fs;
use std::path::Path;

/// The rooms in the order in which they may name each other: only what comes later. Those of one row
/// may name each other too.
const ROOMS: [&[&str]; 10] = [
    &["main"],
    &["command"],
    &["server"],
    &["endpoints"],
    &["http"],
    &["policy"],
    &["settings"],
    &["token"],
    &["keys"],
    &["json", "clock", "limits", "text"],
];

/// A crate or a part of std, and the only files or rooms that name it; a file has its `.rs`.
const NAMED_BY: [(&str, &[&str]); 9] = [
    ("tiny_http", &["server/transport.rs"]),
    ("ureq", &["keys/download.rs"]),
    ("ring", &["keys/rsa.rs"]),
    ("base64", &["token/unverified.rs", "keys/set.rs"]),
    ("std::net", &["server/", "keys/address.rs"]),
    ("std::fs", &["server/", "keys/file.rs"]),
    ("std::thread", &["server/", "keys/source.rs"]),
    ("SystemTime", &["clock.rs"]),
    ("unsafe", &[]),
];

/// Name from `src` on, and lines of code, of every source.
fn sources(folder: &Path) -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(root.join(folder)).expect("a folder");
    let of = |path: std::path::PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_owned();
        if path.is_dir() {
            return sources(&name);
        }
        let text = fs::read_to_string(&path).expect("a text");
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        vec![(
            name.to_string_lossy().replace('\\', "/"),
            lines.map(str::to_owned).collect(),
        )]
    };
    entries
        .flat_map(|entry| of(entry.expect("an entry").path()))
        .collect()
}

/// The words of a line that begin after this one, such as the modules after `crate::`.
fn after<'l>(line: &'l str, start: &'l str) -> impl Iterator<Item = &'l str> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let begins = move |at: &usize| !line[..*at].ends_with(is_part);
    let places = line.match_indices(start).map(|(at, _)| at).filter(begins);
    places.map(move |at| &line[at + start.len()..])
}

#[test]
fn imports_run_in_one_direction() {
    let place = |room: &str| ROOMS.iter().position(|row| row.contains(&room));
    let is_part = |char: char| !(char.is_alphanumeric() || char == '_');
    for (file, lines) in sources(Path::new("")) {
        let room = file.split(['/', '.']).next().expect("a name");
        if room == "lib" {
            continue;
        }
        let own = place(room).unwrap_or_else(|| panic!("{file} belongs to no room"));
        for line in &lines {
            let named =
                after(line, "crate::").map(|rest| rest.split(is_part).next().expect("a name"));
            for named in named.filter(|named| *named != room) {
                let is_below = place(named).is_some_and(|it| it > own || it == ROOMS.len() - 1);
                assert!(is_below, "{file} names {named}: {line}");
            }
        }
    }
}

#[test]
fn only_these_files_name_a_crate_or_the_outside_world() {
    for (file, lines) in sources(Path::new("")) {
        for (name, allowed) in NAMED_BY {
            let is_free = allowed
                .iter()
                .any(|it| file == *it || it.ends_with('/') && file.starts_with(it));
            let is_word = |rest: &str| {
                !rest.starts_with(|char: char| char.is_alphanumeric() || "_\"".contains(char))
            };
            let found = lines.iter().find(|line| after(line, name).any(is_word));
            let found = found.filter(|line| !is_free && !line.contains("unsafe_code"));
            assert_eq!(found, None, "{file} names {name}");
        }
    }
}
