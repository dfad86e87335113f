//! Clients that do not read their answers.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::tokens::{of_length, set, signed, v2, with};
use crate::wire::{Wire, answers, api};
use std::thread;
use std::time::Duration;

/// An answer that could not be sent was cut in the middle. Whatever is written to that connection
/// later would be read as the rest of its body, or as the answer to another request.
#[test]
fn a_client_that_reads_again_gets_whole_answers_to_its_first_requests_and_no_others() {
    let issuer = Issuer::with(set(&[1]));
    let handler = Handler::start(&issuer.url());
    let mut client = Wire::to(handler.address).expect("the port accepts connections");
    // Each answer has 12 KB; the buffers of a connection hold a few megabytes.
    client.send(&api(&of_length(16_000)).repeat(1200));
    // Longer than anything is remembered about a client that does not read.
    thread::sleep(Duration::from_secs(31));
    client.send(&api(&signed(&with(v2(), "sub", "a later request"))));
    let received = client.read_for(Duration::from_secs(3), |_| false);
    let (whole, rest) = answers(&received);
    assert!(whole.len() < 1200, "the buffers took everything; the test has to send more");
    assert!(whole.iter().all(|(status, body)| *status == 200 && body.len() > 8000));
    let later = b"a later request";
    let is_mixed_up = received.windows(later.len()).any(|part| part == later);
    assert!(!is_mixed_up, "after {} whole answers and {} bytes of one, a later one", whole.len(), rest.len());
}
