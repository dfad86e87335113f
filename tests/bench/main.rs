//! Benchmark: how close the handler comes to what its two parts allow, ring's RSA verification
//! and a bare tiny_http server, measured side by side in one session on this machine.

mod bare;
mod case;
mod cores;
mod decision;
mod exchange;
mod goals;
mod key_server;
mod launcher;
mod lines;
mod load;
mod options;
mod report;
mod session;
mod statistics;
mod tokens;
mod usage;
mod verification;

#[path = "../support/mint.rs"]
mod mint;

use std::process::ExitCode;

use cores::Cores;
use launcher::Launcher;
use options::Options;
use session::Session;
use tokens::Tokens;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--bare") {
        return bare::run(&arguments[1..]);
    }
    let options = match Options::read(arguments.into_iter()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("bench: {problem}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match measure(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("bench: {wrong} answers were wrong");
            ExitCode::FAILURE
        }
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, reports, and tells how many answers were wrong.
fn measure(options: &Options) -> Result<usize, String> {
    // All cores sign; from then on each has its own work.
    let tokens = Tokens::mint(options.tokens);
    let cores = Cores::divide();
    let launcher = Launcher::new(&options.handler, key_server::start()?, cores)?;
    let session = Session::run(options, &tokens, &launcher)?;
    let goals = goals::goals(&session);
    print!(
        "{}",
        report::markdown(options, &launcher.cores, &session, &goals)
    );
    if let Some(path) = &options.json {
        let text = report::json(options, &launcher.cores, &session, &goals);
        std::fs::write(path, format!("{text:#}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(session.wrong())
}

/// A line about what is going on, for somebody who watches.
fn progress(text: &str) {
    use std::io::{IsTerminal, Write};
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{text}");
    }
}
