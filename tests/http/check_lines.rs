//! `handler check --lines`: many tokens, one a line.

use crate::harness::{Outcome, borrowed, run, usual};
use crate::key_server::{KeyServer, Reply};
use crate::mint;
use crate::samples;
use crate::tokens::*;
use entra_handler::checks::CHECKS;
use entra_handler::limits::{MAX_LINE_BYTES, MAX_TOKEN_BYTES};
use serde_json::{Value, json};

const BAD: &str = "nonsense";

/// Runs `handler check --lines` on `input` with the keys of `server`.
fn check(server: &KeyServer, more: &[(&str, &str)], input: impl AsRef<[u8]>) -> Outcome {
    run(
        &["check", "--lines"],
        &borrowed(&usual(&server.url(), more)),
        input,
    )
}

/// The objects of all lines.
fn objects(stdout: &str) -> Vec<Value> {
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The number of each line that was judged, and whether it was accepted.
fn verdicts(outcome: &Outcome) -> Vec<(u64, bool)> {
    let verdict = |object: &Value| {
        (
            object["line"].as_u64().expect("a line"),
            object["accepted"] == true,
        )
    };
    objects(&outcome.stdout).iter().map(verdict).collect()
}

#[test]
fn each_line_gets_what_the_token_gets_alone_and_in_order() {
    let keys = KeyServer::with(samples::key_set());
    let settings = usual(&keys.url(), &[]);
    let (samples, at) = (samples::all(), now().to_string());
    let input: String = samples
        .iter()
        .map(|sample| format!("{}\n", sample.token))
        .collect();
    let many = run(
        &["check", "--lines", "--at", &at],
        &borrowed(&settings),
        input,
    );
    assert_eq!(many.stdout.lines().count(), samples.len());
    for ((line, sample), number) in many.stdout.lines().zip(&samples).zip(1..) {
        let one = run(
            &["check", "--json", "--at", &at],
            &borrowed(&settings),
            &sample.token,
        );
        let object = one.stdout.trim_end().strip_prefix('{').expect("an object");
        assert_eq!(
            line,
            format!("{{\"line\":{number},{object}"),
            "{}",
            sample.name
        );
    }
    let count = |code: &str| samples.iter().filter(|sample| sample.code == code).count();
    let codes = [
        "insufficient_scope",
        "invalid_claims",
        "invalid_header",
        "token_expired",
        "token_not_yet_valid",
    ];
    let counts = codes.map(|code| format!(", {code}: {}", count(code)));
    let summary = format!(
        "handler: judged: {}, accepted: {}{}\n",
        samples.len(),
        count(""),
        counts.concat()
    );
    assert_eq!((many.status, many.stderr), (1, summary));
}

#[test]
fn the_status_tells_whether_all_were_accepted_and_all_decided() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    let none = KeyServer::start(Reply::Status(500, String::new()));
    let unfetched =
        "handler: the signing keys could not be fetched: the key server answered with status 500\n";
    for (server, input, status, summary) in [
        (
            &keys,
            format!("{good}\n{good}\n"),
            0,
            "judged: 2, accepted: 2",
        ),
        (
            &keys,
            format!("{good}\n{BAD}\n{good}\n"),
            1,
            "judged: 3, accepted: 2, invalid_header: 1",
        ),
        (&keys, String::new(), 0, "judged: 0"),
        (&none, format!("{BAD}\n"), 1, "judged: 1, invalid_header: 1"),
        (
            &none,
            format!("{BAD}\n{good}\n"),
            2,
            "judged: 2, invalid_header: 1, keys_unavailable: 1",
        ),
    ] {
        let outcome = check(server, &[], input);
        let said = if std::ptr::eq(server, &none) {
            unfetched
        } else {
            ""
        };
        assert_eq!(
            (outcome.status, outcome.stderr),
            (status, format!("{said}handler: {summary}\n"))
        );
    }
}

#[test]
fn the_keys_are_fetched_once_and_may_come_from_a_file() {
    let keys = KeyServer::with(set(&[1]));
    let input = format!("{}\n{}\n", good(), signed_with(2, &v2())).repeat(20);
    assert_eq!(check(&keys, &[], &input).status, 1);
    assert_eq!(keys.fetches(), 1);
    let file = std::env::temp_dir().join(format!("handler-lines-{}.json", std::process::id()));
    std::fs::write(&file, set(&[1, 2])).expect("a file");
    let outcome = check(
        &keys,
        &[("JWKS_URI", file.to_str().expect("UTF-8"))],
        &input,
    );
    std::fs::remove_file(file).expect("the file");
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (0, "handler: judged: 40, accepted: 40\n")
    );
    assert_eq!(keys.fetches(), 1);
}

