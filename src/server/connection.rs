//! A connection that waits for something: its requests, in order, and its worker.

use super::transport::Incoming;
use super::worker::{Job, Pending};
use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Time for which an idle worker stays. A connection that waited once often waits again, and a new
/// thread costs more than an idle one.
const WORKER_STAYS: Duration = Duration::from_secs(1);

/// A connection in waiting. tiny_http blocks a response until the one before it on the same
/// connection has left, so the requests behind one that waits wait too.
#[derive(Default)]
pub(super) struct Waiting {
    /// The thing that the first request waits for.
    pub(super) waits_for: Option<WaitsFor>,
    /// The requests behind it.
    pub(super) behind: VecDeque<Incoming>,
    /// The thread of this connection. As long as there is one, it sends every response.
    pub(super) worker: Option<Worker>,
}

/// The things that a request can wait for.
pub(super) enum WaitsFor {
    /// For keys.
    Keys(Box<Pending>),
    /// For its worker.
    Worker,
}

/// The thread of a connection.
pub(super) struct Worker {
    pub(super) jobs: Sender<Job>,
    /// When it last had to wait for somebody.
    pub(super) used: Instant,
}

impl Waiting {
    /// Whether nothing waits, and no worker is worth keeping.
    pub(super) fn is_over(&self) -> bool {
        let is_idle = self.waits_for.is_none() && self.behind.is_empty();
        let worker = self.worker.as_ref();
        is_idle && worker.is_none_or(|worker| worker.used.elapsed() >= WORKER_STAYS)
    }

    /// Since when the first request has waited for keys, if it does.
    pub(super) fn waits_for_keys_since(&self) -> Option<Instant> {
        match &self.waits_for {
            Some(WaitsFor::Keys(pending)) => Some(pending.since),
            _ => None,
        }
    }

    /// The request that waits for keys.
    pub(super) fn take_pending(&mut self) -> Option<Box<Pending>> {
        match self.waits_for.take() {
            Some(WaitsFor::Keys(pending)) => Some(pending),
            other => {
                self.waits_for = other;
                None
            }
        }
    }
}
