//! When keys are fetched, and how long they are believed: a policy over a monotonic clock that is
//! passed in. Nothing here does I/O; the server starts the fetches that this file asks for. The memory
//! of what the keys have verified is here too, so that no new set comes without a look through it.

use crate::jwks::KeySet;
use crate::limits::{FORCED_FETCH_EVERY, KEYS_MAX_AGE, REFRESH_EVERY, RETRY_WITHOUT_KEYS};
use crate::memory::SignatureMemory;
use std::time::{Duration, Instant};

/// The last good key set and the history that decides about the next fetch.
#[derive(Debug)]
pub struct Keys {
    set: Option<(KeySet, Instant)>,
    memory: SignatureMemory,
    is_fetching: bool,
    last_started: Instant,
    last_ended: Option<Instant>,
    forced: Option<Forced>,
}

/// The last fetch that an unknown key caused.
#[derive(Debug, Clone, Copy)]
struct Forced {
    /// Stamped before the fetch, so that one that fails counts as well.
    started: Instant,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Running,
    Succeeded,
    Failed,
}

/// What a request that needs a key has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Start a fetch, and wait for it.
    Fetch,
    /// Wait for the fetch that is running.
    Wait,
    /// The set is as fresh as may be asked for: the key does not exist.
    Unknown,
    /// No keys that would decide; ask again after so many seconds, at least 1.
    Unavailable(u64),
}

impl Keys {
    /// No keys yet, and the first fetch on its way: the caller has started it.
    pub fn fetching_since(now: Instant) -> Keys {
        let memory = SignatureMemory::default();
        Keys { set: None, memory, is_fetching: true, last_started: now, last_ended: None, forced: None }
    }

    /// The last good set, while it may still be believed, and the memory of the signatures that its
    /// keys have verified.
    pub fn usable(&mut self, now: Instant) -> (Option<&KeySet>, &mut SignatureMemory) {
        let set = self.set.as_ref().filter(|(_, fetched)| now.duration_since(*fetched) < KEYS_MAX_AGE);
        (set.map(|(set, _)| set), &mut self.memory)
    }

    /// A request needs keys and there is no usable set.
    pub fn need_any(&mut self, now: Instant) -> Need {
        if self.is_fetching {
            return Need::Wait;
        }
        match self.last_ended.map(|ended| RETRY_WITHOUT_KEYS.saturating_sub(now.duration_since(ended))) {
            Some(wait) if !wait.is_zero() => Need::Unavailable(whole_seconds(wait)),
            _ => self.start(now),
        }
    }

    /// A request names a key that is not in the usable set.
    pub fn need_unknown(&mut self, now: Instant) -> Need {
        if self.is_fetching {
            return Need::Wait;
        }
        let Some(forced) = self.forced else { return self.start_forced(now) };
        let wait = FORCED_FETCH_EVERY.saturating_sub(now.duration_since(forced.started));
        match forced.outcome {
            _ if wait.is_zero() => self.start_forced(now),
            Outcome::Failed => Need::Unavailable(whole_seconds(wait)),
            Outcome::Running | Outcome::Succeeded => Need::Unknown,
        }
    }

    /// Whether the background fetch is due; when it says so, the caller starts it.
    pub fn refresh_is_due(&mut self, now: Instant) -> bool {
        !self.is_fetching && self.until_refresh(now).is_zero() && self.start(now) == Need::Fetch
    }

    /// Time to the next fetch in the background.
    pub fn until_refresh(&self, now: Instant) -> Duration {
        REFRESH_EVERY.saturating_sub(now.duration_since(self.last_started))
    }

    /// Whether a fetch is running.
    pub fn is_fetching(&self) -> bool {
        self.is_fetching
    }

    /// The running fetch has ended; None when it brought no usable set, which never replaces one.
    pub fn ended(&mut self, now: Instant, set: Option<KeySet>) {
        let succeeded = set.is_some();
        self.is_fetching = false;
        self.last_ended = Some(now);
        if let Some(forced) = &mut self.forced {
            match (succeeded, forced.outcome) {
                (true, _) => forced.outcome = Outcome::Succeeded,
                (false, Outcome::Running) => forced.outcome = Outcome::Failed,
                (false, _) => {}
            }
        }
        if let Some(set) = set {
            self.memory.keep_only(&set);
            self.set = Some((set, now));
        }
    }

    fn start(&mut self, now: Instant) -> Need {
        self.is_fetching = true;
        self.last_started = now;
        Need::Fetch
    }

    fn start_forced(&mut self, now: Instant) -> Need {
        self.forced = Some(Forced { started: now, outcome: Outcome::Running });
        self.start(now)
    }
}

/// For `Retry-After`: rounded up, so that the next try is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
