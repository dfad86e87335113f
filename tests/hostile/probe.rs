//! A well-behaved client that asks while others misbehave, and times its answers.

use crate::handler::Handler;
use crate::tokens::{signed, v2};
use crate::usage::say;
use crate::wire::{PUBLIC, Wire, api};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What is wanted of half of the answers.
const MEDIAN: Duration = Duration::from_secs(1);

/// What is wanted of every answer: more, because a busy machine may stall a test by itself.
const WORST: Duration = Duration::from_secs(5);

/// A client at work.
pub(crate) struct Probe {
    has_to_end: Arc<AtomicBool>,
    worker: JoinHandle<Vec<Duration>>,
}

impl Probe {
    /// Starts asking: `/public` and `/api` with a good token, on one connection that stays open
    /// and on ones that do not. Every answer has to be the right one.
    pub(crate) fn start(handler: &Handler) -> Probe {
        let has_to_end = Arc::new(AtomicBool::new(false));
        let (ended, address) = (has_to_end.clone(), handler.address);
        let claims = v2();
        let (token, claims) = (signed(&claims), claims.to_string());
        let work = move || {
            let mut kept = Wire::to(address).expect("the port accepts connections");
            let mut times = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                ask_all(address, &mut kept, &token, &claims, &mut times);
                thread::sleep(Duration::from_millis(10));
            }
            times
        };
        Probe {
            has_to_end,
            worker: thread::spawn(work),
        }
    }

    /// Stops asking, tells the times, and fails when they are too long.
    pub(crate) fn end(self, what: &str) {
        self.has_to_end.store(true, Ordering::Relaxed);
        let mut times = self
            .worker
            .join()
            .unwrap_or_else(|_| panic!("{what}: a well-behaved client was wronged"));
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        say(&format!(
            "{what}: {} answers for others, median {median:.1?}, slowest {worst:.1?}",
            times.len()
        ));
        assert!(
            median <= MEDIAN,
            "{what}: others waited {median:?} in the median"
        );
        assert!(worst <= WORST, "{what}: somebody waited {worst:?}");
    }
}

fn ask_all(
    address: SocketAddr,
    kept: &mut Wire,
    token: &str,
    claims: &str,
    times: &mut Vec<Duration>,
) {
    let public = r#"{"message":"Public endpoint - open to all"}"#;
    for (request, body) in [(PUBLIC.to_vec(), public), (api(token), claims)] {
        times.push(ask(kept, &request, body, Instant::now()));
        let start = Instant::now();
        let mut fresh = Wire::to(address).expect("the port accepts connections");
        times.push(ask(&mut fresh, &request, body, start));
    }
}

/// Time from `start` to the answer, which has to be 200 with this body.
fn ask(wire: &mut Wire, request: &[u8], body: &str, start: Instant) -> Duration {
    wire.send(request);
    let answer = wire
        .answer(Duration::from_secs(30))
        .expect("an answer within half a minute");
    assert_eq!(answer, (200, body.to_owned()));
    start.elapsed()
}
