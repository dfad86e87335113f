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
    // Between two rounds it has the rest of a line that standard output took in part: what comes next
    // would run into it.
    let mut out = Vec::new();
    while let Ok(first) = lines.recv() {
        std::thread::sleep(LOG_GATHERS);
        let (was_torn, mut err) = (!out.is_empty(), String::new());
        for line in [first].into_iter().chain(lines.try_iter().take(LOG_QUEUE_LINES)) {
            match line {
                Line::Out(line) => out.extend([line.as_bytes(), b"\n"].concat()),
                Line::Err(line) => err.extend(["handler: ", &line, "\n"]),
            }
        }
        let lost_before = lost.swap(0, Ordering::Relaxed);
        if lost_before > 0 {
            let _ = writeln!(out, "{{\"event\":\"log_lines_lost\",\"lines\":{lost_before}}}");
        }
        let (mut stdout, mut taken) = (std::io::stdout().lock(), 0);
        while let Some(count @ 1..) = out.get(taken..).and_then(|left| stdout.write(left).ok()) {
            taken += count;
        }
        // What cannot be flushed stays taken: it leaves before the next bytes.
        let _ = stdout.flush();
        let is_torn = out.drain(..taken).next_back().map_or(was_torn, |last| last != b'\n');
        let rest = out.iter().position(|byte| *byte == b'\n' && is_torn).map_or(0, |end| end + 1);
        // A closed standard output is no reason to stop: these lines are lost, the next are tried.
        let left = out.split_off(rest).iter().filter(|byte| **byte == b'\n').count() as u64;
        // The last of them says what was lost before, and is none itself.
        let lost_again = if left > 0 { left + lost_before.saturating_sub(1) } else { 0 };
        lost.fetch_add(lost_again, Ordering::Relaxed);
        out.shrink_to_fit();
        let _ = std::io::stderr().lock().write_all(err.as_bytes());
    }
}
