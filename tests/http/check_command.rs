//! `handler check`: the same checks on one token from standard input.

use crate::harness::{Handler, Outcome, borrowed, run, usual};
use crate::key_server::{KeyServer, Reply};
use crate::samples;
use crate::tokens::*;
use entra_handler::checks::CHECKS;
use serde_json::Value;

/// Runs `handler check` on `input` with the keys of `server`.
fn check(server: &KeyServer, arguments: &[&str], more: &[(&str, &str)], input: &str) -> Outcome {
    run(
        &[&["check"], arguments].concat(),
        &borrowed(&usual(&server.url(), more)),
        input,
    )
}

/// The report of `handler check --json`, whose form is checked, and the exit status.
fn report(
    server: &KeyServer,
    arguments: &[&str],
    more: &[(&str, &str)],
    input: &str,
) -> (Value, i32) {
    let outcome = check(server, &[&["--json"], arguments].concat(), more, input);
    // JSON, but no number that serde_json can hold.
    let text = outcome.stdout.replace(":1e999", ":null");
    let report: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let mut names: Vec<&str> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.retain(|name| *name != "code");
    assert_eq!(
        names,
        [
            "accepted",
            "checks",
            "claims",
            "claims_verified",
            "description",
            "status"
        ]
    );
    assert_eq!(
        report["accepted"] == true,
        report["code"].is_null(),
        "{report}"
    );
    assert_eq!(
        report["accepted"] == true,
        report["status"] == 200,
        "{report}"
    );
    assert!(
        report["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{report}"
    );
    assert!(
        report["claims_verified"].is_boolean()
            && (report["claims"].is_object() || report["claims"].is_null())
    );
    for check in report["checks"].as_array().expect("a list") {
        assert_eq!(
            check.as_object().map(|check| check.len()),
            Some(3),
            "{check}"
        );
        assert!(
            check["name"].is_string() && check["detail"].is_string(),
            "{check}"
        );
        assert!(
            ["pass", "fail", "skip"]
                .iter()
                .any(|verdict| check["verdict"] == *verdict),
            "{check}"
        );
    }
    (report, outcome.status)
}

/// Names of the checks with this verdict.
fn with_verdict<'r>(report: &'r Value, verdict: &str) -> Vec<&'r str> {
    let checks = report["checks"].as_array().expect("a list");
    checks
        .iter()
        .filter(|check| check["verdict"] == verdict)
        .filter_map(|check| check["name"].as_str())
        .collect()
}

