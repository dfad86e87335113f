//! `handler check`: runs the checks that the server runs on one token from standard input, to
//! their end, and says what each found; or on many, one a line. And the table of checks itself.

mod lines;

pub use lines::{Tally, judge_all};

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
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Read, Write};

/// Some programs on Windows begin a text in UTF-8 with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How `handler check` was called.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// One JSON object instead of lines for a person.
    pub json: bool,
    /// Many tokens, one a line, each with a JSON object.
    pub lines: bool,
    /// The time to judge at, Unix seconds; None for now.
    pub at: Option<f64>,
}

/// What became of a token.
pub struct Report {
    findings: Vec<Finding>,
    refusal: Option<Rejection>,
    claims: Option<String>,
    claims_verified: bool,
}

/// Reads one token from standard input, or many, judges it and prints the report. The exit status:
/// 0 accepted, 1 refused, 2 not decided.
///
/// # Errors
/// A line that says why standard input or output did not work.
pub fn run(settings: &Settings, options: Options) -> Result<u8, String> {
    let keys = fetch::fetch(&settings.key_source);
    if let Err(reason) = &keys {
        log::complain(&format!("the signing keys could not be fetched: {reason}"));
    }
    let judge = |input: &str| judge(input, settings, keys.as_ref().ok(), options.at.unwrap_or_else(clock::unix_now));
    match options.lines {
        true => run_lines(judge),
        false => run_once(judge, options.json),
    }
}

fn run_once(judge: impl Fn(&str) -> Report, json: bool) -> Result<u8, String> {
    let mut input = Vec::new();
    let mut stdin = std::io::stdin().lock().take(MAX_CHECK_INPUT_BYTES + 1);
    stdin.read_to_end(&mut input).map_err(|error| format!("standard input: {error}"))?;
    if input.len() as u64 > MAX_CHECK_INPUT_BYTES {
        return Err(format!("standard input: more than {MAX_CHECK_INPUT_BYTES} bytes"));
    }
    let report = judge(&String::from_utf8_lossy(input.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&input)));
    let mut text = Vec::new();
    match json {
        true => report.write_json(&mut text, None),
        false => report.write_text(&mut text),
    }
    print(&text)?;
    Ok(report.exit_status())
}

