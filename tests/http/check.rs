//! `handler check`: the server's own checks on one token from standard input.

use crate::pages;
use crate::samples::{key_set, samples};
use crate::support::tokens::*;
use crate::support::*;
use serde_json::{Value, json};

/// Runs `handler check` with these arguments on `input`.
fn check(setup: &Setup, arguments: &[&str], input: &str) -> Outcome {
    setup
        .clone()
        .arguments(&[&["check"], arguments].concat())
        .run(input)
}

/// The output of `handler check --json`, whose form is held.
struct Report(Value);

impl Report {
    fn new(setup: &Setup, arguments: &[&str], input: &str) -> Report {
        let outcome = check(setup, &[&["--json"], arguments].concat(), input);
        let report: Value = serde_json::from_str(&outcome.stdout).expect(&outcome.stderr);
        let members = report.as_object().expect("an object").keys();
        let mut names: Vec<&String> = members.collect();
        names.retain(|name| *name != "code");
        let six = [
            "accepted",
            "checks",
            "claims",
            "claims_verified",
            "description",
            "status",
        ];
        assert_eq!(names, six);
        let status = match report["status"].as_u64() {
            Some(200) => 0,
            Some(503) => 2,
            _ => 1,
        };
        let is_accepted = report["accepted"] == true;
        assert_eq!(outcome.status, status, "{report}");
        assert_eq!(is_accepted, status == 0, "{report}");
        assert_eq!(report["code"].is_string(), !is_accepted, "{report}");
        assert!(report["description"].to_string().len() > 2, "{report}");
        for check in report["checks"].as_array().expect("a list") {
            let has_all = check["name"].is_string() && check["detail"].is_string();
            let verdict = check["verdict"].as_str().expect("a verdict");
            let is_known = ["pass", "fail", "skip"].contains(&verdict);
            assert!(has_all && is_known, "{check}");
        }
        Report(report)
    }

    /// The code; empty when the token is accepted.
    fn code(&self) -> &str {
        self.0["code"].as_str().unwrap_or_default()
    }

    /// Names of the checks with this verdict.
    fn with_verdict(&self, verdict: &str) -> Vec<&str> {
        let checks = self.0["checks"].as_array().expect("a list").iter();
        let found = checks.filter(|check| check["verdict"] == verdict);
        found.filter_map(|check| check["name"].as_str()).collect()
    }
}

/// The names of all checks.
fn all_checks() -> Vec<String> {
    let list = check(&Setup::bare(), &["--list", "--json"], "").stdout;
    let list: Vec<Value> = serde_json::from_str(&list).expect("a list");
    let name = |check: &Value| check["name"].as_str().expect("a name").to_owned();
    list.iter().map(name).collect()
}

#[test]
fn the_list_is_the_table_of_checks_of_the_pages() {
    let outcome = check(&Setup::bare(), &["--list"], "");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let rows = pages::table("| | check |");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.iter().zip(&rows) {
        let [number, name, _, source, codes] = &row[..5] else {
            panic!("{row:?}")
        };
        let codes = codes.replace('`', "");
        let start = format!("{number:>2}  {name:<13}  {codes:<35}  {source}");
        assert!(line.starts_with(&start), "{line}: {start}");
    }
    let names: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
    assert_eq!(all_checks(), names);
}

#[test]
fn check_and_server_agree_on_each_token_and_neither_prints_it() {
    let keys = KeyServer::with(key_set());
    let (handler, setup) = (Handler::with_keys(&keys, &[]), Setup::new(&keys.url()));
    let checks = all_checks();
    for sample in samples() {
        let (name, response) = (sample.name, handler.api(&sample.token));
        let report = Report::new(&setup, &[], &sample.token);
        let found = (&report.0["status"], report.code());
        assert_eq!(found, (&json!(response.status), sample.code), "{name}");
        if response.status == 200 {
            assert_eq!(report.with_verdict("pass"), checks, "{name}");
            assert_eq!(report.0["claims_verified"], true, "{name}");
        } else if !sample.code.starts_with("token_") {
            // The words of those hold the time.
            assert_eq!(report.0["description"], response.description(), "{name}");
        }
        let text = check(&setup, &[], &sample.token);
        let said = format!("{}{}{}", report.0, text.stdout, text.stderr);
        let mut parts = sample
            .token
            .split('.')
            .map(|part| part.trim_end_matches('='));
        let leak = parts.find(|part| part.len() > 20 && said.contains(part));
        assert_eq!(leak, None, "{name}: {said}");
    }
}

