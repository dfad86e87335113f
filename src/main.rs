//! The handler; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    entra_handler::run(arguments.map(|argument| argument.to_string_lossy().into_owned()))
}
