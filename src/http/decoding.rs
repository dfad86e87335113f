//! Percent-encoding (RFC 3986 section 2.1).

/// Undoes percent-encoding, once. None for a bad escape, bytes that are not UTF-8, and control
/// characters: no parameter needs them, and log entries and headers break at them.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
            _ => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(char::is_control)).then_some(text)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Encodes what a header may not have: the Functions host answers 500 to a byte beyond ASCII.
pub(super) fn encode_non_ascii(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii() {
            encoded.push(char);
            continue;
        }
        let mut buffer = [0; 4];
        let bytes = char.encode_utf8(&mut buffer).bytes();
        bytes.for_each(|byte| encoded.push_str(&format!("%{byte:02X}")));
    }
    encoded
}
