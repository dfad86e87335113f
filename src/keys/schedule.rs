//! When keys are fetched, and how long they are believed. The monotonic clock is passed in, and
//! nothing here does I/O: the server starts the fetches that this file asks for.

use super::{KeySet, KeySets};
use crate::limits::{FORCED_FETCH_EVERY, KEYS_MAX_AGE, REFRESH_EVERY, RETRY_WITHOUT_KEYS};
use std::time::{Duration, Instant};

/// The last good key set of every source, and the history that decides about the next fetch.
#[derive(Debug)]
pub struct Keys {
    sets: KeySets,
    schedules: Vec<Schedule>,
}

/// The history of one source.
#[derive(Debug)]
struct Schedule {
    /// When the set was fetched that is in use.
    fetched: Option<Instant>,
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
    /// Whether no fetch has succeeded since.
    failed: bool,
}

/// The next step of a request that lacks a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Start a fetch, and wait for it.
    Fetch,
    /// Wait for the fetch that is running.
    Wait,
    /// The set is as fresh as may be asked for: the key does not exist.
    Unknown,
    /// There are no keys that would decide; ask again after so many seconds, at least 1.
    Unavailable(u64),
}

impl Keys {
    /// No keys yet, and the first fetch of each source on its way: the caller has started it.
    pub fn fetching_since(now: Instant, sources: usize) -> Keys {
        let schedule = || Schedule {
            fetched: None,
            is_fetching: true,
            last_started: now,
            last_ended: None,
            forced: None,
        };
        Keys {
            sets: KeySets((0..sources).map(|_| None).collect()),
            schedules: (0..sources).map(|_| schedule()).collect(),
        }
    }

    /// The last good sets that may still be believed; older ones are dropped.
    pub fn usable(&mut self, now: Instant) -> &KeySets {
        for (schedule, set) in self.schedules.iter().zip(&mut self.sets.0) {
            let age = schedule.fetched.map(|then| now.duration_since(then));
            if age.is_none_or(|age| age >= KEYS_MAX_AGE) {
                *set = None;
            }
        }
        &self.sets
    }

    /// A request needs keys of this source, and it has no usable set.
    pub fn need_any(&mut self, source: usize, now: Instant) -> Need {
        self.schedules
            .get_mut(source)
            .map_or(Need::Unknown, |schedule| schedule.need_any(now))
    }

    /// A request names a key that is not in the usable set of this source.
    pub fn need_unknown(&mut self, source: usize, now: Instant) -> Need {
        self.schedules
            .get_mut(source)
            .map_or(Need::Unknown, |schedule| schedule.need_unknown(now))
    }

    /// The sources whose fetch in the background is due. The caller starts it.
    pub fn due(&mut self, now: Instant) -> Vec<usize> {
        let schedules = self.schedules.iter_mut().enumerate();
        schedules
            .filter_map(|(source, schedule)| schedule.is_due(now).then_some(source))
            .collect()
    }

    /// Time to the next fetch in the background.
    pub fn until_refresh(&self, now: Instant) -> Duration {
        let idle = self
            .schedules
            .iter()
            .filter(|schedule| !schedule.is_fetching);
        idle.map(|schedule| schedule.until_refresh(now))
            .min()
            .unwrap_or(REFRESH_EVERY)
    }

    /// The running fetch of a source has ended. None, when it brought no usable set, never replaces
    /// the last good one.
    pub fn ended(&mut self, source: usize, now: Instant, set: Option<KeySet>) {
        let Some(schedule) = self.schedules.get_mut(source) else {
            return;
        };
        schedule.ended(now, set.is_some());
        if let (Some(place), Some(set)) = (self.sets.0.get_mut(source), set) {
            *place = Some(set);
        }
    }
}

impl Schedule {
    fn need_any(&mut self, now: Instant) -> Need {
        if self.is_fetching {
            return Need::Wait;
        }
        let wait = self.last_ended.map_or(Duration::ZERO, |ended| {
            RETRY_WITHOUT_KEYS.saturating_sub(now.duration_since(ended))
        });
        if !wait.is_zero() {
            return Need::Unavailable(whole_seconds(wait));
        }
        self.start(now);
        Need::Fetch
    }

    fn need_unknown(&mut self, now: Instant) -> Need {
        if self.is_fetching {
            return Need::Wait;
        }
        if let Some(forced) = self.forced {
            let wait = FORCED_FETCH_EVERY.saturating_sub(now.duration_since(forced.started));
            if !wait.is_zero() {
                return if forced.failed {
                    Need::Unavailable(whole_seconds(wait))
                } else {
                    Need::Unknown
                };
            }
        }
        self.forced = Some(Forced {
            started: now,
            failed: true,
        });
        self.start(now);
        Need::Fetch
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = !self.is_fetching && self.until_refresh(now).is_zero();
        if is_due {
            self.start(now);
        }
        is_due
    }

    fn until_refresh(&self, now: Instant) -> Duration {
        REFRESH_EVERY.saturating_sub(now.duration_since(self.last_started))
    }

    fn start(&mut self, now: Instant) {
        self.is_fetching = true;
        self.last_started = now;
    }

    fn ended(&mut self, now: Instant, succeeded: bool) {
        self.is_fetching = false;
        self.last_ended = Some(now);
        if succeeded {
            self.fetched = Some(now);
            self.forced
                .iter_mut()
                .for_each(|forced| forced.failed = false);
        }
    }
}

/// For `Retry-After`: rounded up, so that the next try is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
