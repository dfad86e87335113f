//! The lines of tests/vectors about settings: the problems that stop the handler, the warnings, and
//! what good settings mean.

use crate::support::Setup;
use crate::vector::Vector;
use entra_handler::{Settings, Source};
use serde_json::Value;

/// The cases about settings: those that expect no decision about a token.
fn cases() -> Vec<Vector> {
    let all = Vector::all().into_iter();
    all.filter(|case| case.get("expect").is_none()).collect()
}

fn read(case: &Vector) -> Result<Settings, Vec<String>> {
    let values = case.settings();
    Settings::read(|name| values.get(name).cloned())
}

/// Whether each sentence has the name and the words of one row, and there is one for each.
fn agree(sentences: &[String], rows: &[Vec<String>]) -> bool {
    let fits = |row: &Vec<String>, sentence: &String| {
        let (name, words) = row.split_first().expect("a name");
        let rest = sentence.strip_prefix(name.as_str());
        let is_of = rest.is_some_and(|rest| rest.starts_with(['=', ' ']));
        is_of && !sentence.contains('\n') && words.iter().all(|it| sentence.contains(it.as_str()))
    };
    let has_one = |row| {
        sentences
            .iter()
            .filter(|sentence| fits(row, sentence))
            .count()
            == 1
    };
    sentences.len() == rows.len() && rows.iter().all(has_one)
}

/// Where the keys of each issuer come from.
fn key_places(settings: &Settings) -> Vec<String> {
    let place = |source: &Source| match source {
        Source::Address(address) => address.clone(),
        Source::File(path) => path.display().to_string(),
        Source::Metadata(issuer) => format!("the metadata of {issuer}"),
    };
    settings.sources.iter().map(place).collect()
}

/// The faults in settings that should be good: `fine` says what they mean.
fn fault(case: &Vector, settings: &Settings) -> Option<String> {
    let warnings = &settings.warnings;
    let Some(fine) = case.get("fine") else {
        let is_told = agree(warnings, &case.rows("warnings"));
        return (!is_told).then(|| format!("{}: the warnings {warnings:?}", case.name));
    };
    let issuers = settings
        .issuers
        .iter()
        .map(|issuer| issuer.pattern.clone())
        .collect();
    for (name, found) in [("issuers", issuers), ("keys_from", key_places(settings))] {
        let wanted = fine.get(name).map_or(found.clone(), crate::vector::texts);
        if wanted != found {
            return Some(format!("{}: {name} are {found:?}", case.name));
        }
    }
    (!warnings.is_empty()).then(|| format!("{}: the warnings {warnings:?}", case.name))
}

#[test]
fn settings_mean_what_their_line_says_or_are_refused_with_its_words() {
    let (mut faults, mut tried) = (Vec::new(), 0);
    for case in cases() {
        tried += 1;
        match (read(&case), case.get("problems")) {
            (Ok(settings), None) => faults.extend(fault(&case, &settings)),
            (Err(problems), Some(_)) if agree(&problems, &case.rows("problems")) => {}
            (Ok(_), Some(_)) => faults.push(format!("{}: no problem", case.name)),
            (Err(problems), _) => faults.push(format!("{}: {problems:?}", case.name)),
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(tried > 120, "only {tried} cases were tried");
}

#[test]
fn the_handler_stops_with_every_problem_on_a_line_and_status_2() {
    let mut tried = 0;
    for case in cases().iter().filter(|case| case.get("problems").is_some()) {
        let settings = case.settings();
        let is_possible = |value: &String| !value.contains('\0');
        if !settings.values().all(is_possible) {
            continue;
        }
        tried += 1;
        let pairs: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let run = Setup::bare().with(&pairs).run("");
        let problems = read(case).expect_err("a problem");
        let told = problems
            .iter()
            .all(|problem| run.stderr.lines().any(|line| line.ends_with(problem)));
        assert!(
            told && run.stderr.lines().count() == problems.len(),
            "{}: {run:?}",
            case.name
        );
        assert_eq!(
            (run.status, &*run.stdout),
            (2, ""),
            "{}: {run:?}",
            case.name
        );
    }
    assert!(tried > 80, "only {tried} cases were tried");
}

/// Every setting that a page shows in a block of `NAME=value` lines of its own is good.
#[test]
fn the_settings_that_the_pages_show_are_good() {
    let mut tried = 0;
    for page in crate::documents::pages() {
        for block in page.text.split("\n```").skip(1).step_by(2) {
            let lines: Vec<&str> = block.lines().skip(1).collect();
            let pairs: Option<Vec<(&str, &str)>> =
                lines.iter().map(|line| line.split_once('=')).collect();
            let Some(pairs) =
                pairs.filter(|pairs| pairs.iter().any(|(name, _)| *name == "API_AUDIENCE"))
            else {
                continue;
            };
            tried += 1;
            let value = |name: &str| {
                pairs
                    .iter()
                    .find(|(it, _)| *it == name)
                    .map(|(_, value)| value.to_string())
            };
            let settings = Settings::read(value)
                .unwrap_or_else(|problems| panic!("{}: {problems:?}", page.name));
            assert_eq!(settings.warnings, [""; 0], "{}: {pairs:?}", page.name);
        }
    }
    assert!(tried >= 5, "only {tried} blocks of settings were found");
}

/// Rows of texts in a line.
impl Vector {
    fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let rows = self.get(name).and_then(Value::as_array);
        rows.expect("a list of rows")
            .iter()
            .map(crate::vector::texts)
            .collect()
    }
}
