//! `handler check`: runs the checks that the server runs on one token from standard input, to
//! their end, and says what each found.

use crate::bearer;
use crate::checks::{self, CHECKS, Case, Finding};
use crate::clock;
use crate::fetch;
use crate::json::Object;
use crate::jwks::KeySet;
use crate::limits::MAX_CHECK_INPUT_BYTES;
use crate::log;
use crate::rejection::Rejection;
use crate::settings::Settings;
use crate::token;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{IsTerminal, Read, Write};

/// How `handler check` was called.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// One JSON object instead of lines for a person.
    pub json: bool,
    /// The time to judge at, Unix seconds; None for now.
    pub at: Option<f64>,
}

/// What became of the token.
pub struct Report {
    findings: Vec<Finding>,
    refusal: Option<Rejection>,
    claims: Option<String>,
    claims_verified: bool,
}

/// Reads a token from standard input, judges it and prints the report. The exit status: 0
/// accepted, 1 refused, 2 not decided.
///
/// # Errors
/// A line that says why standard input or output did not work.
pub fn run(settings: &Settings, options: Options) -> Result<u8, String> {
    let mut input = Vec::new();
    let mut stdin = std::io::stdin().lock().take(MAX_CHECK_INPUT_BYTES + 1);
    stdin.read_to_end(&mut input).map_err(|error| format!("standard input: {error}"))?;
    if input.len() as u64 > MAX_CHECK_INPUT_BYTES {
        return Err(format!("standard input: more than {MAX_CHECK_INPUT_BYTES} bytes"));
    }
    let input = String::from_utf8_lossy(&input);
    let keys = fetch::fetch(&settings.key_source);
    if let Err(reason) = &keys {
        log::complain(&format!("the signing keys could not be fetched: {reason}"));
    }
    let report = judge(&input, settings, keys.as_ref().ok(), options.at.unwrap_or_else(clock::unix_now));
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let text = if options.json { report.json() } else { report.text(colour) };
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|error| format!("standard output: {error}"))?;
    Ok(report.exit_status())
}

/// Judges a token, with a leading `Bearer ` dropped, at a Unix time in seconds.
pub fn judge(input: &str, settings: &Settings, keys: Option<&KeySet>, now: f64) -> Report {
    // Ends of lines and blanks around it; anything else is part of the token, and refused with it.
    let input = input.trim_ascii();
    let header = match bearer::after_scheme(input) {
        Some(_) => input.to_owned(),
        None => format!("Bearer {input}"),
    };
    let text = match bearer::token([header.as_str()].into_iter()) {
        Ok(text) => text,
        Err(refusal) => return Report::of_no_token(refusal),
    };
    let mut case = Case::new(text, settings, keys, now);
    let findings = checks::explain_all(&mut case);
    let refusal = findings.iter().find_map(|finding| finding.outcome.as_ref().err().cloned());
    let claims = token::peek_payload(text).map(Object::into_text);
    Report { findings, refusal, claims, claims_verified: case.is_verified() }
}

impl Report {
    /// There is not exactly one token, so that no check has anything to look at.
    fn of_no_token(refusal: Rejection) -> Report {
        let authorization = Finding { name: bearer::CHECK_NAME, outcome: Err(refusal.clone()) };
        let not_reached = CHECKS.iter().map(|check| Finding { name: check.name, outcome: Err(Rejection::NotReached) });
        let findings = [authorization].into_iter().chain(not_reached).collect();
        Report { findings, refusal: Some(refusal), claims: None, claims_verified: false }
    }

    fn exit_status(&self) -> u8 {
        match self.refusal {
            None => 0,
            Some(Rejection::KeysUnavailable { .. }) => 2,
            Some(_) => 1,
        }
    }

    fn verdict(finding: &Finding) -> (&'static str, String) {
        match &finding.outcome {
            Ok(found) => ("pass", found.clone()),
            Err(Rejection::NotReached) => ("skip", "needs a check that did not pass".into()),
            Err(rejection) => ("fail", rejection.description()),
        }
    }

    /// One JSON object, as the interface describes it.
    fn json(&self) -> String {
        let checks: Vec<_> = self
            .findings
            .iter()
            .map(|finding| {
                let (verdict, detail) = Self::verdict(finding);
                json!({ "name": finding.name, "verdict": verdict, "detail": detail })
            })
            .collect();
        let description = self.refusal.as_ref().map_or("The token is accepted".into(), Rejection::description);
        let mut report = json!({
            "accepted": self.refusal.is_none(),
            "status": self.refusal.as_ref().map_or(200, Rejection::status),
            "description": description,
            "checks": checks,
            "claims_verified": self.claims_verified,
        });
        if let (Some(report), Some(refusal)) = (report.as_object_mut(), &self.refusal) {
            report.insert("code".into(), refusal.code().as_str().into());
        }
        // The claims go in as they were written: their numbers may have more digits than a double.
        let mut text = report.to_string();
        text.pop();
        let _ = writeln!(text, ",\"claims\":{}}}", self.claims.as_deref().unwrap_or("null"));
        text
    }

    /// One line a check for a person, the verdict last.
    fn text(&self, colour: bool) -> String {
        let paint =
            |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        let mut text = String::new();
        for finding in &self.findings {
            let (verdict, detail) = Self::verdict(finding);
            let mark = match verdict {
                "pass" => paint("32", "ok  "),
                "fail" => paint("31", "FAIL"),
                _ => paint("2", "-   "),
            };
            let _ = writeln!(text, "{mark}  {:<13}  {detail}", finding.name);
        }
        let _ = match &self.refusal {
            None => writeln!(text, "\n{}: the server would answer 200 with the claims", paint("1;32", "accepted")),
            Some(refusal) => writeln!(
                text,
                "\n{}: the server would answer {} {}\n{}",
                paint("1;31", "refused"),
                refusal.status(),
                refusal.code().as_str(),
                refusal.description()
            ),
        };
        text
    }
}
