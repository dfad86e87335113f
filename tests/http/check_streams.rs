//! What `handler check --lines` reads from and writes to: pipes, terminals, and what fails.

use crate::harness::{Lines, borrowed, command, usual, wait_until};
use crate::key_server::KeyServer;
use crate::tokens::*;
use entra_handler::check::{Tally, judge, judge_all};
use entra_handler::limits::PROGRESS_EVERY_TOKENS;
use entra_handler::settings::Settings;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Stdio};

/// `handler check --lines` with pipes to all of its ends.
fn started(keys: &KeyServer) -> (Child, ChildStdin) {
    let mut command = command(&["check", "--lines"], &borrowed(&usual(&keys.url(), &[])));
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the handler starts");
    let stdin = child.stdin.take().expect("piped");
    (child, stdin)
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let keys = KeyServer::with(set(&[1]));
    let (mut child, mut stdin) = started(&keys);
    let stdout = Lines::of(child.stdout.take().expect("piped"));
    for number in 1..=3 {
        // The end of a line, and the beginning of another.
        stdin
            .write_all(format!("{}\neyJ", good()).as_bytes())
            .expect("it reads");
        wait_until("the line is answered", || stdout.all().len() == number);
    }
    drop(stdin);
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    wait_until("the last line is answered", || stdout.all().len() == 4);
    assert_eq!(stdout.count("\"accepted\":true"), 1);
}

#[test]
fn a_reader_that_goes_away_ends_it_without_a_word() {
    let keys = KeyServer::with(set(&[1]));
    let (mut child, mut stdin) = started(&keys);
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    stdin
        .write_all(format!("{}\n", good()).as_bytes())
        .expect("it reads");
    stdout.read_line(&mut String::new()).expect("a line");
    drop(stdout);
    // The first of these that is answered ends it, and then nobody reads the others.
    let _ = (0..100_000).try_for_each(|_| stdin.write_all(b"nonsense\n"));
    drop(stdin);
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut said)
        .expect("UTF-8");
    assert_eq!(
        (child.wait().expect("ended").code(), said.as_str()),
        (Some(2), "")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_nothing_and_an_input_that_gives_nothing_are_told() {
    let keys = KeyServer::with(set(&[1]));
    let settings = usual(&keys.url(), &[]);
    let ended = |script: &str| {
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-c", script, env!("CARGO_BIN_EXE_handler"), &good()])
            .env_clear()
            .envs(&settings);
        let output = shell
            .stdin(Stdio::null())
            .output()
            .expect("the shell starts");
        (
            output.status.code().expect("ended by itself"),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    };
    for (script, status, said) in [
        (
            "echo $1 | \"$0\" check --lines >/dev/full",
            2,
            "standard output: No space left on device (os error 28)",
        ),
        (
            "\"$0\" check --lines </",
            2,
            "standard input, after line 0: Is a directory (os error 21)",
        ),
        ("\"$0\" check --lines <&-", 0, "judged: 0"),
        (
            "echo $1 | \"$0\" check --lines >&-",
            0,
            "judged: 1, accepted: 1",
        ),
        (
            "echo $1 | \"$0\" check --json >/dev/full",
            2,
            "standard output: No space left on device (os error 28)",
        ),
        (
            "\"$0\" check --list >/dev/full",
            2,
            "standard output: No space left on device (os error 28)",
        ),
    ] {
        assert_eq!(
            ended(script),
            (status, format!("handler: {said}\n")),
            "{script}"
        );
    }
}

/// Looks at the most memory that was ever used, once all has been judged.
#[cfg(target_os = "linux")]
#[test]
fn neither_a_long_line_nor_many_lines_fill_the_memory() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    let keys = KeyServer::with(set(&[1]));
    let (mut child, mut stdin) = started(&keys);
    let (stdout, count) = (
        child.stdout.take().expect("piped"),
        Arc::new(AtomicUsize::new(0)),
    );
    let counter = count.clone();
    let count_lines = move || {
        BufReader::new(stdout).lines().for_each(|_| {
            counter.fetch_add(1, Relaxed);
        })
    };
    let reader = std::thread::spawn(count_lines);
    let megabyte = vec![b'x'; 1 << 20];
    (0..256).for_each(|_| stdin.write_all(&megabyte).expect("it reads"));
    stdin
        .write_all(format!("\n{}", "x\n".repeat(30_000)).as_bytes())
        .expect("it reads");
    wait_until("all lines are answered", || count.load(Relaxed) == 30_001);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak")
        .trim();
    let peak: usize = peak.trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < 24 * 1024, "{peak} KiB");
    drop(stdin);
    reader.join().expect("no panic");
    assert_eq!(child.wait().expect("ended").code(), Some(1));
}

