//! The soak: the scenes of the hostile clients, well-behaved clients, keys that come and go, and a
//! key server that fails, all before one handler for minutes. Every response is checked.
//!
//! `cargo run --release --example soak -- --handler PATH --minutes 10`

mod scenes;
#[path = "../support/mod.rs"]
mod support;

use scenes::{Numbers, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use support::mint::mint;
use support::tokens::{good, header, key, now, set, signed, signed_with, v2, with};
use support::usage::{Tolerance, Usage, must_settle};
use support::{
    Connection, GUARD, Handler, KeyServer, PUBLIC, Reply, Setup, api_request, post, request,
};

/// The tokens of the scenes are good for an hour.
const USAGE: &str = "usage: soak --handler PATH [--minutes 1-50 (10)] [--seed NUMBER (1)]";

/// Well-behaved clients, and ones that are not.
const CALLERS: u64 = 4;
const VANDALS: u64 = 3;

/// Connections that tiny_http can never end; each costs a thread and two descriptors.
const MOST_LEFT_BEHIND: u64 = 40;

/// A handler at rest after it all. Memory: what the allocator keeps of the worst moment.
const MORE: Tolerance = Tolerance {
    kib: 96 * 1024,
    threads: 32 + MOST_LEFT_BEHIND,
    descriptors: 16 + 2 * MOST_LEFT_BEHIND,
};

type Scene = (&'static str, fn(&Site, usize), usize);

/// Each with its size. The last two leave connections behind.
const SCENES: [Scene; 17] = [
    ("stalled uploads", scenes::stalled_uploads, 3),
    ("broken off uploads", scenes::broken_off_uploads, 3),
    ("trickling uploads", scenes::trickling_uploads, 3),
    ("lying chunks", scenes::lying_chunks, 3),
    ("pipelined uploads", scenes::pipelined_uploads, 3),
    ("odd starts", scenes::odd_starts, 1),
    ("huge starts", scenes::huge_starts, 1),
    ("trickling starts", scenes::trickling_starts, 10),
    ("idle connections", scenes::idle_connections, 40),
    ("half request lines", scenes::half_request_lines, 40),
    ("burst", scenes::burst, 40),
    ("resets", scenes::resets, 2),
    ("random bytes", scenes::random_bytes, 1),
    ("late reader", scenes::late_readers, 1),
    ("deaf readers", scenes::deaf_readers, 1),
    ("oversized upload", scenes::oversized_uploads, 1),
    ("another version of HTTP", scenes::other_versions, 1),
];

struct Run {
    handler: Handler,
    keys: KeyServer,
    questions: Vec<Question>,
    end: Instant,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Keys 1 and 2 are always there, key 4 never is, and key 3 comes and goes: None while the
    /// handler may have either set.
    has_key_3: Option<bool>,
    counts: BTreeMap<String, u64>,
    wrong: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let minutes = value("--minutes").unwrap_or("10").parse();
    let seed: Result<u64, _> = value("--seed").unwrap_or("1").parse();
    let (Some(handler), Ok(minutes @ 1..=50), Ok(seed)) = (value("--handler"), minutes, seed)
    else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    println!("soak: {minutes} minutes, seed {seed}");
    let keys = KeyServer::with(set(&[1, 2]));
    let setup = Setup::new(&keys.url()).program(handler);
    let handler = setup.script("exec \"$0\" >/dev/null").start();
    assert_eq!(handler.api(&good()).status, 200);
    let before = handler.usage();
    let kinds = (0..1000).zip(KINDS.iter().cycle());
    let questions = kinds.map(|(number, (kind, allowed))| question(kind, allowed, number));
    let mut run = Run {
        handler,
        keys,
        questions: questions.collect(),
        end: Instant::now() + Duration::from_secs(60 * minutes),
        book: Mutex::default(),
    };
    thread::scope(|scope| {
        let run = &run;
        for number in 0..CALLERS {
            scope.spawn(move || run.call(Numbers(seed * 1000 + number + 1)));
        }
        for number in 0..VANDALS {
            scope.spawn(move || run.play(Numbers(seed * 1000 + CALLERS + number + 1)));
        }
        scope.spawn(|| run.change_keys());
        while !run.is_over() {
            run.say();
            run.sleep(Duration::from_secs(60));
        }
    });
    run.say();
    must_settle(&mut run.handler, &before, MORE, "soak");
    for (what, count) in &run.book().counts {
        println!("{count:>9}  {what}");
    }
    ExitCode::from(u8::from(run.book().wrong > 0))
}

impl Run {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no panic while held")
    }

    /// So often was it done, this time too.
    fn count(&self, what: String) -> u64 {
        let mut book = self.book();
        let count = book.counts.entry(what).or_default();
        *count += 1;
        *count
    }

    fn wrong(&self, what: String) {
        eprintln!("soak: WRONG: {what}");
        self.book().wrong += 1;
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// At the end of the time, or of the handler.
    fn is_over(&self) -> bool {
        let program = format!("/proc/{}/exe", self.handler.child.id());
        self.left().is_zero() || std::fs::read_link(program).is_err()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time.min(self.left()));
    }

    /// A hostile client.
    fn play(&self, mut numbers: Numbers) {
        let others = |rounds: usize| self.sleep(Duration::from_millis(10) * rounds as u32);
        while !self.is_over() {
            let number = numbers.below(SCENES.len());
            let (name, scene, size) = SCENES[number];
            let played = self.count(format!("scene: {name}"));
            if number >= SCENES.len() - 2 && played > MOST_LEFT_BEHIND / 2 {
                continue;
            }
            let (handler, others, seed) = (&self.handler, &others, numbers.0);
            let site = Site {
                handler,
                others,
                seed,
            };
            if catch_unwind(AssertUnwindSafe(|| scene(&site, size))).is_err() {
                self.wrong(name.into());
            }
        }
    }

    /// A well-behaved client.
    fn call(&self, mut numbers: Numbers) {
        let mut connection = self.handler.connect();
        while !self.is_over() {
            let question = &self.questions[numbers.below(self.questions.len())];
            let is_whole = self.ask(&mut connection, question);
            if !is_whole || numbers.below(10) == 0 {
                connection = self.handler.connect();
            }
            self.sleep(Duration::from_millis(1 + numbers.below(20) as u64));
        }
    }

    /// Whether there was a response.
    fn ask(&self, connection: &mut Connection, question: &Question) -> bool {
        let kind = question.kind;
        let before = self.book().has_key_3;
        connection.try_send(&question.request);
        let Some(response) = connection.response_within(GUARD) else {
            self.wrong(format!("{kind}: no response"));
            return false;
        };
        let found = (response.status, &*response.code());
        // Nobody waits until it has changed twice.
        let allowed = match before.filter(|_| self.book().has_key_3 == before) {
            _ if kind != THIRD => question.allowed,
            Some(true) => OK,
            Some(false) => UNKNOWN,
            None => &[OK[0], UNKNOWN[0], UNKNOWN[1]],
        };
        let is_whole = found.0 != 200 || response.body == question.body;
        let has_time = found.0 != 503 || (1..=60).contains(&response.retry_after());
        if !allowed.contains(&found) || !is_whole || !has_time {
            self.wrong(format!("{kind}: {response:?}"));
        }
        self.count(format!("{kind}: {} {}", found.0, found.1));
        true
    }

    /// Changes the set, lets the key server fail, and waits for a fetch each time. Callers with
    /// unknown keys cause one a minute.
    fn change_keys(&self) {
        let sets = [(true, set(&[1, 2, 3])), (false, set(&[2, 1]))];
        let failures = [
            Reply::silence(),
            Reply::status(500, set(&[3])),
            Reply::dripping(&set(&[3]), 0),
            Reply::body("<!doctype html><title>Sign in</title>"),
            Reply::truncated(&set(&[3])),
            Reply::close(),
        ];
        for ((is_there, set), failure) in sets.iter().cycle().zip(failures.iter().cycle()) {
            self.book().has_key_3 = None;
            self.reply(Reply::body(set));
            if self.is_over() {
                return;
            }
            self.book().has_key_3 = Some(*is_there);
            self.reply(failure.clone());
        }
    }

    /// Replies so from now on, and waits until a fetch that got it is over.
    fn reply(&self, reply: Reply) {
        self.keys.reply(reply);
        let before = self.keys.fetches();
        while self.keys.fetches() == before && !self.is_over() {
            self.sleep(Duration::from_millis(100));
        }
        // As long as a fetch may take, and more.
        self.sleep(Duration::from_secs(8));
    }

    fn say(&self) {
        let usage = Usage::of(self.handler.child.id()).map(|usage| usage.to_string());
        let (book, fetches, left) = (self.book(), self.keys.fetches(), self.left().as_secs());
        let (wrong, total) = (book.wrong, book.counts.values().sum::<u64>());
        println!("soak: {left} s left: {total} done, {wrong} wrong, {fetches} fetches, {usage:?}");
    }
}

/// Statuses and codes.
type Allowed = &'static [(u16, &'static str)];
const OK: Allowed = &[(200, "")];
const UNKNOWN: Allowed = &[(401, "invalid_header"), (503, "keys_unavailable")];
const THIRD: &str = "key that comes and goes";

