//! Every line of tests/vectors, taken through the decision, through `handler check --lines` and through
//! the server: all three say what the line says.

use crate::judge::{Judge, outcome};
use crate::support::process::Folder;
use crate::support::tokens::clock;
use crate::support::{Handler, Setup};
use crate::vector::{NOW, Vector, hints};
use entra_handler::{Claims, Rejection, bearer_token};
use serde_json::Value;
use std::collections::BTreeMap;

/// Cases of one environment: the same settings, keys and clock.
struct Group {
    settings: BTreeMap<String, String>,
    now: f64,
    cases: Vec<Vector>,
}

/// The cases that decide about a token, with their key sets as files in a folder.
fn groups() -> (Folder, Vec<Group>) {
    let folder = Folder::new("vectors");
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for case in Vector::all() {
        if case.get("expect").is_none() {
            continue;
        }
        let (mut settings, sets, now) = (case.settings(), case.key_sets(), case.now());
        let identity = format!("{settings:?} {sets:?} {now}");
        let number = groups.len();
        let group = groups.entry(identity).or_insert_with(|| {
            let file = |(source, set): (usize, &Option<String>)| {
                let path = folder.file(&format!("{number}-{source}.json"));
                if let Some(set) = set {
                    std::fs::write(&path, set).expect("a file");
                }
                path
            };
            let files: Vec<String> = sets.iter().enumerate().map(file).collect();
            settings.insert("JWKS_URI".into(), files.join(","));
            Group {
                settings,
                now,
                cases: Vec::new(),
            }
        });
        group.cases.push(case);
    }
    (folder, groups.into_values().collect())
}

impl Group {
    fn setup(&self) -> Setup {
        let settings = self.settings.iter();
        let settings: Vec<(&str, &str)> = settings
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Setup::bare().with(&settings)
    }

    fn decide(&self, case: &Vector) -> Result<Claims, Rejection> {
        let judge = Judge::with(case, &self.settings);
        if case.get("authorization").is_none() {
            return judge.decide(&case.token(self.now));
        }
        let values = case.authorization(self.now);
        judge.decide(bearer_token(values.iter().map(String::as_str))?)
    }
}

/// The outcome that a case wants, in the words of a line: accepted, or check and reason.
fn wanted(case: &Vector) -> String {
    case.texts("expect").join(" ")
}

/// The code and the status that the interface has for what a case wants.
fn code(case: &Vector) -> (&'static str, u16) {
    let wanted = case.texts("expect");
    match (wanted[0].as_str(), wanted[1].as_str()) {
        (_, "AuthorizationMissing") => ("authorization_header_missing", 401),
        (_, "Expired") => ("token_expired", 401),
        (_, "NotYetValid") => ("token_not_yet_valid", 401),
        (_, "KeysUnavailable") => ("keys_unavailable", 503),
        (_, "PermissionMissing" | "NoPermission") => ("insufficient_scope", 403),
        ("iss" | "tid" | "key issuer" | "aud", _) => ("invalid_claims", 401),
        ("exp" | "nbf" | "iat" | "client" | "permission", _) => ("invalid_claims", 401),
        _ => ("invalid_header", 401),
    }
}

/// The faults of a description, by the words that it has to have and those that it must not.
fn wrong_words(case: &Vector, description: &str) -> Vec<String> {
    let has = |words: &String| description.contains(words.as_str());
    let missing = case.texts("says").into_iter().filter(|words| !has(words));
    let wrong = case.texts("says_not").into_iter().filter(has);
    let fault = |what| format!("{}: {what}: {description}", case.name);
    let mut faults: Vec<String> = missing
        .map(|words| fault(format!("does not say {words:?}")))
        .collect();
    faults.extend(wrong.map(|words| fault(format!("says {words:?}"))));
    // RFC 6750 section 3, and a length that a header can have.
    let is_allowed = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if !description.bytes().all(is_allowed) || description.len() > 703 {
        faults.push(fault("has what no challenge may have".into()));
    }
    if let Some(hint) = case.get("hint").and_then(Value::as_str) {
        let given: Vec<&str> = hints()
            .into_iter()
            .filter(|hint| description.contains(hint))
            .collect();
        if given != Vec::from_iter(Some(hint).filter(|hint| !hint.is_empty())) {
            faults.push(fault(format!(
                "has the hints {given:?} instead of {hint:?}"
            )));
        }
    }
    faults
}

#[track_caller]
fn assert_none(faults: Vec<String>, tried: usize, least: usize) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(tried >= least, "only {tried} cases were tried");
}

#[test]
fn every_case_is_decided_as_its_line_says() {
    let (_folder, groups) = groups();
    let (mut faults, mut tried) = (Vec::new(), 0);
    for group in &groups {
        for case in &group.cases {
            tried += 1;
            let decided = group.decide(case);
            let found = outcome(&decided);
            if found != wanted(case) {
                faults.push(format!(
                    "{}: {found} instead of {}",
                    case.name,
                    wanted(case)
                ));
            }
            match decided {
                Ok(claims) if !case.gives_back(group.now, claims.json()) => {
                    faults.push(format!("{}: other claims come out", case.name));
                }
                Ok(_) => {}
                Err(rejection) => {
                    faults.extend(wrong_words(case, &rejection.description()));
                    let (code, status) = code(case);
                    if (rejection.code().as_str(), rejection.status()) != (code, status) {
                        faults.push(format!("{}: the code of {rejection:?}", case.name));
                    }
                }
            }
        }
    }
    assert_none(faults, tried, 1_200);
}

