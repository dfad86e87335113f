//! One core for the servers, another for the load and whatever else this program does. Pinning is
//! by `taskset` on single threads: children inherit it, so no launch pays for it.

use std::process::{Command, Stdio};

/// Which core does what.
pub(crate) struct Cores {
    server: Option<usize>,
    /// What a reader of the figures has to know.
    pub(crate) note: String,
    /// Whether the load shares its core with the server, and so must not spin.
    pub(crate) is_shared: bool,
}

impl Cores {
    /// Pins the calling thread, and all that it starts, to the core for load.
    pub(crate) fn divide() -> Cores {
        let allowed = allowed();
        let (server, load) = (allowed.first().copied(), allowed.last().copied());
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        if count < 2 {
            let note = "one core only: server and load share it".to_owned();
            return Cores {
                server: None,
                note,
                is_shared: true,
            };
        }
        match (server, load) {
            (Some(server), Some(load)) if server != load && pin(load) => {
                let note = format!("servers pinned to core {server}, load to core {load}");
                Cores {
                    server: Some(server),
                    note,
                    is_shared: false,
                }
            }
            _ => Cores {
                server: None,
                note: "pinning was not available (no taskset)".to_owned(),
                is_shared: false,
            },
        }
    }

    /// Works on a thread pinned to the servers' core.
    pub(crate) fn on_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let pinned = || {
            if let Some(core) = self.server {
                pin(core);
            }
            work()
        };
        std::thread::scope(|scope| scope.spawn(pinned).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Pins the calling thread.
fn pin(core: usize) -> bool {
    // A link to PID/task/TID.
    let Ok(thread) = std::fs::read_link("/proc/thread-self") else {
        return false;
    };
    let Some(id) = thread.file_name() else {
        return false;
    };
    let mut taskset = Command::new("taskset");
    taskset
        .args(["-p", "-c", &core.to_string()])
        .arg(id)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}

/// The cores that this process may use, such as `0-1` or `0,2-3` in /proc.
fn allowed() -> Vec<usize> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.trim().split(',').filter_map(range).flatten().collect()
}
