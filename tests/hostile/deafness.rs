//! Clients that do not read their answers.

use crate::handler::Handler;
use crate::issuer::Issuer;
use crate::probe::Probe;
use crate::tokens::{good, of_length, set, signed, v2, with};
use crate::wire::api;
use std::thread;
use std::time::Duration;

/// An answer that could not be sent was cut in the middle. Whatever is written to that connection
/// later would be read as the rest of its body, or as the answer to another request.
#[test]
fn a_client_that_reads_again_gets_whole_answers_to_its_first_requests_and_no_others() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    assert_eq!(handler.api(&good()).0, 200);
    let mut client = handler.connect();
    // Each answer has 12 KB; the buffers of a connection hold a few megabytes.
    let probe = Probe::start(&handler);
    client.send(&api(&of_length(16_000)).repeat(1000));
    // Longer than a moment in which the kernel or the handler forgets something.
    thread::sleep(Duration::from_secs(32));
    probe.end("a client that does not read");
    client.send(&api(&signed(&with(v2(), "sub", "a later request"))));
    let mut whole = 0;
    while let Some((status, body)) = client.answer(Duration::from_secs(2)) {
        assert!(status == 200 && body.len() > 8000, "answer {whole} is {status}, {body}");
        assert!(!body.contains("HTTP/1.1"), "answer {whole} has another one in its body");
        whole += 1;
    }
    assert!((1..1000).contains(&whole), "{whole} answers: the buffers took everything, or nothing came");
    let rest = String::from_utf8_lossy(&client.rest(Duration::from_millis(100))).into_owned();
    assert!(!rest.contains("a later request"), "after {whole} answers and a piece of one, a later one");
    handler.must_be_the_same();
}
