//! `handler check`: runs the server's own checks on one token from standard input, to their end; or on
//! many, one a line. And the table of checks itself.

use super::lines::{BYTE_ORDER_MARK, judge_all};
use super::report::Report;
use super::{print, shown};
use crate::clock;
use crate::endpoints::ROUTES;
use crate::http::{self, Api, Kind, Needs, Request};
use crate::keys::{KeySets, fetch};
use crate::policy::{CHECKS, Case, Context, Reason, Rejection};
use crate::server::to_stderr;
use crate::settings::Settings;
use crate::text::quoted;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Read, Write};

/// Bytes that are read from standard input, so that the report can say how much too long a token is.
/// More is not a slip, and could be endless.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// How `handler check` was called.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Options {
    /// One JSON object instead of text for a person.
    pub(super) json: bool,
    /// Many tokens, one a line, each with a JSON object.
    pub(super) lines: bool,
    /// The time to judge at, Unix seconds; None for now.
    pub(super) at: Option<f64>,
    /// A request, `METHOD /path`, whose route's needs count too.
    pub(super) route: Option<String>,
}

/// With what tokens are judged.
struct Judge<'a> {
    settings: &'a Settings,
    keys: KeySets,
    needs: &'a Needs,
    at: Option<f64>,
}

/// Reads one token from standard input, or many, judges it and prints the report. The exit status:
/// 0 accepted, 1 refused, 2 not decided.
///
/// # Errors
/// Why nothing was judged: no such route, or standard input or output did not work.
pub(super) fn run(settings: &Settings, options: &Options) -> Result<u8, String> {
    let needs = match &options.route {
        Some(request) => needs_of(request, settings)?,
        None => &Needs::Token,
    };
    let sets = settings.sources.iter().map(|source| {
        let set = fetch(source, &settings.trust);
        if let Err(reason) = &set {
            to_stderr(&format!("the signing keys could not be fetched: {reason}"));
        }
        set.ok()
    });
    let judge = Judge {
        settings,
        keys: KeySets::new(sets.collect()),
        needs,
        at: options.at,
    };
    if options.lines {
        run_lines(&judge)
    } else {
        run_once(&judge, options.json)
    }
}

/// The needs of the route that serves this request.
fn needs_of(request: &str, settings: &Settings) -> Result<&'static Needs, String> {
    let named = quoted(shown(request));
    let Some((method, target)) = request.trim().split_once(' ') else {
        return Err(format!(
            "--route: {named} is no request such as \"GET /api/items/7\""
        ));
    };
    let mut request = Request::new(method, target.trim(), std::iter::empty());
    match Api::new(ROUTES, settings).find(&mut request) {
        Ok(route) if route.kind() == Kind::Open => Err(format!(
            "--route: anybody may call {named}; no token is checked"
        )),
        Ok(route) => Ok(route.needs()),
        Err(_) => Err(format!(
            "--route: no route serves {named}; handler routes lists them"
        )),
    }
}

fn run_once(judge: &Judge, json: bool) -> Result<u8, String> {
    let mut input = Vec::new();
    let mut stdin = std::io::stdin().lock().take(MAX_INPUT_BYTES + 1);
    let read = stdin.read_to_end(&mut input);
    read.map_err(|error| format!("standard input: {error}"))?;
    if input.len() as u64 > MAX_INPUT_BYTES {
        return Err(format!("standard input: more than {MAX_INPUT_BYTES} bytes"));
    }
    let input = input.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&input);
    let report = judge.report(&String::from_utf8_lossy(input));
    let mut text = Vec::new();
    if json {
        report.write_json(&mut text, None)
    } else {
        text = report.text().into_bytes()
    }
    print(&text)?;
    Ok(report.exit_status())
}

fn run_lines(judge: &Judge) -> Result<u8, String> {
    let (stdout, stderr) = (std::io::stdout().lock(), std::io::stderr());
    let is_watched = stderr.is_terminal() && !stdout.is_terminal();
    let show = |text: &str| {
        if is_watched {
            let _ = write!(stderr.lock(), "\r\x1b[K{text}");
        }
    };
    let stdin = std::io::stdin().lock();
    let report = |input: &str| judge.report(input);
    let outcome = judge_all(stdin, stdout, report, |tokens| {
        show(&format!("{tokens} tokens"))
    });
    show("");
    match outcome {
        Ok(tally) => {
            to_stderr(&tally.to_string());
            Ok(tally.exit_status)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(2),
        Err(error) => Err(error.to_string()),
    }
}

impl Judge<'_> {
    /// Judges a token, with a leading `Bearer ` dropped.
    fn report(&self, input: &str) -> Report {
        // Ends of lines and blanks around it; anything else is part of the token, and refused with it.
        let input = input.trim_ascii();
        if input.contains('\n') {
            let hint = ". handler check --lines judges many tokens, one a line";
            let reason = Reason::SeveralTokens { hint };
            return Report::unread(&Rejection::new("authorization", reason));
        }
        let header = match http::after_scheme(input) {
            Some(_) => input.to_owned(),
            None => format!("Bearer {input}"),
        };
        let text = match http::token([header.as_str()].into_iter()) {
            Ok(text) => text,
            Err(rejection) if rejection.reason == Reason::TokenMissing => {
                return Report::nothing(&rejection);
            }
            Err(rejection) => return Report::unread(&rejection),
        };
        let now = self.at.unwrap_or_else(clock::unix_now);
        let context = Context {
            settings: self.settings,
            keys: &self.keys,
            needs: self.needs,
            now,
        };
        Report::of(text, Case::new(text, &context), now)
    }
}

/// Prints the table of checks: what is checked, with what a failure is answered, and who asks for it.
///
/// # Errors
/// Why standard output did not work.
pub(super) fn list(json: bool) -> Result<u8, String> {
    let (mut rows, mut text) = (Vec::new(), String::new());
    for (check, number) in CHECKS.iter().zip(1..) {
        let (name, source) = (check.name, check.source);
        let codes: Vec<&str> = check
            .refuses_with
            .iter()
            .map(|code| code.as_str())
            .collect();
        let limit = check
            .limit
            .map(|(limit, unit)| format!("at most {limit} {unit}"));
        let shown = limit.iter().map(|limit| format!(" ({limit})"));
        let shown: String = shown.collect();
        let _ = writeln!(
            text,
            "{number:>2}  {name:<13}  {:<35}  {source}{shown}",
            codes.join(", ")
        );
        let mut row =
            json!({ "number": number, "name": name, "source": source, "refuses_with": codes });
        if let (Some(limit), Some(members)) = (limit, row.as_object_mut()) {
            members.insert("limit".into(), limit.into());
        }
        rows.push(row);
    }
    if json {
        text = format!("{}\n", Value::from(rows));
    }
    print(text.as_bytes()).map(|()| 0)
}
