//! The benchmark: the handler beside the bounds of its parts, a bare tiny_http server and ring's
//! RSA verification.
//!
//! Servers take turns in slices of a few milliseconds, so that whatever else the machine does falls
//! on all of them. They run on one core, the load on another. A figure is the median over all
//! slices, a ratio the median of the ratios of slices that belong together.

mod load;
#[path = "../support/mod.rs"]
mod support;

use entra_handler::{Needs, Response, Route, Settings, serve};
use load::{Cores, Load, Program, Server, Slice, Talk, Until};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use std::collections::HashMap;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use support::KeyServer;
use support::tokens::{key, set, signed, v2, with};

const HELP: &str = "\
usage: bench --handler PATH [options]

  --handler PATH  the handler's release binary
  --vs PATH       another handler, measured beside it in the same run
  --rounds N      rounds over all cases (5), each with servers of their own
  --only WORDS    only cases whose name contains this

Exit status: 0, 1 when a response was wrong or something did not run, 2 for a bad command line.
A missed aim is no error: the machine may be at fault.
";
const OPTIONS: [&str; 4] = ["--handler", "--vs", "--rounds", "--only"];

/// Slices of one server in a round, and the time of one.
const SLICES: usize = 50;
const SLICE: Duration = Duration::from_millis(10);

/// Requests before anything is measured.
const WARM_UP: usize = 512;

/// Different tokens in a round, short ones and long ones.
const TOKENS: [usize; 2] = [20_000, 5_000];

/// Characters of a signature, with the dot before it.
const SIGNATURE: usize = 343;

/// Calls of a slow endpoint at the same time.
const SLOW_CALLS: usize = 50;

/// The table that `bench --slow` serves.
const ROUTES: &[Route] = &[
    Route::protected("GET /api", Needs::Token, |_, claims| {
        Ok(Response::json(200, claims.json()))
    }),
    Route::slow("GET /slow", Needs::Token, |_, _| {
        thread::sleep(Duration::from_secs(1));
        Ok(Response::json(200, "null"))
    }),
];

type Result<T> = std::result::Result<T, String>;

struct Case {
    talk: &'static str,
    /// The talk with the bare server. Where every request is another one, with the handler itself.
    bound: &'static str,
    connections: usize,
    unit: &'static str,
    aim: Option<Aim>,
}

/// For a ratio, or for the figure itself where there is nothing to compare it with.
#[derive(Clone, Copy)]
enum Aim {
    AtLeast(f64),
    AtMost(f64),
}
use Aim::{AtLeast, AtMost};

const RATE: &str = "/s";
const LATENCY: &str = "µs";
/// Time of a slice over its requests. The bound takes a verification more.
const EACH: &str = "µs each";

const PUBLIC: &str = "`/public`";
const HEALTHZ: &str = "`/healthz`";
const SLOW: &str = "`/slow`";
const SAME: [&str; 2] = ["repeated token, 600 B", "repeated token, 4 KB"];
const OTHER: [&str; 2] = ["different tokens, 600 B", "different tokens, 4 KB"];
const BAD: [&str; 2] = ["bad signatures, 600 B", "bad signatures, 4 KB"];

