//! The report: tables in Markdown for people, the same as JSON for programs.

use std::fmt::Write;
use std::process::Command;

use serde_json::{Value, json};

use crate::case::Sample;
use crate::cores::Cores;
use crate::decision::PARTS;
use crate::goals::Goal;
use crate::options::Options;
use crate::session::{Row, Session};
use crate::statistics::median;

/// The part of its core that the bare server has when nothing else runs, or more.
const QUIET: f64 = 0.9;

/// The tables.
pub(crate) fn markdown(
    options: &Options,
    cores: &Cores,
    session: &Session,
    goals: &[Goal],
) -> String {
    let mut text = format!("{}\n\n{}; {}\n", machine(), cores.note, extent(options));
    if let Some(part) = session.quiet() {
        let verdict = if part < QUIET {
            "**other programs were running: times mean little, CPU over bound still does**"
        } else {
            "quiet"
        };
        let _ = writeln!(
            text,
            "the bare server had {:.0} % of its core at 16 and more connections: {verdict}",
            part * 100.0
        );
    }
    write_goals(&mut text, goals);
    if !session.rows.is_empty() {
        write_speed(&mut text, session);
        write_use(&mut text, session);
    }
    text.push_str("\n### By themselves\n\n");
    for (times, claims) in session.verification.iter().zip(["600 B", "4 KB"]) {
        if let Some(micros) = median(times.clone()) {
            let _ = writeln!(
                text,
                "- ring, one RS256 verification (RSA 2048), claims of {claims}: {micros:.1} µs"
            );
        }
    }
    for (profile, claims) in session.profile.iter().flatten().zip(["600 B", "4 KB"]) {
        let parts: Vec<String> = PARTS
            .iter()
            .zip(profile)
            .map(|(part, micros)| format!("{part} {micros:.2} µs"))
            .collect();
        let _ = writeln!(
            text,
            "- a decision with a remembered signature, claims of {claims}: {}",
            parts.join(", ")
        );
    }
    for (times, what) in
        session
            .starts
            .iter()
            .zip(["bare server", "handler, /public", "handler, /api"])
    {
        if let Some(millis) = median(times.clone()) {
            let _ = writeln!(
                text,
                "- exec to first answer, {what}: {millis:.2} ms (median of {})",
                times.len()
            );
        }
    }
    if let Some(idle) = &session.idle {
        let (resident, peak, threads, files) = (idle.resident, idle.peak, idle.threads, idle.files);
        let _ = writeln!(
            text,
            "- idle handler: {resident} KiB resident, peak {peak} KiB, {threads} threads, {files} fds"
        );
    }
    let _ = match session.lines {
        None => Ok(()),
        Some(None) => writeln!(
            text,
            "- `handler check --lines`: skipped, this handler does not have it"
        ),
        Some(Some(micros)) => {
            let ratio = median(session.verification[0].clone()).map_or(0.0, |bound| micros / bound);
            writeln!(
                text,
                "- `handler check --lines`: {micros:.1} µs a token, {ratio:.2} of ring's verification"
            )
        }
    };
    let _ = writeln!(text, "- wrong answers: {}", session.wrong());
    text
}

fn write_goals(text: &mut String, goals: &[Goal]) {
    text.push_str("\n### Wanted and measured\n\n| figure | wanted | measured | |\n| --- | --- | ---: | --- |\n");
    for goal in goals {
        let verdict = if goal.is_met() { "met" } else { "**missed**" };
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} {} | {verdict} |",
            goal.name,
            goal.wanted(),
            goal.measured,
            goal.unit
        );
    }
}

fn write_speed(text: &mut String, session: &Session) {
    text.push_str(
        "\n### Speed\n\nMedians over the rounds, max over all of them. Time over bound: µs per request over those of the \
         bare server,\nwith a verification added for different tokens and bad signatures; median of each round's own ratio.\n\n\
         | case | connections | requests/s | µs per request | median µs | p99 µs | max µs | time over bound |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in &session.rows {
        let figure = |value: fn(&Sample) -> f64| row.median(value);
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} | {} |",
            row.name(),
            row.connections,
            figure(|sample| sample.load.per_second),
            figure(|sample| 1e6 / sample.load.per_second),
            figure(|sample| sample.load.median),
            figure(|sample| sample.load.p99),
            row.highest(|sample| sample.load.max),
            figure_or_bound(ratio(session, row)),
        );
    }
}

