//! The command line: which of the two programs is meant, and how each ends.

use crate::check::{self, Options};
use crate::clock;
use crate::log;
use crate::server;
use crate::settings::Settings;
use std::process::ExitCode;

const HELP: &str = "\
handler: a custom handler for Azure Functions that checks Microsoft Entra ID access tokens

  handler                 serve HTTP on 127.0.0.1, port FUNCTIONS_CUSTOMHANDLER_PORT (3000)
  handler check           judge the token on standard input with the same checks
          --json          print one JSON object
          --at TIME       as if the clock read TIME: Unix seconds or 2026-11-23T17:00:00Z
          --lines         judge many tokens, one a line; print a JSON object a line for each
  handler check --list    print the table of checks; with --json as a JSON array
  handler --help          this text
  handler --version       the version

Settings come from the environment: TENANT_ID and API_AUDIENCE are required; ISSUERS, JWKS_URI,
AUTHORITY_HOST, ALLOWED_TENANTS, ALLOWED_CLIENTS, REQUIRED_SCOPES, REQUIRED_ROLES,
CLOCK_SKEW_SECONDS, ALLOWED_ORIGINS and AUDIT_LOG may be set.

Exit status: 2 for bad settings or a bad command line, 1 when serving is not possible; of check,
0 accepted, 1 refused, 2 not decided (bad settings, no keys). With --lines 0 when all were
accepted, 1 when at least one was refused, 2 when they were not all decided.
";

enum Command {
    Serve,
    Check(Options),
    /// The table of checks, as JSON or for a person.
    List(bool),
    Help,
    Version,
}

/// Runs the program with the arguments that follow its name.
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let command = match parse(arguments) {
        Ok(command) => command,
        Err(problem) => return fail(2, &format!("{problem}; handler --help tells what there is")),
    };
    match command {
        Command::Help => print(HELP),
        Command::Version => print(concat!("handler ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Serve => with_settings(|settings| fail(1, &server::serve(settings))),
        Command::List(json) => ended(check::list(json)),
        Command::Check(options) => with_settings(|settings| {
            settings.warnings.iter().for_each(|warning| log::complain(&format!("warning: {warning}")));
            ended(check::run(&settings, options))
        }),
    }
}

fn ended(outcome: Result<u8, String>) -> ExitCode {
    outcome.map_or_else(|problem| fail(2, &problem), ExitCode::from)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let command = match arguments.next().as_deref() {
        None => return Ok(Command::Serve),
        Some("--help" | "-h" | "help") => Command::Help,
        Some("--version" | "-V") => Command::Version,
        Some("check") => return check_options(arguments),
        Some(other) => return Err(format!("{other} is no command")),
    };
    match arguments.next() {
        None => Ok(command),
        Some(other) => Err(format!("{other} does not belong here")),
    }
}

fn check_options(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut options = Options::default();
    let mut list = false;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), argument.strip_prefix("--at=")) {
            ("--help" | "-h", _) => return Ok(Command::Help),
            ("--json", _) => options.json = true,
            ("--lines", _) => options.lines = true,
            ("--list", _) => list = true,
            ("--at", _) => options.at = Some(time(&arguments.next().unwrap_or_default())?),
            (_, Some(text)) => options.at = Some(time(text)?),
            (other, _) => return Err(format!("check has no option {other}")),
        }
    }
    match list {
        false => Ok(Command::Check(options)),
        true if options.lines || options.at.is_some() => Err("check --list judges no token".into()),
        true => Ok(Command::List(options.json)),
    }
}

fn time(text: &str) -> Result<f64, String> {
    let problem = "--at needs Unix seconds or a time such as 2026-11-23T17:00:00Z";
    clock::parse_time(text).ok_or(problem.into())
}

/// Bad settings: one line per problem, all of them, and exit status 2.
fn with_settings(work: impl FnOnce(Settings) -> ExitCode) -> ExitCode {
    match Settings::from_environment() {
        Ok(settings) => work(settings),
        Err(problems) => {
            problems.iter().for_each(|problem| log::complain(problem));
            ExitCode::from(2)
        }
    }
}

/// A reader that has gone away is no failure of `--help`.
fn print(text: &str) -> ExitCode {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn fail(status: u8, problem: &str) -> ExitCode {
    log::complain(problem);
    ExitCode::from(status)
}
