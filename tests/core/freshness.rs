//! When keys are fetched and how long they are believed. An `Instant` cannot be made up, so the
//! tests take one and count from it; nothing here waits.

use crate::bench::{key, key_set};
use entra_handler::jwks::KeySet;
use entra_handler::keys::{Keys, Need};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const TICK: Duration = Duration::from_nanos(1);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn set(number: usize) -> Option<KeySet> {
    Some(key_set(&[key(number).jwk(None)]))
}

/// Keys that were fetched at start, which took a second, and the time of the start.
fn fetched() -> (Keys, Instant) {
    let start = Instant::now();
    let mut keys = Keys::fetching_since(start);
    keys.ended(start + seconds(1.0), set(1));
    (keys, start)
}

/// Keys whose first fetch failed after a second, and the time of the start.
fn failed() -> (Keys, Instant) {
    let start = Instant::now();
    let mut keys = Keys::fetching_since(start);
    keys.ended(start + seconds(1.0), None);
    (keys, start)
}

fn has_key(keys: &mut Keys, number: usize, now: Instant) -> bool {
    keys.usable(now).0.is_some_and(|set| !set.named(&key(number).kid).is_empty())
}

#[test]
fn at_start_requests_wait_for_the_first_fetch() {
    let start = Instant::now();
    let mut keys = Keys::fetching_since(start);
    assert!(keys.is_fetching());
    assert!(keys.usable(start).0.is_none());
    assert_eq!(keys.need_any(start), Need::Wait);
    assert_eq!(keys.need_any(start + HOUR), Need::Wait);
    assert!(!keys.refresh_is_due(start + HOUR), "one fetch at a time");
    keys.ended(start + seconds(1.0), set(1));
    assert!(!keys.is_fetching());
    assert!(has_key(&mut keys, 1, start + seconds(1.0)));
}

#[test]
fn keys_are_fetched_hourly_counted_from_the_last_start() {
    let (mut keys, start) = fetched();
    assert_eq!(keys.until_refresh(start + seconds(1.0)), HOUR - seconds(1.0));
    assert!(!keys.refresh_is_due(start + HOUR - TICK));
    assert!(!keys.is_fetching());
    assert!(keys.refresh_is_due(start + HOUR));
    assert!(keys.is_fetching());
    assert!(!keys.refresh_is_due(start + HOUR), "started once");
    assert_eq!(keys.until_refresh(start + HOUR), HOUR);
    assert!(has_key(&mut keys, 1, start + HOUR), "the old set serves meanwhile");
    keys.ended(start + HOUR + seconds(2.0), set(2));
    assert!(has_key(&mut keys, 2, start + HOUR + seconds(2.0)) && !has_key(&mut keys, 1, start + HOUR + seconds(2.0)));
    assert_eq!(keys.until_refresh(start + HOUR + HOUR + HOUR), Duration::ZERO);
}

#[test]
fn a_fetch_that_an_unknown_key_caused_puts_the_hourly_one_off() {
    let (mut keys, start) = fetched();
    assert_eq!(keys.need_unknown(start + seconds(1_800.0)), Need::Fetch);
    keys.ended(start + seconds(1_801.0), set(1));
    assert!(!keys.refresh_is_due(start + HOUR));
    assert_eq!(keys.until_refresh(start + HOUR), seconds(1_800.0));
    assert!(keys.refresh_is_due(start + seconds(1_800.0) + HOUR));
}

#[test]
fn the_last_good_set_is_kept_for_24_hours_and_no_failure_replaces_it() {
    let (mut keys, start) = fetched();
    let fetched = start + seconds(1.0);
    for hour in 1..24 {
        let now = start + HOUR * hour;
        assert!(keys.refresh_is_due(now));
        keys.ended(now + seconds(5.0), None);
        assert!(has_key(&mut keys, 1, now + seconds(5.0)), "after {hour} failures");
    }
    assert!(has_key(&mut keys, 1, fetched + DAY - TICK));
    assert!(keys.usable(fetched + DAY).0.is_none());
    let late = fetched + DAY + seconds(10.0);
    assert_eq!(keys.need_any(late), Need::Fetch);
    keys.ended(late, set(2));
    assert!(has_key(&mut keys, 2, late + DAY - TICK));
}