#[test]
fn a_refused_token_goes_through_all_checks_that_can_be_made() {
    let keys = KeyServer::with(set(&[1]));
    let setup = Setup::new(&keys.url());
    let foreign = with(with(v2(), "aud", "api://other"), "exp", 0);
    let all = all_checks().join(",");
    let cases = [
        (&*signed(&foreign), "aud,exp", ""),
        (&signed_with(2, &v2()), "key", "signature,key issuer"),
        ("", "authorization", &all),
        ("Bearer", "authorization", &all),
        ("a b", "authorization", &all),
    ];
    for (input, failed, skipped) in cases {
        let report = Report::new(&setup, &[], input);
        let found = ["fail", "skip"].map(|verdict| report.with_verdict(verdict).join(","));
        assert_eq!(found, [failed, skipped], "{input}");
    }
    assert_eq!(keys.fetches(), cases.len());
    let report = Report::new(&setup, &[], &signed(&foreign)).0;
    assert_eq!(
        (&report["claims"], &report["claims_verified"]),
        (&foreign, &json!(true))
    );
    let details = [
        ("aud", "api://other"),
        ("aud", AUDIENCE),
        ("exp", "1970-01-01T00:00:00Z"),
    ];
    for (name, part) in details {
        let mut checks = report["checks"].as_array().expect("a list").iter();
        let check = checks.find(|check| check["name"] == name).expect("listed");
        assert!(check["detail"].to_string().contains(part), "{check}");
    }
}

