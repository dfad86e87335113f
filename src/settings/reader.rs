//! Reading values and lists, with the problems that any setting can have.

use crate::keys::without_user;
use crate::text::{MAX_QUOTED_CHARS, clean};

const JSON_LIST: &str =
    "is a JSON list: separate the items by commas, without brackets and quotation marks";

/// Reads settings one by one, and notes what is wrong with each.
pub(super) struct Reader<'g> {
    get: &'g dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
    /// Settings that cannot be read.
    faulty: Vec<&'static str>,
}

impl<'g> Reader<'g> {
    pub(super) fn new(get: &'g dyn Fn(&str) -> Option<String>) -> Self {
        Reader {
            get,
            problems: Vec::new(),
            faulty: Vec::new(),
        }
    }

    /// The problems of all settings so far.
    pub(super) fn problems(self) -> Vec<String> {
        self.problems
    }

    /// Whether a setting has a value at all. An empty one counts as unset; one of blanks is a slip.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The value of a setting; None, with a problem, when it is wrong for every setting.
    pub(super) fn value(&mut self, name: &'static str, example: &str) -> Option<String> {
        let value = self.raw(name)?.trim().to_owned();
        let items = || value.split([',', ' ', ';']).map(str::trim);
        let is_reference = |item: &str| {
            let start = item.get(.."@Microsoft.".len());
            start.is_some_and(|start| start.eq_ignore_ascii_case("@Microsoft."))
        };
        let is_odd = |char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER;
        let fault = if items().any(is_reference) {
            "is a reference that the platform could not resolve (its name, its version, or the access to it)"
        } else if value.starts_with("[\"") || value.starts_with("['") {
            JSON_LIST
        } else if is_quoted(&value) || items().any(is_quoted) {
            "has quotation marks, which are part of the value here: leave them out"
        // Bytes that are not UTF-8 were replaced on reading.
        } else if value.contains(is_odd) {
            "has a control character, or is not UTF-8"
        } else {
            return Some(value);
        };
        self.problem(name, fault, example);
        self.faulty.push(name);
        None
    }

    /// The items of a list between these separators, empty when it is not set. A list that is set
    /// and names nothing is a slip that must not mean "any".
    pub(super) fn items(
        &mut self,
        name: &'static str,
        separators: &[char],
        example: &str,
    ) -> Vec<String> {
        let Some(value) = self.value(name, example) else {
            return Vec::new();
        };
        let items = value.split(separators).map(str::trim);
        let items: Vec<String> = items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect();
        if items.is_empty() {
            self.problem(name, "is set and names nothing", example);
        }
        items
    }

    /// A list between commas whose items have no blank, no semicolon and no bracket.
    pub(super) fn list(&mut self, name: &'static str, example: &str) -> Vec<String> {
        let items = self.items(name, &[','], example);
        let has = |odd: fn(&String) -> bool| items.iter().any(odd);
        let is_json = |item: &String| {
            item.starts_with(['[', '{']) || (item.ends_with(']') && item.contains('['))
        };
        let faults = [
            (has(is_json), JSON_LIST),
            (
                has(|item| item.contains(';')),
                "has a semicolon: separate the items by commas",
            ),
            (
                has(|item| item.contains(char::is_whitespace)),
                "has a blank inside an item: separate the items by commas",
            ),
        ];
        for (_, what) in faults.iter().filter(|(is_there, _)| *is_there) {
            self.problem(name, what, example);
        }
        if faults.iter().any(|(is_there, _)| *is_there) {
            self.faulty.push(name);
        }
        items
    }

    /// Notes a problem of a setting, once. A setting that cannot be read gets no second one.
    pub(super) fn problem(&mut self, name: &'static str, what: &str, example: &str) {
        if self.faulty.contains(&name) {
            return;
        }
        let found = match self.raw(name) {
            Some(value) => {
                let shown = without_user(value.trim());
                format!("{name}={}", clean(&shown, MAX_QUOTED_CHARS))
            }
            None => format!("{name} is not set and"),
        };
        let problem = format!("{found} {what}; for example {name}={example}");
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn raw(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }
}

fn is_quoted(text: &str) -> bool {
    const QUOTES: [char; 6] = ['"', '\'', '“', '”', '‘', '’'];
    text.starts_with(QUOTES) || text.ends_with(QUOTES)
}
