//! Where key sets come from, and fetching one: from an address or from a file.

use super::KeySet;
use super::address::without_query;
use super::download::{Trust, download};
use super::file::read_file;
use super::metadata::keys_address;
use crate::limits::{FETCH_TIMEOUT, MAX_KEY_SET_BYTES};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Instant;

/// Bytes of stack of a thread that fetches: TLS and the reading of certificates need some.
const FETCH_STACK_BYTES: usize = 512 * 1024;

/// Where a key set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `https://`, or `http://` to a loopback address.
    Address(String),
    /// A file.
    File(PathBuf),
    /// The address that the metadata of this issuer names.
    Metadata(String),
}

/// The outcome of a fetch: the set, or why there is none.
#[derive(Debug)]
pub struct Fetched {
    /// The place of the source in the settings.
    pub source: usize,
    /// A usable set, or words for a log entry.
    pub outcome: Result<KeySet, String>,
}

/// Fetches a key set and reads it.
///
/// # Errors
/// Why there is no usable set: for a log entry. Text from the server is cut and cleaned.
pub fn fetch(source: &Source, trust: &Trust) -> Result<KeySet, String> {
    let deadline = Instant::now() + FETCH_TIMEOUT;
    match source {
        Source::File(path) => {
            let named = |fault| format!("{}: {fault}", without_query(&path.display().to_string()));
            let bytes = read_file(path, MAX_KEY_SET_BYTES).map_err(named)?;
            KeySet::parse(bytes).map_err(|fault| named(fault.to_string()))
        }
        Source::Address(address) => fetch_address(address, trust, deadline),
        Source::Metadata(issuer) => {
            let address = keys_address(issuer, trust, deadline)?;
            fetch_address(&address, trust, deadline)
        }
    }
}

fn fetch_address(address: &str, trust: &Trust, deadline: Instant) -> Result<KeySet, String> {
    let named = |fault| format!("{}: {fault}", without_query(address));
    let bytes = download(address, MAX_KEY_SET_BYTES, trust, deadline);
    let bytes = bytes.map_err(|fault| named(fault.to_string()))?;
    KeySet::parse(bytes).map_err(|fault| named(fault.to_string()))
}

/// Fetches on a thread of its own and sends the outcome, a failed one too when the thread cannot be
/// had or panics. `wake` is called after the outcome was sent.
pub fn start_fetch(
    number: usize,
    source: Source,
    trust: Trust,
    sender: Sender<Fetched>,
    wake: impl Fn() + Send + 'static,
) {
    let report = Report {
        fetched: Some(Fetched {
            source: number,
            outcome: Err("the fetch could not be run".into()),
        }),
        sender,
        wake,
    };
    let work = move || {
        let mut report = report; // moved as a whole, so that it is dropped when this thread ends
        let outcome = fetch(&source, &trust);
        report.fetched = Some(Fetched {
            source: number,
            outcome,
        });
    };
    let thread = std::thread::Builder::new().name("key fetch".into());
    // When no thread can be had, the closure is dropped, and the report with it.
    let _ = thread.stack_size(FETCH_STACK_BYTES).spawn(work);
}

/// Sends the outcome when it is dropped, however the thread ends.
struct Report<F: Fn()> {
    fetched: Option<Fetched>,
    sender: Sender<Fetched>,
    wake: F,
}

impl<F: Fn()> Drop for Report<F> {
    fn drop(&mut self) {
        if let Some(fetched) = self.fetched.take() {
            let _ = self.sender.send(fetched);
        }
        (self.wake)();
    }
}