#[rustfmt::skip]
const CASES: [Case; 9] = [
    Case { talk: PUBLIC, bound: PUBLIC, connections: 16, unit: RATE, aim: Some(AtLeast(0.98)) },
    Case { talk: SAME[0], bound: SAME[0], connections: 16, unit: RATE, aim: Some(AtLeast(1.0)) },
    Case { talk: SAME[1], bound: SAME[1], connections: 16, unit: RATE, aim: Some(AtLeast(1.0)) },
    Case { talk: SAME[0], bound: SAME[0], connections: 1, unit: LATENCY, aim: Some(AtMost(1.05)) },
    Case { talk: SAME[1], bound: SAME[1], connections: 1, unit: LATENCY, aim: Some(AtMost(1.05)) },
    Case { talk: OTHER[0], bound: SAME[0], connections: 16, unit: EACH, aim: Some(AtMost(1.2)) },
    Case { talk: OTHER[1], bound: SAME[1], connections: 16, unit: EACH, aim: Some(AtMost(1.2)) },
    Case { talk: BAD[0], bound: OTHER[0], connections: 16, unit: RATE, aim: Some(AtLeast(0.97)) },
    Case { talk: BAD[1], bound: OTHER[1], connections: 16, unit: RATE, aim: Some(AtLeast(0.97)) },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--slow"] {
        let problems = Settings::from_environment().and_then(|settings| serve(settings, ROUTES));
        eprintln!("bench --slow: {problems:?}");
        return ExitCode::FAILURE;
    }
    if let [mode, port, response] = &arguments[..]
        && mode == "--bare"
    {
        let end = load::serve_bare(port, response);
        eprintln!("bench --bare: {end:?}");
        return ExitCode::FAILURE;
    }
    let Some(bench) = Bench::read(&arguments) else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    match bench.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    /// The handler, and the other one.
    handlers: Vec<Program>,
    rounds: usize,
    only: String,
    talks: HashMap<&'static str, Talk>,
    keys: KeyServer,
    cores: Cores,
}

/// The course of one side in one round.
struct Course {
    slices: Vec<Slice>,
    cpu_seconds: f64,
    resident_mib: f64,
}

impl Bench {
    /// None for a bad command line.
    fn read(arguments: &[String]) -> Option<Bench> {
        let is_known = |name: &String| OPTIONS.contains(&name.as_str());
        let value = |name: &str| {
            let place = arguments.iter().position(|argument| argument == name)?;
            arguments.get(place + 1)
        };
        let program = |name| Program::handler(value(name)?);
        let all_known = arguments.iter().step_by(2).all(is_known);
        let handlers = [Some(program("--handler")?), program("--vs")];
        let rounds = value("--rounds").map_or(Ok(5), |rounds| rounds.parse());
        // All cores sign; from then on each has its own work.
        let talks = all_known.then(talks)?;
        Some(Bench {
            handlers: handlers.into_iter().flatten().collect(),
            rounds: rounds.ok().filter(|rounds| *rounds > 0)?,
            only: value("--only").cloned().unwrap_or_default(),
            talks,
            cores: Cores::divide(),
            keys: KeyServer::with(set(&[1, 2, 3])),
        })
    }

    /// Measures, and prints the table.
    fn run(&self) -> Result<()> {
        let mut rows = Vec::new();
        for case in CASES.iter().filter(|case| case.talk.contains(&self.only)) {
            self.run_case(case, &mut rows)?;
        }
        if "start".contains(&self.only) {
            self.run_starts(&mut rows)?;
        }
        for (name, talk) in [(HEALTHZ, HEALTHZ), ("`/api`", SAME[0])] {
            let name = format!("{name} beside {SLOW_CALLS} slow calls");
            if name.contains(&self.only) {
                rows.push(self.run_beside_slow_calls(&name, &self.talks[talk])?);
            }
        }
        print(&rows, &self.cores, self.handlers.len() > 1);
        Ok(())
    }

    fn run_case(&self, case: &Case, rows: &mut Vec<Row>) -> Result<()> {
        let (talk, bound) = (&self.talks[case.talk], &self.talks[case.bound]);
        let program = match bound.requests.len() {
            1 => self.bare(bound)?,
            _ => self.handlers[0].clone(),
        };
        let mut sides = vec![(program, bound)];
        sides.extend(self.handlers.iter().map(|handler| (handler.clone(), talk)));
        let mut row = Row::new(case.talk, case.unit, case.aim);
        row.connections = case.connections;
        let signing_input = talk.requests[0].len() - get("/api", "").len() - SIGNATURE;
        let (count, length) = (TOKENS[0], signing_input + SIGNATURE);
        let name = format!("memory after {count} different tokens of {length} B");
        let mut memory = Row::new(&name, "MiB", Some(AtMost(14.0)));
        for round in 1..=self.rounds {
            eprintln!("bench: {}, {}: round {round}", case.talk, case.connections);
            let verification = match case.unit {
                EACH => self.verification(signing_input),
                _ => 0.0,
            };
            let courses = self.contest(&sides, case.connections)?;
            row.add(&courses, verification);
            for (side, course) in courses.iter().enumerate().skip(1) {
                memory.values[side].push(course.resident_mib);
            }
        }
        rows.push(row);
        rows.extend(Some(memory).filter(|_| case.talk == OTHER[0]));
        Ok(())
    }

