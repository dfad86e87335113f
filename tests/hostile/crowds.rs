//! Many connections at once: silent ones, half-spoken ones, and ones that all want an answer.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, must_settle, say};
use crate::wire::{PUBLIC, Wire, api};
use std::thread;
use std::time::{Duration, Instant};

fn handler() -> (Handler, Issuer) {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    (handler, issuer)
}

/// How many files a process may open here.
fn descriptor_limit() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap_or_default();
    line.split_ascii_whitespace()
        .next()
        .and_then(|soft| soft.parse().ok())
        .unwrap_or(u64::MAX)
}

fn crowd_of(size: usize, first_words: &[u8], what: &str) {
    if descriptor_limit() < 4 * size as u64 {
        say(&format!(
            "{what}: skipped, no more than {} files may be open here",
            descriptor_limit()
        ));
        return;
    }
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let mut crowd: Vec<Wire> = (0..size).map(|_| handler.connect()).collect();
    crowd.iter_mut().for_each(|wire| wire.send(first_words));
    thread::sleep(Duration::from_millis(1500));
    let full = handler.usage();
    probe.end(&format!("{what}, {full} meanwhile"));
    // All are still served: the rest of the line makes it a request.
    let rest: &[u8] = if first_words.is_empty() {
        PUBLIC
    } else {
        b"blic HTTP/1.1\r\n\r\n"
    };
    for wire in &mut crowd {
        wire.send(rest);
    }
    for wire in &mut crowd {
        assert_eq!(
            wire.answer(Duration::from_secs(10)).map(|answer| answer.0),
            Some(200),
            "{what}"
        );
    }
    drop(crowd);
    must_settle(&mut handler, &before, NEARLY_NOTHING, what);
}

#[test]
fn five_hundred_idle_connections_hold_up_nobody_and_can_still_ask() {
    crowd_of(500, b"", "500 idle connections");
}

#[test]
fn four_hundred_half_request_lines_hold_up_nobody_and_can_still_be_finished() {
    crowd_of(400, b"GET /pu", "400 half request lines");
}

/// tiny_http's pool alone leaves some of them waiting for ever.
#[test]
fn connections_that_come_at_the_same_instant_and_stay_open_are_all_answered() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let token = api(&good());
    for size in [20, 100, 20, 100, 20] {
        let start = Instant::now();
        let mut burst: Vec<Wire> = (0..size).map(|_| handler.connect()).collect();
        for (number, wire) in burst.iter_mut().enumerate() {
            wire.send(if number % 2 == 0 { &token } else { PUBLIC });
        }
        for (number, wire) in burst.iter_mut().enumerate() {
            let answer = wire.answer(Duration::from_secs(20)).map(|answer| answer.0);
            assert_eq!(
                answer,
                Some(200),
                "{number} of {size}, {:?} after the start",
                start.elapsed()
            );
        }
        say(&format!(
            "a burst of {size}: the last answer after {:.1?}",
            start.elapsed()
        ));
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "a burst of {size} took {:?}",
            start.elapsed()
        );
    }
    must_settle(&mut handler, &before, NEARLY_NOTHING, "bursts");
}

#[test]
fn heads_that_trickle_hold_up_nobody_and_are_answered_at_their_end() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let mut wires: Vec<Wire> = (0..100).map(|_| handler.connect()).collect();
    for byte in PUBLIC {
        wires.iter_mut().for_each(|wire| wire.send(&[*byte]));
        thread::sleep(Duration::from_millis(25));
    }
    for wire in &mut wires {
        assert_eq!(
            wire.answer(Duration::from_secs(5)).map(|answer| answer.0),
            Some(200)
        );
    }
    drop(wires);
    probe.end("100 heads that trickle");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "100 heads that trickle",
    );
}
