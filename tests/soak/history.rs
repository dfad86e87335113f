//! What the key server has answered so far, and what may follow from it at a given moment.

use std::time::{Duration, Instant};

/// Least time between two fetches that unknown keys cause, as the handler promises.
const FETCH_EVERY: Duration = Duration::from_secs(60);

/// Time that a busy machine may need between the two ends of a fetch.
const SLACK: Duration = Duration::from_secs(2);

/// The fetches so far, in the order in which they came.
#[derive(Default)]
pub(crate) struct History(Vec<Fetch>);

struct Fetch {
    came: Instant,
    /// When the answer began to be written, and when it was written; a failure has neither.
    began: Option<Instant>,
    ended: Option<Instant>,
    /// The key ids that it brings; None when it fails.
    brings: Option<Vec<String>>,
}

/// Whether a key is in the handler's set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    No,
    /// The set changes meanwhile.
    Maybe,
}

/// What a token with an unknown key may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unknown {
    /// 401: a fetch succeeded and the key is not there.
    pub(crate) refused: bool,
    /// 503: the fetch failed.
    pub(crate) unavailable: bool,
}

impl History {
    /// A fetch comes, and will bring these keys or fail; gives its number.
    pub(crate) fn comes(&mut self, brings: Option<Vec<String>>) -> usize {
        self.0.push(Fetch {
            came: Instant::now(),
            began: None,
            ended: None,
            brings,
        });
        self.0.len() - 1
    }

    /// The answer with the keys is about to be written.
    pub(crate) fn begins(&mut self, number: usize) {
        self.0[number].began = Some(Instant::now());
    }

    /// The answer has been written.
    pub(crate) fn ends(&mut self, number: usize) {
        self.0[number].ended = Some(Instant::now());
    }

    /// Number of fetches, and of those that failed.
    pub(crate) fn count(&self) -> (usize, usize) {
        (
            self.0.len(),
            self.0.iter().filter(|fetch| fetch.brings.is_none()).count(),
        )
    }

    /// Whether the handler knows this key between these two moments.
    pub(crate) fn knows(&self, kid: &str, from: Instant, to: Instant) -> Known {
        let sets: Vec<&Fetch> = self
            .0
            .iter()
            .filter(|fetch| fetch.began.is_some())
            .collect();
        let may_hold = |number: usize| {
            let has_begun = sets[number].began.is_some_and(|began| began <= to);
            let next_ended = sets.get(number + 1).and_then(|next| next.ended);
            has_begun && next_ended.is_none_or(|ended| ended + SLACK >= from)
        };
        let has = |fetch: &Fetch| fetch.brings.iter().flatten().any(|have| have == kid);
        let holds: Vec<bool> = (0..sets.len())
            .filter(|number| may_hold(*number))
            .map(|number| has(sets[number]))
            .collect();
        match (holds.contains(&true), holds.contains(&false)) {
            (true, false) => Known::Yes,
            (false, _) => Known::No,
            (true, true) => Known::Maybe,
        }
    }

    /// What a token with an unknown key may be answered between these two moments. Nothing when
    /// the handler should have fetched and did not.
    pub(crate) fn unknown(&self, from: Instant, to: Instant) -> Unknown {
        let mut allowed = Unknown::default();
        for (number, fetch) in self.0.iter().enumerate() {
            // The fetch at the start is not one that an unknown key caused.
            let counts = number > 0 && fetch.came <= to && fetch.came + FETCH_EVERY + SLACK >= from;
            let is_over = self.0.get(number + 1).is_some_and(|next| next.came < from);
            if counts && !is_over {
                allowed.refused |= fetch.brings.is_some();
                allowed.unavailable |= fetch.brings.is_none();
            }
        }
        allowed
    }

    /// The shortest time between two fetches that unknown keys caused, when it is too short.
    pub(crate) fn haste(&self) -> Option<Duration> {
        let forced = self.0.iter().skip(1).map(|fetch| fetch.came);
        let gaps = forced
            .clone()
            .zip(forced.skip(1))
            .map(|(one, next)| next - one);
        // What comes late the first time looks early the next.
        gaps.min().filter(|gap| *gap + SLACK < FETCH_EVERY)
    }
}