#[test]
fn lines_may_come_from_any_system_and_blank_ones_count_but_are_not_judged() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    for (input, expected) in [
        (good.clone(), vec![(1, true)]),
        (format!("{good}\n"), vec![(1, true)]),
        (
            format!("{good}\r\n{BAD}\r\nBearer {good}\r\n"),
            vec![(1, true), (2, false), (3, true)],
        ),
        (
            format!("\n\n{good}\n \t\r\n\r\n{good}"),
            vec![(3, true), (6, true)],
        ),
        (format!("  bearer   {good} \t\n"), vec![(1, true)]),
        (
            format!("\u{feff}{good}\n{good}\n"),
            vec![(1, true), (2, true)],
        ),
        (
            format!("{good}\n\u{feff}{good}\n"),
            vec![(1, true), (2, false)],
        ),
        (
            format!("{good} {good}\n{good},{good}\nBearer\n"),
            vec![(1, false), (2, false), (3, false)],
        ),
        ("\n\n\r\n".into(), vec![]),
    ] {
        assert_eq!(verdicts(&check(&keys, &[], &input)), expected, "{input:?}");
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_is_judged() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    let lengths = [
        MAX_TOKEN_BYTES + 1,
        MAX_LINE_BYTES,
        MAX_LINE_BYTES + 1,
        MAX_LINE_BYTES + 2,
        3_000_000,
    ];
    let long = |bytes: &usize| "x".repeat(*bytes);
    let input: String = lengths
        .iter()
        .map(|bytes| format!("{}\n{good}\n", long(bytes)))
        .collect();
    for (input, more) in [
        (format!("{input}{}", long(&(MAX_LINE_BYTES + 1))), 1),
        (input, 0),
    ] {
        let outcome = check(&keys, &[], input);
        let objects = objects(&outcome.stdout);
        assert_eq!(objects.len(), 2 * lengths.len() + more);
        for (object, bytes) in objects
            .iter()
            .step_by(2)
            .zip(lengths.iter().chain(&[MAX_LINE_BYTES + 1]))
        {
            assert_eq!(
                (&object["status"], &object["code"]),
                (&json!(401), &json!("invalid_header"))
            );
            let description = object["description"].as_str().expect("words");
            assert!(
                description.starts_with(&format!("The token has {bytes} bytes; ")),
                "{description}"
            );
            let checks = object["checks"].as_array().expect("a list");
            assert_eq!(
                checks
                    .iter()
                    .map(|check| &check["name"])
                    .collect::<Vec<_>>(),
                CHECKS.map(|check| check.name)
            );
            assert_eq!(checks[0]["verdict"], "fail");
        }
        assert!(
            objects
                .iter()
                .skip(1)
                .step_by(2)
                .all(|object| object["accepted"] == true)
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_and_the_next_line_is_judged() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    let mut input = Vec::new();
    for bad in [
        &b"\0"[..],
        b"\xff\xfe",
        b"\xc3",
        &[0; 100_000],
        &[0xff; 100_000],
        b"\x0b",
        b"e30.e30.\0",
        b"\r\r\0",
    ] {
        input.extend([bad, b"\n", good.as_bytes(), b"\0\n", good.as_bytes(), b"\n"].concat());
    }
    let outcome = check(&keys, &[], &input);
    let expected: Vec<_> = (1..=24).map(|line| (line, line % 3 == 0)).collect();
    assert_eq!(verdicts(&outcome), expected);
    assert!(
        objects(&outcome.stdout)
            .iter()
            .all(|object| object["accepted"] == true || object["status"] == 401)
    );
}

#[test]
fn claims_with_line_ends_in_them_stay_on_their_line() {
    let keys = KeyServer::with(set(&[1]));
    let claims = serde_json::to_string_pretty(&with(v2(), "odd", "a\nb\r\u{2028}")).expect("JSON");
    let claims = format!("\r\n{}\r\n", claims.replace('\n', "\r\n"));
    let outcome = check(
        &keys,
        &[],
        format!("{0}\n{0}\n", mint::token(key(1), &claims)),
    );
    assert_eq!(verdicts(&outcome), [(1, true), (2, true)]);
    assert_eq!(
        objects(&outcome.stdout)[1]["claims"],
        serde_json::from_str::<Value>(&claims).expect("JSON")
    );
    assert!(outcome.stdout.bytes().all(|byte| byte != b'\r'));
}

#[test]
fn bad_settings_are_told_and_no_line_is_judged() {
    let keys = KeyServer::with(set(&[1]));
    let outcome = check(
        &keys,
        &[("API_AUDIENCE", "")],
        format!("{}\n", good()).repeat(1000),
    );
    assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""));
    assert!(
        outcome.stderr.contains("API_AUDIENCE") && outcome.stderr.lines().count() == 1,
        "{}",
        outcome.stderr
    );
    assert_eq!(keys.fetches(), 0);
}
