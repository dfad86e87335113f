//! What was asked and answered, and what was wrong.

use crate::process::without_digits;
use crate::wire::Answer;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wrong answers that are told in full; the others are counted.
const TOLD: usize = 20;

/// The book of a run.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Book>);

/// What is in it.
#[derive(Default)]
pub(crate) struct Book {
    /// Answers by what was asked and what came.
    pub(crate) answers: BTreeMap<(&'static str, String), u64>,
    /// What hostile clients did.
    pub(crate) nuisances: BTreeMap<&'static str, u64>,
    pub(crate) wrong: Vec<String>,
    pub(crate) wrong_count: u64,
    /// Microseconds of each answer that had to wait for nothing.
    pub(crate) prompt: Vec<u32>,
    /// The longest wait of a token with an unknown key, which may have to wait for a fetch.
    pub(crate) longest_wait: Duration,
    /// The first body of each kind, without its numbers.
    bodies: BTreeMap<(&'static str, bool, u16, String), String>,
}

impl Ledger {
    /// Opens the book.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was not as it has to be.
    pub(crate) fn wrong(&self, what: String) {
        let mut book = self.book();
        book.wrong_count += 1;
        if book.wrong.len() < TOLD {
            eprintln!("soak: WRONG: {what}");
            book.wrong.push(what);
        }
    }

    /// A hostile client has done this.
    pub(crate) fn nuisance(&self, name: &'static str) {
        *self.book().nuisances.entry(name).or_default() += 1;
    }

    /// A right answer to this kind of question; `code` is empty for a success.
    pub(crate) fn right(
        &self,
        kind: &'static str,
        answer: &Answer,
        code: &str,
        took: Duration,
        is_prompt: bool,
    ) {
        let mut book = self.book();
        *book
            .answers
            .entry((kind, format!("{} {code}", answer.status)))
            .or_default() += 1;
        match is_prompt {
            true => book
                .prompt
                .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)),
            false => book.longest_wait = book.longest_wait.max(took),
        }
    }

    /// Whether an error of one kind, the token's key known or not, has the same body, numbers
    /// aside, as the first of that kind.
    pub(crate) fn is_as_before(
        &self,
        kind: &'static str,
        is_known: bool,
        answer: &Answer,
        code: &str,
    ) -> bool {
        let body = without_digits(&answer.body);
        let mut book = self.book();
        *book
            .bodies
            .entry((kind, is_known, answer.status, code.to_owned()))
            .or_insert_with(|| body.clone())
            == body
    }
}
