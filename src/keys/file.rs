//! Reading files. No other file opens one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Whether there is a file at this path.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Reads a file of at most `max` bytes.
pub(super) fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| format!("the file cannot be read: {error}");
    // Opening a pipe waits for its other end, which would hold the fetch for good.
    if !std::fs::metadata(path).map_err(words)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(words)?;
    let length = file.take(max + 1).read_to_end(&mut bytes).map_err(words)?;
    if length as u64 > max {
        return Err(format!("it is longer than {max} bytes"));
    }
    Ok(bytes)
}
