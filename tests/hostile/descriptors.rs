//! File descriptors that run out.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::tokens::{good, set};
use crate::usage::say;
use crate::wire::{PUBLIC, Wire};
use std::thread;
use std::time::{Duration, Instant};

/// tiny_http stops accepting when there is no descriptor for a connection, and its thread dies
/// when there is none for the copy that it makes of it. Which of the two happens depends on
/// whether the number of free ones is odd. The Functions host starts a handler again that ends
/// with status 200.
#[test]
fn when_descriptors_run_out_it_goes_on_or_ends_with_status_200_and_says_why() {
    let issuer = Issuer::with(set(&[1]));
    let url = issuer.url();
    let run = |limit: usize| {
        let mut handler = Handler::launched(
            &url,
            &format!("ulimit -n {limit}; exec \"$0\" >/dev/null"),
            &[],
        );
        // The keys are there: no descriptor of a fetch is in the way.
        assert_eq!(handler.api(&good()).0, 200);
        thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        let mut wires: Vec<Wire> = (0..100).filter_map(|_| Wire::to(handler.address)).collect();
        wires.iter_mut().for_each(|wire| wire.send(PUBLIC));
        while start.elapsed() < Duration::from_secs(15) && handler.ended().is_none() {
            thread::sleep(Duration::from_millis(20));
        }
        let time = start.elapsed();
        drop(wires);
        thread::sleep(Duration::from_millis(500));
        let Some(status) = handler.ended() else {
            assert!(
                handler.public(Duration::from_secs(5)).is_some(),
                "limit {limit}: alive and deaf"
            );
            say(&format!(
                "no more than {limit} descriptors, 100 connections: goes on"
            ));
            return;
        };
        let words = handler.last_words();
        let why: Vec<&str> = words.lines().collect();
        say(&format!(
            "no more than {limit} descriptors, 100 connections: {status} after {time:.1?}: {}",
            why.join(" / ")
        ));
        assert_eq!(status.code(), Some(200), "limit {limit}: {words}");
        let last = why.last().unwrap_or(&"");
        assert!(
            last.contains("no longer") && last.contains("leaving with status 200"),
            "limit {limit}: {words}"
        );
    };
    thread::scope(|scope| {
        for limit in [32, 33, 64, 65] {
            scope.spawn(move || run(limit));
        }
    });
}
