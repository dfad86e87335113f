//! The memory, threads and descriptors of a process, as /proc tells them.

use super::handler::Handler;
use super::process::say;
use std::fmt::{self, Display};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory, and the most that it ever was.
    pub rss_kib: u64,
    pub peak_kib: u64,
    pub threads: u64,
    pub descriptors: u64,
    /// CPU time of the process and of the kernel for it, in steps of 10 ms.
    pub cpu_seconds: f64,
}

/// How much more than before may stay.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub kib: u64,
    pub threads: u64,
    pub descriptors: u64,
}

/// Memory: the allocator keeps what many threads used at a time. Threads: an idle one of tiny_http
/// ends after five seconds without work. Descriptors: a call of the watchdog and one of a probe may
/// be under way.
pub const NEARLY_NOTHING: Tolerance = Tolerance {
    kib: 32 * 1024,
    threads: 24,
    descriptors: 8,
};

impl Usage {
    /// Of the process with this id; None where there is no /proc or no such process.
    pub fn of(pid: u32) -> Option<Usage> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_ascii_whitespace().next()?.parse().ok()
        };
        Some(Usage {
            rss_kib: field("VmRSS:")?,
            peak_kib: field("VmHWM:")?,
            threads: field("Threads:")?,
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64,
            cpu_seconds: cpu_seconds(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?,
        })
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
            "{} MiB, {threads} threads, {descriptors} descriptors",
            rss_kib / 1024
        )
    }
}

/// utime and stime, the 12th and 13th field after the name, which may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Waits until the handler is back where it was before, and says how much it had.
#[track_caller]
pub fn must_settle(handler: &mut Handler, before: &Usage, more: Tolerance, what: &str) {
    let highest = handler.usage();
    let deadline = Instant::now() + Duration::from_secs(15);
    while !handler.usage().is_near(before, more) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    handler.must_serve();
    let after = handler.usage();
    let peak = after.peak_kib / 1024;
    say(&format!(
        "{what}: {before} before; {highest} at its end, at most {peak} MiB; {after} now"
    ));
    assert!(
        after.is_near(before, more),
        "{what}: {after} is more than {more:?} above {before}"
    );
}
