//! `handler check --lines` over many tokens, where the handler has it.

use crate::launcher::Launcher;
use crate::tokens::Size;
use crate::tokens::{SPARE, Tokens};

/// Microseconds for one token: a run over all of them, less a run over none.
///
/// None when the handler has no such command, or when it does not accept them all.
pub(crate) fn measure(launcher: &Launcher, tokens: &Tokens) -> Result<Option<f64>, String> {
    const ARGUMENTS: [&str; 2] = ["check", "--lines"];
    let (empty, status) = launcher.run(&ARGUMENTS, "")?;
    if status == Some(2) {
        return Ok(None);
    }
    let tokens = tokens.of(Size::Small);
    let tokens = &tokens[..tokens.len() - SPARE];
    let input: String = tokens
        .iter()
        .flat_map(|token| [token.text.as_str(), "\n"])
        .collect();
    match launcher.run(&ARGUMENTS, &input)? {
        (took, Some(0)) => Ok(Some(
            took.saturating_sub(empty).as_secs_f64() * 1e6 / tokens.len() as f64,
        )),
        (_, status) => Err(format!(
            "handler check --lines ended with {status:?} over valid tokens"
        )),
    }
}
