//! The scanner: walks once over a JSON text (RFC 8259), and notes where the members of objects stand.

use super::{JsonFault, Member, Name, key};
use crate::limits::MAX_JSON_DEPTH;

/// A place in a text that is being read.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Whether inner objects must have unique names, inner strings must be Unicode, and nothing may
    /// be nested too deeply.
    pub(super) is_strict_inside: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn space(&mut self) {
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

    /// Steps over `byte` if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonFault> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_JSON_DEPTH && !self.is_strict_inside => self.deep_value(),
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(depth + 1).map(drop),
            Some(b'[') => self.array(depth + 1, |_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    /// Steps over what is nested too deeply by its brackets alone, which costs no stack. Nobody reads
    /// it: the key that it is in is refused.
    fn deep_value(&mut self) -> Result<(), JsonFault> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(byte) => {
                    open = open + usize::from(b"{[".contains(&byte)) - usize::from(b"}]".contains(&byte));
                    self.at += 1;
                }
                None => return Err(JsonFault::Syntax(self.at)),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Walks over an object and hands back its members, sorted.
    pub(super) fn object(&mut self, depth: usize) -> Result<Vec<Member>, JsonFault> {
        self.open(b'{', depth)?;
        let mut members = Vec::new();
        if !self.skip(b'}') {
            members.reserve(16); // an access token has about as many claims
            loop {
                self.space();
                let name = self.string()?;
                self.space();
                self.eat(b':')?;
                self.space();
                let value_at = self.at;
                self.value(depth)?;
                let mut member = Member { key: 0, name, value: value_at..self.at };
                member.key = key(member.name(self.text));
                members.push(member);
                self.space();
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

    /// Sorted, so that thousands of members cost no more than n log n comparisons.
    fn sort_unique(&self, members: &mut [Member]) -> Result<(), JsonFault> {
        members.sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| a.name(self.text).cmp(b.name(self.text))));
        let mut pairs = members.iter().zip(members.iter().skip(1));
        match pairs.find(|(a, b)| a.name(self.text) == b.name(self.text)) {
            Some((twice, _)) => Err(JsonFault::Duplicate(twice.name(self.text).to_owned())),
            None => Ok(()),
        }
    }

    pub(super) fn array(&mut self, depth: usize, mut each: impl FnMut(&'a str)) -> Result<(), JsonFault> {
        self.open(b'[', depth)?;
        if self.skip(b']') {
            return Ok(());
        }
        loop {
            self.space();
            let value_at = self.at;
            self.value(depth)?;
            each(self.text.get(value_at..self.at).unwrap_or_default());
            self.space();
            if !self.skip(b',') {
                return self.eat(b']');
            }
        }
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), JsonFault> {
        if depth > MAX_JSON_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        self.eat(bracket)?;
        self.space();
        Ok(())
    }

    /// Walks over a string and hands back where its text stands; the text itself only when it has
    /// escapes.
    fn string(&mut self) -> Result<Name, JsonFault> {
        let start = self.at;
        self.eat(b'"')?;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain_length(rest);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(JsonFault::Syntax(self.at)),
            }
        }
        self.at += 1;
        if !escaped {
            return Ok(Name::Plain(start + 1..self.at - 1));
        }
        // serde_json undoes the escapes and refuses lone surrogates.
        match self.text.get(start..self.at).and_then(|quoted| serde_json::from_str(quoted).ok()) {
            Some(text) => Ok(Name::Escaped(text)),
            None if self.is_strict_inside => Err(JsonFault::Syntax(start)),
            // With its quotes, which tell it from every name that is asked for.
            None => Ok(Name::Plain(start..self.at)),
        }
    }

    /// RFC 8259 section 7: a backslash and one of eight characters, or `u` and four hexadecimal digits.
    fn escape(&mut self) -> Result<(), JsonFault> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let is_hex = |digits: &[u8]| digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if rest.get(1..5).is_some_and(is_hex) => self.at += 6,
            _ => return Err(JsonFault::Syntax(self.at)),
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), JsonFault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(JsonFault::Syntax(self.at));
        }
        self.at += word.len();
        Ok(())
    }

    /// RFC 8259 section 6: no leading zero, no bare point, no plus sign.
    fn number(&mut self) -> Result<(), JsonFault> {
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

    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(JsonFault::Syntax(start)) } else { Ok(()) }
    }
}

/// Bytes at the start of `bytes` that are plain text of a string: up to a quote, a backslash or a
/// control character, which must be escaped (RFC 8259 section 7). Eight bytes are looked at together:
/// of the bits that mark what ends the text, the lowest is always right.
fn plain_length(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u8| word.wrapping_sub(EACH * u64::from(bound)) & !word & (EACH << 7);
    let equal = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let ends = below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
        if ends != 0 {
            return place * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
    words.len() * 8 + rest.iter().position(ends).unwrap_or(rest.len())
}