#[test]
fn the_age_of_a_set_counts_from_the_end_of_its_own_fetch() {
    let (mut keys, start) = fetched();
    let second = start + HOUR * 10;
    assert!(keys.refresh_is_due(second));
    keys.ended(second + seconds(3.0), set(1));
    assert!(has_key(&mut keys, 1, second + seconds(3.0) + DAY - TICK));
    assert!(keys.usable(second + seconds(3.0) + DAY + TICK).0.is_none());
}

#[test]
fn an_unknown_key_causes_one_fetch_within_60_seconds_of_its_start() {
    let (mut keys, start) = fetched();
    let asked = start + seconds(100.0);
    assert_eq!(keys.need_unknown(asked), Need::Fetch);
    assert!(keys.is_fetching());
    assert_eq!(keys.need_unknown(asked + seconds(1.0)), Need::Wait, "the same fetch serves all");
    keys.ended(asked + seconds(4.0), set(1));
    assert_eq!(keys.need_unknown(asked + seconds(4.0)), Need::Unknown);
    assert_eq!(keys.need_unknown(asked + seconds(60.0) - TICK), Need::Unknown);
    assert_eq!(keys.need_unknown(asked + seconds(60.0)), Need::Fetch, "counted from the start of the last");
    keys.ended(asked + seconds(61.0), set(1));
    assert_eq!(keys.need_unknown(asked + seconds(119.0)), Need::Unknown);
    assert_eq!(keys.need_unknown(asked + seconds(120.0)), Need::Fetch);
}

#[test]
fn the_first_unknown_key_need_not_wait_for_60_seconds_after_another_fetch() {
    let (mut keys, start) = fetched();
    assert_eq!(keys.need_unknown(start + seconds(1.5)), Need::Fetch);
}

#[test]
fn after_a_failed_fetch_unknown_keys_are_unavailable_for_the_rest_of_the_60_seconds() {
    let (mut keys, start) = fetched();
    let asked = start + seconds(100.0);
    assert_eq!(keys.need_unknown(asked), Need::Fetch);
    keys.ended(asked + seconds(5.0), None);
    assert_eq!(keys.need_unknown(asked + seconds(5.0)), Need::Unavailable(55));
    assert_eq!(keys.need_unknown(asked + seconds(5.25)), Need::Unavailable(55), "rounded up");
    assert_eq!(keys.need_unknown(asked + seconds(6.0)), Need::Unavailable(54));
    assert_eq!(keys.need_unknown(asked + seconds(60.0) - TICK), Need::Unavailable(1));
    assert!(has_key(&mut keys, 1, asked + seconds(5.0)), "known keys are still known");
    assert_eq!(keys.need_unknown(asked + seconds(60.0)), Need::Fetch);
    keys.ended(asked + seconds(61.0), None);
    assert_eq!(keys.need_unknown(asked + seconds(61.0)), Need::Unavailable(59), "failures count too");
    assert_eq!(keys.need_unknown(asked + seconds(120.0)), Need::Fetch);
    keys.ended(asked + seconds(121.0), set(1));
    assert_eq!(keys.need_unknown(asked + seconds(121.0)), Need::Unknown, "the answer came at last");
}

