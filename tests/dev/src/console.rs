//! Words for a terminal.

use std::io::IsTerminal;

/// Bold.
pub(crate) fn bold(text: &str) -> String {
    styled("1", text)
}

/// Green.
pub(crate) fn good(text: &str) -> String {
    styled("32", text)
}

/// Red.
pub(crate) fn bad(text: &str) -> String {
    styled("31", text)
}

fn styled(style: &str, text: &str) -> String {
    let is_unwanted = ["NO_COLOR", "CI"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if is_unwanted || !std::io::stdout().is_terminal() {
        return text.to_owned();
    }
    format!("\x1b[{style}m{text}\x1b[0m")
}

/// The text with each token cut to its beginning.
pub(crate) fn with_short_tokens(text: &str) -> String {
    const SHOWN: usize = 20;
    let mut short = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, token) = rest.split_at(start);
        let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let (token, after) = token.split_at(token.bytes().take_while(is_of_token).count());
        short += before;
        match token.get(..SHOWN) {
            Some(shown) => short.extend([shown, "..."]),
            None => short += token,
        }
        rest = after;
    }
    short + rest
}
