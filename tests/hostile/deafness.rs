//! Clients that do not read their answers.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, of_length, set, signed, v2, with};
use crate::wire::{PUBLIC, api};
use std::thread;
use std::time::Duration;

/// However late a client reads, it gets every answer, whole and in order: one that was cut, or left
/// out, would be read as the answer to another request.
#[test]
fn a_client_that_reads_late_gets_every_answer_whole_and_in_order() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let mut client = handler.connect();
    // Each answer has 12 KB; the buffers of a connection hold a few megabytes.
    let probe = Probe::start(&handler);
    client.send(&api(&of_length(16_000)).repeat(1000));
    thread::sleep(Duration::from_secs(3));
    probe.end("a client that does not read");
    client.send(&api(&signed(&with(v2(), "sub", "a later request"))));
    for number in 0..1000 {
        let (status, body) = client
            .answer(Duration::from_secs(10))
            .unwrap_or_else(|| panic!("no answer {number}"));
        assert!(
            status == 200 && body.len() > 8000,
            "answer {number} is {status}, {body}"
        );
        assert!(
            !body.contains("HTTP/1.1"),
            "answer {number} has another one in its body"
        );
    }
    let (status, body) = client
        .answer(Duration::from_secs(10))
        .expect("the last answer");
    assert!(status == 200 && body.contains("a later request"), "{body}");
    handler.must_be_the_same();
}

/// Some that never read, and some that read a little all the time.
#[test]
fn clients_that_read_slowly_or_never_hold_up_nobody() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let probe = Probe::start(&handler);
    let request = api(&of_length(16_000));
    let mut deaf: Vec<_> = (0..10).map(|_| handler.connect()).collect();
    for client in &mut deaf {
        client.send_for(Duration::from_millis(200), &request.repeat(300));
    }
    let mut slow: Vec<_> = (0..20).map(|_| handler.connect()).collect();
    for client in &mut slow {
        client.send_for(Duration::from_millis(20), &PUBLIC.repeat(2000));
    }
    for _ in 0..50 {
        slow.iter_mut().for_each(|client| client.sip(1000));
        thread::sleep(Duration::from_millis(10));
    }
    probe.end("clients that read slowly or never");
    drop((deaf, slow));
    handler.must_be_the_same();
}