    /// One round: every side with a process of its own, all of them in turn.
    fn contest(&self, sides: &[(Program, &Talk)], connections: usize) -> Result<Vec<Course>> {
        let mut running = Vec::new();
        for (program, talk) in sides {
            let (server, mut load, _) = self.launch(program, talk)?;
            (1..connections).try_for_each(|_| load.open(talk))?;
            load.run(talk, Until::Sent(WARM_UP - connections))?;
            load.keep_calling(&talk.calls);
            let before = server.cpu_seconds();
            running.push((server, load, before, Vec::new()));
        }
        for number in 0..SLICES {
            for turn in 0..sides.len() {
                // Everybody is the first one in turn: it matters who was there before.
                let place = (number + turn) % sides.len();
                let (talk, (_, load, _, slices)) = (sides[place].1, &mut running[place]);
                let until = match talk.requests.len() {
                    1 => Until::Elapsed(SLICE),
                    count => Until::Sent((count - WARM_UP) / SLICES),
                };
                slices.push(load.run(talk, until)?);
            }
        }
        let course = |(server, _, before, slices): (Server, Load, f64, _)| Course {
            slices,
            cpu_seconds: server.cpu_seconds() - before,
            resident_mib: server.resident_mib(),
        };
        Ok(running.into_iter().map(course).collect())
    }

    /// Time from just before the launch to the first whole response, and the memory at rest.
    fn run_starts(&self, rows: &mut Vec<Row>) -> Result<()> {
        let mut idle = Row::new("memory, idle", "MiB", Some(AtMost(3.4)));
        for (talk, aim) in [(PUBLIC, Some(AtMost(1.5))), (SAME[0], None)] {
            let mut row = Row::new(&format!("start to the first {talk}"), "ms", aim);
            let talk = &self.talks[talk];
            let programs = [&[self.bare(talk)?], &self.handlers[..]].concat();
            for _ in 0..10 * self.rounds {
                for (side, program) in programs.iter().enumerate() {
                    let (_, _, took) = self.launch(program, talk)?;
                    row.values[side].push(took.as_secs_f64() * 1e3);
                }
            }
            rows.push(row);
            for (side, program) in programs.iter().enumerate().skip(1) {
                let (server, ..) = self.launch(program, talk)?;
                thread::sleep(Duration::from_millis(300));
                idle.values[side] = vec![server.resident_mib()];
            }
        }
        rows.push(idle);
        Ok(())
    }

    /// The latency of others beside many slow calls, over that without them.
    fn run_beside_slow_calls(&self, name: &str, talk: &Talk) -> Result<Row> {
        let mut beside = talk.clone();
        beside.calls = vec![self.talks[SLOW].requests[0].clone(); SLOW_CALLS];
        let sides = [(Program::Slow, talk), (Program::Slow, &beside)];
        let mut row = Row::new(name, LATENCY, Some(AtMost(1.1)));
        for round in 1..=self.rounds {
            eprintln!("bench: {name}: round {round}");
            row.add(&self.contest(&sides, 1)?, 0.0);
        }
        Ok(row)
    }

    fn launch(&self, program: &Program, talk: &Talk) -> Result<(Server, Load, Duration)> {
        program.launch(talk, &self.keys.url(), &self.cores)
    }

