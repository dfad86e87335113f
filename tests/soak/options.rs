//! The command line.

use std::path::PathBuf;
use std::time::Duration;

/// What is asked for.
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) handler: PathBuf,
    pub(crate) seed: u64,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let (mut seconds, mut seed, mut handler) = (30 * 60, 1, None);
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or(format!("{name} needs a value; {USAGE}"))?;
            let number = || {
                value
                    .parse::<u64>()
                    .map_err(|_| format!("{name} needs a number, not {value}"))
            };
            match name.as_str() {
                "--minutes" => seconds = 60 * number()?,
                "--seconds" => seconds = number()?,
                "--seed" => seed = number()?,
                "--handler" => handler = Some(PathBuf::from(value)),
                _ => return Err(format!("{name} is no option; {USAGE}")),
            }
        }
        let handler = handler
            .or_else(beside_this_program)
            .ok_or(format!("there is no handler here; {USAGE}"))?;
        Ok(Options {
            time: Duration::from_secs(seconds.max(1)),
            handler,
            seed,
        })
    }
}

const USAGE: &str = "usage: soak [--minutes N | --seconds N] [--handler PATH] [--seed N]";

/// Cargo puts examples into a folder beside the binary.
fn beside_this_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("handler"))
        .find(|path| path.is_file())
}
