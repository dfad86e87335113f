//! The signing keys: where they come from, when they are fetched, which of them may verify, and the
//! RSA operation itself. A *source* is one place that keys come from; every accepted issuer
//! belongs to one source.

mod address;
mod download;
mod file;
mod metadata;
mod rsa;
mod schedule;
mod set;
mod source;

pub use address::{Address, is_safe_address, without_user};
pub use download::Trust;
pub use file::is_file;
pub use rsa::PublicKey;
pub use schedule::{Keys, Need};
pub use set::{Key, KeySet, KeySetFault, Unusable};
pub use source::{Fetched, Source, fetch, start_fetch};

/// The usable key set of each source, in the order of the settings' sources.
#[derive(Debug, Default)]
pub struct KeySets(Vec<Option<KeySet>>);

impl KeySets {
    /// One set for each source; None while a source has none that may be used.
    pub fn new(sets: Vec<Option<KeySet>>) -> KeySets {
        KeySets(sets)
    }

    /// The keys of one source, and of no other (RFC 8725 section 3.8).
    pub fn of(&self, source: usize) -> Option<&KeySet> {
        self.0.get(source)?.as_ref()
    }
}
