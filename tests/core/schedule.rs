//! When keys are fetched and how long they are believed. An `Instant` cannot be made up, so the
//! tests take one and count from it; nothing here waits.

use crate::support::tokens::{key, set};
use entra_handler::{KeySet, Keys, Need};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const TICK: Duration = Duration::from_nanos(1);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn keys(number: usize) -> Option<KeySet> {
    KeySet::parse(set(&[number])).ok()
}

/// The keys of one source whose first fetch took a second, and the time of the start.
fn started(set: Option<KeySet>) -> (Keys, Instant) {
    let start = Instant::now();
    let mut keys = Keys::fetching_since(start, 1);
    keys.ended(0, start + seconds(1.0), set);
    (keys, start)
}

fn has_key(keys: &mut Keys, number: usize, now: Instant) -> bool {
    let set = keys.usable(now).of(0);
    set.is_some_and(|set| !set.named(&key(number).kid).is_empty())
}

fn is_due(keys: &mut Keys, now: Instant) -> bool {
    keys.due(now) == [0]
}

#[test]
fn at_start_requests_wait_for_the_first_fetch() {
    let start = Instant::now();
    let mut all = Keys::fetching_since(start, 1);
    assert!(all.usable(start).of(0).is_none());
    assert_eq!(all.need_any(0, start), Need::Wait);
    assert_eq!(all.need_any(0, start + HOUR), Need::Wait);
    assert!(!is_due(&mut all, start + HOUR), "one fetch at a time");
    all.ended(0, start + seconds(1.0), keys(1));
    assert!(has_key(&mut all, 1, start + seconds(1.0)));
}

#[test]
fn keys_are_fetched_hourly_counted_from_the_last_start() {
    let (mut all, start) = started(keys(1));
    assert_eq!(all.until_refresh(start + seconds(1.0)), HOUR - seconds(1.0));
    assert!(!is_due(&mut all, start + HOUR - TICK));
    assert!(is_due(&mut all, start + HOUR));
    assert!(!is_due(&mut all, start + HOUR), "started once");
    assert_eq!(all.until_refresh(start + HOUR), HOUR);
    assert!(
        has_key(&mut all, 1, start + HOUR),
        "the old set serves meanwhile"
    );
    let end = start + HOUR + seconds(2.0);
    all.ended(0, end, keys(2));
    assert!(has_key(&mut all, 2, end) && !has_key(&mut all, 1, end));
    assert_eq!(all.until_refresh(start + HOUR * 3), Duration::ZERO);
}

#[test]
fn a_fetch_that_an_unknown_key_caused_puts_the_hourly_one_off() {
    let (mut all, start) = started(keys(1));
    assert_eq!(all.need_unknown(0, start + HOUR / 2), Need::Fetch);
    all.ended(0, start + HOUR / 2 + seconds(1.0), keys(1));
    assert!(!is_due(&mut all, start + HOUR));
    assert_eq!(all.until_refresh(start + HOUR), HOUR / 2);
    assert!(is_due(&mut all, start + HOUR / 2 + HOUR));
}

#[test]
fn the_last_good_set_is_kept_for_24_hours_and_no_failure_replaces_it() {
    let (mut all, start) = started(keys(1));
    let fetched = start + seconds(1.0);
    for hour in 1..24 {
        let now = start + HOUR * hour;
        assert!(is_due(&mut all, now));
        all.ended(0, now + seconds(5.0), None);
        assert!(
            has_key(&mut all, 1, now + seconds(5.0)),
            "after {hour} failures"
        );
    }
    assert!(has_key(&mut all, 1, fetched + DAY - TICK));
    assert!(!has_key(&mut all, 1, fetched + DAY));
    let late = fetched + DAY + seconds(10.0);
    assert_eq!(all.need_any(0, late), Need::Fetch);
    all.ended(0, late, keys(2));
    assert!(
        has_key(&mut all, 2, late + DAY - TICK),
        "counted from the end of its own fetch"
    );
    assert!(!has_key(&mut all, 2, late + DAY));
}

#[test]
fn an_unknown_key_causes_one_fetch_within_60_seconds_of_its_start() {
    let (mut all, start) = started(keys(1));
    let asked = start + seconds(1.5);
    assert_eq!(
        all.need_unknown(0, asked),
        Need::Fetch,
        "the first need not wait"
    );
    assert_eq!(
        all.need_unknown(0, asked + seconds(1.0)),
        Need::Wait,
        "the same fetch serves all"
    );
    all.ended(0, asked + seconds(4.0), keys(1));
    assert_eq!(all.need_unknown(0, asked + seconds(4.0)), Need::Unknown);
    assert_eq!(
        all.need_unknown(0, asked + seconds(60.0) - TICK),
        Need::Unknown
    );
    assert_eq!(
        all.need_unknown(0, asked + seconds(60.0)),
        Need::Fetch,
        "counted from its start"
    );
    all.ended(0, asked + seconds(61.0), keys(1));
    assert_eq!(all.need_unknown(0, asked + seconds(119.0)), Need::Unknown);
    assert_eq!(all.need_unknown(0, asked + seconds(120.0)), Need::Fetch);
}