fn write_use(text: &mut String, session: &Session) {
    text.push_str(
        "\n### Use\n\nOf the server process: CPU over all rounds, and over that of the bounds; memory, threads and fds at the \
         end of the load,\nin the round in which memory was largest.\n\n\
         | case | connections | CPU s per 10,000 | CPU over bound | resident KiB | peak KiB | threads | fds |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in &session.rows {
        let (Some(usage), Some(cpu)) = (row.usage(), row.cpu()) else {
            continue;
        };
        let ratio = if row.is_bound {
            None
        } else {
            session.cpu_ratio(row)
        };
        let _ = writeln!(
            text,
            "| {} | {} | {cpu:.3} | {} | {} | {} | {} | {} |",
            row.name(),
            row.connections,
            figure_or_bound(ratio),
            usage.resident,
            usage.peak,
            usage.threads,
            usage.files
        );
    }
}

fn figure_or_bound(ratio: Option<f64>) -> String {
    ratio.map_or("bound".into(), |ratio| format!("{ratio:.3}"))
}

fn ratio(session: &Session, row: &Row) -> Option<f64> {
    if row.is_bound {
        None
    } else {
        session.ratio(row)
    }
}

/// Everything, each round by itself.
pub(crate) fn json(options: &Options, cores: &Cores, session: &Session, goals: &[Goal]) -> Value {
    let sample = |sample: &Sample| {
        json!({
            "requests": sample.load.requests,
            "requests_per_second": sample.load.per_second,
            "latency_median_us": sample.load.median,
            "latency_p99_us": sample.load.p99,
            "latency_max_us": sample.load.max,
            "wrong": sample.load.wrong,
            "cpu_seconds": sample.cpu,
            "use": sample.usage.map(|usage| usage.json()),
        })
    };
    let case = |row: &Row| {
        json!({
            "case": row.name(),
            "is_bound": row.is_bound,
            "connections": row.connections,
            "time_over_bound": ratio(session, row),
            "cpu_seconds_per_10000": row.cpu(),
            "cpu_over_bound": if row.is_bound { None } else { session.cpu_ratio(row) },
            "rounds": row.samples.iter().map(sample).collect::<Vec<_>>(),
        })
    };
    let goal = |goal: &Goal| json!({ "figure": goal.name, "wanted": goal.wanted(), "measured": goal.measured, "unit": goal.unit, "met": goal.is_met() });
    json!({
        "machine": machine(),
        "cores": cores.note,
        "extent": extent(options),
        "core_share": session.quiet(),
        "goals": goals.iter().map(goal).collect::<Vec<_>>(),
        "cases": session.rows.iter().map(case).collect::<Vec<_>>(),
        "verification_us": { "small": session.verification[0], "large": session.verification[1] },
        "decision_us": session.profile.map(|profile| json!({ "parts": PARTS, "small": profile[0], "large": profile[1] })),
        "first_answer_ms": { "bare": session.starts[0], "public": session.starts[1], "api": session.starts[2] },
        "idle": session.idle.map(|usage| usage.json()),
        "check_lines_us": session.lines.flatten(),
        "wrong": session.wrong(),
    })
}

fn extent(options: &Options) -> String {
    let (rounds, seconds, tokens) = (options.rounds, options.time.as_secs_f64(), options.tokens);
    format!("{rounds} rounds of {seconds} s a case, {tokens} different tokens")
}

/// The machine, the compiler when RUSTC_VERSION tells it, and the date.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1));
    let cores = cpu
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let rustc = std::env::var("RUSTC_VERSION")
        .map(|version| format!("{version}, "))
        .unwrap_or_default();
    let date = Command::new("date")
        .args(["-u", "+%Y-%m-%d %H:%M UTC"])
        .output();
    let date = date
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    format!(
        "{}, {cores} cores, Linux {}, {rustc}{date}",
        model.unwrap_or("unknown CPU"),
        kernel.trim()
    )
}
