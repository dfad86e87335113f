//! Form-encoded parameters: queries and bodies.

/// Names and values in the order they came.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(crate) fn parse(text: &str) -> Form {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Form(decoded.collect())
    }

    /// A form of these names and values.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Form {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Form(pairs.iter().map(owned).collect())
    }

    /// The first value of a name, if it was sent at all.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1.as_str())
    }

    /// The first value of a name; empty when it was not sent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or("")
    }

    /// Gives a name a value unless it has one.
    pub(crate) fn default(&mut self, name: &str, value: String) {
        if self.get(name).is_empty() {
            self.0.push((name.to_owned(), value));
        }
    }
}

/// Names and values as a query, percent-encoded.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let encoded = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// Percent-decoding, with `+` for a space.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match (first, escaped) {
            (_, Some((high, low))) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            (b'+', None) => bytes.push(b' '),
            (_, None) => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
