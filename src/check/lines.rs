//! `handler check --lines`: tokens one a line, judged one after the other, however many there are.

use super::{BYTE_ORDER_MARK, Report};
use crate::limits::{LINES_BUFFER_BYTES, MAX_LINE_BYTES, PROGRESS_EVERY_TOKENS};
use crate::rejection::Rejection;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Error, Read, Result, Write};

/// What a run has come to.
#[derive(Debug, Default)]
pub struct Tally {
    tokens: u64,
    outcomes: BTreeMap<&'static str, u64>,
    /// 0 when all were accepted, 2 when one could not be decided, otherwise 1.
    pub exit_status: u8,
}

/// Judges every line that is not blank. Writes one JSON object a line, and tells `progress` now
/// and then how many there were. Nothing but the line at hand is kept.
///
/// # Errors
/// Why the rest was not judged; what was judged before is written, as far as it can be.
pub fn judge_all(
    input: impl Read,
    mut output: impl Write,
    judge: impl Fn(&str) -> Report,
    mut progress: impl FnMut(u64),
) -> Result<Tally> {
    let mut input = BufReader::with_capacity(LINES_BUFFER_BYTES, input);
    let (mut line, mut out) = (Vec::new(), Vec::new());
    let mut tally = Tally::default();
    let mut write = |out: &mut Vec<u8>| {
        let outcome = output.write_all(out).and_then(|()| output.flush());
        out.clear();
        outcome.map_err(|error| Error::new(error.kind(), format!("standard output: {error}")))
    };
    for number in 1.. {
        // Whoever waits for the next line to come must not wait for what was found in the last.
        if out.len() >= LINES_BUFFER_BYTES || !input.buffer().contains(&b'\n') {
            write(&mut out)?;
        }
        let found = read_line(&mut input, &mut line)
            .map_err(|error| Error::new(error.kind(), format!("standard input, after line {}: {error}", number - 1)))?;
        let Some(bytes) = found else { break };
        let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(&line);
        let report = match bytes > MAX_LINE_BYTES {
            true => Report::unread("size", Rejection::TokenTooLong { bytes }),
            false if text.trim_ascii().is_empty() => continue,
            // Much faster than `from_utf8_lossy` over what is text.
            false => match std::str::from_utf8(text) {
                Ok(text) => judge(text),
                Err(_) => judge(&String::from_utf8_lossy(text)),
            },
        };
        report.write_json(&mut out, Some(number));
        tally.add(&report);
        if tally.tokens.is_multiple_of(PROGRESS_EVERY_TOKENS) {
            progress(tally.tokens);
        }
    }
    write(&mut out)?;
    Ok(tally)
}

/// Reads a line without its end: the number of its bytes, or None after the last. Of a line that is
/// longer than `MAX_LINE_BYTES` only the number is right.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Option<usize>> {
    let mut bytes = 0;
    loop {
        line.clear();
        let read = input.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', line)?;
        bytes += read;
        if line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(Some(bytes - 1));
        }
        if read <= MAX_LINE_BYTES {
            return Ok((bytes > 0).then_some(bytes));
        }
    }
}

impl Tally {
    fn add(&mut self, report: &Report) {
        self.tokens += 1;
        let outcome = report.refusal.as_ref().map_or("accepted", |refusal| refusal.code().as_str());
        *self.outcomes.entry(outcome).or_default() += 1;
        self.exit_status = self.exit_status.max(report.exit_status());
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "judged: {}", self.tokens)?;
        self.outcomes.iter().try_for_each(|(outcome, count)| write!(f, ", {outcome}: {count}"))
    }
}
