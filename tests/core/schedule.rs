//! When keys are fetched and how long they are believed: scenes in seconds after the start, in which
//! nothing waits. An `Instant` cannot be made up, so a scene takes one and counts from it.

use crate::support::tokens::{key, set};
use entra_handler::{KeySet, Keys};
use std::time::{Duration, Instant};

const HOUR: f64 = 3_600.0;

struct Scene {
    keys: Keys,
    start: Instant,
}

impl Scene {
    /// The handler starts, with the first fetch of each source under way.
    fn of(sources: usize) -> Scene {
        let start = Instant::now();
        let keys = Keys::fetching_since(start, sources);
        Scene { keys, start }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.start + Duration::from_secs_f64(seconds)
    }

    /// Steps `SECONDS WHAT RESULT`: a request needs `any` key or an `unknown` one, the hourly fetch
    /// is `due` or not, a key is `held`, or a `fetch` brings a key or none.
    #[track_caller]
    fn play(&mut self, source: usize, steps: &str) {
        for step in steps.split(", ") {
            let [seconds, what, result] = step.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{step} is no step");
            };
            let now = self.at(seconds.parse().expect("seconds"));
            let keys = &mut self.keys;
            let said = match what {
                "any" => format!("{:?}", keys.need_any(source, now)),
                "unknown" => format!("{:?}", keys.need_unknown(source, now)),
                "due" => keys.due(now).contains(&source).to_string(),
                "held" => held(keys, source, now),
                _ => {
                    let number = result.parse().map(|number| set(&[number]));
                    let set = number.ok().and_then(|text| KeySet::parse(text).ok());
                    keys.ended(source, now, set);
                    result.to_owned()
                }
            };
            assert_eq!(said, result, "{step}");
        }
    }

    fn until_refresh(&self, seconds: f64) -> f64 {
        let wait = self.keys.until_refresh(self.at(seconds));
        wait.as_secs_f64().round()
    }
}

/// The number of the test key that is held, or none.
fn held(keys: &mut Keys, source: usize, now: Instant) -> String {
    let Some(set) = keys.usable(now).of(source) else {
        return "none".into();
    };
    let has = |number: &usize| !set.named(&key(*number).kid).is_empty();
    (1..=4).find(has).expect("a test key").to_string()
}

#[test]
fn at_start_requests_wait_for_the_first_fetch() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "0 held none, 0 any Wait, 3600 any Wait, 3600 unknown Wait",
    );
    scene.play(0, "3600 due false, 3600 fetch 1, 3600 held 1");
}

#[test]
fn keys_are_fetched_hourly_counted_from_the_last_start() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "1 fetch 1, 3599.999 due false, 3600 due true, 3600 due false",
    );
    scene.play(0, "3600 held 1, 3602 fetch 2, 3602 held 2");
    // A fetch that an unknown key causes puts the hourly one off.
    scene.play(0, "5400 unknown Fetch, 5401 fetch 2, 7200 due false");
    assert_eq!(scene.until_refresh(7200.0), HOUR / 2.0);
    assert_eq!(scene.until_refresh(9999.0), 0.0);
    scene.play(0, "9000 due true");
    assert_eq!(scene.until_refresh(9000.0), HOUR);
}

#[test]
fn the_last_good_set_is_kept_for_24_hours_and_no_failure_replaces_it() {
    let mut scene = Scene::of(1);
    scene.play(0, "1 fetch 1");
    for hour in 1..24 {
        let at = hour * 3600;
        scene.play(
            0,
            &format!("{at} due true, {at}.5 fetch none, {at}.5 held 1"),
        );
    }
    scene.play(0, "86400.999 held 1, 86401 held none, 86420 any Fetch");
    // Counted from the end of its own fetch.
    scene.play(0, "86430 fetch 2, 172829.999 held 2, 172830 held none");
}

#[test]
fn an_unknown_key_causes_one_fetch_within_60_seconds_of_its_start() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "1 fetch 1, 1.5 unknown Fetch, 2.5 unknown Wait, 5.5 fetch 1",
    );
    scene.play(
        0,
        "5.5 unknown Unknown, 61.499 unknown Unknown, 61.5 unknown Fetch",
    );
    scene.play(
        0,
        "62.5 fetch 1, 120.5 unknown Unknown, 121.5 unknown Fetch",
    );
}

#[test]
fn after_a_failed_fetch_unknown_keys_are_unavailable_for_the_rest_of_the_60_seconds() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "1 fetch 1, 100 unknown Fetch, 105 fetch none, 105 held 1",
    );
    scene.play(
        0,
        "105 unknown Unavailable(55), 105.25 unknown Unavailable(55)",
    );
    scene.play(
        0,
        "106 unknown Unavailable(54), 159.999 unknown Unavailable(1)",
    );
    scene.play(
        0,
        "160 unknown Fetch, 161 fetch none, 161 unknown Unavailable(59)",
    );
    scene.play(0, "220 unknown Fetch, 221 fetch 1, 221 unknown Unknown");
}

#[test]
fn another_fetch_heals_a_failed_one_and_does_not_undo_a_good_one() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "1 fetch 1, 100 unknown Fetch, 101 fetch none, 131 unknown Unavailable(29)",
    );
    // A fetch for want of any key, as after 24 hours, goes by its own rule.
    scene.play(
        0,
        "131 any Fetch, 131.5 unknown Wait, 132 fetch 1, 132 unknown Unknown",
    );
    scene.play(
        0,
        "137 any Fetch, 138 fetch none, 138 unknown Unknown, 160 unknown Fetch",
    );
}

#[test]
fn without_keys_a_fetch_starts_5_seconds_after_the_last_ended() {
    let mut scene = Scene::of(1);
    scene.play(
        0,
        "1 fetch none, 1 any Unavailable(5), 1.5 any Unavailable(5), 2 any Unavailable(4)",
    );
    scene.play(
        0,
        "5.999 any Unavailable(1), 6 any Fetch, 7 any Wait, 11 fetch none",
    );
    scene.play(
        0,
        "11 any Unavailable(5), 16 any Fetch, 17 fetch 1, 17 held 1, 17 unknown Fetch",
    );
}

#[test]
fn each_source_has_its_own_keys_and_its_own_schedule() {
    let mut scene = Scene::of(2);
    scene.play(0, "1 fetch 1, 1 held 1");
    scene.play(1, "1 any Wait, 2 fetch none, 2 held none");
    scene.play(0, "2 unknown Fetch");
    scene.play(1, "2 any Unavailable(5), 7 any Fetch, 8 fetch 2");
    scene.play(0, "9 fetch none, 9 unknown Unavailable(53), 9 held 1");
    scene.play(1, "9 unknown Fetch, 9 fetch 2, 9 held 2, 3602 due false");
    assert_eq!(
        scene.until_refresh(3602.0),
        7.0,
        "the first one is under way"
    );
    scene.play(1, "3609 due true");
    assert_eq!(scene.until_refresh(3609.0), HOUR, "both are under way");
    scene.play(
        2,
        "3609 any Unknown, 3609 unknown Unknown, 3609 held none, 3609 fetch 1",
    );
}
