//! Standard output and standard error that are closed, or that nobody reads.

use crate::handler::Handler;
use crate::issuer::{Issuer, Reply};
use crate::probe::Probe;
use crate::tokens::{good, set};
use crate::usage::{NEARLY_NOTHING, must_settle, say};
use crate::wire::api;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Sends so many requests that are refused and makes sure that they are.
fn refusals(handler: &Handler, count: usize) {
    let mut wire = handler.connect();
    wire.send_aside(api("no.token").repeat(count));
    for _ in 0..count {
        assert_eq!(
            wire.answer(Duration::from_secs(10)).map(|answer| answer.0),
            Some(401)
        );
    }
}

#[test]
fn closed_outputs_are_no_reason_to_stop() {
    let issuer = Issuer::with(set(&[1]));
    for script in [
        "exec \"$0\" >&-",
        "exec \"$0\" 2>&-",
        "exec \"$0\" >&- 2>&-",
    ] {
        let mut handler = Handler::launched(&issuer.url(), script, &[("AUDIT_LOG", "all")]);
        let before = handler.usage();
        refusals(&handler, 200);
        assert_eq!(handler.api(&good()).0, 200, "{script}");
        must_settle(&mut handler, &before, NEARLY_NOTHING, script);
    }
}

/// The pipe holds 64 KiB and the queue a thousand lines; the rest is lost, and said to be lost.
#[test]
fn an_output_that_nobody_reads_delays_no_answer_and_its_losses_are_told() {
    let issuer = Issuer::with(set(&[1]));
    let mut handler = Handler::launched(
        &issuer.url(),
        "exec \"$0\" 2>/dev/null",
        &[("AUDIT_LOG", "all")],
    );
    assert_eq!(handler.api(&good()).0, 200);
    let before = handler.usage();
    let probe = Probe::start(&handler);
    refusals(&handler, 4000);
    probe.end("a standard output that nobody reads");

    let (sender, lines) = channel();
    let pipe = handler.stdout();
    thread::spawn(move || {
        BufReader::new(pipe)
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| sender.send(line))
    });
    let (mut written, mut lost) = (0, 0);
    let deadline = Instant::now() + Duration::from_secs(15);
    while lost == 0 && Instant::now() < deadline {
        let Ok(line) = lines.recv_timeout(Duration::from_millis(200)) else {
            // The loss is told with the next line.
            refusals(&handler, 1);
            continue;
        };
        let line: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match line["event"].as_str() {
            Some("log_lines_lost") => lost = line["lines"].as_u64().unwrap_or_default(),
            _ => written += 1,
        }
    }
    say(&format!(
        "a standard output that nobody reads: {written} lines came through, {lost} were told to be lost"
    ));
    assert!(lost > 0, "{written} lines, and no word of the others");
    must_settle(
        &mut handler,
        &before,
        NEARLY_NOTHING,
        "a standard output that nobody reads",
    );
}

#[test]
fn a_standard_error_that_is_full_delays_no_answer() {
    let issuer = Issuer::start(Reply::HangUp);
    let script = "head -c 65536 /dev/zero >&2; exec \"$0\" >/dev/null";
    let mut handler = Handler::launched(&issuer.url(), script, &[]);
    let deadline = Instant::now() + Duration::from_secs(15);
    // The failed fetch is a line that cannot be written; what comes after it must go on.
    while handler.api(&good()).0 != 503 && Instant::now() < deadline {}
    issuer.reply(crate::issuer::good(set(&[1])));
    refusals(&handler, 3000);
    while handler.api(&good()).0 != 200 {
        assert!(Instant::now() < deadline, "the keys are there and not used");
        thread::sleep(Duration::from_millis(100));
    }
    let probe = Probe::start(&handler);
    refusals(&handler, 1000);
    probe.end("a standard error that is full");
    handler.must_be_the_same();
}
