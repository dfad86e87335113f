//! A well-behaved client that asks while others misbehave, and times its responses.

use super::handler::Handler;
use super::http::{Connection, PUBLIC, api_request};
use super::process::{GUARD, say, wait_until};
use super::tokens::{signed, v2};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bounds far above what a fair handler needs: being kept waiting for somebody else takes longer.
const MEDIAN: Duration = Duration::from_secs(1);
const WORST: Duration = Duration::from_secs(5);

const PUBLIC_BODY: &str = r#"{"message":"Public endpoint - open to all"}"#;

/// A client at work.
pub struct Probe {
    has_to_end: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    worker: JoinHandle<Vec<Duration>>,
}

impl Probe {
    /// Starts asking: `/public` and `/api` with a good token, on one connection that stays open and
    /// on ones that do not. Every response has to be the right one.
    pub fn start(handler: &Handler) -> Probe {
        let (has_to_end, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (ended, count, address) = (has_to_end.clone(), rounds.clone(), handler.address);
        let (token, claims) = (signed(&v2()), v2().to_string());
        let work = move || {
            let calls = [
                (PUBLIC.to_owned(), PUBLIC_BODY),
                (api_request(&token), &claims),
            ];
            let mut kept = connect(address);
            let mut times = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                for (request, body) in &calls {
                    times.push(ask(&mut kept, request, body, Instant::now()));
                    let start = Instant::now();
                    times.push(ask(&mut connect(address), request, body, start));
                }
                count.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
            times
        };
        Probe {
            has_to_end,
            rounds,
            worker: thread::spawn(work),
        }
    }

    /// Waits until it has asked everything so many more times, or has failed.
    #[track_caller]
    pub fn wait_for_rounds(&self, count: usize) {
        let end = self.rounds.load(Ordering::Relaxed) + count;
        wait_until("others got their responses", || {
            self.rounds.load(Ordering::Relaxed) >= end || self.worker.is_finished()
        });
    }

    /// Stops asking, says the times, and fails when others were kept waiting.
    #[track_caller]
    pub fn end(self, what: &str) {
        self.has_to_end.store(true, Ordering::Relaxed);
        let times = self.worker.join();
        let mut times =
            times.unwrap_or_else(|_| panic!("{what}: a well-behaved client was wronged"));
        times.sort_unstable();
        let (count, median, worst) = (times.len(), times[times.len() / 2], times[times.len() - 1]);
        say(&format!(
            "{what}: {count} responses to others, median {median:.1?}, slowest {worst:.1?}"
        ));
        assert!(
            median <= MEDIAN,
            "{what}: others waited {median:?} in the median"
        );
        assert!(worst <= WORST, "{what}: somebody waited {worst:?}");
    }
}

fn connect(address: SocketAddr) -> Connection {
    Connection::to(address).expect("the port accepts connections")
}

/// Time from `start` to the response, which has to be 200 with this body.
fn ask(connection: &mut Connection, request: &str, body: &str, start: Instant) -> Duration {
    connection.try_send(request);
    let response = connection
        .response_within(GUARD)
        .expect("a response in time");
    assert_eq!((response.status, response.body.as_str()), (200, body));
    start.elapsed()
}
