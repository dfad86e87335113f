//! Many connections at once.

use crate::client::{Client, request};
use crate::harness::{Handler, api_request, borrowed, usual, wait_until};
use crate::key_server::KeyServer;
use crate::tokens::*;
use std::thread;
use std::time::{Duration, Instant};

fn handler() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, &[]), keys)
}

#[test]
fn connections_that_come_together_and_stay_open_are_all_answered() {
    let (handler, _keys) = handler();
    let token = good();
    for _ in 0..3 {
        let mut clients: Vec<Client> = (0..120).map(|_| handler.connect()).collect();
        for _ in 0..2 {
            for (number, client) in clients.iter_mut().enumerate() {
                client.send(if number % 2 == 0 {
                    api_request(&token)
                } else {
                    request("GET", "/public", &[])
                });
            }
            for client in &mut clients {
                assert_eq!(client.answer().status, 200);
            }
        }
        // One that comes while all of them are still open.
        assert_eq!(handler.get("/healthz").status, 200);
    }
}

#[test]
fn connections_that_come_together_and_say_nothing_hold_up_nobody() {
    for _ in 0..10 {
        // Anew each time: a handler that has had a crowd before is prepared for the next.
        let (handler, _keys) = handler();
        let idle: Vec<Client> = (0..100).map(|_| handler.connect()).collect();
        let start = Instant::now();
        assert_eq!(handler.get("/healthz").status, 200);
        assert_eq!(handler.api(&good()).status, 200);
        // A matter of milliseconds; what waits its turn behind all of them takes half a minute.
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "answered after {:?}",
            start.elapsed()
        );
        drop(idle);
    }
}

#[test]
fn clients_side_by_side_each_get_their_own_answers() {
    let (handler, _keys) = handler();
    let address = handler.address;
    let talk = |number: usize| {
        let claims = with(v2(), "sub", format!("user {number}"));
        let token = signed(&claims);
        thread::spawn(move || {
            let mut client = Client::to(address);
            for _ in 0..50 {
                client.send(api_request(&token));
                assert_eq!(client.answer().body, claims.to_string());
                client.send(request("GET", "/api", &[]));
                client.answer().must_be(401, "authorization_header_missing");
            }
        })
    };
    for thread in (0..8).map(talk).collect::<Vec<_>>() {
        thread.join().expect("no failure");
    }
}

/// The Functions host does not start a handler again that ended with status 0, and one that is
/// deaf for ever is no better.
#[cfg(unix)]
#[test]
fn when_descriptors_run_out_it_recovers_or_ends_with_a_status_that_has_it_started_again() {
    // Side by side, because it may take the handler seconds to notice.
    let run_out = |count: usize| {
        thread::spawn(move || {
            let keys = KeyServer::with(set(&[1]));
            let settings = usual(&keys.url(), &[]);
            let mut handler = Handler::with_descriptors(count, &borrowed(&settings));
            let mut clients: Vec<Client> = (0..2 * count)
                .filter_map(|_| Client::try_to(handler.address))
                .collect();
            for client in &mut clients {
                client.try_send(request("GET", "/public", &[]));
            }
            drop(clients);
            wait_until("it is back or gone", || {
                handler.ended().is_some() || answers(&handler)
            });
            if let Some(status) = handler.ended() {
                assert_eq!(status.code(), Some(200), "{:?}", handler.stderr.all());
            }
        })
    };
    for thread in [24, 25, 40, 41].map(run_out) {
        thread.join().expect("no failure");
    }
}

/// Whether `GET /public` is answered in time.
#[cfg(unix)]
fn answers(handler: &Handler) -> bool {
    let Some(mut client) = Client::try_to(handler.address) else {
        return false;
    };
    client.try_send(request("GET", "/public", &[("Connection", "close")]));
    client.starts_with("HTTP/1.1 200")
}