#[test]
fn check_and_server_agree_on_every_token() {
    let keys = KeyServer::with(samples::key_set());
    let handler = Handler::with_keys(&keys, &[]);
    let mut differences = Vec::new();
    for sample in samples::all() {
        let answer = handler.api(&sample.token);
        let (report, status) = report(&keys, &[], &[], &sample.token);
        let body = answer.json();
        let code = if answer.status == 200 {
            &Value::Null
        } else {
            &body["code"]
        };
        let expected_status = i32::from(answer.status != 200);
        if report["status"] != answer.status || report["code"] != *code || status != expected_status
        {
            differences.push(format!("{}: {report} {answer:?}", sample.name));
        }
        let has_clock = ["token_expired", "token_not_yet_valid"].contains(&sample.code);
        if answer.status != 200 && !has_clock {
            assert_eq!(
                report["description"], body["description"],
                "{}",
                sample.name
            );
        }
        if answer.status == 200 {
            assert!(report["claims_verified"] == true, "{}", sample.name);
            assert_eq!(
                with_verdict(&report, "pass").len(),
                CHECKS.len(),
                "{}",
                sample.name
            );
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn check_and_server_agree_under_other_settings() {
    let keys = KeyServer::with(set(&[1]));
    let settings: [&[(&str, &str)]; 5] = [
        &[("REQUIRED_SCOPES", "read")],
        &[
            ("REQUIRED_SCOPES", "user_impersonation"),
            ("ALLOWED_CLIENTS", OTHER_CLIENT),
        ],
        &[("TENANT_ID", "common"), ("ALLOWED_TENANTS", OTHER_TENANT)],
        &[("ALLOWED_CLIENTS", CLIENT)],
        &[("ISSUERS", "https://one.example/")],
    ];
    let all_claims = [
        v2(),
        v1(),
        app_only(v2()),
        without(v2(), "scp"),
        of_tenant(v2(), OTHER_TENANT),
    ];
    for more in settings {
        let handler = Handler::with_keys(&keys, more);
        for token in all_claims.iter().map(signed) {
            let answer = handler.api(&token);
            let (report, _) = report(&keys, &[], more, &token);
            assert_eq!(report["status"], answer.status, "{more:?} {report}");
            assert!(
                answer.status == 200 || report["code"] == answer.json()["code"],
                "{more:?} {report}"
            );
        }
    }
}

#[test]
fn an_accepted_token_passes_every_check_and_shows_its_claims_as_written() {
    let keys = KeyServer::with(set(&[1]));
    let (issuer, hour) = (v2_issuer(TENANT), now() + HOUR);
    let claims = format!(
        r#"{{ "aud":"{AUDIENCE}", "iss":"{issuer}","exp":{hour},"scp":"x","n":12345678901234567890123,"d":1.0e0 }}"#
    );
    let token = crate::mint::token(key(1), &claims);
    let outcome = check(&keys, &["--json"], &[], &token);
    assert!(outcome.stdout.contains(&claims), "{outcome:?}");
    let (report, status) = report(&keys, &[], &[], &token);
    assert_eq!(
        (status, &report["accepted"], &report["claims_verified"]),
        (0, &true.into(), &true.into())
    );
    assert_eq!(
        with_verdict(&report, "pass"),
        CHECKS.map(|check| check.name)
    );
}

#[test]
fn a_refused_token_fails_its_check_and_goes_through_the_others() {
    let keys = KeyServer::with(set(&[1]));
    let claims = with(with(v2(), "aud", "api://other"), "exp", 0);
    let (report, status) = report(&keys, &[], &[], &signed(&claims));
    assert_eq!(
        (status, &report["status"], &report["code"]),
        (1, &401.into(), &"invalid_claims".into())
    );
    assert_eq!(with_verdict(&report, "fail"), ["aud", "exp"]);
    assert_eq!(with_verdict(&report, "skip"), [""; 0]);
    assert_eq!(report["claims"], claims);
    assert_eq!(report["claims_verified"], true);
    for (name, parts) in [
        ("aud", ["api://other", AUDIENCE]),
        ("exp", ["1970-01-01T00:00:00Z", "seconds ago"]),
    ] {
        let checks = report["checks"].as_array().expect("a list");
        let detail = checks
            .iter()
            .find(|check| check["name"] == name)
            .expect("listed")["detail"]
            .to_string();
        assert!(parts.iter().all(|part| detail.contains(part)), "{detail}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_skipped() {
    let keys = KeyServer::with(set(&[1]));
    let unknown = signed_with(2, &v2());
    let (report, _) = report(&keys, &[], &[], &unknown);
    assert_eq!(with_verdict(&report, "fail"), ["key"]);
    assert_eq!(with_verdict(&report, "skip"), ["signature", "key issuer"]);
    assert_eq!(
        (&report["claims"], &report["claims_verified"]),
        (&v2(), &false.into())
    );
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn claims_are_shown_whenever_they_decode() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    let (head, _) = good.rsplit_once('.').expect("three parts");
    let (_, payload) = head.split_once('.').expect("three parts");
    let decodes = [
        format!("{head}.AAAA"),
        format!("e30.{payload}.AAAA"),
        format!("bm8.{payload}.AAAA"),
        format!("{good}=="),
        good[..good.len() - 1].to_owned(),
        head.to_owned(),
        format!("{head}."),
    ];
    for token in decodes {
        let (report, status) = report(&keys, &[], &[], &token);
        assert_eq!((status, &report["claims"]), (1, &v2()), "{token}");
        assert_eq!(report["claims_verified"], false);
    }
    for token in ["nonsense", "a.b.c", "e30.bm8.AAAA", "e30.W10.AAAA"] {
        let (report, status) = report(&keys, &[], &[], token);
        assert_eq!((status, &report["claims"]), (1, &Value::Null), "{token}");
    }
}

#[test]
fn all_of_the_input_is_the_token() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    for (name, input) in [
        (
            "another token after many blanks",
            format!("{good}{}{good}", " ".repeat(70_000)),
        ),
        (
            "a letter after many lines",
            format!("{good}{}x", "\n".repeat(70_000)),
        ),
        ("a blank that is none to HTTP", format!("{good}\u{a0}")),
        ("a wide blank", format!("\u{3000}{good}")),
        ("a vertical tab", format!("{good}\u{b}")),
    ] {
        let (report, status) = report(&keys, &[], &[], &input);
        assert_eq!(
            (status, &report["code"]),
            (1, &"invalid_header".into()),
            "{name}"
        );
    }
    let (report, _) = report(&keys, &[], &[], &"x".repeat(3_000_000));
    assert!(
        report["description"]
            .as_str()
            .is_some_and(|text| text.contains(" 3000000 bytes")),
        "{report}"
    );
}

#[test]
fn what_is_not_one_bearer_token_fails_before_the_first_check() {
    let keys = KeyServer::with(set(&[1]));
    for input in ["", "Bearer", "a b"] {
        let (report, _) = report(&keys, &[], &[], input);
        assert_eq!(
            with_verdict(&report, "fail"),
            ["authorization"],
            "{input:?}"
        );
        assert_eq!(
            with_verdict(&report, "skip"),
            CHECKS.map(|check| check.name),
            "{input:?}"
        );
    }
}

#[test]
fn the_input_may_begin_with_bearer_and_end_with_a_line() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    for input in [
        format!("Bearer {good}"),
        format!("bearer {good}\n"),
        format!("\n {good}\r\n\n"),
        format!("BEARER   {good}"),
        format!("\u{feff}{good}\r\n"),
    ] {
        assert_eq!(report(&keys, &[], &[], &input).1, 0, "{input:?}");
    }
    for input in [
        "",
        "\n",
        "Bearer",
        "Bearer ",
        &format!("{good} {good}"),
        &format!("{good},{good}"),
    ] {
        let (report, status) = report(&keys, &[], &[], input);
        assert_eq!(
            (status, &report["status"], &report["code"]),
            (1, &401.into(), &"invalid_header".into()),
            "{input:?}"
        );
        assert_eq!(report["claims"], Value::Null);
    }
}

#[test]
fn a_token_is_judged_at_the_time_that_is_given() {
    let keys = KeyServer::with(set(&[1]));
    // 2001-09-09T01:46:40Z and an hour later.
    let token = signed(&with(
        with(v2(), "nbf", 1_000_000_000),
        "exp",
        1_000_003_600,
    ));
    let cases = [
        ("", "token_expired", vec![]),
        (
            "",
            "token_not_yet_valid",
            vec![
                "999999939",
                "2001-09-09T01:45:39Z",
                "0",
                "1970-01-01T00:00:00Z",
            ],
        ),
        (
            "",
            "",
            vec![
                "999999940",
                "2001-09-09T01:45:40Z",
                "1000003659",
                "2001-09-09T02:47:39Z",
                "1000003659.9",
            ],
        ),
        (
            "",
            "token_expired",
            vec!["1000003660", "2001-09-09T02:47:40Z", "2026-11-23T17:00:00Z"],
        ),
        ("0", "token_not_yet_valid", vec!["999999999", "999999999.9"]),
        (
            "0",
            "",
            vec!["1000000000", "2001-09-09T01:46:40Z", "1000003599"],
        ),
        ("0", "token_expired", vec!["1000003600"]),
        ("300", "token_not_yet_valid", vec!["999999699"]),
        ("300", "", vec!["999999700", "1000003899"]),
        ("300", "token_expired", vec!["1000003900"]),
    ];
    for (skew, code, times) in cases {
        let arguments = times
            .iter()
            .flat_map(|time| [vec!["--at", time], vec![]])
            .filter(|pair| !pair.is_empty());
        let now = times.is_empty().then(Vec::new);
        for arguments in arguments.chain(now) {
            let (report, status) =
                report(&keys, &arguments, &[("CLOCK_SKEW_SECONDS", skew)], &token);
            assert_eq!(
                report["code"].as_str().unwrap_or_default(),
                code,
                "{skew} {arguments:?} {report}"
            );
            assert_eq!(status, i32::from(!code.is_empty()));
        }
    }
    assert_eq!(report(&keys, &["--at=1000000000"], &[], &token).1, 0);
    for time in [
        "yesterday",
        "2001-09-09",
        "2001-09-09 01:46:40Z",
        "2001-02-30T00:00:00Z",
        "-1",
        "1e9",
        "",
    ] {
        let outcome = check(&keys, &["--at", time], &[], &token);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{time}");
    }
}

#[test]
fn without_keys_nothing_is_decided_that_needs_them() {
    for reply in [
        Reply::Status(500, String::new()),
        Reply::Close,
        Reply::Body("{}".into()),
    ] {
        let keys = KeyServer::start(reply);
        let (report, status) = report(&keys, &[], &[], &good());
        assert_eq!(
            (status, &report["status"], &report["code"]),
            (2, &503.into(), &"keys_unavailable".into())
        );
        assert_eq!(
            (&report["claims"], &report["claims_verified"]),
            (&v2(), &false.into())
        );
        let outcome = check(&keys, &[], &[], &good());
        assert_eq!(outcome.status, 2);
        assert!(
            outcome
                .stderr
                .contains("the signing keys could not be fetched"),
            "{outcome:?}"
        );
        // Nobody needs a key to refuse this.
        let outcome = check(&keys, &[], &[], "nonsense");
        assert_eq!(outcome.status, 1, "{outcome:?}");
    }
}

#[test]
fn bad_settings_are_told_and_nothing_is_decided() {
    let keys = KeyServer::with(set(&[1]));
    for arguments in [&[][..], &["--json"]] {
        let outcome = check(
            &keys,
            arguments,
            &[("API_AUDIENCE", ""), ("AUDIT_LOG", "x")],
            &good(),
        );
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""));
        assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("API_AUDIENCE") && outcome.stderr.contains("AUDIT_LOG"));
    }
    assert_eq!(keys.fetches(), 0);
}

