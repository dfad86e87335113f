//! Connections that are reset in the middle, and bytes that mean nothing.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set, signed, v2, with};
use crate::usage::{NEARLY_NOTHING, must_settle, say};
use crate::wire::{PUBLIC, Wire, api};
use std::thread;
use std::time::Duration;

/// Numbers that look random and are the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

fn handler() -> (Handler, Issuer) {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    (handler, issuer)
}

#[test]
fn connections_that_are_reset_hold_up_nobody_and_leave_nothing() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let reset = |bytes: &[u8]| {
        let mut wire = handler.connect();
        // The answer to the first request stays unread, which is what makes it a reset.
        wire.send(&[PUBLIC, bytes].concat());
        wire.reset(Duration::from_secs(5));
    };
    let body = |length: usize| {
        format!("POST /api HTTP/1.1\r\nContent-Length: {length}\r\n\r\nhello").into_bytes()
    };
    let chunked = b"POST /api HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello";
    for _ in 0..25 {
        reset(b"");
        reset(b"GET /api HT");
        reset(b"GET /api HTTP/1.1\r\nAuthorization: Bea");
        reset(&body(1000));
        reset(&body(5000));
        reset(&body(100_000_000));
        reset(chunked);
        reset(&PUBLIC.repeat(50));
        reset(&api(&good()).repeat(5));
    }
    thread::sleep(Duration::from_millis(300));
    probe.end("225 resets");
    must_settle(&mut handler, &before, NEARLY_NOTHING, "225 resets");
}

/// The token's signature is of other claims, so nothing made from it may ever be accepted.
#[test]
fn random_bytes_hold_up_nobody_and_are_never_accepted() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let seed = 0x5EED_1234_ABCD_0001;
    say(&format!("random bytes: seed {seed:#x}"));
    let mut numbers = Numbers(seed);
    let probe = Probe::start(&handler);
    let (mine, others) = (
        signed(&with(v2(), "sub", "mine")),
        signed(&with(v2(), "sub", "another")),
    );
    let stem = |token: &str| {
        token
            .rsplit_once('.')
            .map(|(stem, _)| stem.to_owned())
            .unwrap_or_default()
    };
    let forged = format!(
        "{}.{}",
        stem(&mine),
        others.rsplit('.').next().unwrap_or_default()
    );
    let mut wires: Vec<Wire> = Vec::new();
    for round in 0..300 {
        let mut bytes = match round % 3 {
            0 => (0..numbers.below(3000)).map(|_| numbers.below(256) as u8).collect(),
            1 => [api(&forged), PUBLIC.to_vec()].concat(),
            _ => format!("POST /api HTTP/1.1\r\nAuthorization: Bearer {forged}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                .into_bytes(),
        };
        for _ in 0..numbers.below(6) * usize::from(round % 3 > 0) {
            let place = numbers.below(bytes.len());
            bytes[place] = numbers.below(256) as u8;
        }
        let mut wire = handler.connect();
        wire.send(&bytes);
        wires.push(wire);
        if wires.len() == 30 {
            thread::sleep(Duration::from_millis(50));
            for mut wire in wires.drain(..) {
                let said =
                    String::from_utf8_lossy(&wire.rest(Duration::from_millis(2))).into_owned();
                assert!(
                    !said.contains("\"sub\""),
                    "claims of a forged token were answered: {said}"
                );
            }
        }
    }
    probe.end("300 connections of random bytes");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "300 connections of random bytes",
    );
}
