//! Places for work that waits: a bounded number of bodies in memory, and of slow endpoints at work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A fixed number of places.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<Vec<Option<Instant>>>>);

/// A place that is taken, free again when this is dropped.
pub(super) struct Place {
    places: Places,
    number: usize,
}

impl Places {
    pub(super) fn new(count: usize) -> Places {
        Places(Arc::new(Mutex::new(vec![None; count])))
    }

    /// Takes a place; None when there is none left.
    pub(super) fn take(&self) -> Option<Place> {
        let mut taken = self.lock();
        let number = taken.iter().position(Option::is_none)?;
        *taken.get_mut(number)? = Some(Instant::now());
        Some(Place {
            places: self.clone(),
            number,
        })
    }

    /// Whether every place has been taken for so long.
    pub(super) fn are_all_taken_for(&self, time: Duration) -> bool {
        let taken = self.lock();
        taken
            .iter()
            .all(|since| since.is_some_and(|since| since.elapsed() >= time))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(place) = self.places.lock().get_mut(self.number) {
            *place = None;
        }
    }
}
