//! How the program is called, where it listens, and with which status it ends.

use crate::support::tokens::*;
use crate::support::*;
use std::net::TcpListener;

const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// A handler that has no keys and is about to end anyway.
fn ending(settings: &[(&str, &str)]) -> Outcome {
    Setup::new("https://keys.invalid/keys")
        .with(settings)
        .run("")
}

/// Whether a line is about this setting.
fn names(line: &str, setting: &str) -> bool {
    let about = line
        .strip_prefix("handler: ")
        .and_then(|line| line.strip_prefix(setting));
    about.is_some_and(|rest| rest.starts_with([' ', '=']))
}

#[test]
fn a_port_in_use_is_one_clear_line_and_status_1_and_the_port_is_3000_unless_it_is_set() {
    // Taken here or by somebody else: either way the handler says where it wanted to listen.
    let default = TcpListener::bind("127.0.0.1:3000");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for (settings, port) in [(&[][..], "3000"), (&[(PORT, &*port)], &port)] {
        let Outcome {
            status,
            stdout,
            stderr,
        } = ending(settings);
        assert_eq!((status, stdout.as_str()), (1, ""));
        let line = stderr.strip_prefix("handler: ").expect("says who speaks");
        let is_clear = line.contains(&format!("127.0.0.1:{port}"));
        assert!(
            is_clear && line.ends_with('\n') && line.lines().count() == 1,
            "{stderr}"
        );
    }
    drop(default);
}

// Elsewhere 127.0.0.2 may not be an address of this machine.
#[cfg(target_os = "linux")]
#[test]
fn only_loopback_is_listened_on() {
    let (handler, _keys) = serving(&[]);
    // The same port of another address of this machine is still free.
    let other = TcpListener::bind(("127.0.0.2", handler.address.port()));
    other.expect("the handler does not listen everywhere");
}

#[test]
fn bad_settings_are_all_told_one_line_each_with_an_example_and_status_2() {
    let wrong = [
        ("TENANT_ID", "x"),
        ("API_AUDIENCE", ""),
        ("AUTHORITY_HOST", "http://example.com"),
        ("JWKS_URI", "http://10.0.0.1/keys"),
        ("CLOCK_SKEW_SECONDS", "x"),
        ("ALLOWED_ORIGINS", "x"),
        ("AUDIT_LOG", "x"),
        (PORT, "x"),
    ];
    let Outcome {
        status,
        stdout,
        stderr,
    } = ending(&wrong);
    assert_eq!((status, stdout.as_str()), (2, ""));
    for (name, _) in wrong {
        let lines = stderr.lines().filter(|line| names(line, name));
        let examples: Vec<_> = lines.map(|line| line.contains("; for example ")).collect();
        assert!(
            !examples.is_empty() && !examples.contains(&false),
            "{name}: {stderr}"
        );
    }
    assert_eq!(Setup::bare().run("").stderr.lines().count(), 2);
}

#[test]
fn keys_do_not_travel_in_the_clear_beyond_this_machine() {
    for host in [
        "keys.example",
        "10.0.0.1",
        "127.0.0.1.example",
        "127.0.0.1@example.com",
    ] {
        let outcome = ending(&[("JWKS_URI", &format!("http://{host}/keys"))]);
        let is_told = names(&outcome.stderr, "JWKS_URI");
        assert!(outcome.status == 2 && is_told, "{host}: {outcome:?}");
    }
}

#[test]
fn a_setting_that_is_probably_wrong_is_a_warning_and_an_empty_one_is_unset() {
    let (handler, _keys) = serving(&[("TENANT_ID", "common"), ("ALLOWED_CLIENTS", "")]);
    assert_eq!(handler.api(&good()).status, 200);
    let is_written = || handler.stderr.count("warning: ") == 1;
    wait_until("the warning is written", is_written);
    assert_eq!(handler.stderr.count("ALLOWED_TENANTS"), 1);
}

#[test]
fn help_and_version_are_as_anyone_expects() {
    for arguments in ["--help", "-h", "check --help", "check --json -h"] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let Outcome {
            status,
            stdout,
            stderr,
        } = Setup::bare().arguments(&arguments).run("");
        assert_eq!((status, stderr.as_str()), (0, ""));
        let words = "check --json --at --lines --list --version TENANT_ID API_AUDIENCE AUDIT_LOG";
        let missing = words.split(' ').find(|word| !stdout.contains(word));
        assert_eq!(missing, None, "{stdout}");
    }
    for argument in ["--version", "-V"] {
        let Outcome {
            status,
            stdout,
            stderr,
        } = Setup::bare().arguments(&[argument]).run("");
        let version = concat!("handler ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!((status, stdout.as_str(), stderr.as_str()), (0, version, ""));
    }
}

#[test]
fn an_argument_that_means_nothing_is_refused() {
    #[rustfmt::skip]
    let wrong = [
        "serve", "--port 80", "--help x", "check --xml", "check --at", "check --at noon",
        "check --lines tokens.txt", "check --list --lines", "check --at 0 --list", "",
    ];
    for arguments in wrong {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let setup = Setup::new("https://keys.invalid/").arguments(&arguments);
        let Outcome {
            status,
            stdout,
            stderr,
        } = setup.run("");
        assert_eq!(
            (status, stdout.as_str(), stderr.lines().count()),
            (2, "", 1),
            "{arguments:?}"
        );
        assert!(stderr.contains("--help"), "{arguments:?}: {stderr}");
    }
}
