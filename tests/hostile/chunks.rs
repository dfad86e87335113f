//! Chunked bodies that are wrong, or that never end.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, must_settle};
use crate::wire::{PUBLIC, Wire};
use std::thread;
use std::time::Duration;

const HEAD: &[u8] = b"POST /api HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Bodies that are right, if odd: the request is answered as if it had none.
const RIGHT: [&str; 6] = [
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "000000005\r\nhello\r\n0\r\n\r\n",
    "5;name=value\r\nhello\r\n0;last\r\n\r\n",
    "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
    "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n0\r\n\r\n",
];

/// Bodies that are wrong: 400, or the end of the connection.
const WRONG: [&str; 9] = [
    "zz\r\n",
    "\r\n",
    "-1\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5 5\r\nhello\r\n0\r\n\r\n",
    "10000000000000000\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
];

/// Bodies whose end never comes.
const ENDLESS: [&str; 6] = [
    "",
    "5",
    "5\r\nhel",
    "ffffffffffffffff\r\nhello",
    "7fffffffffffffff\r\nhello",
    "5;a long extension without an end",
];

fn sent(handler: &Handler, body: &str) -> Wire {
    let mut wire = handler.connect();
    wire.send(&[HEAD, body.as_bytes()].concat());
    wire
}

#[test]
fn chunked_bodies_that_are_wrong_or_never_end_hold_up_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let patience = Duration::from_secs(5);
    for body in RIGHT {
        let mut wire = sent(&handler, body);
        assert_eq!(
            wire.answer(patience).map(|answer| answer.0),
            Some(401),
            "{body:?}"
        );
        wire.send(PUBLIC);
        assert_eq!(
            wire.answer(patience).map(|answer| answer.0),
            Some(200),
            "the request after {body:?}"
        );
    }
    for body in WRONG {
        let answer = sent(&handler, body).answer(patience);
        assert!(
            answer.as_ref().is_none_or(|answer| answer.0 == 400),
            "{body:?}: {answer:?}"
        );
    }
    let mut endless: Vec<Wire> = ENDLESS
        .iter()
        .cycle()
        .take(36)
        .map(|body| sent(&handler, body))
        .collect();
    let mut growing: Vec<Wire> = (0..10).map(|_| sent(&handler, "")).collect();
    for _ in 0..40 {
        growing
            .iter_mut()
            .for_each(|wire| wire.send(&b"1\r\nx\r\n".repeat(100)));
        thread::sleep(Duration::from_millis(30));
    }
    for wire in &mut endless {
        assert_eq!(wire.answer(Duration::from_millis(5)), None);
    }
    drop((endless, growing));
    probe.end("wrong and endless chunks");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "wrong and endless chunks",
    );
}
