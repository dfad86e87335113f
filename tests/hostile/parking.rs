//! Requests that wait for keys.

use crate::handler::Handler;
use crate::issuer::{Issuer, Reply};
use crate::probe::Probe;
use crate::tokens::{good, set, signed_with, v2, with};
use crate::usage::{NEARLY_NOTHING, must_settle};
use crate::wire::{PUBLIC, api};
use std::thread;
use std::time::{Duration, Instant};

/// The first fetch brings keys, but not the one that the token names, so a second one is made;
/// together they take longer than a request may wait. The requests behind the one that waits
/// must not make the loop wait for them.
#[test]
fn pipelined_requests_that_wait_through_two_fetches_are_answered_and_stop_nobody() {
    let issuer = Issuer::start(Reply::Late(Duration::from_millis(3500), set(&[1])));
    let mut handler = Handler::start(&issuer.url());
    let mut client = handler.connect();
    client.send(&[api(&signed_with(2, &v2())), PUBLIC.repeat(2)].concat());
    // The probe's own token has to wait for the first fetch, which is no fault.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        let took = handler.public(Duration::from_secs(5));
        assert!(
            took.is_some(),
            "others got no answer {:?} after the start",
            start.elapsed()
        );
        thread::sleep(Duration::from_millis(100));
    }
    let statuses: Vec<_> = (0..3)
        .filter_map(|_| client.answer(Duration::from_secs(2)))
        .map(|it| it.0)
        .collect();
    assert_eq!(statuses, [401, 200, 200]);
    assert_eq!(issuer.fetches(), 2);
    handler.must_be_the_same();
}

/// More than may be parked: those beyond the bound are sent away, and nobody else is kept waiting.
#[test]
fn hundreds_of_requests_that_wait_for_one_fetch_get_their_answers_and_stop_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let before = handler.usage();
    issuer.reply(Reply::Late(Duration::from_millis(2000), set(&[1, 2])));
    let mut first = handler.connect();
    first.send(&[api(&signed_with(2, &v2())), PUBLIC.repeat(300)].concat());
    let unknown = api(&signed_with(3, &v2()));
    let mut others: Vec<_> = (0..300).map(|_| handler.connect()).collect();
    others.iter_mut().for_each(|client| client.send(&unknown));

    let probe = Probe::start(&handler);
    let patience = Duration::from_secs(10);
    assert_eq!(first.answer(patience).map(|answer| answer.0), Some(200));
    let behind = (0..300)
        .filter(|_| first.answer(patience).is_some_and(|answer| answer.0 == 200))
        .count();
    assert_eq!(behind, 300, "of the requests behind the one that waited");
    let statuses: Vec<_> = others
        .iter_mut()
        .map(|client| client.answer(patience).map_or(0, |answer| answer.0))
        .collect();
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    let (unknown_key, full) = (count(401), count(503));
    assert_eq!(unknown_key + full, 300, "{statuses:?}");
    assert!(
        unknown_key >= 100,
        "only {unknown_key} were parked, {full} were sent away"
    );
    drop((first, others));
    probe.end("600 requests that wait for one fetch");
    assert_eq!(issuer.fetches(), 2);
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "600 requests that wait for one fetch",
    );
}

/// Each with a body that has to be read first, and a long token that names no known key.
#[test]
fn hundreds_of_long_requests_with_bodies_that_wait_for_one_fetch_stop_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    issuer.reply(Reply::Late(Duration::from_millis(3000), set(&[1, 2])));
    let token = signed_with(3, &with(v2(), "groups", "g".repeat(11_000)));
    let head = format!(
        "POST /api HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 2000\r\n\r\n"
    );
    let request = [head.as_bytes(), &[b'x'; 2000]].concat();
    let probe = Probe::start(&handler);
    let mut clients: Vec<_> = (0..400).map(|_| handler.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(&request));
    let statuses: Vec<_> = clients
        .iter_mut()
        .map(|client| {
            client
                .answer(Duration::from_secs(10))
                .map_or(0, |answer| answer.0)
        })
        .collect();
    probe.end("400 long requests with bodies that wait for one fetch");
    assert_eq!(statuses, [401; 400]);
    handler.must_be_the_same();
}

#[test]
fn a_thousand_requests_behind_one_that_waits_are_answered_in_turn_and_stop_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    issuer.reply(Reply::Late(Duration::from_millis(1000), set(&[1, 2])));
    let mut client = handler.connect();
    let nowhere = b"GET /nowhere HTTP/1.1\r\n\r\n".repeat(1000);
    client.send(&[api(&signed_with(2, &v2())), nowhere].concat());
    let probe = Probe::start(&handler);
    let patience = Duration::from_secs(3);
    let statuses: Vec<u16> = (0..1001)
        .map_while(|_| client.answer(patience))
        .map(|answer| answer.0)
        .collect();
    probe.end("1,000 requests behind one that waits");
    assert_eq!(statuses, [&[200][..], &[404; 1000]].concat());
    handler.must_be_the_same();
}
