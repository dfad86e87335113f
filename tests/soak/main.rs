//! The soak: valid, invalid and hostile traffic against one handler for minutes or hours, while
//! keys rotate and the key server fails. Every answer is checked against what is allowed at that
//! moment. Exit status 0 when nothing was wrong, 1 otherwise.
//!
//! `cargo run --release --example soak -- --minutes 30 --handler PATH`

mod caller;
mod history;
mod ledger;
mod numbers;
mod options;
mod passes;
mod process;
mod publisher;
mod report;
mod schedule;
mod vandal;
mod wire;

#[path = "../support/mint.rs"]
mod mint;

use crate::ledger::Ledger;
use crate::options::Options;
use crate::passes::Passes;
use crate::process::Handler;
use crate::publisher::Publisher;
use crate::report::Report;
use crate::vandal::Damage;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Well-behaved clients, and ones that are not.
const CALLERS: u64 = 4;
const VANDALS: u64 = 2;

/// Time in which a handler at rest has given everything back: tiny_http's idle threads need five
/// seconds to end.
const REST: Duration = Duration::from_secs(15);

/// What all threads of a run share.
pub(crate) struct Run {
    pub(crate) publisher: Publisher,
    pub(crate) passes: Passes,
    pub(crate) ledger: Ledger,
    pub(crate) damage: Damage,
    pub(crate) has_to_end: AtomicBool,
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| soak(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("soak: {problem}");
            ExitCode::from(2)
        }
    }
}

/// True when nothing was wrong.
fn soak(options: &Options) -> Result<bool, String> {
    let run = Run {
        publisher: Publisher::start().map_err(|error| format!("no key server: {error}"))?,
        passes: Passes::default(),
        ledger: Ledger::default(),
        damage: Damage::default(),
        has_to_end: AtomicBool::new(false),
    };
    schedule::begin(&run);
    let mut handler = Handler::start(&options.handler, &run.publisher.url())?;
    let address = handler.address;
    println!(
        "soak: {} for {:?}, seed {}, pid {}",
        options.handler.display(),
        options.time,
        options.seed,
        handler.pid()
    );
    let report = thread::scope(|scope| {
        let run = &run;
        for number in 0..CALLERS {
            scope.spawn(move || caller::work(run, address, options.seed + number));
        }
        for number in 0..VANDALS {
            scope.spawn(move || vandal::work(run, address, options.seed + CALLERS + number));
        }
        scope.spawn(move || schedule::work(run));
        let report = watch(run, &mut handler, options);
        run.has_to_end.store(true, Ordering::Relaxed);
        report
    });
    settle(&run, &mut handler, &report);
    Ok(report.end(&run, &mut handler))
}

/// Prints a line every minute, or more often in a short run, until the time is over.
fn watch(run: &Run, handler: &mut Handler, options: &Options) -> Report {
    let start = Instant::now();
    let every = (options.time / 6).min(Duration::from_secs(60));
    let mut report = Report::start(handler.usage());
    let mut next = every;
    while start.elapsed() < options.time && handler.is_alive() {
        thread::sleep(Duration::from_millis(100));
        if start.elapsed() >= next.min(options.time) {
            report.line(run, handler, start.elapsed());
            next += every;
        }
    }
    report
}

/// Waits until the handler has given back what it needed.
fn settle(run: &Run, handler: &mut Handler, report: &Report) {
    let start = Instant::now();
    while start.elapsed() < REST
        && handler.is_alive()
        && !report.excess(run, &handler.usage()).is_empty()
    {
        thread::sleep(Duration::from_millis(200));
    }
}

impl Run {
    /// Whether everybody has to stop.
    pub(crate) fn is_over(&self) -> bool {
        self.has_to_end.load(Ordering::Relaxed)
    }

    /// Sleeps, but not beyond the end.
    pub(crate) fn sleep(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_over() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}
