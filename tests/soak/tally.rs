//! What was asked, how long it took, and what was answered wrongly.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// Counts of all threads.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    by_kind: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
    /// Answers by the power of two of their microseconds.
    by_time: [u64; 32],
    slowest: Duration,
}

impl Tally {
    /// A right answer to a well-behaved client.
    pub(crate) fn right(&self, kind: &'static str, took: Duration) {
        let mut counts = self.0.lock().expect("no panic while held");
        *counts.by_kind.entry(kind).or_default() += 1;
        counts.slowest = counts.slowest.max(took);
        let power = (took.as_micros().max(1) as u64).ilog2() as usize;
        counts.by_time[power.min(31)] += 1;
    }

    /// A wrong answer, or none.
    pub(crate) fn wrong_answer(&self, kind: &'static str, what: String) {
        let mut counts = self.0.lock().expect("no panic while held");
        println!("WRONG {kind}: {what}");
        counts.wrong.push(format!("{kind}: {what}"));
    }

    /// Something hostile was done.
    pub(crate) fn did(&self, kind: &'static str) {
        *self.0.lock().expect("no panic while held").by_kind.entry(kind).or_default() += 1;
    }

    /// Number of wrong answers.
    pub(crate) fn wrong(&self) -> usize {
        self.0.lock().expect("no panic while held").wrong.len()
    }

    /// One line so far.
    pub(crate) fn line(&self) -> String {
        let counts = self.0.lock().expect("no panic while held");
        let all: u64 = counts.by_kind.values().sum();
        format!("{all} done, {} wrong, slowest answer {} ms", counts.wrong.len(), counts.slowest.as_millis())
    }

    /// Everything.
    pub(crate) fn report(&self) {
        let counts = self.0.lock().expect("no panic while held");
        for (kind, count) in &counts.by_kind {
            println!("{count:>10}  {kind}");
        }
        let all: u64 = counts.by_time.iter().sum();
        let mut seen = 0;
        let bound = counts.by_time.iter().position(|count| {
            seen += count;
            seen * 1000 >= all * 999
        });
        println!("99.9 % of {all} checked answers within {} ms", (2u64 << bound.unwrap_or_default()) as f64 / 1000.0);
        println!("slowest checked answer: {} ms", counts.slowest.as_millis());
        println!("wrong answers: {}", counts.wrong.len());
    }
}