/// Judges what `input` gives in this process, with no keys.
fn judged(input: impl Read, output: impl Write, progress: impl FnMut(u64)) -> io::Result<Tally> {
    let usual = usual("https://keys.invalid/", &[]);
    let settings = Settings::read(|name| usual.get(name).cloned()).expect("good settings");
    judge_all(
        input,
        output,
        |token| judge(token, &settings, None, 0.0),
        progress,
    )
}

/// Fails as soon as it is used.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(Error::from(ErrorKind::TimedOut))
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(Error::from(ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_judged_before_the_input_failed_is_written() {
    let mut output = Vec::new();
    let ended = judged(b"x\n\nx\nx".chain(Broken), &mut output, drop);
    let error = ended.expect_err("the input fails");
    assert_eq!(
        (error.kind(), error.to_string()),
        (
            ErrorKind::TimedOut,
            "standard input, after line 3: timed out".into()
        )
    );
    let lines = output
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).expect("JSON"));
    assert_eq!(
        lines
            .map(|object| object["line"].clone())
            .collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn judging_ends_when_the_output_fails() {
    let ended = judged("x\n".repeat(100_000).as_bytes().chain(Broken), Broken, drop);
    let error = ended.expect_err("the output fails");
    assert_eq!(
        (error.kind(), error.to_string()),
        (
            ErrorKind::StorageFull,
            "standard output: no storage space".into()
        )
    );
}

#[test]
fn progress_is_told_now_and_then() {
    let mut told = Vec::new();
    let tokens = 2 * PROGRESS_EVERY_TOKENS + 5000;
    let ended = judged(
        "x\n".repeat(tokens as usize).as_bytes(),
        io::sink(),
        |count| told.push(count),
    );
    assert_eq!(
        ended.expect("all was judged").to_string(),
        format!("judged: {tokens}, invalid_header: {tokens}")
    );
    assert_eq!(told, [PROGRESS_EVERY_TOKENS, 2 * PROGRESS_EVERY_TOKENS]);
}

#[cfg(target_os = "linux")]
#[test]
fn progress_is_shown_on_a_terminal_unless_the_verdicts_are_shown_there() {
    let keys = KeyServer::with(set(&[1]));
    let shown = |redirection: &str| {
        let line = format!(
            "yes x | head -n {PROGRESS_EVERY_TOKENS} | \"$HANDLER\" check --lines {redirection}"
        );
        let mut terminal = std::process::Command::new("script");
        terminal
            .args(["-qec", &line, "/dev/null"])
            .env("HANDLER", env!("CARGO_BIN_EXE_handler"));
        let output = terminal
            .envs(usual(&keys.url(), &[]))
            .stdin(Stdio::null())
            .output();
        output.map(|output| String::from_utf8(output.stdout).expect("UTF-8"))
    };
    match shown(">/dev/null") {
        Err(error) => eprintln!("not tested on a terminal: script: {error}"),
        Ok(shown) => {
            assert_eq!(
                shown,
                "\r\x1b[K10000 tokens\r\x1b[Khandler: judged: 10000, invalid_header: 10000\r\n"
            );
        }
    }
    if let Ok(shown) = shown("") {
        assert!(
            shown.starts_with('{') && !shown.contains("10000 tokens"),
            "{}",
            &shown[shown.len() - 1000..]
        );
    }
}
