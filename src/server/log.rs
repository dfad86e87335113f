//! The log. A thread of its own writes to standard output and standard error, so that a slow reader
//! never delays a response. Entries that find the queue full are counted, and so are those that
//! standard output does not take. The count is written as soon as something can be.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Writes to standard error before there is a [`Log`]. When that fails, nothing else changes:
/// neither what follows nor the exit status.
pub fn to_stderr(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "handler: {text}");
}

/// Entries that wait for a slow reader of standard output or error; more are counted and lost.
const QUEUE_ENTRIES: usize = 1024;

/// Time in which entries gather before they are written together: a write and a wake-up for each
/// refusal would cost as much as the refusal.
const GATHERS: Duration = Duration::from_millis(5);

/// Bytes of stack of the writing thread, which makes no deep calls.
const STACK_BYTES: usize = 128 * 1024;

/// A handle to the writing thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Entry {
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
        let (queue, entries) = sync_channel(QUEUE_ENTRIES);
        let lost = Arc::new(AtomicU64::new(0));
        let count = lost.clone();
        let work = move || write_entries(&entries, &count);
        std::thread::Builder::new()
            .name("log".into())
            .stack_size(STACK_BYTES)
            .spawn(work)?;
        Ok(Log { queue, lost })
    }

    /// An entry for standard output.
    pub fn out(&self, text: String) {
        self.push(Entry::Out(text));
    }

    /// An entry for standard error.
    pub fn err(&self, text: String) {
        self.push(Entry::Err(text));
    }

    fn push(&self, entry: Entry) {
        if self.queue.try_send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_entries(entries: &Receiver<Entry>, lost: &AtomicU64) {
    let mut torn = Vec::new();
    while let Ok(first) = entries.recv() {
        std::thread::sleep(GATHERS);
        let (mut out, mut err) = (String::new(), String::new());
        for entry in [first]
            .into_iter()
            .chain(entries.try_iter().take(QUEUE_ENTRIES))
        {
            match entry {
                Entry::Out(text) => out.extend([&text, "\n"]),
                Entry::Err(text) => err.extend(["handler: ", &text, "\n"]),
            }
        }
        let lost_before = lost.swap(0, Ordering::Relaxed);
        if lost_before > 0 {
            out.push_str(&format!(
                "{{\"event\":\"log_lines_lost\",\"lines\":{lost_before}}}\n"
            ));
        }
        // A closed standard output is no reason to stop: these entries are lost, the next are tried.
        let left = deliver(&mut torn, out.as_bytes());
        if left > 0 {
            // The last of them says what was lost before, and is none itself.
            lost.fetch_add(left + lost_before.saturating_sub(1), Ordering::Relaxed);
        }
        let _ = std::io::stderr().lock().write_all(err.as_bytes());
    }
}

/// Gives whole lines to standard output, and says how many it did not take. The rest of one that it
/// took in part stays in `torn` and goes first the next time, so that no other runs into it.
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
    // Bytes that cannot be flushed count as taken: they leave before the next ones.
    let _ = stdout.flush();
    taken
}
