//! When keys come and go, and when their server fails.

use crate::Run;
use crate::publisher::{Mood, Published};
use std::time::Duration;

/// Time between two events. It is no divisor of a minute, so that the one fetch a minute that
/// unknown keys may cause meets every event in time.
const EVERY: Duration = Duration::from_secs(13);

/// What happens.
enum Event {
    /// A new key is published beside the others.
    Appear,
    /// The oldest key is published no more.
    Leave,
    /// One key goes and another comes at the same time.
    Swap,
    /// The server becomes like this.
    Turn(Mood),
}

/// What happens one after the other, again and again.
const EVENTS: [Event; 22] = [
    Event::Appear,
    Event::Turn(Mood::Status500),
    Event::Leave,
    Event::Turn(Mood::Serving),
    Event::Swap,
    Event::Turn(Mood::Silent),
    Event::Turn(Mood::Serving),
    Event::Appear,
    Event::Turn(Mood::Html),
    Event::Turn(Mood::Serving),
    Event::Leave,
    Event::Turn(Mood::Slow),
    Event::Swap,
    Event::Turn(Mood::EmptySet),
    Event::Turn(Mood::Serving),
    Event::Turn(Mood::Garbage),
    Event::Swap,
    Event::Turn(Mood::HangsUp),
    Event::Turn(Mood::Serving),
    Event::Appear,
    Event::Turn(Mood::Cut),
    Event::Leave,
];

/// Publishes the first keys.
pub(crate) fn begin(run: &Run) {
    let keys = vec![named(0), named(1)];
    keys.iter().for_each(|key| run.passes.add(key));
    run.publisher.publish(keys);
}

/// Lets things happen until the end. After the last event the server serves again.
pub(crate) fn work(run: &Run) {
    let mut next = 2;
    while !run.is_over() {
        for event in &EVENTS {
            run.sleep(EVERY);
            if run.is_over() {
                return;
            }
            happen(run, event, &mut next);
        }
        run.publisher.turn(Mood::Serving);
    }
}

fn happen(run: &Run, event: &Event, next: &mut usize) {
    let mut keys = run.publisher.keys();
    if let Event::Turn(mood) = event {
        return run.publisher.turn(*mood);
    }
    if matches!(event, Event::Leave | Event::Swap) && keys.len() > 1 {
        keys.remove(0);
    }
    if matches!(event, Event::Appear | Event::Swap) {
        let key = named(*next);
        *next += 1;
        // Its tokens are there before the key is, as they are when an issuer is too early.
        run.passes.add(&key);
        keys.push(key);
    }
    run.publisher.publish(keys);
}

/// The key of this number in the order of their coming, one of three test keys under a new name.
fn named(number: usize) -> Published {
    Published {
        kid: format!("key-{number}"),
        number: 1 + number % 3,
    }
}
