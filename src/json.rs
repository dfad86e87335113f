//! A strict reader of one JSON object (RFC 8259): valid UTF-8, nothing after the closing brace,
//! bounded depth, and no member name twice. serde_json keeps the last of two equal members and
//! says nothing, which is how one parser sees another `aud` than the next (RFC 7515 section 4, RFC 7519 section 4).
//!
//! The scanner checks the text once and notes where each member of the outermost object stands;
//! nothing is copied but names that are written with escapes.

use crate::limits::MAX_JSON_DEPTH;
use std::borrow::Cow;
use std::ops::Range;

/// A JSON object that has passed the scanner, with its text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    text: String,
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: Name,
    value: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Plain(Range<usize>),
    Escaped(String),
}

/// Why a text is not one JSON object as this project reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// Not valid UTF-8 (RFC 8259 section 8.1).
    NotUtf8,
    /// Valid JSON perhaps, but no object.
    NotAnObject,
    /// Not JSON, at this byte.
    Syntax(usize),
    /// More levels than `MAX_JSON_DEPTH`.
    TooDeep,
    /// A member name stands twice in one object (RFC 7515 section 4, RFC 7519 section 4).
    Duplicate(String),
}

impl Object {
    /// Reads `bytes` as one JSON object in which no object, at any depth, has a name twice.
    pub fn parse(bytes: Vec<u8>) -> Result<Object, JsonFault> {
        Self::scan(bytes, true)
    }

    /// Like [`Object::parse`], but only the outermost object must have unique names: for a key
    /// set, in which one bad key must not spoil the others.
    pub fn parse_outer(bytes: Vec<u8>) -> Result<Object, JsonFault> {
        Self::scan(bytes, false)
    }

    fn scan(bytes: Vec<u8>, unique_at_any_depth: bool) -> Result<Object, JsonFault> {
        let text = String::from_utf8(bytes).map_err(|_| JsonFault::NotUtf8)?;
        let mut scanner = Scanner { text: &text, at: 0, unique_at_any_depth };
        scanner.space();
        if scanner.peek() != Some(b'{') {
            return Err(JsonFault::NotAnObject);
        }
        let found = scanner.object(1)?;
        scanner.space();
        if scanner.peek().is_some() {
            return Err(JsonFault::Syntax(scanner.at));
        }
        let members = found
            .into_iter()
            .map(|(name, span, value)| Member {
                name: match name {
                    Cow::Borrowed(_) => Name::Plain(span),
                    Cow::Owned(name) => Name::Escaped(name),
                },
                value,
            })
            .collect();
        Ok(Object { text, members })
    }

    /// The text of the object exactly as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes the object apart to its text, without a copy.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The value of a member, if it is there.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        let member = self.members.iter().find(|member| match &member.name {
            Name::Plain(span) => self.text.get(span.clone()) == Some(name),
            Name::Escaped(text) => text == name,
        })?;
        self.text.get(member.value.clone()).map(Value)
    }
}

/// The text of one value that has passed the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The string, or None when the value is something else.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The number, or None when the value is something else. One too large for a double is
    /// infinite, so that a range check refuses it.
    pub fn number(self) -> Option<f64> {
        let first = *self.0.as_bytes().first()?;
        (first == b'-' || first.is_ascii_digit()).then(|| self.0.parse().ok())?
    }

    /// The elements of an array of strings, or None when the value is anything else.
    pub fn strings(self) -> Option<Vec<String>> {
        self.elements()?.into_iter().map(|element| element.string().map(Cow::into_owned)).collect()
    }

    /// The elements of an array, or None when the value is no array.
    pub fn elements(self) -> Option<Vec<Value<'a>>> {
        let mut scanner = Scanner { text: self.0, at: 0, unique_at_any_depth: false };
        let mut elements = Vec::new();
        if scanner.peek() != Some(b'[') {
            return None;
        }
        scanner.array(1, |element| elements.push(Value(element))).ok()?;
        Some(elements)
    }

    /// The value as it was written.
    pub fn text(self) -> &'a str {
        self.0
    }
}

type Found<'a> = (Cow<'a, str>, Range<usize>, Range<usize>);

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    unique_at_any_depth: bool,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.peek() != Some(byte) {
            return Err(JsonFault::Syntax(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonFault> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1).map(drop),
            Some(b'[') => self.array(depth + 1, |_| ()),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Found<'a>>, JsonFault> {
        self.open(b'{', depth)?;
        let mut members: Vec<Found<'a>> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            self.space();
            let name_at = self.at + 1;
            let name = self.string()?;
            let name_span = name_at..self.at - 1;
            self.space();
            self.eat(b':')?;
            self.space();
            let value_at = self.at;
            self.value(depth)?;
            members.push((name, name_span, value_at..self.at));
            self.space();
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.eat(b'}')?;
        if depth == 1 || self.unique_at_any_depth {
            no_duplicate(&members)?;
        }
        Ok(members)
    }

    fn array(&mut self, depth: usize, mut each: impl FnMut(&'a str)) -> Result<(), JsonFault> {
        self.open(b'[', depth)?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let value_at = self.at;
            self.value(depth)?;
            each(self.text.get(value_at..self.at).unwrap_or_default());
            self.space();
            if self.peek() != Some(b',') {
                return self.eat(b']');
            }
            self.at += 1;
        }
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), JsonFault> {
        if depth > MAX_JSON_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        self.eat(bracket)
    }

    /// Walks over a string and hands back its text; owned only when it has escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonFault> {
        let start = self.at;
        self.eat(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                // RFC 8259 section 7: control characters must be escaped.
                None | Some(0..=0x1f) => return Err(JsonFault::Syntax(self.at)),
                // Whatever follows a backslash is checked below; here only `\"` matters.
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(JsonFault::Syntax(start))?;
        if escaped {
            // serde_json knows the escapes and refuses lone surrogates.
            let text: String = serde_json::from_str(quoted).map_err(|_| JsonFault::Syntax(start))?;
            return Ok(Cow::Owned(text));
        }
        Ok(Cow::Borrowed(self.text.get(start + 1..self.at - 1).unwrap_or_default()))
    }

    fn word(&mut self, word: &str) -> Result<(), JsonFault> {
        match self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            true => self.at += word.len(),
            false => return Err(JsonFault::Syntax(self.at)),
        }
        Ok(())
    }

    /// RFC 8259 section 6: no leading zero, no bare point, no plus sign.
    fn number(&mut self) -> Result<(), JsonFault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(JsonFault::Syntax(start)) } else { Ok(()) }
    }
}

/// Sorted, so that thousands of members cost no more than n log n comparisons.
fn no_duplicate(members: &[Found]) -> Result<(), JsonFault> {
    let mut names: Vec<&str> = members.iter().map(|(name, _, _)| name.as_ref()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(JsonFault::Duplicate(pair.first().map(|name| name.to_string()).unwrap_or_default())),
        None => Ok(()),
    }
}
