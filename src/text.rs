//! Text that callers see: values from tokens, capped and cleaned, and the shape of a GUID.

use std::borrow::Cow;

/// Characters of a quoted value in a description or a log entry. Longer ones say nothing more.
pub const MAX_QUOTED_CHARS: usize = 120;

/// A value as it may stand in a description: in single quotes, capped and cleaned.
pub fn quoted(value: &str) -> String {
    format!("'{}'", clean(value, MAX_QUOTED_CHARS))
}

/// Quoted values with "or" between them. Of a long list only the first ones are shown.
pub fn quoted_list<S: AsRef<str>>(values: &[S]) -> String {
    quoted_list_with(values, " or ")
}

/// Quoted values with this text between them.
pub fn quoted_list_with<S: AsRef<str>>(values: &[S], join: &str) -> String {
    const SHOWN: usize = 4;
    let shown = values.iter().take(SHOWN);
    let mut shown: Vec<String> = shown.map(|value| quoted(value.as_ref())).collect();
    if values.len() > SHOWN {
        shown.push(format!("{} more", values.len() - SHOWN));
    }
    if shown.is_empty() {
        return "an empty list".into();
    }
    shown.join(join)
}

/// Keeps printable ASCII without `"` and `\`, which RFC 6750 section 3 allows in a challenge. A text
/// of more than `max` characters is cut there, and gets three dots. The result needs no escape in
/// JSON.
pub fn clean(text: &str, max: usize) -> Cow<'_, str> {
    let is_clean = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.len() <= max && text.bytes().all(is_clean) {
        return Cow::Borrowed(text);
    }
    let safe = |char: char| match char {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => char,
        _ => '?',
    };
    let mut cleaned: String = text.chars().take(max).map(safe).collect();
    if text.chars().nth(max).is_some() {
        cleaned.push_str("...");
    }
    Cow::Owned(cleaned)
}

/// Bytes of a GUID's text.
pub const GUID_LENGTH: usize = 36;

/// Whether this is the text of a GUID: 8-4-4-4-12 hexadecimal digits.
pub fn is_guid(text: &str) -> bool {
    text.len() == GUID_LENGTH
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Compares identifiers exactly, but GUIDs in any letter case.
pub fn same_id(a: &str, b: &str) -> bool {
    a == b || (is_guid(a) && a.eq_ignore_ascii_case(b))
}