#[test]
fn the_hourly_fetch_heals_a_failed_one_and_does_not_undo_a_good_one() {
    let (mut keys, start) = fetched();
    let asked = start + HOUR - seconds(30.0);
    assert_eq!(keys.need_unknown(asked), Need::Fetch);
    keys.ended(asked + seconds(1.0), None);
    assert_eq!(keys.need_unknown(asked + seconds(31.0)), Need::Unavailable(29));
    // A fetch for want of any key, as after 24 hours, goes by its own rule.
    assert_eq!(keys.need_any(asked + seconds(31.0)), Need::Fetch);
    assert_eq!(keys.need_unknown(asked + seconds(31.5)), Need::Wait);
    keys.ended(asked + seconds(32.0), set(1));
    assert_eq!(keys.need_unknown(asked + seconds(32.0)), Need::Unknown);
    assert_eq!(keys.need_any(asked + seconds(37.0)), Need::Fetch);
    keys.ended(asked + seconds(38.0), None);
    assert_eq!(keys.need_unknown(asked + seconds(38.0)), Need::Unknown, "the set of a moment ago still answers");
    assert_eq!(keys.need_unknown(asked + seconds(60.0)), Need::Fetch);
}

#[test]
fn without_keys_a_fetch_starts_5_seconds_after_the_last_ended() {
    let (mut keys, start) = failed();
    let ended = start + seconds(1.0);
    assert!(keys.usable(ended).0.is_none());
    assert_eq!(keys.need_any(ended), Need::Unavailable(5));
    assert_eq!(keys.need_any(ended + seconds(0.5)), Need::Unavailable(5), "rounded up");
    assert_eq!(keys.need_any(ended + seconds(1.0)), Need::Unavailable(4));
    assert_eq!(keys.need_any(ended + seconds(5.0) - TICK), Need::Unavailable(1));
    assert!(!keys.is_fetching());
    assert_eq!(keys.need_any(ended + seconds(5.0)), Need::Fetch);
    assert_eq!(keys.need_any(ended + seconds(6.0)), Need::Wait);
    keys.ended(ended + seconds(10.0), None);
    assert_eq!(keys.need_any(ended + seconds(10.0)), Need::Unavailable(5), "counted from the end");
    assert_eq!(keys.need_any(ended + seconds(15.0)), Need::Fetch);
    keys.ended(ended + seconds(16.0), set(1));
    assert!(has_key(&mut keys, 1, ended + seconds(16.0)));
}

#[test]
fn an_outage_at_start_leaves_the_first_unknown_key_its_own_fetch() {
    let (mut keys, start) = failed();
    assert_eq!(keys.need_any(start + seconds(6.0)), Need::Fetch);
    keys.ended(start + seconds(7.0), set(1));
    assert_eq!(keys.need_unknown(start + seconds(7.0)), Need::Fetch);
    keys.ended(start + seconds(8.0), None);
    assert_eq!(keys.need_unknown(start + seconds(8.0)), Need::Unavailable(59));
}

/// Whether key 1 is remembered to have verified some token.
fn remembers(keys: &mut Keys, now: Instant) -> bool {
    let (set, memory) = keys.usable(now);
    assert!(set.is_some());
    memory.holds(&[0; 32], key_set(&[key(1).jwk(None)]).named(&key(1).kid)[0].public_key().unwrap().digest())
}

#[test]
fn a_key_that_leaves_the_set_or_changes_takes_at_once_what_is_remembered_of_it() {
    let mut changed = key(2).jwk(None);
    changed["kid"] = key(1).kid.as_str().into();
    for next in [key(2).jwk(None), changed] {
        let (mut keys, start) = fetched();
        let digest = *keys.usable(start).0.unwrap().named(&key(1).kid)[0].public_key().unwrap().digest();
        keys.usable(start).1.remember([0; 32], digest);
        let mut fetch = |hours, set| {
            assert!(keys.refresh_is_due(start + HOUR * hours));
            keys.ended(start + HOUR * hours, set);
            remembers(&mut keys, start + HOUR * hours)
        };
        assert!(fetch(1, None), "a fetch that fails changes nothing");
        assert!(fetch(2, set(1)), "nor does the same set");
        assert!(!fetch(3, Some(key_set(&[next]))));
        assert!(!fetch(4, set(1)), "nor does it come back with its key");
    }
}
