//! Thousands of requests on one connection, sent without waiting for the answers.

use crate::handler::Handler;
use crate::issuer::{Issuer, Reply};
use crate::probe::Probe;
use crate::tokens::{good, set, signed_with, v2};
use crate::usage::{NEARLY_NOTHING, Tolerance, must_settle};
use crate::wire::{PUBLIC, Wire, api};
use std::thread;
use std::time::Duration;

fn handler() -> (Handler, Issuer) {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    (handler, issuer)
}

/// tiny_http reads requests as fast as they come and keeps them all, so memory grows with what
/// waits, and others wait behind it: about 1 KiB and some microseconds a request.
#[test]
fn clients_that_pipeline_thousands_of_requests_and_never_read_hold_up_nobody_for_long() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let requests = PUBLIC.repeat(5000);
    let deaf = |handler: &Handler, count: usize| -> Vec<Wire> {
        let wires: Vec<Wire> = (0..count).map(|_| handler.connect()).collect();
        wires
            .iter()
            .for_each(|wire| wire.send_aside(requests.clone()));
        wires
    };
    let probe = Probe::start(&handler);
    let one = deaf(&handler, 1);
    thread::sleep(Duration::from_millis(500));
    probe.end("one client that pipelines 5,000 requests and never reads");
    one.into_iter().for_each(Wire::hang_up);

    let probe = Probe::start(&handler);
    let twenty = deaf(&handler, 20);
    thread::sleep(Duration::from_secs(3));
    probe.end("20 clients that pipeline 5,000 requests each and never read");
    twenty.into_iter().for_each(Wire::hang_up);
    let more = Tolerance {
        kib: 256 * 1024,
        ..NEARLY_NOTHING
    };
    must_settle(&mut handler, &before, more, "21 clients that never read");

    // The allocator keeps the memory, and it is used again: a second time takes no more.
    let before = handler.usage();
    let again = deaf(&handler, 20);
    thread::sleep(Duration::from_secs(3));
    again.into_iter().for_each(Wire::hang_up);
    let more = Tolerance {
        kib: 128 * 1024,
        ..NEARLY_NOTHING
    };
    must_settle(
        &mut handler,
        &before,
        more,
        "20 clients that never read, once more",
    );
}

#[test]
fn requests_behind_one_that_waits_for_keys_get_their_answers_in_order() {
    let (mut handler, issuer) = handler();
    issuer.reply(Reply::Late(Duration::from_millis(1500), set(&[1, 2])));
    let probe = Probe::start(&handler);
    let known = api(&good());
    let mut wires: Vec<Wire> = (0..10).map(|_| handler.connect()).collect();
    for wire in &mut wires {
        let nowhere = b"GET /nowhere HTTP/1.1\r\n\r\n".to_vec();
        wire.send(
            &[
                api(&signed_with(2, &v2())),
                PUBLIC.to_vec(),
                nowhere,
                known.clone(),
            ]
            .concat(),
        );
        wire.send(
            &[
                PUBLIC.repeat(10),
                b"POST /api HTTP/1.1\r\nContent-Length: 2000\r\n\r\n".to_vec(),
                vec![b'x'; 2000],
            ]
            .concat(),
        );
    }
    for wire in &mut wires {
        let statuses: Vec<u16> = (0..15)
            .filter_map(|_| wire.answer(Duration::from_secs(10)))
            .map(|it| it.0)
            .collect();
        assert_eq!(statuses[..4], [200, 200, 404, 200]);
        assert_eq!(statuses[4..], [[200; 10].as_slice(), &[401]].concat());
    }
    probe.end("requests behind one that waits for keys");
    assert_eq!(issuer.fetches(), 2);
    handler.must_be_the_same();
}

#[test]
fn pipelined_requests_with_bodies_of_every_kind_get_their_answers_in_order() {
    let (mut handler, _issuer) = handler();
    let before = handler.usage();
    let probe = Probe::start(&handler);
    let post = |headers: &str, body: &str| {
        format!("POST /api HTTP/1.1\r\n{headers}\r\n\r\n{body}").into_bytes()
    };
    let long = "x".repeat(40_000);
    let round = [
        PUBLIC.to_vec(),
        post("Content-Length: 5", "hello"),
        post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        post("Content-Length: 40000", &long),
        api(&good()),
        post(
            "Transfer-Encoding: chunked",
            &format!("9c40\r\n{long}\r\n0\r\n\r\n"),
        ),
        post("Content-Length: 0", ""),
    ];
    let expected = [200, 401, 401, 401, 200, 401, 401];
    let talk = || {
        let mut wire = handler.connect();
        wire.send_aside(round.concat().repeat(30));
        for number in 0..30 * expected.len() {
            let status = wire.answer(Duration::from_secs(10)).map(|answer| answer.0);
            assert_eq!(
                status,
                Some(expected[number % expected.len()]),
                "answer {number}"
            );
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(talk);
        }
    });
    probe.end("pipelined bodies of every kind");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "pipelined bodies of every kind",
    );
}