const KINDS: [(&str, Allowed); 11] = [
    ("public", OK),
    ("no token", &[(401, "authorization_header_missing")]),
    ("expired", &[(401, "token_expired")]),
    ("another audience", &[(401, "invalid_claims")]),
    ("no permission", &[(403, "insufficient_scope")]),
    ("forged", &[(401, "invalid_header")]),
    ("unknown key", UNKNOWN),
    (THIRD, OK),
    ("key 1", OK),
    ("key 2", OK),
    ("upload", OK),
];

struct Question {
    kind: &'static str,
    allowed: Allowed,
    request: String,
    /// Of a success.
    body: String,
}

fn question(kind: &'static str, allowed: Allowed, number: usize) -> Question {
    let claims = with(v2(), "uti", number.to_string());
    let mut body = claims.to_string();
    let bearer = format!("Bearer {}", signed(&claims));
    let other = |name, value: Value| api_request(&signed(&with(claims.clone(), name, value)));
    let signed = |number| api_request(&signed_with(number, &claims));
    let request = match kind {
        "public" => PUBLIC.to_owned(),
        "no token" => request("GET", "/api", &[]),
        "expired" => other("exp", json!(now() - 1000)),
        "another audience" => other("aud", json!("x")),
        "no permission" => other("scp", json!("")),
        "forged" => api_request(&mint(key(4), &header(json!({})).to_string(), &body)),
        "unknown key" => signed(4),
        THIRD => signed(3),
        "key 2" => signed(2),
        "upload" => post("/api", &[("Authorization", &bearer)], &"x".repeat(3000)),
        _ => signed(1),
    };
    if kind == "public" {
        body = r#"{"message":"Public endpoint - open to all"}"#.into();
    }
    Question {
        kind,
        allowed,
        request,
        body,
    }
}
