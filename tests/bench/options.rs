//! The command line.

use std::path::PathBuf;
use std::time::Duration;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
usage: bench --handler PATH [options]

  --handler PATH      the handler's release binary
  --rounds N          rounds over all cases (5); figures are medians over the rounds
  --seconds S         time of one case in one round (0.5)
  --tokens N          different tokens, each used once in a run (20000, at least 1000)
  --connections LIST  keep-alive connections, one number after the other (1,16,64)
  --only LIST         of verify, repeated, different, bad, public, decision, start, lines; separated by commas
  --json FILE         writes everything measured as JSON too
  --quick             --rounds 2 --seconds 0.3 --tokens 2000, for a first look

RUSTC_VERSION in the environment is printed with the machine.
Exit status: 0, 1 when an answer was wrong or something did not run, 2 for a bad command line.
";

/// What may follow `--only`.
const PARTS: [&str; 8] = [
    "verify",
    "repeated",
    "different",
    "bad",
    "public",
    "decision",
    "start",
    "lines",
];

/// What is measured, and how long.
pub(crate) struct Options {
    /// The handler's binary.
    pub(crate) handler: PathBuf,
    /// Rounds over all cases.
    pub(crate) rounds: usize,
    /// Time of one case in one round.
    pub(crate) time: Duration,
    /// Number of different tokens.
    pub(crate) tokens: usize,
    /// Where the JSON goes.
    pub(crate) json: Option<PathBuf>,
    /// Numbers of keep-alive connections, one after the other.
    pub(crate) connections: Vec<usize>,
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments; None when help is wanted.
    pub(crate) fn read(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Options>, String> {
        let mut options = Options {
            handler: PathBuf::new(),
            rounds: 5,
            time: Duration::from_millis(500),
            tokens: 20_000,
            json: None,
            connections: vec![1, 16, 64],
            only: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--quick" => {
                    (options.rounds, options.time, options.tokens) =
                        (2, Duration::from_millis(300), 2000)
                }
                _ => {
                    let value = arguments
                        .next()
                        .ok_or(format!("{name} is unknown or lacks its value"))?;
                    options
                        .set(&name, &value)
                        .ok_or(format!("{name} {value} is not understood"))?;
                }
            }
        }
        if options.handler.as_os_str().is_empty() {
            return Err("--handler is missing".into());
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--handler" => self.handler = value.into(),
            "--rounds" => self.rounds = value.parse().ok().filter(|rounds| *rounds > 0)?,
            "--seconds" => {
                let seconds = value
                    .parse()
                    .ok()
                    .filter(|seconds| (0.01..=60.0).contains(seconds))?;
                self.time = Duration::from_secs_f64(seconds);
            }
            "--tokens" => self.tokens = value.parse().ok().filter(|tokens| *tokens >= 1000)?,
            "--connections" => {
                let numbers = value.split(',').map(|number| {
                    number
                        .parse()
                        .ok()
                        .filter(|number| (1..=256).contains(number))
                });
                self.connections = numbers.collect::<Option<_>>()?;
            }
            "--json" => self.json = Some(value.into()),
            "--only" => {
                self.only = value.split(',').map(str::to_owned).collect();
                self.only
                    .iter()
                    .all(|part| PARTS.contains(&part.as_str()))
                    .then_some(())?;
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == part)
    }

    /// Launches of each kind when the time to the first answer is measured.
    pub(crate) fn starts(&self) -> usize {
        (10 * self.rounds).clamp(20, 50)
    }
}
