//! Clients that speak HTTP/2 or HTTP/3.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, Tolerance, must_settle, say};
use std::thread;
use std::time::Duration;

/// tiny_http 0.12 waits for itself when it wants to answer 505: the connection's thread and its
/// two descriptors stay until the process ends, and nothing more than that. The handler never
/// gets to see such a request.
#[test]
fn another_version_of_http_costs_one_thread_and_two_descriptors_and_holds_up_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let starts = [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        "GET /api HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /public HTTP/3.0\r\nHost: localhost\r\n\r\n",
    ];
    for start in starts.iter().cycle().take(30) {
        let mut wire = handler.connect();
        wire.send(start.as_bytes());
        let answer = wire.answer(Duration::from_millis(30));
        assert!(
            answer.as_ref().is_none_or(|answer| answer.0 == 505),
            "{start:?}: {answer:?}"
        );
    }
    thread::sleep(Duration::from_millis(300));
    probe.end("30 requests of HTTP/2 and HTTP/3");
    let bound = Tolerance {
        threads: NEARLY_NOTHING.threads + 30,
        descriptors: NEARLY_NOTHING.descriptors + 60,
        ..NEARLY_NOTHING
    };
    must_settle(
        &mut handler,
        &before,
        bound,
        "30 requests of HTTP/2 and HTTP/3",
    );
    let stays = handler
        .usage()
        .descriptors
        .saturating_sub(before.descriptors);
    say(&format!(
        "30 requests of HTTP/2 and HTTP/3: {stays} descriptors stay"
    ));
}
