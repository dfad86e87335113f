//! Descriptors that run out, outputs that nobody reads, and being killed.

use crate::play_before;
use crate::support::tokens::{good, set};
use crate::support::usage::{NEARLY_NOTHING, Usage, must_settle};
use crate::support::{
    Connection, Folder, Handler, KeyServer, Lines, PUBLIC, Reply, Setup, api_request, request, say,
    wait_until,
};
use serde_json::Value;
use std::thread;
use std::time::Duration;

/// tiny_http stops accepting when there is no descriptor for a connection, and its thread dies when
/// there is none for the copy that it makes of it. An even and an odd limit lead to either. The
/// Functions host starts a handler again that ends with status 200.
#[test]
fn when_descriptors_run_out_it_goes_on_or_ends_with_status_200_and_says_why() {
    let keys = &KeyServer::with(set(&[1]));
    thread::scope(|scope| {
        for limit in [32, 33, 64, 65] {
            scope.spawn(move || run_out_of_descriptors(keys, limit));
        }
    });
}

fn run_out_of_descriptors(keys: &KeyServer, limit: usize) {
    let mut handler = Setup::new(&keys.url()).descriptors(limit).start();
    // The keys are there: no descriptor of a fetch is in the way.
    assert_eq!(handler.api(&good()).status, 200);
    let mut crowd: Vec<_> = (0..100)
        .flat_map(|_| Connection::to(handler.address))
        .collect();
    crowd
        .iter_mut()
        .for_each(|connection| connection.try_send(PUBLIC));
    let is_full = |usage: Usage| usage.descriptors as usize >= limit - 2;
    let pid = handler.child.id();
    wait_until("there are no descriptors", || {
        Usage::of(pid).is_none_or(is_full)
    });
    drop(crowd);
    wait_until("it serves or ends", || {
        handler.ended().is_some() || handler.is_up(Duration::from_secs(1))
    });
    let Some(status) = handler.ended() else {
        return say(&format!("no more than {limit} descriptors: it goes on"));
    };
    let lines = handler.stderr.until_the_end();
    say(&format!(
        "no more than {limit} descriptors: {status}: {lines:?}"
    ));
    assert_eq!(status.code(), Some(200), "{lines:?}");
    let last = lines.last().expect("a reason");
    assert!(
        last.contains("no longer") && last.contains("leaving with status 200"),
        "{last}"
    );
}

/// Sends so many requests that are refused, and makes sure that they are.
fn refusals(handler: &Handler, count: usize) {
    let mut connection = handler.connect();
    connection.send_aside(api_request("no.token").repeat(count));
    for _ in 0..count {
        assert_eq!(connection.response().status, 401);
    }
}

#[test]
fn closed_outputs_are_no_reason_to_stop() {
    let keys = KeyServer::with(set(&[1]));
    for script in [
        "exec \"$0\" >&-",
        "exec \"$0\" 2>&-",
        "exec \"$0\" >&- 2>&-",
    ] {
        let setup = Setup::new(&keys.url()).with(&[("AUDIT_LOG", "all")]);
        let mut handler = setup.script(script).start();
        let before = handler.usage();
        refusals(&handler, 200);
        assert_eq!(handler.api(&good()).status, 200, "{script}");
        must_settle(&mut handler, &before, NEARLY_NOTHING, script);
    }
}

#[test]
fn an_output_that_nobody_reads_delays_no_response_and_its_losses_are_told() {
    let keys = KeyServer::with(set(&[1]));
    let setup = Setup::new(&keys.url()).with(&[("AUDIT_LOG", "all")]);
    let mut handler = setup.unread_stdout().start();
    assert_eq!(handler.api(&good()).status, 200);
    play_before(&mut handler, NEARLY_NOTHING, |site| {
        refusals(site.handler, 4000);
    });
    let lines = Lines::of(handler.child.stdout.take().expect("unread so far"));
    wait_until("the losses are told", || {
        // They are told with the next line.
        refusals(&handler, 1);
        lines.count("log_lines_lost") > 0
    });
    for line in lines.all() {
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn a_standard_error_that_is_full_delays_no_response_and_no_fetch() {
    let keys = KeyServer::start(Reply::close());
    let folder = Folder::new("full");
    let pipe = folder.file("stderr");
    // Open at both ends, it is never broken, and nobody reads it.
    let script =
        format!("mkfifo '{pipe}'; exec 2<>'{pipe}'; head -c 65536 /dev/zero >&2; exec \"$0\"");
    let mut handler = Setup::new(&keys.url()).script(&script).start();
    // The failed fetch is a line that cannot be written; all that comes after it must go on.
    handler.api(&good()).must_be(503, "keys_unavailable");
    keys.reply(Reply::body(set(&[1])));
    wait_until("the keys are used", || handler.api(&good()).status == 200);
    play_before(&mut handler, NEARLY_NOTHING, |site| {
        refusals(site.handler, 1000);
    });
}

#[test]
fn killed_with_connections_open_it_starts_again_on_the_same_port_at_once() {
    let keys = KeyServer::with(set(&[1]));
    let mut handler = Handler::with_keys(&keys, &[]);
    for _ in 0..3 {
        let mut crowd: Vec<_> = (0..20).map(|_| handler.connect()).collect();
        for connection in &mut crowd {
            connection.send(PUBLIC);
            assert_eq!(connection.response().status, 200);
            // And a request that is under way when the process dies.
            connection.send(request("POST", "/api", &[("Content-Length", "5000")]));
        }
        handler.kill();
        let again = Setup::new(&keys.url()).start_on(handler.address.port());
        handler = again.expect("the port is free again");
        assert_eq!(handler.api(&good()).status, 200);
    }
}