#[test]
fn claims_are_shown_whenever_they_decode_and_as_the_issuer_wrote_them() {
    let keys = KeyServer::with(set(&[1]));
    let (setup, good) = (Setup::new(&keys.url()), good());
    let (input, _) = good.rsplit_once('.').expect("three parts");
    let (_, payload) = input.split_once('.').expect("three parts");
    let decode = [
        "INPUT.AAAA",
        "e30.PAYLOAD.AAAA",
        "bm8.PAYLOAD.AAAA",
        "INPUT.AAAA==",
        "INPUT",
    ];
    let fail = ["nonsense", "e30.bm8.AAAA", "e30.W10.AAAA"];
    let cases = decode.map(|token| (token, v2())).into_iter();
    for (token, claims) in cases.chain(fail.map(|token| (token, Value::Null))) {
        let token = token.replace("INPUT", input).replace("PAYLOAD", payload);
        let Report(report) = Report::new(&setup, &[], &token);
        let found = (&report["claims"], &report["claims_verified"]);
        assert_eq!(found, (&claims, &json!(false)), "{token}");
    }
    let odd = v2()
        .to_string()
        .replace('}', r#" ,"n":12345678901234567890123,"d":1.0e0 }"#);
    let outcome = check(&setup, &["--json"], &mint::token(key(1), &odd));
    assert!(outcome.stdout.contains(&odd), "{outcome:?}");
}

#[test]
fn all_of_the_input_is_one_token_but_for_bearer_blanks_and_ends_of_lines() {
    let keys = KeyServer::with(set(&[1]));
    let (setup, good) = (Setup::new(&keys.url()), good());
    let accepted = [
        "Bearer GOOD",
        "bearer GOOD\n",
        "\n GOOD\r\n\n",
        "\u{feff}GOOD\r\n",
    ];
    #[rustfmt::skip]
    let refused = [
        "\n", "Bearer ", "GOOD GOOD", "GOOD,GOOD", "GOOD70000 GOOD", "GOOD70000\nx", "GOOD\u{a0}",
        "\u{3000}GOOD", "GOOD\u{b}",
    ];
    let cases = accepted.map(|input| (input, "")).into_iter();
    for (input, code) in cases.chain(refused.map(|input| (input, "invalid_header"))) {
        let (blanks, lines) = (" ".repeat(70_000), "\n".repeat(70_000));
        let text = input.replace("70000 ", &blanks).replace("70000\n", &lines);
        let report = Report::new(&setup, &[], &text.replace("GOOD", &good));
        assert_eq!(report.code(), code, "{input:?}");
    }
    let Report(report) = Report::new(&setup, &[], &"x".repeat(3_000_000));
    assert!(
        report["description"].to_string().contains(" 3000000 bytes"),
        "{report}"
    );
}

#[test]
fn a_token_is_judged_at_the_time_that_is_given() {
    let keys = KeyServer::with(set(&[1]));
    let setup = Setup::new(&keys.url());
    // 2001-09-09T01:46:40Z and an hour later.
    let token = signed(&with(
        with(v2(), "nbf", 1_000_000_000),
        "exp",
        1_000_003_600,
    ));
    assert_eq!(Report::new(&setup, &[], &token).code(), "token_expired");
    let cases = [
        ("999999939", "token_not_yet_valid"),
        ("2001-09-09T01:45:40Z", ""),
        ("1000003659.9", ""),
        ("2001-09-09T02:47:40Z", "token_expired"),
    ];
    for (time, code) in cases {
        for arguments in [&["--at", time][..], &[&format!("--at={time}")]] {
            let report = Report::new(&setup, arguments, &token);
            assert_eq!(report.code(), code, "{arguments:?}");
        }
    }
    for time in [
        "yesterday",
        "2001-09-09",
        "2001-02-30T00:00:00Z",
        "-1",
        "1e9",
        "",
    ] {
        let outcome = check(&setup, &["--at", time], &token);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{time}");
    }
}

#[test]
fn without_keys_nothing_is_decided_that_needs_them() {
    let keys = KeyServer::start(Reply::status(500, ""));
    let setup = Setup::new(&keys.url());
    let report = Report::new(&setup, &[], &good());
    let claims = [&report.0["claims"], &report.0["claims_verified"]];
    let expected = ("keys_unavailable", [&v2(), &json!(false)]);
    assert_eq!((report.code(), claims), expected);
    let outcome = check(&setup, &[], &good());
    let is_told = outcome
        .stderr
        .contains("the signing keys could not be fetched");
    assert!(outcome.status == 2 && is_told, "{outcome:?}");
    // Nobody needs a key to refuse this.
    assert_eq!(check(&setup, &[], "nonsense").status, 1);
}

#[test]
fn bad_settings_are_told_and_nothing_is_decided() {
    let keys = KeyServer::with(set(&[1]));
    let setup = Setup::new(&keys.url()).with(&[("API_AUDIENCE", ""), ("AUDIT_LOG", "x")]);
    for arguments in [&[][..], &["--json"], &["--lines"]] {
        let Outcome {
            status,
            stdout,
            stderr,
        } = check(&setup, arguments, &good());
        assert_eq!(
            (status, stdout.as_str(), stderr.lines().count()),
            (2, "", 2),
            "{stderr}"
        );
        assert!(
            stderr.contains("API_AUDIENCE") && stderr.contains("AUDIT_LOG"),
            "{stderr}"
        );
    }
    assert_eq!(keys.fetches(), 0);
}

#[test]
fn a_person_reads_one_line_for_each_check_and_the_verdict() {
    let keys = KeyServer::with(set(&[1]));
    // Colours are for terminals only; here, standard output is a pipe.
    let setup = Setup::new(&keys.url()).with(&[("TERM", "xterm-256color")]);
    let foreign = signed(&with(v2(), "aud", "api://other"));
    for (token, status, verdict) in [(&good(), 0, "accepted"), (&foreign, 1, "refused")] {
        let outcome = check(&setup, &[], token);
        let shown = &outcome.stdout;
        assert_eq!(
            (outcome.status, shown.contains('\x1b')),
            (status, false),
            "{shown}"
        );
        assert!(shown.contains(&format!("\n{verdict}: ")), "{shown}");
        for name in all_checks() {
            let lines = shown.matches(&format!("  {name:<13}  ")).count();
            assert_eq!(lines, 1, "{name}: {shown}");
        }
        let failed: Vec<&str> = shown
            .lines()
            .filter(|line| line.starts_with("FAIL"))
            .collect();
        assert_eq!(failed.len(), status as usize, "{shown}");
        let says = |line: &&str| line.contains("api://other") && line.contains(AUDIENCE);
        assert!(failed.iter().all(says), "{failed:?}");
    }
}
