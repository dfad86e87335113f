//! The command line: which command is meant, and how each ends.

mod check;
mod lines;
mod report;
mod routes;
mod words;

use crate::clock;
use crate::endpoints::ROUTES;
use crate::server::{self, to_stderr};
use crate::settings::Settings;
use check::Options;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

const HELP: &str = "\
handler: a custom handler for Azure Functions that checks Microsoft Entra ID access tokens

  handler                 serve HTTP on 127.0.0.1, port FUNCTIONS_CUSTOMHANDLER_PORT (3000)
  handler check           judge the token on standard input with the same checks
          --json          print one JSON object
          --at TIME       as if the clock read TIME: Unix seconds or 2026-11-23T17:00:00Z
          --route REQUEST also the permissions that this request needs: \"GET /api/items/7\"
          --lines         judge many tokens, one a line; print a JSON object a line for each
  handler check --list    print the table of checks; with --json as a JSON array
  handler routes          print the routes and who may call; with --json as a JSON array
  handler --help          this text
  handler --version       the version

Settings come from the environment: TENANT_ID and API_AUDIENCE are required; ISSUERS, JWKS_URI,
AUTHORITY_HOST, ALLOWED_TENANTS, ALLOWED_CLIENTS, REQUIRED_SCOPES, REQUIRED_ROLES,
CLOCK_SKEW_SECONDS, ALLOWED_ORIGINS, AUDIT_LOG, CA_FILE, RESOURCE and RESOURCE_SCOPES may be set.

Exit status: 2 for bad settings or a bad command line, 1 when serving is not possible; of check,
0 accepted, 1 refused, 2 not decided (bad settings, no keys). With --lines 0 when all were
accepted, 1 when at least one was refused, 2 when they were not all decided. Of routes, 1 when the
table cannot work.
";

enum Command {
    Serve,
    Check(Options),
    /// The table of checks, as JSON or for a person.
    List(bool),
    /// The table of routes, as JSON or for a person.
    Routes(bool),
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
        Command::Help => ended(print(HELP.as_bytes()).map(|()| 0)),
        Command::Version => {
            let version = concat!("handler ", env!("CARGO_PKG_VERSION"), "\n");
            ended(print(version.as_bytes()).map(|()| 0))
        }
        Command::List(json) => ended(check::list(json)),
        Command::Routes(json) => ended(routes::list(ROUTES, json)),
        Command::Serve => with_settings(|settings| {
            let Err(problems) = server::serve(settings, ROUTES);
            problems.iter().for_each(|problem| to_stderr(problem));
            ExitCode::FAILURE
        }),
        Command::Check(options) => with_settings(|settings| {
            for warning in &settings.warnings {
                to_stderr(&format!("warning: {warning}"));
            }
            ended(check::run(&settings, &options))
        }),
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let command = match arguments.next().as_deref() {
        None => return Ok(Command::Serve),
        Some("--help" | "-h" | "help") => Command::Help,
        Some("--version" | "-V") => Command::Version,
        Some("check") => return check_options(arguments),
        Some("routes") => return routes_options(arguments),
        Some(other) => return Err(format!("{} is no command", shown(other))),
    };
    match arguments.next() {
        None => Ok(command),
        Some(other) => Err(format!("{} does not belong here", shown(&other))),
    }
}

fn check_options(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut options = Options::default();
    let mut list = false;
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let is_plain = value.is_none();
        let mut value = || {
            value
                .clone()
                .or_else(|| arguments.next())
                .unwrap_or_default()
        };
        match name {
            "--help" | "-h" if is_plain => return Ok(Command::Help),
            "--json" if is_plain => options.json = true,
            "--lines" if is_plain => options.lines = true,
            "--list" if is_plain => list = true,
            "--at" => options.at = Some(time(&value())?),
            "--route" => options.route = Some(value()),
            _ => {
                let shown = shown(&argument);
                return Err(format!(
                    "check has no option {shown}, and it reads the token from standard input"
                ));
            }
        }
    }
    if !list {
        return Ok(Command::Check(options));
    }
    if options.lines || options.at.is_some() || options.route.is_some() {
        return Err("check --list judges no token".into());
    }
    Ok(Command::List(options.json))
}

fn routes_options(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let command = match arguments.next().as_deref() {
        None => Command::Routes(false),
        Some("--json") => Command::Routes(true),
        Some("--help" | "-h") => Command::Help,
        Some(other) => return Err(format!("routes has no option {}", shown(other))),
    };
    match arguments.next() {
        None => Ok(command),
        Some(other) => Err(format!("{} does not belong here", shown(&other))),
    }
}

/// An argument as it may stand on the screen: not when it could be a token.
fn shown(argument: &str) -> &str {
    let could_be_token = argument.contains("eyJ") || argument.matches('.').count() >= 2;
    if could_be_token {
        return "(an argument that could be a token)";
    }
    argument
}

fn time(text: &str) -> Result<f64, String> {
    let problem = "--at needs Unix seconds or a time such as 2026-11-23T17:00:00Z";
    clock::parse_time(text).ok_or(problem.into())
}

/// Bad settings: an entry per problem, all of them, and exit status 2.
fn with_settings(work: impl FnOnce(Settings) -> ExitCode) -> ExitCode {
    match Settings::from_environment() {
        Ok(settings) => work(settings),
        Err(problems) => {
            problems.iter().for_each(|problem| to_stderr(problem));
            ExitCode::from(2)
        }
    }
}

fn ended(outcome: Result<u8, String>) -> ExitCode {
    outcome.map_or_else(|problem| fail(2, &problem), ExitCode::from)
}

fn fail(status: u8, problem: &str) -> ExitCode {
    to_stderr(problem);
    ExitCode::from(status)
}

/// Writes to standard output. A reader that has gone away is no failure.
fn print(text: &[u8]) -> Result<(), String> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(()),
    }
}
