//! Everything that development of the handler needs beside it, and that only development needs. `build.sh` calls it.

mod client;
mod console;
mod demo;
mod handler;
mod inspect;
mod issuer;
mod package;
mod packages;
mod reproduce;
mod serve;
#[cfg(test)]
mod tests;

#[path = "../../support/mint.rs"]
mod mint;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo run -p dev -- COMMAND

  issuer [OPTION...]           serve the local issuer; `issuer --help` lists its options
  demo HANDLER                 show tokens being refused and accepted
  dev HANDLER [--second]       serve the handler with a local issuer, or with two, until Ctrl-C (PORT=3000)
  packages TARGET FOLDER       write the list of the handler's packages, for the linker; print the file's name
  inspect HANDLER [PATH...]    check that it is static, lists its packages, and has none of these paths in it
  package HANDLER              pack handler.zip
  reproduce HANDLER            build twice elsewhere, under other circumstances, and compare the bytes
";

/// An error is a sentence for a person.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["issuer", ref options @ ..] => issuer::run(options),
        ["demo", handler] => demo::run(handler),
        ["dev", handler] => serve::run(handler, false),
        ["dev", handler, "--second"] => serve::run(handler, true),
        ["packages", target, folder] => packages::run(target, folder),
        ["inspect", handler, ref private_paths @ ..] => inspect::run(handler, private_paths),
        ["package", handler] => package::run(handler),
        ["reproduce", handler] => reproduce::run(handler),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("dev: {problem}");
            ExitCode::FAILURE
        }
    }
}
