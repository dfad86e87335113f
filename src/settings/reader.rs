//! Reading values and lists, with the problems that any setting can have.

use crate::text::{MAX_QUOTED_CHARS, clean};

const JSON_LIST: &str =
    "is a JSON list: separate the items by commas, without brackets and quotation marks";

/// Reads settings one by one, and notes what is wrong with each.
pub(super) struct Reader<'g> {
    get: &'g dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
    /// Settings that have a problem already: one that cannot be read gets no second sentence.
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

    /// Whether a setting has a value at all. An empty value counts as unset.
    pub(super) fn is_set(&self, name: &str) -> bool {
        (self.get)(name).is_some_and(|value| !value.is_empty())
    }

    /// The value of a setting; None, with a problem, when it is wrong for every setting.
    pub(super) fn value(&mut self, name: &'static str, example: &str) -> Option<String> {
        let value = (self.get)(name).filter(|value| !value.is_empty())?;
        let value = value.trim();
        let fault = if value.starts_with("@Microsoft.") {
            "is a reference that the platform could not resolve (its name, its version, or the access to it)"
        } else if value.starts_with("[\"") || value.starts_with("['") {
            JSON_LIST
        } else if is_quoted(value)
            || value
                .split([',', ' ', ';'])
                .any(|item| is_quoted(item.trim()))
        {
            "has quotation marks, which are part of the value here: leave them out"
        // Bytes that are not UTF-8 were replaced on reading.
        } else if value
            .contains(|char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER)
        {
            "has a control character, or is not UTF-8"
        } else {
            return Some(value.to_owned());
        };
        self.problem(name, fault, example);
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
        if has(|item| item.starts_with(['[', '{']) || item.ends_with(']') && item.contains('[')) {
            self.problem(name, JSON_LIST, example);
        } else if has(|item| item.contains(';')) {
            self.problem(
                name,
                "has a semicolon: separate the items by commas",
                example,
            );
        } else if has(|item| item.contains(char::is_whitespace)) {
            self.problem(
                name,
                "has a blank inside an item: separate the items by commas",
                example,
            );
        }
        items
    }

    /// Notes a problem of a setting, unless it has one.
    pub(super) fn problem(&mut self, name: &'static str, what: &str, example: &str) {
        if self.faulty.contains(&name) {
            return;
        }
        self.faulty.push(name);
        let found = match (self.get)(name).filter(|value| !value.is_empty()) {
            Some(value) => format!("{name}={}", clean(value.trim(), MAX_QUOTED_CHARS)),
            None => format!("{name} is not set and"),
        };
        self.problems
            .push(format!("{found} {what}; for example {name}={example}"));
    }
}

fn is_quoted(text: &str) -> bool {
    const QUOTES: [char; 6] = ['"', '\'', '“', '”', '‘', '’'];
    text.starts_with(QUOTES) || text.ends_with(QUOTES)
}