#[test]
fn after_a_failed_fetch_unknown_keys_are_unavailable_for_the_rest_of_the_60_seconds() {
    let (mut all, start) = started(keys(1));
    let asked = start + seconds(100.0);
    let need = |all: &mut Keys, after: f64| all.need_unknown(0, asked + seconds(after));
    assert_eq!(need(&mut all, 0.0), Need::Fetch);
    all.ended(0, asked + seconds(5.0), None);
    assert_eq!(need(&mut all, 5.0), Need::Unavailable(55));
    assert_eq!(need(&mut all, 5.25), Need::Unavailable(55), "rounded up");
    assert_eq!(need(&mut all, 6.0), Need::Unavailable(54));
    assert_eq!(
        all.need_unknown(0, asked + seconds(60.0) - TICK),
        Need::Unavailable(1)
    );
    assert!(
        has_key(&mut all, 1, asked + seconds(5.0)),
        "known keys are still known"
    );
    assert_eq!(need(&mut all, 60.0), Need::Fetch);
    all.ended(0, asked + seconds(61.0), None);
    assert_eq!(
        need(&mut all, 61.0),
        Need::Unavailable(59),
        "failures count too"
    );
    assert_eq!(need(&mut all, 120.0), Need::Fetch);
    all.ended(0, asked + seconds(121.0), keys(1));
    assert_eq!(
        need(&mut all, 121.0),
        Need::Unknown,
        "the answer came at last"
    );
}

#[test]
fn another_fetch_heals_a_failed_one_and_does_not_undo_a_good_one() {
    let (mut all, start) = started(keys(1));
    let asked = start + HOUR - seconds(30.0);
    let at = |after: f64| asked + seconds(after);
    assert_eq!(all.need_unknown(0, at(0.0)), Need::Fetch);
    all.ended(0, at(1.0), None);
    assert_eq!(all.need_unknown(0, at(31.0)), Need::Unavailable(29));
    // A fetch for want of any key, as after 24 hours, goes by its own rule.
    assert_eq!(all.need_any(0, at(31.0)), Need::Fetch);
    assert_eq!(all.need_unknown(0, at(31.5)), Need::Wait);
    all.ended(0, at(32.0), keys(1));
    assert_eq!(all.need_unknown(0, at(32.0)), Need::Unknown);
    assert_eq!(all.need_any(0, at(37.0)), Need::Fetch);
    all.ended(0, at(38.0), None);
    assert_eq!(
        all.need_unknown(0, at(38.0)),
        Need::Unknown,
        "the set of a moment ago still decides"
    );
    assert_eq!(all.need_unknown(0, at(60.0)), Need::Fetch);
}

#[test]
fn without_keys_a_fetch_starts_5_seconds_after_the_last_ended() {
    let (mut all, start) = started(None);
    let ended = start + seconds(1.0);
    let need = |all: &mut Keys, after: f64| all.need_any(0, ended + seconds(after));
    assert_eq!(need(&mut all, 0.0), Need::Unavailable(5));
    assert_eq!(need(&mut all, 0.5), Need::Unavailable(5), "rounded up");
    assert_eq!(need(&mut all, 1.0), Need::Unavailable(4));
    assert_eq!(
        all.need_any(0, ended + seconds(5.0) - TICK),
        Need::Unavailable(1)
    );
    assert_eq!(need(&mut all, 5.0), Need::Fetch);
    assert_eq!(need(&mut all, 6.0), Need::Wait);
    all.ended(0, ended + seconds(10.0), None);
    assert_eq!(
        need(&mut all, 10.0),
        Need::Unavailable(5),
        "counted from the end"
    );
    assert_eq!(need(&mut all, 15.0), Need::Fetch);
    all.ended(0, ended + seconds(16.0), keys(1));
    assert!(has_key(&mut all, 1, ended + seconds(16.0)));
    assert_eq!(
        all.need_unknown(0, ended + seconds(16.0)),
        Need::Fetch,
        "an unknown key has its own"
    );
}

#[test]
fn each_source_has_its_own_keys_and_its_own_schedule() {
    let start = Instant::now();
    let mut all = Keys::fetching_since(start, 2);
    all.ended(0, start + seconds(1.0), keys(1));
    assert_eq!(
        all.need_any(1, start + seconds(1.0)),
        Need::Wait,
        "the second still fetches"
    );
    all.ended(1, start + seconds(2.0), None);
    let now = start + seconds(2.0);
    assert!(all.usable(now).of(0).is_some() && all.usable(now).of(1).is_none());
    assert_eq!(all.need_any(1, now), Need::Unavailable(5));
    assert_eq!(all.need_unknown(0, now), Need::Fetch);
    assert_eq!(
        all.need_any(1, start + seconds(7.0)),
        Need::Fetch,
        "not held up by the first"
    );
    all.ended(1, start + seconds(8.0), keys(2));
    all.ended(0, start + seconds(9.0), None);
    let now = start + seconds(9.0);
    assert_eq!(all.need_unknown(0, now), Need::Unavailable(53));
    assert_eq!(
        all.need_unknown(1, now),
        Need::Fetch,
        "the failure of the first is not the second's"
    );
    let first = all
        .usable(now)
        .of(0)
        .is_some_and(|set| !set.named(&key(1).kid).is_empty());
    let second = all
        .usable(now)
        .of(1)
        .is_some_and(|set| !set.named(&key(2).kid).is_empty());
    assert!(first && second);
    all.ended(1, now, keys(2));
    assert_eq!(
        all.due(start + HOUR + seconds(2.0)),
        [0],
        "counted from each one's own last start"
    );
    assert_eq!(all.due(now + HOUR), [1]);
    assert_eq!(all.until_refresh(now + HOUR), HOUR, "both are under way");
    assert_eq!(all.need_any(2, now), Need::Unknown, "there is no third");
    assert!(all.usable(now).of(2).is_none());
}
