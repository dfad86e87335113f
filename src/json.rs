//! A strict reader of one JSON object (RFC 8259): valid UTF-8, nothing after the closing brace,
//! bounded depth, and no member name twice. serde_json keeps the last of two equal members and
//! says nothing, which is how one parser sees another `aud` than the next (RFC 7515 section 4, RFC
//! 7519 section 4).
//!
//! The scanner checks the text once and notes where each member of the outermost object stands;
//! nothing is copied but names that are written with escapes.

mod scanner;

use scanner::Scanner;
use std::borrow::Cow;
use std::ops::Range;

/// A JSON object that has passed the scanner, with its text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    text: String,
    members: Vec<Member>,
}

/// A member: its name, with a key to sort by, and where its value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    key: u64,
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

    /// Like [`Object::parse`], but strict about the outermost object only: for a key set, in which
    /// one bad key must not spoil the others. Each key is then parsed by itself.
    pub fn parse_outer(bytes: Vec<u8>) -> Result<Object, JsonFault> {
        Self::scan(bytes, false)
    }

    fn scan(bytes: Vec<u8>, is_strict_inside: bool) -> Result<Object, JsonFault> {
        let text = String::from_utf8(bytes).map_err(|_| JsonFault::NotUtf8)?;
        let mut scanner = Scanner { text: &text, at: 0, is_strict_inside };
        scanner.space();
        if scanner.peek() != Some(b'{') {
            return Err(JsonFault::NotAnObject);
        }
        let members = scanner.object(1)?;
        scanner.space();
        match scanner.peek() {
            Some(_) => Err(JsonFault::Syntax(scanner.at)),
            None => Ok(Object { text, members }),
        }
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
        let sought = key(name);
        let start = self.members.partition_point(|member| member.key < sought);
        let mut alike = self.members.get(start..)?.iter().take_while(|member| member.key == sought);
        let member = alike.find(|member| member.name(&self.text) == name)?;
        self.text.get(member.value.clone()).map(Value)
    }
}

impl Member {
    fn name<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.name {
            Name::Plain(span) => text.get(span.clone()).unwrap_or_default(),
            Name::Escaped(name) => name,
        }
    }
}

/// The first eight bytes of a name as a number, which tells most names apart without a look into
/// the text.
fn key(name: &str) -> u64 {
    name.bytes().take(8).fold(0, |key, byte| key << 8 | u64::from(byte))
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

    /// The number, or None when the value is something else. What a double cannot hold still has
    /// its place: one too large is infinite, and one just below zero is the greatest negative number.
    pub fn number(self) -> Option<f64> {
        let first = *self.0.as_bytes().first()?;
        let number = (first == b'-' || first.is_ascii_digit()).then(|| self.0.parse::<f64>().ok())??;
        let mut mantissa = self.0.bytes().take_while(|byte| !b"eE".contains(byte));
        let is_tiny = number == 0.0 && first == b'-' && mantissa.any(|byte| (b'1'..=b'9').contains(&byte));
        Some(if is_tiny { -f64::MIN_POSITIVE } else { number })
    }

    /// The elements of an array of strings, or None when the value is anything else.
    pub fn strings(self) -> Option<Vec<Cow<'a, str>>> {
        self.elements()?.into_iter().map(Value::string).collect()
    }

    /// The elements of an array, or None when the value is no array.
    pub fn elements(self) -> Option<Vec<Value<'a>>> {
        let mut scanner = Scanner { text: self.0, at: 0, is_strict_inside: false };
        let mut elements = Vec::new();
        scanner.array(1, |element| elements.push(Value(element))).ok()?;
        Some(elements)
    }

    /// The value as it was written.
    pub fn text(self) -> &'a str {
        self.0
    }
}
