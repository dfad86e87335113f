//! Soak: valid, invalid and hostile traffic together, while keys rotate and the key server fails,
//! for as long as it is told. Every answer is checked; memory, threads and descriptors are read.
//!
//! `soak --handler PATH [--seconds N]`; ends with status 1 when an answer was wrong.
#![cfg(target_os = "linux")]

mod hostile;
mod issuer;
#[path = "../support/mint.rs"]
mod mint;
mod process;
mod tally;
mod traffic;

use issuer::Issuer;
use process::Handler;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tally::Tally;

/// Time between two rotations; a forced fetch may follow each.
const ROTATE_EVERY: Duration = Duration::from_secs(150);
/// The part of each period in which the key server fails.
const OUTAGE: std::ops::Range<u64> = 90..130;

fn main() -> ExitCode {
    let option = |name: &str| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
        arguments.next()
    };
    let Some(path) = option("--handler") else {
        eprintln!("usage: soak --handler PATH [--seconds N]");
        return ExitCode::from(2);
    };
    let seconds = option("--seconds").and_then(|text| text.parse().ok()).unwrap_or(60);
    soak(&path, Duration::from_secs(seconds))
}

fn soak(path: &str, time: Duration) -> ExitCode {
    let issuer = Arc::new(Issuer::start());
    let handler = Handler::start(path, &issuer.url());
    let tally = Arc::new(Tally::default());
    let stop = Arc::new(AtomicBool::new(false));
    println!("at start: {}", handler.usage());
    let mut threads = traffic::start(handler.address, &issuer, &tally, &stop);
    threads.extend(hostile::start(handler.address, &tally, &stop));

    let start = Instant::now();
    let (mut rotations, mut minutes) = (0, 0);
    while start.elapsed() < time {
        std::thread::sleep(Duration::from_millis(200));
        let seconds = start.elapsed().as_secs();
        issuer.fail(OUTAGE.contains(&(seconds % ROTATE_EVERY.as_secs())));
        if start.elapsed() >= ROTATE_EVERY * (rotations + 1) {
            rotations += 1;
            issuer.rotate();
        }
        if seconds / 60 > minutes {
            minutes = seconds / 60;
            println!("{minutes:>3} min: {}; {}", handler.usage(), tally.line());
        }
        if !handler.is_alive() {
            println!("the handler has ended");
            return ExitCode::FAILURE;
        }
    }
    let under_load = handler.usage();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        let _ = thread.join();
    }
    // tiny_http's idle connection threads end after five seconds.
    std::thread::sleep(Duration::from_secs(8));
    println!("\nunder load: {under_load}\nat the end: {}", handler.usage());
    println!("key fetches: {}, rotations: {rotations}", issuer.fetches());
    tally.report();
    if tally.wrong() > 0 || !handler.is_alive() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
