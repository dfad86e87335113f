//! `handler check --lines`: tokens one a line, judged one after the other, however many there are.

use super::report::Report;
use crate::limits::MAX_TOKEN_BYTES;
use crate::policy::{Reason, Rejection};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Error, Read, Result, Write};

/// Some programs on Windows begin a text in UTF-8 with it.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of the longest line that is looked at: a token, what stands around it, and room to say how
/// much too long it is.
const MAX_LINE_BYTES: usize = 4 * MAX_TOKEN_BYTES;

/// Bytes that are read at once, and about as many as are written at once.
const BUFFER_BYTES: usize = 32 * 1024;

/// Tokens between two signs of life on a terminal: about a third of a second.
const PROGRESS_EVERY_TOKENS: u64 = 10_000;

/// The outcome of a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tokens: u64,
    outcomes: BTreeMap<&'static str, u64>,
    /// 0 when all were accepted, 2 when one could not be decided, otherwise 1.
    pub(super) exit_status: u8,
}

/// Judges every line that is not blank. Writes one JSON object a line, and tells `progress` now
/// and then how many there were. Nothing but the line at hand is kept.
///
/// # Errors
/// Why the rest was not judged; what was judged before is written, as far as it can be.
pub(super) fn judge_all(
    input: impl Read,
    mut output: impl Write,
    judge: impl Fn(&str) -> Report,
    mut progress: impl FnMut(u64),
) -> Result<Tally> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let (mut line, mut out) = (Vec::new(), Vec::new());
    let mut tally = Tally::default();
    let mut write = |out: &mut Vec<u8>| {
        let outcome = output.write_all(out).and_then(|()| output.flush());
        out.clear();
        outcome.map_err(|error| Error::new(error.kind(), format!("standard output: {error}")))
    };
    for number in 1.. {
        // A reader must not wait for the report on one line until the next line comes.
        if out.len() >= BUFFER_BYTES || !input.buffer().contains(&b'\n') {
            write(&mut out)?;
        }
        let found = read_line(&mut input, &mut line).map_err(|error| {
            Error::new(
                error.kind(),
                format!("standard input, after line {}: {error}", number - 1),
            )
        })?;
        let Some(bytes) = found else { break };
        let text = line
            .strip_prefix(BYTE_ORDER_MARK)
            .filter(|_| number == 1)
            .unwrap_or(&line);
        if bytes <= MAX_LINE_BYTES && text.trim_ascii().is_empty() {
            continue;
        }
        let report = if bytes > MAX_LINE_BYTES {
            Report::unread(&Rejection::new("size", Reason::TokenTooLong { bytes }))
        } else {
            judge(&String::from_utf8_lossy(text))
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
        let read = input
            .by_ref()
            .take(MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', line)?;
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
        *self.outcomes.entry(report.outcome()).or_default() += 1;
        self.exit_status = self.exit_status.max(report.exit_status());
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "judged: {}", self.tokens)?;
        self.outcomes
            .iter()
            .try_for_each(|(outcome, count)| write!(f, ", {outcome}: {count}"))
    }
}
