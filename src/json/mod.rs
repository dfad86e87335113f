//! A strict reader of JSON (RFC 8259): valid UTF-8, nothing after the value, bounded depth, and no
//! member name twice. serde_json keeps the last of two equal members and says nothing, which is how
//! one parser sees another `aud` than the next (RFC 7515 section 4, RFC 7519 section 4).
//!
//! The scanner checks the text once and notes where each member of the outermost object stands.

mod scanner;

use crate::text::quoted;
use scanner::Scanner;
use std::borrow::Cow;
use std::fmt::{self, Display};
use std::ops::Range;

/// Bytes that an allocator needs beside each small allocation.
const ALLOCATION_BYTES: usize = 16;

/// A JSON object that has passed the scanner, with its text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    text: String,
    /// Sorted by name.
    members: Vec<Member>,
}

/// A member: its name, and where its value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: Name,
    value: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// The name stands in the text as it is.
    Plain(Range<usize>),
    /// The name was written with escapes.
    Escaped(String),
}

/// Why a text is not JSON as this project reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Not valid UTF-8 (RFC 8259 section 8.1).
    NotUtf8,
    /// Valid JSON perhaps, but no object.
    NotAnObject,
    /// Not JSON, at this byte.
    Syntax(usize),
    /// More levels than [`crate::limits::MAX_JSON_DEPTH`].
    TooDeep,
    /// A member name stands twice in one object (RFC 7515 section 4, RFC 7519 section 4).
    Duplicate(String),
}

/// Checks that `bytes` are one JSON value of any kind in which no object has a name twice.
pub fn check(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
    Scanner::new(text, true).whole(|scanner| scanner.value(0))?;
    Ok(text)
}

impl Object {
    /// Reads `bytes` as one JSON object in which no object, at any depth, has a name twice.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Object, Fault> {
        Self::scan(bytes.into(), true)
    }

    /// Like [`Object::parse`], but strict about the outermost object only: for a key set, in which
    /// one bad key must not spoil the others. Each key is then parsed by itself.
    pub fn parse_outer(bytes: impl Into<Vec<u8>>) -> Result<Object, Fault> {
        Self::scan(bytes.into(), false)
    }

    fn scan(bytes: Vec<u8>, is_strict_inside: bool) -> Result<Object, Fault> {
        let text = String::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
        let members = Scanner::new(&text, is_strict_inside).whole(|scanner| {
            if scanner.peek() != Some(b'{') {
                return Err(Fault::NotAnObject);
            }
            scanner.object(1)
        })?;
        Ok(Object { text, members })
    }

    /// The text of the object exactly as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a member, if it is there.
    pub fn get(&self, name: &str) -> Option<Raw<'_>> {
        // A token has few members, and most names differ in length already.
        let is_it = |member: &&Member| member.has_name(name, &self.text);
        let member = self.members.iter().find(is_it)?;
        self.text.get(member.value.clone()).map(Raw)
    }

    /// Bytes that the object holds on the heap, as far as they can be counted.
    pub fn size(&self) -> usize {
        let escaped = self.members.iter().map(|member| match &member.name {
            Name::Plain(_) => 0,
            Name::Escaped(name) => name.capacity() + ALLOCATION_BYTES,
        });
        let members = self.members.capacity() * size_of::<Member>();
        self.text.capacity() + members + escaped.sum::<usize>()
    }
}

impl Member {
    fn has_name(&self, name: &str, text: &str) -> bool {
        match &self.name {
            Name::Plain(span) => {
                let bytes = text.as_bytes().get(span.clone());
                span.len() == name.len() && bytes == Some(name.as_bytes())
            }
            Name::Escaped(other) => other == name,
        }
    }

    fn name<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.name {
            Name::Plain(span) => text.get(span.clone()).unwrap_or_default(),
            Name::Escaped(name) => name,
        }
    }
}

/// The text of one value that has passed the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The string, or None when the value is something else.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The number, or None when the value is something else. A number too large for a double is
    /// infinite. A negative number that rounds to zero stays negative, so that checks of dates refuse
    /// it.
    pub fn number(self) -> Option<f64> {
        let first = *self.0.as_bytes().first()?;
        if first != b'-' && !first.is_ascii_digit() {
            return None;
        }
        let number = self.0.parse::<f64>().ok()?;
        let mut mantissa = self.0.bytes().take_while(|byte| !b"eE".contains(byte));
        if first == b'-' && number == 0.0 && mantissa.any(|byte| (b'1'..=b'9').contains(&byte)) {
            return Some(-f64::MIN_POSITIVE);
        }
        Some(number)
    }

    /// The elements of an array of strings, or None when the value is anything else.
    pub fn strings(self) -> Option<Vec<Cow<'a, str>>> {
        self.elements()?.into_iter().map(Raw::string).collect()
    }

    /// The elements of an array, or None when the value is no array.
    pub fn elements(self) -> Option<Vec<Raw<'a>>> {
        let mut elements = Vec::new();
        let mut scanner = Scanner::new(self.0, false);
        scanner
            .array(1, |element| elements.push(Raw(element)))
            .ok()?;
        Some(elements)
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The value as it was written.
    pub fn text(self) -> &'a str {
        self.0
    }
}

impl Display for Fault {
    /// Continues a sentence that begins with the name of the text.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::NotUtf8 => f.write_str("is not UTF-8"),
            Fault::NotAnObject => f.write_str("is not a JSON object"),
            Fault::Syntax(at) => write!(f, "is not valid JSON (byte {at})"),
            Fault::TooDeep => {
                let levels = crate::limits::MAX_JSON_DEPTH;
                write!(f, "is JSON nested deeper than {levels} levels")
            }
            Fault::Duplicate(name) => write!(f, "has the member {} twice", quoted(name)),
        }
    }
}
