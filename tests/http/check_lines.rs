//! `handler check --lines`: many tokens, one a line; and outputs and inputs that fail.

use crate::samples::{key_set, samples};
use crate::support::tokens::*;
use crate::support::usage::Usage;
use crate::support::*;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};

fn setup(server: &KeyServer) -> Setup {
    Setup::new(&server.url()).arguments(&["check", "--lines"])
}

fn objects(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// A sign for each line up to the last that was judged: `+` accepted, `x` refused, `-` not judged.
fn verdicts(outcome: &Outcome) -> String {
    let mut verdicts = String::new();
    for object in objects(outcome) {
        let line = object["line"].as_u64().expect("a line") as usize;
        verdicts.extend(vec!['-'; line - 1 - verdicts.len()]);
        verdicts.push(if object["accepted"] == true { '+' } else { 'x' });
    }
    verdicts
}

#[test]
fn each_line_gets_what_the_token_gets_alone_and_in_order() {
    let keys = KeyServer::with(key_set());
    let (samples, at) = (samples(), now().to_string());
    let input: String = samples.iter().map(|it| it.token.clone() + "\n").collect();
    let many = setup(&keys)
        .arguments(&["check", "--lines", "--at", &at])
        .run(input);
    let alone = setup(&keys).arguments(&["check", "--json", "--at", &at]);
    let lines: Vec<&str> = many.stdout.lines().collect();
    assert_eq!((many.status, lines.len()), (1, samples.len()));
    for (number, sample) in samples.iter().enumerate() {
        let object = alone.run(&sample.token).stdout;
        let expected = format!("{{\"line\":{},{}", number + 1, object[1..].trim_end());
        assert_eq!(lines[number], expected, "{}", sample.name);
    }
}

#[test]
fn the_status_tells_whether_all_were_accepted_and_all_decided() {
    let (keys, none) = (KeyServer::with(set(&[1])), KeyServer::start(Reply::close()));
    let cases = [
        (&keys, "GOOD GOOD", 0, "2, accepted: 2"),
        (&keys, "GOOD bad", 1, "2, accepted: 1, invalid_header: 1"),
        (&keys, "", 0, "0"),
        (&none, "bad", 1, "1, invalid_header: 1"),
        (
            &none,
            "bad GOOD",
            2,
            "2, invalid_header: 1, keys_unavailable: 1",
        ),
    ];
    for (server, words, status, summary) in cases {
        let input = words.replace(' ', "\n").replace("GOOD", &good());
        let outcome = setup(server).run(input);
        let last = format!("handler: judged: {summary}\n");
        assert!(outcome.stderr.ends_with(&last), "{words}: {outcome:?}");
        let is_told = outcome.stderr.contains("could not be fetched");
        assert_eq!(
            (outcome.status, is_told),
            (status, std::ptr::eq(server, &none))
        );
    }
}

#[test]
fn lines_may_come_from_any_system_and_hold_anything() {
    let (keys, good) = (KeyServer::with(set(&[1])), good());
    let cases = [
        ("GOOD", "+"),
        ("GOOD\r\nnonsense\r\nBearer GOOD\r\n", "+x+"),
        ("  bearer   GOOD \t\n", "+"),
        ("\n\nGOOD\n \t\r\n\r\nGOOD", "--+--+"),
        ("\n\n\r\n", ""),
        ("\u{feff}GOOD\nGOOD", "++"),
        ("GOOD\n\u{feff}GOOD", "+x"),
        ("GOOD GOOD\nGOOD,GOOD\nBearer\n", "xxx"),
        ("\0\nÿþ\nÃ\n\x0b\nGOOD\0\n\r\r\0\nGOOD", "xxxxxx+"),
    ];
    for (input, expected) in cases {
        let text = input.replace("GOOD", &good);
        // Letters of Latin 1 as single bytes, which are no UTF-8.
        let is_latin = |char: char| ('\u{80}'..='\u{ff}').contains(&char);
        let bytes = match text.contains(is_latin) {
            true => text.chars().map(|char| char as u8).collect(),
            false => text.into_bytes(),
        };
        assert_eq!(verdicts(&setup(&keys).run(bytes)), expected, "{input:?}");
    }
    // However many lines there are, the keys are fetched once.
    assert_eq!(keys.fetches(), cases.len());
}

#[test]
fn a_line_that_is_too_long_is_refused_with_its_length_and_the_next_is_judged() {
    let (keys, good) = (KeyServer::with(set(&[1])), good());
    // Around the longest token, around the longest line that is kept, and far beyond.
    for bytes in [16_385, 65_536, 65_537, 65_538, 3_000_000] {
        let long = "x".repeat(bytes);
        let outcome = setup(&keys).run(format!("{long}\n{good}\n{long}"));
        assert_eq!(verdicts(&outcome), "x+x");
        let words = format!("The token has {bytes} bytes; ");
        for object in objects(&outcome).iter().step_by(2) {
            assert!(
                object["description"].to_string()[1..].starts_with(&words),
                "{object}"
            );
            assert_eq!(object["checks"][0]["verdict"], "fail", "{object}");
        }
    }
}

#[test]
fn claims_with_ends_of_lines_in_them_stay_on_their_line() {
    let keys = KeyServer::with(set(&[1]));
    let claims = with(v2(), "odd", "a\nb\r\u{2028}");
    let text = serde_json::to_string_pretty(&claims).expect("JSON");
    let token = mint::token(key(1), &format!("\r\n{}\r\n", text.replace('\n', "\r\n")));
    let outcome = setup(&keys).run(format!("{token}\n{token}\n"));
    assert_eq!(
        (verdicts(&outcome), &objects(&outcome)[1]["claims"]),
        ("++".into(), &claims)
    );
    assert!(!outcome.stdout.contains('\r'));
}

/// `handler check --lines` with pipes to all of its ends, of which a test holds the input.
fn started(keys: &KeyServer, start: fn(Command) -> Process) -> (Process, ChildStdin) {
    let mut command = setup(keys).command();
    command.stdin(Stdio::piped());
    let mut process = start(command);
    let stdin = process.child.stdin.take().expect("piped");
    (process, stdin)
}

#[test]
fn a_line_gets_its_object_before_the_next_one_comes() {
    let keys = KeyServer::with(set(&[1]));
    let (mut process, mut stdin) = started(&keys, Process::start);
    for number in 1..=3 {
        // The end of a line, and the beginning of another.
        write!(stdin, "{}\neyJ", good()).expect("it reads");
        let count = || process.stdout.count("\"line\"");
        wait_until("the line is judged", || count() == number);
    }
    drop(stdin);
    assert_eq!(process.wait().code(), Some(1));
    assert_eq!(process.stdout.until_the_end().len(), 4);
    assert_eq!(process.stdout.count("\"accepted\":true"), 1);
}

#[test]
fn a_reader_that_goes_away_ends_it_without_a_word() {
    let keys = KeyServer::with(set(&[1]));
    let (mut process, mut stdin) = started(&keys, Process::start_unread);
    let mut stdout = BufReader::new(process.child.stdout.take().expect("piped"));
    writeln!(stdin, "{}", good()).expect("it reads");
    stdout.read_line(&mut String::new()).expect("a line");
    drop(stdout);
    // The first of these that is judged ends it, and then nobody reads the others.
    let _ = (0..100_000).try_for_each(|_| stdin.write_all(b"nonsense\n"));
    drop(stdin);
    assert_eq!(process.wait().code(), Some(2));
    assert_eq!(process.stderr.until_the_end(), [""; 0]);
}

/// The most memory that was ever used, once all has been judged.
#[cfg(target_os = "linux")]
#[test]
fn neither_a_long_line_nor_many_lines_fill_the_memory() {
    let keys = KeyServer::with(set(&[1]));
    let (mut process, mut stdin) = started(&keys, Process::start_unread);
    let stdout = BufReader::new(process.child.stdout.take().expect("piped"));
    let count = || stdout.lines().map_while(Result::ok).take(30_001).count();
    let reader = std::thread::spawn(count);
    let megabyte = vec![b'x'; 1 << 20];
    (0..256).for_each(|_| stdin.write_all(&megabyte).expect("it reads"));
    write!(stdin, "\n{}", "x\n".repeat(30_000)).expect("it reads");
    assert_eq!(reader.join().expect("no panic"), 30_001);
    let usage = Usage::of(process.child.id()).expect("it runs");
    assert!(usage.peak_kib < 24 * 1024, "{usage:?}");
}

/// A command of the shell, its exit status, and what it says on standard error.
#[cfg(target_os = "linux")]
#[rustfmt::skip]
const SCRIPTS: [(&str, i32, &str); 9] = [
    ("echo $TOKEN | $0 check --lines >/dev/full", 2, "standard output: No space left on device (os error 28)"),
    ("echo $TOKEN | $0 check --json >/dev/full", 2, "standard output: No space left on device (os error 28)"),
    ("$0 check --list >/dev/full", 2, "standard output: No space left on device (os error 28)"),
    ("$0 check --lines </", 2, "standard input, after line 0: Is a directory (os error 21)"),
    ("$0 check --lines <&-", 0, "judged: 0"),
    ("echo $TOKEN | $0 check --lines >&-", 0, "judged: 1, accepted: 1"),
    // A standard error that takes nothing changes no outcome.
    ("echo $TOKEN | $0 check >/dev/null 2>/dev/full", 0, ""),
    ("echo $TOKEN | JWKS_URI=/nonexistent $0 check 2>/dev/full", 2, ""),
    ("TENANT_ID=x $0 2>/dev/full", 2, ""),
];

#[cfg(target_os = "linux")]
#[test]
fn outputs_that_take_nothing_and_inputs_that_give_nothing_are_told() {
    let keys = KeyServer::with(set(&[1]));
    for (script, status, said) in SCRIPTS {
        // With a setting that is warned about, where that is not looked at.
        let tenant = if said.is_empty() { "common" } else { TENANT };
        let more = [("TOKEN", &*good()), ("TENANT_ID", tenant)];
        let script = script.replace("$0", "\"$0\"");
        let outcome = Setup::new(&keys.url()).with(&more).script(&script).run("");
        let expected = if said.is_empty() {
            String::new()
        } else {
            format!("handler: {said}\n")
        };
        assert_eq!(
            (outcome.status, outcome.stderr),
            (status, expected),
            "{script}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn progress_is_shown_on_a_terminal() {
    if find_program(&["script"], &[]).is_none() {
        return say("no `script`: progress is not tested on a terminal");
    }
    let keys = KeyServer::with(set(&[1]));
    let line = "yes x | head -n 10000 | \"$0\" check --lines >/dev/null";
    let script = "export PROGRAM=\"$0\"; exec script -qec 'sh -c \"$LINE\" \"$PROGRAM\"' /dev/null";
    let setup = Setup::new(&keys.url())
        .with(&[("LINE", line)])
        .script(script);
    let shown = setup.run("").stdout;
    let start = "\r\x1b[K10000 tokens\r\x1b[Khandler: judged: 10000, ";
    assert!(shown.starts_with(start), "{shown}");
}