fn run_lines(judge: impl Fn(&str) -> Report) -> Result<u8, String> {
    let (stdout, stderr) = (std::io::stdout().lock(), std::io::stderr());
    let is_watched = stderr.is_terminal() && !stdout.is_terminal();
    let show = |text: &str| {
        if is_watched {
            let _ = write!(stderr.lock(), "\r\x1b[K{text}");
        }
    };
    let outcome = judge_all(std::io::stdin().lock(), stdout, judge, |tokens| show(&format!("{tokens} tokens")));
    show("");
    match outcome {
        Ok(tally) => {
            log::complain(&tally.to_string());
            Ok(tally.exit_status)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(2),
        Err(error) => Err(error.to_string()),
    }
}

/// Prints the table of checks: what is checked, with what a failure is answered, and who asks for it.
///
/// # Errors
/// A line that says why standard output did not work.
pub fn list(json: bool) -> Result<u8, String> {
    let (mut rows, mut text) = (Vec::new(), String::new());
    for (check, number) in CHECKS.iter().zip(1..) {
        let (name, source) = (check.name, check.source);
        let codes: Vec<&str> = check.refuses_with.iter().map(|code| code.as_str()).collect();
        let _ = writeln!(text, "{number:>2}  {name:<13}  {:<35}  {source}", codes.join(", "));
        rows.push(json!({ "number": number, "name": name, "source": source, "refuses_with": codes }));
    }
    if json {
        text = format!("{}\n", Value::from(rows));
    }
    print(text.as_bytes()).map(|()| 0)
}

/// A reader that has gone away changes no verdict.
fn print(text: &[u8]) -> Result<(), String> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

/// Judges a token, with a leading `Bearer ` dropped, at a Unix time in seconds.
pub fn judge(input: &str, settings: &Settings, keys: Option<&KeySet>, now: f64) -> Report {
    // Ends of lines and blanks around it; anything else is part of the token, and refused with it.
    let input = input.trim_ascii();
    let header = match bearer::after_scheme(input) {
        Some(_) => input.to_owned(),
        None => ["Bearer ", input].concat(),
    };
    let text = match bearer::token([header.as_str()].into_iter()) {
        Ok(text) => text,
        Err(refusal) => return Report::unread(bearer::CHECK_NAME, refusal),
    };
    let mut case = Case::new(text, settings, keys, now);
    let findings = checks::explain_all(&mut case);
    let refusal = findings.iter().find_map(|finding| finding.outcome.as_ref().err().cloned());
    let claims = match case.token() {
        Some(token) => Some(token.payload().text().to_owned()),
        None => token::peek_payload(text).map(Object::into_text),
    };
    Report { findings, refusal, claims, claims_verified: case.is_verified() }
}

impl Report {
    /// The refusal of what no check looks into: the one of this name refuses, the others have nothing.
    fn unread(name: &'static str, refusal: Rejection) -> Report {
        let refused = Finding { name, outcome: Err(refusal.clone()) };
        let others = CHECKS.iter().filter(|check| check.name != name);
        let not_reached = others.map(|check| Finding { name: check.name, outcome: Err(Rejection::NotReached) });
        let findings = [refused].into_iter().chain(not_reached).collect();
        Report { findings, refusal: Some(refusal), claims: None, claims_verified: false }
    }

    fn exit_status(&self) -> u8 {
        match self.refusal {
            None => 0,
            Some(Rejection::KeysUnavailable { .. }) => 2,
            Some(_) => 1,
        }
    }

    fn verdict(finding: &Finding) -> (&'static str, Cow<'_, str>) {
        match &finding.outcome {
            Ok(found) => ("pass", found.into()),
            Err(Rejection::NotReached) => ("skip", "needs a check that did not pass".into()),
            Err(rejection) => ("fail", rejection.description().into()),
        }
    }

    /// One JSON object and the end of its line, as the interface describes it; with the number of the
    /// token's line where there are many.
    fn write_json(&self, out: &mut Vec<u8>, line: Option<u64>) {
        let (status, description) = match &self.refusal {
            Some(refusal) => (refusal.status(), refusal.description()),
            None => (200, "The token is accepted".into()),
        };
        out.push(b'{');
        if let Some(line) = line {
            let _ = write!(out, "\"line\":{line},");
        }
        let _ = write!(out, "\"accepted\":{},\"status\":{status}", self.refusal.is_none());
        if let Some(refusal) = &self.refusal {
            write_member(out, ",\"code\":", refusal.code().as_str());
        }
        write_member(out, ",\"description\":", &description);
        out.extend_from_slice(b",\"checks\":");
        for (index, finding) in self.findings.iter().enumerate() {
            let (verdict, detail) = Self::verdict(finding);
            write_member(out, if index == 0 { "[{\"name\":" } else { "},{\"name\":" }, finding.name);
            write_member(out, ",\"verdict\":", verdict);
            write_member(out, ",\"detail\":", &detail);
        }
        // The claims go in as they were written: their numbers may have more digits than a double. An end
        // of line can only stand between values.
        out.extend_from_slice(b"}],\"claims\":");
        let start = out.len();
        out.extend_from_slice(self.claims.as_deref().unwrap_or("null").as_bytes());
        if line.is_some() {
            let claims = out.get_mut(start..).unwrap_or_default().iter_mut();
            claims.for_each(|byte| *byte = if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
        }
        let _ = writeln!(out, ",\"claims_verified\":{}}}", self.claims_verified);
    }

    /// One line a check for a person, the verdict last.
    fn write_text(&self, out: &mut Vec<u8>) {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let paint =
            |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        for finding in &self.findings {
            let (verdict, detail) = Self::verdict(finding);
            let mark = match verdict {
                "pass" => paint("32", "ok  "),
                "fail" => paint("31", "FAIL"),
                _ => paint("2", "-   "),
            };
            let _ = writeln!(out, "{mark}  {:<13}  {detail}", finding.name);
        }
        let _ = match &self.refusal {
            None => writeln!(out, "\n{}: the server would answer 200 with the claims", paint("1;32", "accepted")),
            Some(refusal) => {
                let (status, code, words) = (refusal.status(), refusal.code().as_str(), refusal.description());
                writeln!(out, "\n{}: the server would answer {status} {code}\n{words}", paint("1;31", "refused"))
            }
        };
    }
}

/// Adds a member of an object, from its comma or brace to its text.
fn write_member(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    // All bytes are looked at, because that takes less time than to stop at the first.
    match text.bytes().fold(true, |is_plain, byte| is_plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')) {
        true => [b"\"", text.as_bytes(), b"\""].iter().for_each(|part| out.extend_from_slice(part)),
        false => drop(serde_json::to_writer(out, text)),
    }
}
