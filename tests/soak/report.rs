//! What a run prints: a line now and then, and the sum at the end.

use crate::Run;
use crate::process::{Handler, Usage};
use std::time::Duration;

/// What a handler at rest may use beyond what it used at its start. Memory: 2 MiB of remembered
/// tokens, and what the allocator keeps of the worst moment. Threads: the caretaker's four calls a
/// second keep about twenty idle ones from their end, which would come after five seconds.
const KIB: u64 = 64 * 1024;
const THREADS: u64 = 32;
const DESCRIPTORS: u64 = 16;

/// The course of a run.
pub(crate) struct Report {
    start: Usage,
    /// Answers already told in a line.
    told: usize,
}

impl Report {
    pub(crate) fn start(start: Usage) -> Report {
        println!("soak: {:>5} s: {start}", 0);
        Report { start, told: 0 }
    }

    /// One line about the time since the last one.
    pub(crate) fn line(&mut self, run: &Run, handler: &Handler, time: Duration) {
        let (slowest, total, wrong, nuisances) = {
            let book = run.ledger.book();
            let slowest = book.prompt[self.told..]
                .iter()
                .max()
                .copied()
                .unwrap_or_default();
            self.told = book.prompt.len();
            (
                slowest,
                book.answers.values().sum::<u64>(),
                book.wrong_count,
                book.nuisances.values().sum::<u64>(),
            )
        };
        let (fetches, failed) = run.publisher.history(|history| history.count());
        println!(
            "soak: {:>5} s: {}; {total} answers, {wrong} wrong, slowest {:.1} ms; {nuisances} nuisances; \
             {fetches} fetches, {failed} failed; key server {:?}",
            time.as_secs(),
            handler.usage(),
            f64::from(slowest) / 1e3,
            run.publisher.mood(),
        );
    }

    /// What the handler uses beyond what it may at rest.
    pub(crate) fn excess(&self, run: &Run, now: &Usage) -> Vec<String> {
        let given_up = run.damage.given_up();
        let bounds = [
            ("KiB of memory", now.rss_kib, self.start.rss_kib + KIB),
            (
                "threads",
                now.threads,
                self.start.threads + THREADS + given_up,
            ),
            (
                "file descriptors",
                now.descriptors,
                self.start.descriptors + DESCRIPTORS + 2 * given_up,
            ),
        ];
        let beyond = bounds.iter().filter(|(_, found, most)| found > most);
        beyond
            .map(|(name, found, most)| {
                format!("{found} {name} at the end, at most {most} expected")
            })
            .collect()
    }

    /// Prints the sum; true when nothing was wrong.
    pub(crate) fn end(&self, run: &Run, handler: &mut Handler) -> bool {
        let usage = handler.usage();
        match handler.is_alive() {
            true => self
                .excess(run, &usage)
                .into_iter()
                .for_each(|what| run.ledger.wrong(what)),
            false => run.ledger.wrong("the handler has ended".into()),
        }
        if let Some(gap) = run.publisher.history(|history| history.haste()) {
            run.ledger.wrong(format!(
                "two fetches that unknown keys caused came {gap:.1?} apart"
            ));
        }
        println!("\nanswers to well-behaved clients, by question");
        let mut book = run.ledger.book();
        for ((kind, answer), count) in &book.answers {
            println!("  {count:>9}  {kind}: {answer}");
        }
        println!("done by hostile clients");
        for (name, count) in &book.nuisances {
            println!("  {count:>9}  {name}");
        }
        println!("lines of the handler on standard error");
        for (line, count) in handler.said() {
            println!("  {count:>9}  {line}");
        }
        let (fetches, failed) = run.publisher.history(|history| history.count());
        println!("fetches of the keys: {fetches}, {failed} of them failed");
        book.prompt.sort_unstable();
        println!(
            "time to an answer that waits for no fetch: {}",
            times(&book.prompt)
        );
        println!(
            "longest time to an answer that may wait for one: {:.1?}",
            book.longest_wait
        );
        println!("at the start: {}", self.start);
        println!("at the end:   {usage}");
        println!(
            "given up by design, a thread and two file descriptors each: {} connections",
            run.damage.given_up()
        );
        println!(
            "pid {} {}",
            handler.pid(),
            if handler.is_alive() {
                "is still the same"
            } else {
                "is gone"
            }
        );
        println!("wrong: {}", book.wrong_count);
        book.wrong_count == 0
    }
}

/// Median, 99.9th percentile and maximum of sorted microseconds.
fn times(sorted: &[u32]) -> String {
    let at = |share: f64| {
        let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        f64::from(sorted.get(place).copied().unwrap_or_default()) / 1e3
    };
    let count = sorted.len();
    format!(
        "median {:.2} ms, p99.9 {:.1} ms, slowest {:.1} ms, of {count}",
        at(0.5),
        at(0.999),
        at(1.0)
    )
}