    /// The bare server that gives the handler's own response.
    fn bare(&self, talk: &Talk) -> Result<Program> {
        let (_, load, _) = self.launch(&self.handlers[0], talk)?;
        Ok(Program::Bare(load.last_response()))
    }

    /// Microseconds of ring alone for one signature over so many bytes, on the servers' core.
    fn verification(&self, length: usize) -> f64 {
        let (n, e) = (key(1).modulus(), key(1).exponent());
        let public = RsaPublicKeyComponents { n, e };
        let input = vec![b'x'; length];
        let signature = key(1).sign(&input);
        let verify = |_| {
            let start = Instant::now();
            let outcome = public.verify(&RSA_PKCS1_2048_8192_SHA256, &input, &signature);
            outcome.expect("a signature of our own holds");
            start.elapsed().as_secs_f64() * 1e6
        };
        let work = || (0..5000).map(verify).collect::<Vec<_>>();
        median(&self.cores.on_server(work)).unwrap_or_default()
    }
}

/// All talks by the names that the cases use.
fn talks() -> HashMap<&'static str, Talk> {
    let public = br#"{"message":"Public endpoint - open to all"}"#.to_vec();
    let mut talks = HashMap::new();
    let mut add = |name, status, requests, bodies| {
        let calls = Vec::new();
        let talk = Talk {
            requests,
            status,
            bodies,
            calls,
        };
        talks.insert(name, talk);
    };
    add(PUBLIC, "200", vec![get("/public", "")], vec![public]);
    add(HEALTHZ, "200", vec![get("/healthz", "")], vec![vec![]]);
    for (size, groups) in [3, 90].into_iter().enumerate() {
        let (mut requests, mut bad, mut bodies) = (vec![], vec![], vec![]);
        for (token, claims) in tokens(groups, TOKENS[size] + WARM_UP) {
            // One character of the signature is another, well inside of it.
            let place = token.len() - 100;
            let other = ["A", "B"][usize::from(token[place..].starts_with('A'))];
            let damaged = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            bad.push(get("/api", &damaged));
            requests.push(get("/api", &token));
            bodies.push(claims.into_bytes());
            add(SLOW, "200", vec![get("/slow", &token)], vec![vec![]]);
        }
        let refusal = br#"{"code":"invalid_header","#.to_vec();
        let same = (vec![requests[0].clone()], vec![bodies[0].clone()]);
        add(BAD[size], "401", bad, vec![refusal]);
        add(SAME[size], "200", same.0, same.1);
        add(OTHER[size], "200", requests, bodies);
    }
    talks
}

