//! What a process uses, from /proc.

use serde_json::{Value, json};

/// Memory, threads, files and CPU time of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Resident memory in KiB.
    pub(crate) resident: u64,
    /// The most that it has been.
    pub(crate) peak: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Open file descriptors.
    pub(crate) files: u64,
    /// Seconds of CPU, its own and the kernel's for it, in steps of 10 ms.
    pub(crate) cpu: f64,
}

impl Usage {
    /// Reads it; None where there is no /proc.
    pub(crate) fn of(id: u32) -> Option<Usage> {
        let folder = format!("/proc/{id}");
        let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse().ok()
        };
        Some(Usage {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
            threads: field("Threads:")?,
            files: std::fs::read_dir(format!("{folder}/fd")).ok()?.count() as u64,
            cpu: cpu(&std::fs::read_to_string(format!("{folder}/stat")).ok()?)?,
        })
    }

    /// For the JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "rss_kib": self.resident,
            "hwm_kib": self.peak,
            "threads": self.threads,
            "fds": self.files,
        })
    }
}

/// utime and stime of /proc/PID/stat, fields 14 and 15; the name in field 2 may contain anything.
fn cpu(stat: &str) -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    Some((ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
}
