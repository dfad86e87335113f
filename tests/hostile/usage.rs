//! What a process uses, as the kernel tells it, and the lines in which the tests tell it on.

use crate::handler::Handler;
use std::fmt::{self, Display};
use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

/// Memory, threads and file descriptors of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory, and the most that it ever was.
    pub(crate) rss_kib: u64,
    pub(crate) most_kib: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: u64,
}

/// How much more than before may stay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) kib: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: u64,
}

/// What counts as nothing. Memory: the allocator keeps what many threads used at a time. Threads:
/// an idle one of tiny_http ends after five seconds without work, and the caretaker's calls, four
/// a second, reach one after the other, so that twenty never get there. Descriptors: a call of
/// the caretaker and a probe may be under way.
pub(crate) const NEARLY_NOTHING: Tolerance = Tolerance {
    kib: 32 * 1024,
    threads: 24,
    descriptors: 8,
};

impl Usage {
    /// Of the process with this id.
    pub(crate) fn of(pid: u32) -> Usage {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default();
            line.split_ascii_whitespace()
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or_default()
        };
        Usage {
            rss_kib: number("VmRSS:"),
            most_kib: number("VmHWM:"),
            threads: number("Threads:"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd"))
                .map_or(0, |list| list.count() as u64),
        }
    }

    fn is_near(&self, before: &Usage, more: Tolerance) -> bool {
        self.rss_kib <= before.rss_kib + more.kib
            && self.threads <= before.threads + more.threads
            && self.descriptors <= before.descriptors + more.descriptors
    }
}

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Usage {
            rss_kib,
            threads,
            descriptors,
            ..
        } = self;
        write!(
            f,
            "{} MiB, {threads} threads, {descriptors} fds",
            rss_kib / 1024
        )
    }
}

/// Waits until the handler is back where it was before, and says what it used. Idle threads of
/// tiny_http end after five seconds.
pub(crate) fn must_settle(handler: &mut Handler, before: &Usage, more: Tolerance, what: &str) {
    let highest = handler.usage();
    let deadline = Instant::now() + Duration::from_secs(15);
    while !handler.usage().is_near(before, more) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    handler.must_be_the_same();
    let after = handler.usage();
    let most = after.most_kib / 1024;
    say(&format!(
        "{what}: {before} before; {highest} at its end, at most {most} MiB; {after} afterwards"
    ));
    assert!(
        after.is_near(before, more),
        "{what}: {after} is more than {more:?} above {before}"
    );
}

/// A line of standard error that the test runner does not hold back.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "hostile: {line}");
}