#[test]
fn a_person_reads_one_line_for_each_check_and_the_verdict() {
    let keys = KeyServer::with(set(&[1]));
    let claims = with(v2(), "aud", "api://other");
    for (token, status, verdict) in [(good(), 0, "accepted"), (signed(&claims), 1, "refused")] {
        // Colours are for terminals only; here, standard output is a pipe.
        for more in [
            &[][..],
            &[("NO_COLOR", "1"), ("TERM", "xterm-256color")],
            &[("TERM", "xterm")],
        ] {
            let outcome = check(&keys, &[], more, &token);
            assert_eq!(outcome.status, status);
            assert!(!outcome.stdout.contains('\x1b'), "{}", outcome.stdout);
            for known in &CHECKS {
                let lines = outcome
                    .stdout
                    .lines()
                    .filter(|line| line.contains(&format!("  {}  ", known.name)))
                    .count();
                assert_eq!(lines, 1, "{}: {}", known.name, outcome.stdout);
            }
            assert!(
                outcome.stdout.contains(&format!("\n{verdict}: ")),
                "{}",
                outcome.stdout
            );
            let failed = outcome
                .stdout
                .lines()
                .filter(|line| line.starts_with("FAIL"))
                .collect::<Vec<_>>();
            assert_eq!(failed.len(), usize::try_from(status).expect("0 or 1"));
            assert!(
                failed
                    .iter()
                    .all(|line| line.contains("api://other") && line.contains(AUDIENCE)),
                "{failed:?}"
            );
        }
    }
}

#[test]
fn neither_the_token_nor_its_signature_is_printed() {
    let keys = KeyServer::with(samples::key_set());
    for sample in samples::all()
        .iter()
        .filter(|sample| sample.token.len() > 100)
        .step_by(4)
    {
        for arguments in [&[][..], &["--json"]] {
            let outcome = check(&keys, arguments, &[], &sample.token);
            let said = outcome.stdout + &outcome.stderr;
            for part in sample.token.split('.').filter(|part| part.len() > 20) {
                assert!(
                    !said.contains(part.trim_end_matches('=')),
                    "{}: {said}",
                    sample.name
                );
            }
        }
    }
}
