//! Lines for standard output and standard error, written by a thread of their own: a reader that
//! is slow or gone never delays an answer. Lines that find the queue full, or that standard output does
//! not take, are counted, and the count is said as soon as something is written.

use crate::limits::{HELPER_STACK_BYTES, LOG_GATHERS, LOG_QUEUE_LINES};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// A line on standard error before there is a [`Log`]. One that cannot be written changes nothing
/// else: neither what follows nor the exit status.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "handler: {line}");
}

/// A handle to the writing thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    queue: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Line {
    /// To standard output, which the Functions host takes for information.
    Out(String),
    /// To standard error, which the Functions host takes for errors.
    Err(String),
}

impl Log {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start() -> std::io::Result<Log> {
        let (queue, lines) = sync_channel(LOG_QUEUE_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let count = lost.clone();
        let work = move || write_lines(&lines, &count);
        std::thread::Builder::new().name("log".into()).stack_size(HELPER_STACK_BYTES).spawn(work)?;
        Ok(Log { queue, lost })
    }

    /// A line for standard output.
    pub fn out(&self, line: String) {
        self.push(Line::Out(line));
    }

    /// A line for standard error.
    pub fn err(&self, line: String) {
        self.push(Line::Err(line));
    }

    fn push(&self, line: Line) {
        if self.queue.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_lines(lines: &Receiver<Line>, lost: &AtomicU64) {
    let mut torn = Vec::new();
    while let Ok(first) = lines.recv() {
        std::thread::sleep(LOG_GATHERS);
        let (mut out, mut err) = (String::new(), String::new());
        for line in [first].into_iter().chain(lines.try_iter().take(LOG_QUEUE_LINES)) {
            match line {
                Line::Out(line) => out.extend([&line, "\n"]),
                Line::Err(line) => err.extend(["handler: ", &line, "\n"]),
            }
        }
        let lost_before = lost.swap(0, Ordering::Relaxed);
        if lost_before > 0 {
            out.push_str(&format!("{{\"event\":\"log_lines_lost\",\"lines\":{lost_before}}}\n"));
        }
        // A closed standard output is no reason to stop: these lines are lost, the next are tried.
        let left = deliver(&mut torn, out.as_bytes());
        if left > 0 {
            // The last of them says what was lost before, and is none itself.
            lost.fetch_add(left + lost_before.saturating_sub(1), Ordering::Relaxed);
        }
        let _ = std::io::stderr().lock().write_all(err.as_bytes());
    }
}

/// Gives lines to standard output, and says how many it did not take. Of one that it took in part, the
/// rest stays in `torn` and goes first the next time: what comes then would run into it.
fn deliver(torn: &mut Vec<u8>, lines: &[u8]) -> u64 {
    torn.drain(..taken(torn));
    let taken = if torn.is_empty() { taken(lines) } else { 0 };
    let (done, left) = lines.split_at_checked(taken).unwrap_or_default();
    let mut left = left.split_inclusive(|byte| *byte == b'\n');
    if done.last().is_some_and(|last| *last != b'\n') {
        torn.extend(left.next().unwrap_or_default());
    }
    left.count() as u64
}

/// How many of these bytes standard output takes.
fn taken(bytes: &[u8]) -> usize {
    let (mut stdout, mut taken) = (std::io::stdout().lock(), 0);
    while let Some(count @ 1..) = bytes.get(taken..).and_then(|left| stdout.write(left).ok()) {
        taken += count;
    }
    // What cannot be flushed stays taken: it leaves before the next bytes.
    let _ = stdout.flush();
    taken
}
