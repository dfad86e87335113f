//! How the program is called, where it listens, and with which status it ends.

use crate::harness::{Handler, Outcome, borrowed, run, run_with, usual};
use crate::key_server::KeyServer;
use crate::tokens::{TENANT, good, set, v2_issuer};
use std::net::TcpListener;

const KEYS: &str = "https://keys.invalid/keys";

#[test]
fn the_port_is_3000_unless_it_is_set() {
    // Taken here or by somebody else: either way the handler says where it wanted to listen.
    let taken = TcpListener::bind("127.0.0.1:3000");
    let outcome = run(&[], &borrowed(&usual(KEYS, &[])), "");
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("127.0.0.1:3000"),
        "{}",
        outcome.stderr
    );
    drop(taken);
}

#[test]
fn a_port_in_use_is_one_clear_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let outcome = run(
        &[],
        &borrowed(&usual(KEYS, &[("FUNCTIONS_CUSTOMHANDLER_PORT", &port)])),
        "",
    );
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("127.0.0.1:{port}")),
        "{}",
        outcome.stderr
    );
}

// Elsewhere 127.0.0.2 may not be an address of this machine.
#[cfg(target_os = "linux")]
#[test]
fn only_loopback_is_listened_on() {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[]);
    assert!(handler.address.ip().is_loopback());
    // The same port of another address of this machine is still free.
    TcpListener::bind(("127.0.0.2", handler.address.port()))
        .expect("the handler does not listen everywhere");
}

#[test]
fn help_and_version_are_what_anyone_expects() {
    for arguments in [
        &["--help"] as &[&str],
        &["-h"],
        &["check", "--help"],
        &["check", "--json", "-h"],
    ] {
        let Outcome {
            status,
            stdout,
            stderr,
        } = run(arguments, &[], "");
        assert_eq!((status, stderr.as_str()), (0, ""));
        for word in [
            "handler check",
            "--json",
            "--at",
            "--lines",
            "--list",
            "--version",
            "TENANT_ID",
            "API_AUDIENCE",
            "AUDIT_LOG",
        ] {
            assert!(stdout.contains(word), "{word}");
        }
    }
    for argument in ["--version", "-V"] {
        let Outcome {
            status,
            stdout,
            stderr,
        } = run(&[argument], &[], "");
        assert_eq!((status, stderr.as_str()), (0, ""));
        assert_eq!(stdout, concat!("handler ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_error_that_takes_nothing_changes_no_outcome() {
    let keys = KeyServer::with(set(&[1]));
    let good = good();
    let status = |arguments: &[&str], more: &[(&str, &str)], input: &str| {
        run_with(
            arguments,
            &borrowed(&usual(&keys.url(), more)),
            input,
            std::fs::File::create("/dev/full").unwrap(),
        )
    };
    let warned = [
        ("TENANT_ID", "common"),
        ("ISSUERS", &*format!("{},x{{tenantid}}", v2_issuer(TENANT))),
    ];
    assert_eq!(status(&["check"], &warned, &good), 0);
    assert_eq!(
        status(&["check"], &[("JWKS_URI", "/nonexistent")], &good),
        2
    );
    assert_eq!(status(&[], &[("TENANT_ID", "x")], ""), 2);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    assert_eq!(
        status(
            &[],
            &[
                warned[0],
                warned[1],
                ("FUNCTIONS_CUSTOMHANDLER_PORT", &port)
            ],
            ""
        ),
        1
    );
}

#[test]
fn an_argument_that_means_nothing_is_refused() {
    let wrong: [&[&str]; 10] = [
        &["serve"],
        &["--port", "80"],
        &["--help", "x"],
        &["check", "--xml"],
        &["check", "--at"],
        &["check", "--at", "noon"],
        &["check", "--lines", "tokens.txt"],
        &["check", "--list", "--lines"],
        &["check", "--at", "0", "--list"],
        &[""],
    ];
    for arguments in wrong {
        let outcome = run(arguments, &borrowed(&usual(KEYS, &[])), "");
        assert_eq!(
            (outcome.status, outcome.stdout.as_str()),
            (2, ""),
            "{arguments:?}"
        );
        assert_eq!(
            outcome.stderr.lines().count(),
            1,
            "{arguments:?}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("--help"),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
}