#[test]
fn check_says_the_same_of_every_case() {
    let (_folder, groups) = groups();
    let (mut faults, mut tried) = (Vec::new(), 0);
    for group in &groups {
        let is_line = |case: &&Vector| is_one_line(case, &case.token(group.now));
        let cases: Vec<&Vector> = group.cases.iter().filter(is_line).collect();
        if cases.is_empty() {
            continue;
        }
        let input: String = cases
            .iter()
            .map(|case| case.token(group.now) + "\n")
            .collect();
        let check = ["check", "--lines", "--at", &group.now.to_string()];
        let run = group.setup().arguments(&check).run(input);
        assert_eq!(
            run.stdout.lines().count(),
            cases.len(),
            "{}: {run:?}",
            cases[0].name
        );
        for (case, line) in cases.iter().zip(run.stdout.lines()) {
            tried += 1;
            let (said, decided) = (Report::of(line), Report::from(group.decide(case)));
            if said != decided {
                faults.push(format!("{}: {said:?} instead of {decided:?}", case.name));
            }
        }
    }
    assert_none(faults, tried, 1_200);
}

/// A line of `check --lines` is one word and not endless; it knows neither header nor route.
fn is_one_line(case: &Vector, token: &str) -> bool {
    let is_about_the_token = case.get("authorization").or(case.get("needs")).is_none();
    let is_word = !token.is_empty() && token.trim() == token && !token.contains([' ', '\n']);
    is_about_the_token && is_word && token.len() < 64 * 1024
}

/// The report of `check` on a token.
#[derive(Debug, PartialEq)]
struct Report {
    /// The first check that fails; empty when the token is accepted, as the code and the words are.
    check: String,
    status: u16,
    code: String,
    description: String,
}

impl Report {
    /// One line of `check --lines`.
    fn of(line: &str) -> Report {
        // The claims may hold numbers that serde_json cannot.
        let (start, _) = line.split_once(",\"claims\":").expect("the claims");
        let report: Value = serde_json::from_str(&format!("{start}}}")).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut checks = report["checks"].as_array().expect("a list").iter();
        let failed = checks.find(|check| check["verdict"] == "fail");
        let is_accepted = report["accepted"] == true;
        let description = if is_accepted {
            String::new()
        } else {
            text(&report["description"])
        };
        Report {
            check: failed.map(|check| text(&check["name"])).unwrap_or_default(),
            status: report["status"].as_u64().expect("a status") as u16,
            code: text(&report["code"]),
            description,
        }
    }
}

impl From<Result<Claims, Rejection>> for Report {
    fn from(decided: Result<Claims, Rejection>) -> Report {
        let rejection = decided.err();
        let text = |of: fn(&Rejection) -> String| rejection.as_ref().map(of).unwrap_or_default();
        Report {
            check: text(|rejection| rejection.check.into()),
            status: rejection.as_ref().map_or(200, Rejection::status),
            code: text(|rejection| rejection.code().as_str().into()),
            description: text(Rejection::description),
        }
    }
}

#[test]
fn the_server_says_the_same_of_every_case_that_fits_into_a_header() {
    let (_folder, groups) = groups();
    let (mut faults, mut tried) = (Vec::new(), 0);
    for group in &groups {
        let cases: Vec<&Vector> = group
            .cases
            .iter()
            .filter(|case| fits_into_a_header(case))
            .collect();
        if cases.is_empty() {
            continue;
        }
        let handler = group.setup().start();
        for case in cases {
            tried += 1;
            faults.extend(fault_of_response(group, case, &handler));
        }
    }
    assert_none(faults, tried, 1_000);
}

/// A header holds printable ASCII, and no more than 32 KiB of it; and the time of a real server passes.
fn fits_into_a_header(case: &Vector) -> bool {
    let values = case.authorization(NOW).concat();
    let is_printable = values
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    let is_one_word = case.get("authorization").is_some() || !values[7..].contains([' ', '\t']);
    let is_usual = case.get("needs").is_none() && !case.needs_its_clock();
    is_usual && is_printable && is_one_word && values.len() < 32 * 1024
}

fn fault_of_response(group: &Group, case: &Vector, handler: &Handler) -> Option<String> {
    let now = clock() as f64;
    let values = case.authorization(now);
    let headers: Vec<(&str, &str)> = values
        .iter()
        .map(|value| ("Authorization", value.as_str()))
        .collect();
    let response = handler.ask("GET", "/api", &headers);
    if wanted(case) == "accepted" {
        let is_good = response.status == 200 && case.gives_back(now, &response.body);
        return (!is_good).then(|| format!("{}: {response:?} instead of the claims", case.name));
    }
    let decided = Report::from(group.decide(case));
    if (response.status, response.code()) != (decided.status, decided.code.clone()) {
        return Some(format!(
            "{}: {response:?} instead of {decided:?}",
            case.name
        ));
    }
    // The clock of the server is in some of its words, and so is how long to wait.
    let has_clock = ["exp", "nbf"].contains(&&*decided.check) || decided.status == 503;
    let description = response.description();
    let is_same = has_clock || description == decided.description;
    (!is_same).then(|| format!("{}: {description} instead of {decided:?}", case.name))
}
