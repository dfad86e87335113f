//! Bodies that are declared and not sent, or sent a byte now and then.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, Tolerance, must_settle, say};
use crate::wire::Wire;
use std::thread;
use std::time::Duration;

/// Connections for each declared length, half of them with `Expect: 100-continue`.
const EACH: u64 = 4;

fn handler() -> (Handler, Issuer) {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    (handler, issuer)
}

fn declaring(handler: &Handler, length: &str) -> Vec<Wire> {
    let declare = |number: u64| {
        let expect = if number.is_multiple_of(2) {
            ""
        } else {
            "Expect: 100-continue\r\n"
        };
        let mut wire = handler.connect();
        let head = format!(
            "POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{expect}\r\n"
        );
        wire.send(head.as_bytes());
        wire
    };
    (0..EACH).map(declare).collect()
}

#[test]
fn bodies_that_are_declared_and_not_sent_hold_up_nobody_and_leave_nothing() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let mut wires: Vec<Wire> = Vec::new();
    for length in ["1", "1024", "1025", "100000000", "104857600"] {
        wires.extend(declaring(&handler, length));
    }
    // One more byte than 2^64 - 1 and far more read as no length at all.
    for length in ["18446744073709551616", &format!("1{}", "0".repeat(30))] {
        for mut wire in declaring(&handler, length) {
            assert_eq!(
                wire.answer(Duration::from_secs(5)).map(|answer| answer.0),
                Some(401),
                "{length}"
            );
        }
    }
    // Some of it, and then nothing more.
    wires
        .iter_mut()
        .step_by(3)
        .for_each(|wire| wire.send(&[b'x'; 700]));
    thread::sleep(Duration::from_millis(1500));
    let (dropped, finished): (Vec<_>, Vec<_>) = wires
        .into_iter()
        .enumerate()
        .partition(|(number, _)| number % 2 == 0);
    drop(dropped);
    finished.iter().for_each(|(_, wire)| wire.finish());
    thread::sleep(Duration::from_millis(500));
    drop(finished);
    probe.end("bodies declared and not sent");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "bodies declared and not sent",
    );
}

/// tiny_http allocates the rest of a body that breaks off. Below 32 MiB the allocator may keep that,
/// once for every thread.
#[test]
fn bodies_that_break_off_leave_no_memory_behind() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let head =
        b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 31457280\r\n\r\nand no more";
    for round in 0..4 {
        let mut wires: Vec<Wire> = (0..50).map(|_| handler.connect()).collect();
        wires.iter_mut().for_each(|wire| wire.send(head));
        thread::sleep(Duration::from_millis(200));
        if round % 2 == 0 {
            wires.iter().for_each(Wire::finish);
        }
    }
    probe.end("bodies that break off");
    // One such buffer at a time.
    let one = Tolerance {
        kib: NEARLY_NOTHING.kib + 30 * 1024,
        ..NEARLY_NOTHING
    };
    must_settle(&mut handler, &before, one, "bodies that break off");
    let most = handler.usage().most_kib;
    assert!(most <= before.rss_kib + 100 * 1024, "at most {most} KiB");
}

/// tiny_http would allocate what is declared, and offers no way to close a connection. So one
/// that declares more than 100 MiB is given up: its thread and its two descriptors stay until the
/// process ends, and nothing more than that.
#[test]
fn a_length_beyond_100_mib_costs_one_thread_and_two_descriptors_and_no_memory() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let lengths = [
        "104857601",
        "1099511627776",
        "4611686018427387904",
        "9223372036854775808",
        "18446744073709551615",
    ];
    for length in lengths {
        drop(declaring(&handler, length));
    }
    thread::sleep(Duration::from_millis(500));
    probe.end("lengths beyond 100 MiB");
    let given_up = EACH * lengths.len() as u64;
    let bound = Tolerance {
        threads: NEARLY_NOTHING.threads + given_up,
        descriptors: NEARLY_NOTHING.descriptors + 2 * given_up,
        ..NEARLY_NOTHING
    };
    must_settle(
        &mut handler,
        &before,
        bound,
        &format!("{given_up} lengths beyond 100 MiB"),
    );
    let stays = handler
        .usage()
        .descriptors
        .saturating_sub(before.descriptors);
    say(&format!(
        "{given_up} lengths beyond 100 MiB: {stays} descriptors stay"
    ));
}

#[test]
fn bodies_that_trickle_hold_up_nobody_and_are_answered_at_their_end() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let mut wires: Vec<Wire> = (0..60).map(|_| handler.connect()).collect();
    for wire in &mut wires {
        wire.send(b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1100\r\n\r\n");
    }
    for _ in 0..50 {
        wires.iter_mut().for_each(|wire| wire.send(&[b'x'; 2]));
        thread::sleep(Duration::from_millis(30));
    }
    for wire in &mut wires {
        wire.send(&[b'x'; 1000]);
        assert_eq!(
            wire.answer(Duration::from_secs(5)).map(|answer| answer.0),
            Some(401)
        );
    }
    drop(wires);
    probe.end("60 bodies that trickle");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "60 bodies that trickle",
    );
}
