//! Key servers that misbehave, and many requests that wait for keys.

use crate::play_before;
use crate::support::mint::b64;
use crate::support::tokens::{clock, good, header, set, signed_with, v2, with};
use crate::support::usage::{NEARLY_NOTHING, must_settle};
use crate::support::{
    Connection, Handler, KeyServer, PUBLIC, Reply, Setup, api_request, post, serving, wait_until,
};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

fn statuses(connection: &mut Connection, count: usize) -> Vec<u16> {
    (0..count).map(|_| connection.response().status).collect()
}

/// Whatever the first fetch meets, the next one succeeds, and nothing stays behind.
#[test]
fn a_key_server_that_misbehaves_costs_others_nothing_and_is_asked_again() {
    let page = "<!doctype html><html><title>Sign in to your account</title></html>";
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let start = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 3_000_000]].concat();
    let keys = set(&[1]);
    let misdeeds = [
        ("silence", Reply::silence()),
        ("headers that drip", Reply::dripping(&keys, 0)),
        ("a body that drips", Reply::dripping(&keys, 150)),
        ("50 MB", Reply::blanks(50_000_000, false)),
        ("HTML", Reply::body(page)),
        ("headers without an end", Reply::raw(start)),
        ("deep JSON", Reply::body(format!(r#"{{"keys":{deep}}}"#))),
        ("chunks that lie", Reply::chunks("ffffffff\r\n{}")),
        ("a closed connection", Reply::close()),
    ];
    thread::scope(|scope| {
        for (name, misdeed) in misdeeds {
            scope.spawn(move || recover_from(name, misdeed));
        }
        scope.spawn(|| {
            let keys = KeyServer::start(Reply::close());
            recover(&keys, "a redirect loop", Reply::redirect(&keys.url()));
        });
    });
}

fn recover_from(name: &str, misdeed: Reply) {
    recover(&KeyServer::start(Reply::close()), name, misdeed);
}

fn recover(keys: &KeyServer, name: &str, misdeed: Reply) {
    keys.reply(misdeed);
    let mut handler = Handler::with_keys(keys, &[]);
    let before = handler.usage();
    let mut waiting = handler.api_sent(&good());
    assert_eq!(handler.get("/public").status, 200, "{name}");
    waiting.response().must_be(503, "keys_unavailable");
    keys.reply(Reply::body(set(&[1])));
    wait_until(name, || handler.api(&good()).status == 200);
    // One at the start, one five seconds after its end; a busy machine may make it one more.
    assert!(keys.fetches() <= 3, "{name}: {} fetches", keys.fetches());
    must_settle(&mut handler, &before, NEARLY_NOTHING, name);
}

/// The first fetch brings keys, but not the one that the token names, so a second one is made.
#[test]
fn a_request_that_waits_through_two_fetches_holds_up_nobody_and_gets_its_response() {
    let keys = KeyServer::start(Reply::body(set(&[1])).after(Duration::from_millis(3500)));
    let mut handler = Setup::new(&keys.url()).start();
    let mut client = handler.connect();
    client.send(api_request(&signed_with(2, &v2())) + &PUBLIC.repeat(2));
    let mut first = None;
    while first.is_none() {
        assert!(handler.is_up(Duration::from_secs(5)));
        first = client.response_within(Duration::from_millis(50));
    }
    first.expect("a response").must_be(401, "invalid_header");
    assert_eq!(statuses(&mut client, 2), [200, 200]);
    assert_eq!(keys.fetches(), 2);
    handler.must_serve();
}

/// Long tokens that name no known key, with bodies that have to be read first; and a thousand
/// requests behind one that waits.
#[test]
fn hundreds_of_requests_that_wait_for_one_fetch_hold_up_nobody_and_get_their_responses() {
    let (mut handler, keys) = serving(&[]);
    assert_eq!(handler.api(&good()).status, 200);
    keys.hold();
    keys.reply(Reply::body(set(&[1, 2])));
    let token = signed_with(3, &with(v2(), "groups", "g".repeat(11_000)));
    let bearer = format!("Bearer {token}");
    let request = post("/api", &[("Authorization", &bearer)], &"x".repeat(2000));
    play_before(&mut handler, NEARLY_NOTHING, |site| {
        let mut first = site.handler.api_sent(&signed_with(2, &v2()));
        first.send("GET /nowhere HTTP/1.1\r\n\r\n".repeat(999) + PUBLIC);
        let mut others: Vec<_> = (0..400).map(|_| site.handler.connect()).collect();
        others.iter_mut().for_each(|other| other.send(&request));
        keys.wait_for_fetch(2);
        (site.others)(50);
        assert!(first.is_silent());
        keys.release();
        assert_eq!(statuses(&mut first, 1), [200]);
        assert_eq!(statuses(&mut first, 999), [404; 999]);
        assert_eq!(statuses(&mut first, 1), [200]);
        for other in &mut others {
            other.response().must_be(401, "invalid_header");
        }
    });
    assert_eq!(keys.fetches(), 2);
}

/// Tokens that would be refused anyway cause no fetch; of the others, a thousand cause one.
#[test]
fn a_flood_of_unknown_keys_causes_one_fetch_and_holds_up_nobody() {
    let (mut handler, keys) = serving(&[]);
    assert_eq!(handler.api(&good()).status, 200);
    let request = |claims: &Value, number: usize| {
        let header = b64(header(json!({ "kid": format!("unknown {number}") })).to_string());
        let signature = b64([7; 256]);
        api_request(&format!("{header}.{}.{signature}", b64(claims.to_string())))
    };
    let hopeless = [
        with(v2(), "aud", "another"),
        with(v2(), "iss", "another"),
        with(v2(), "exp", clock() - 4000),
    ];
    play_before(&mut handler, NEARLY_NOTHING, |site| {
        for claims in &hopeless {
            let mut client = site.handler.connect();
            let all: String = (0..1000).map(|number| request(claims, number)).collect();
            client.send_aside(all);
            assert_eq!(statuses(&mut client, 1000), [401; 1000]);
        }
        assert_eq!(keys.fetches(), 1);
        let mut clients: Vec<_> = (0..40).map(|_| site.handler.connect()).collect();
        for round in 0..25 {
            for (number, client) in clients.iter_mut().enumerate() {
                client.send(request(&v2(), 40 * round + number));
            }
            for client in &mut clients {
                client.response().must_be(401, "invalid_header");
            }
        }
    });
    assert_eq!(keys.fetches(), 2);
}
