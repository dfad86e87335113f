//! Requests that wait for keys longer than one fetch takes.

use crate::handler::Handler;
use crate::issuer::{Issuer, Turn};
use crate::tokens::{set, signed_with, v2};
use crate::wire::{Wire, answers, api};
use std::time::{Duration, Instant};

/// The first fetch brings keys, but not the one that the token names, so a second one is made;
/// together they take longer than a request may wait. The requests behind the one that waits
/// must not make the loop wait for them.
#[test]
fn pipelined_requests_that_wait_through_two_fetches_are_answered_and_stop_nobody() {
    let turn = Turn { pause: Duration::from_millis(3500), body: set(&[1]) };
    let issuer = Issuer::start(vec![turn]);
    let handler = Handler::start(&issuer.url());
    let mut client = Wire::to(handler.address).expect("the port accepts connections");
    let public = b"GET /public HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(&[api(&signed_with(2, &v2())), public.to_vec(), public.to_vec()].concat());

    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        let took = handler.public(Duration::from_secs(5));
        assert!(took.is_some(), "others got no answer {:?} after the start", start.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    let received = client.read_for(Duration::from_secs(5), |bytes| answers(bytes).0.len() == 3);
    let statuses: Vec<u16> = answers(&received).0.iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [503, 200, 200]);
    assert_eq!(issuer.fetches(), 2);
}
