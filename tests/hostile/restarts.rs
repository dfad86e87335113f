//! Being killed, and being started twice.

use crate::handler::{Handler, run_to_the_end};
use crate::issuer::Issuer;
use crate::tokens::{good, set};
use crate::usage::say;
use crate::wire::{PUBLIC, Wire};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn killed_with_connections_open_it_starts_again_on_the_same_port_at_once() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::start(&issuer.url());
    for _ in 0..3 {
        let mut wires: Vec<Wire> = (0..20).map(|_| handler.connect()).collect();
        for wire in &mut wires {
            wire.send(PUBLIC);
            assert_eq!(
                wire.answer(Duration::from_secs(10)).map(|answer| answer.0),
                Some(200)
            );
            // And one whose answer is under way when the process dies.
            wire.send(b"POST /api HTTP/1.1\r\nContent-Length: 5000\r\n\r\n");
        }
        handler.kill();
        let start = Instant::now();
        let port = handler.address.port();
        handler = Handler::again(port, &issuer.url()).expect("the port is free again");
        assert_eq!(handler.api(&good()).0, 200);
        say(&format!(
            "killed and started again: a token was accepted after {:.1?}",
            start.elapsed()
        ));
        drop(wires);
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_and_status_1() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let (status, words) = run_to_the_end(port);
    assert_eq!(status, Some(1), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(
        words.contains(&port.to_string()) && words.contains("cannot listen"),
        "{words}"
    );
}
