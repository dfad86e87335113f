//! The scanner walks once over a JSON text and notes where the members of objects stand.

use super::{Fault, Member, Name};
use crate::limits::MAX_JSON_DEPTH;

/// A place in a text that is being read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether inner objects must have unique names, inner strings must be Unicode, and nothing may
    /// be nested too deeply.
    is_strict_inside: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, is_strict_inside: bool) -> Self {
        Scanner {
            text,
            at: 0,
            is_strict_inside,
        }
    }

    /// Reads one value with `read`; only blanks may stand around it.
    pub(super) fn whole<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.space();
        let value = read(&mut self)?;
        self.space();
        match self.peek() {
            Some(_) => Err(Fault::Syntax(self.at)),
            None => Ok(value),
        }
    }

    /// Walks over a value that stands inside `depth` objects and arrays.
    pub(super) fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_JSON_DEPTH && !self.is_strict_inside => {
                self.deep_value()
            }
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(depth + 1).map(drop),
            Some(b'[') => self.array(depth + 1, |_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    /// Walks over an object and returns its members, sorted by name.
    pub(super) fn object(&mut self, depth: usize) -> Result<Vec<Member>, Fault> {
        self.open(b'{', depth)?;
        let mut members = Vec::new();
        if !self.skip(b'}') {
            loop {
                members.push(self.member(depth)?);
                if !self.skip(b',') {
                    break;
                }
            }
            self.eat(b'}')?;
        }
        if depth == 1 || self.is_strict_inside {
            self.sort_unique(&mut members)?;
        }
        Ok(members)
    }

    fn member(&mut self, depth: usize) -> Result<Member, Fault> {
        self.space();
        let name = self.string()?;
        self.space();
        self.eat(b':')?;
        self.space();
        let start = self.at;
        self.value(depth)?;
        let value = start..self.at;
        self.space();
        Ok(Member { name, value })
    }

    /// Sorts the members, so that thousands of them cost n log n comparisons, and two with one name
    /// stand next to each other.
    fn sort_unique(&self, members: &mut [Member]) -> Result<(), Fault> {
        members.sort_unstable_by(|a, b| a.name(self.text).cmp(b.name(self.text)));
        let mut pairs = members.iter().zip(members.iter().skip(1));
        match pairs.find(|(a, b)| a.name(self.text) == b.name(self.text)) {
            Some((twice, _)) => Err(Fault::Duplicate(twice.name(self.text).to_owned())),
            None => Ok(()),
        }
    }

    /// Walks over an array and hands the text of each element to `each`.
    pub(super) fn array(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&'a str),
    ) -> Result<(), Fault> {
        self.open(b'[', depth)?;
        if self.skip(b']') {
            return Ok(());
        }
        loop {
            self.space();
            let start = self.at;
            self.value(depth)?;
            each(self.text.get(start..self.at).unwrap_or_default());
            self.space();
            if !self.skip(b',') {
                return self.eat(b']');
            }
        }
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), Fault> {
        if depth > MAX_JSON_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.eat(bracket)?;
        self.space();
        Ok(())
    }

    /// Walks over a value that is nested too deeply, by its brackets alone, which costs no stack.
    /// Nobody reads the value: the key that it is in is refused.
    fn deep_value(&mut self) -> Result<(), Fault> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(byte) => {
                    open += usize::from(b"{[".contains(&byte));
                    open -= usize::from(b"}]".contains(&byte));
                    self.at += 1;
                }
                None => return Err(Fault::Syntax(self.at)),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Walks over a string and returns its text: as a place, or undone where it has escapes.
    fn string(&mut self) -> Result<Name, Fault> {
        let start = self.at;
        self.eat(b'"')?;
        let mut is_escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.escape()?;
                }
                // RFC 8259 section 7: a control character must be escaped.
                Some(0..b' ') | None => return Err(Fault::Syntax(self.at)),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        if !is_escaped {
            return Ok(Name::Plain(start + 1..self.at - 1));
        }
        // serde_json undoes the escapes and refuses lone surrogates.
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        match serde_json::from_str(quoted) {
            Ok(text) => Ok(Name::Escaped(text)),
            Err(_) if self.is_strict_inside => Err(Fault::Syntax(start)),
            // The quotes stay, so that no name that is asked for equals this one.
            Err(_) => Ok(Name::Plain(start..self.at)),
        }
    }

    /// RFC 8259 section 7: a backslash and one of eight characters, or `u` and four hexadecimal
    /// digits.
    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
        match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if rest.get(1..5).is_some_and(is_hex) => self.at += 6,
            _ => return Err(Fault::Syntax(self.at)),
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Fault::Syntax(self.at));
        }
        self.at += word.len();
        Ok(())
    }

    /// RFC 8259 section 6: no leading zero, no bare point, no plus sign.
    fn number(&mut self) -> Result<(), Fault> {
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(Fault::Syntax(start));
        }
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Result<(), Fault> {
        if !self.skip(byte) {
            return Err(Fault::Syntax(self.at));
        }
        Ok(())
    }

    /// Steps over `byte` if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }
}