/// A request with the headers that come through the Functions host.
fn get(path: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: contoso.azurewebsites.net\r\nUser-Agent: bench\r\n\
         X-Forwarded-For: 203.0.113.7:50312\r\nX-Forwarded-Proto: https\r\n\
         X-Azure-Functions-InvocationId: 5d0b3f2c-8e1a-47c9-b6d4-90a7e2f13c58\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// So many different tokens with their claims.
fn tokens(groups: usize, count: usize) -> impl Iterator<Item = (String, String)> {
    let groups = (0..groups).map(|it| format!("{it:08x}-04bd-4a02-8b02-7f3c90d215e6"));
    let claims = with(v2(), "groups", groups.collect::<Vec<_>>());
    (0..count).map(move |number| {
        let claims = with(claims.clone(), "uti", format!("{number:022}"));
        (signed(&claims), claims.to_string())
    })
}

/// The figures of a case: of the bound, of the handler, and of the other handler.
#[derive(Default)]
struct Row {
    name: String,
    connections: usize,
    unit: &'static str,
    aim: Option<Aim>,
    values: [Vec<f64>; 3],
    /// CPU seconds, and the requests that they were for.
    cpu: [f64; 3],
    requests: [f64; 3],
    /// The part of its core that the bound had in each round.
    share: Vec<f64>,
}

impl Row {
    fn new(name: &str, unit: &'static str, aim: Option<Aim>) -> Row {
        let (name, connections) = (name.to_owned(), 1);
        Row {
            name,
            connections,
            unit,
            aim,
            ..Row::default()
        }
    }

    /// A round. The bound takes so many microseconds a request more than was measured.
    fn add(&mut self, courses: &[Course], more: f64) {
        for (side, course) in courses.iter().enumerate() {
            let more = if side == 0 { more } else { 0.0 };
            self.values[side].extend(course.slices.iter().map(|slice| match self.unit {
                LATENCY => slice.median,
                RATE => slice.requests / slice.seconds,
                _ => slice.seconds * 1e6 / slice.requests + more,
            }));
            let requests: f64 = course.slices.iter().map(|slice| slice.requests).sum();
            self.cpu[side] += course.cpu_seconds + more * requests / 1e6;
            self.requests[side] += requests;
        }
        let seconds: f64 = courses[0].slices.iter().map(|slice| slice.seconds).sum();
        self.share.push(courses[0].cpu_seconds / seconds);
    }

    fn cells(&self, has_other: bool) -> Vec<String> {
        let number =
            |it: Option<f64>, digits| it.map_or("–".into(), |it| format!("{it:.digits$}"));
        let [bound, handler, other] = &self.values;
        let digits = if self.unit == RATE { 0 } else { 2 };
        let cpu = |side: usize| self.cpu[side] / self.requests[side];
        let cpu_ratio = |over| Some(cpu(1) / cpu(over)).filter(|ratio| ratio.is_finite());
        let measured = ratio(handler, bound)
            .or(median(handler))
            .unwrap_or(f64::NAN);
        let (aim, is_met) = match self.aim {
            Some(AtLeast(aim)) => (format!("≥ {aim:.2}"), measured >= aim),
            Some(AtMost(aim)) => (format!("≤ {aim:.2}"), measured <= aim),
            None => ("–".into(), true),
        };
        let mut cells = vec![
            format!("{}, {}", self.name, self.unit),
            self.connections.to_string(),
            number(median(bound), digits),
            number(median(handler), digits),
            number(ratio(handler, bound), 3),
            format!("{aim}{}", if is_met { "" } else { " **missed**" }),
            number(cpu_ratio(0), 3),
        ];
        if has_other {
            // A rate is the reciprocal of a time.
            let time = match self.unit {
                RATE => ratio(other, handler),
                _ => ratio(handler, other),
            };
            cells.extend([number(median(other), digits), number(time, 3)]);
            cells.push(number(cpu_ratio(2), 3));
        }
        cells
    }
}

/// Prints all rows, and how far they are to be believed.
fn print(rows: &[Row], cores: &Cores, has_other: bool) {
    let shares: Vec<f64> = rows.iter().flat_map(|row| row.share.clone()).collect();
    let share = median(&shares).unwrap_or_default() * 100.0;
    let is_pinned = cores.0.is_some();
    println!("Servers and load were pinned to cores of their own: {is_pinned}.");
    println!("The bounds had {share:.0} % of their core; below 90 %, only CPU ratios mean much.");
    println!("Beside slow calls, the bound is the same server without them.\n");
    let mut names = "case | connections | bound | handler | ratio | aim | CPU ratio".to_owned();
    if has_other {
        names += " | other | time over other | CPU over other";
    }
    println!("| {names} |");
    println!("|{}", " --- |".repeat(names.split('|').count()));
    for row in rows {
        println!("| {} |", row.cells(has_other).join(" | "));
    }
}

/// The median of the ratios of values that belong together.
fn ratio(of: &[f64], over: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = of.iter().zip(over).map(|(of, over)| of / over).collect();
    median(&ratios)
}

/// The median, of an even number of values the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some((values[(values.len() - 1) / 2] + upper) / 2.0)
}
