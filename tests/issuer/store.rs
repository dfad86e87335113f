//! What the issuer remembers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::claims::Version;
use crate::mint::TestKey;
use crate::options::Options;
use crate::ticket::Ticket;

/// How many test keys there are.
const KEYS: usize = 4;

/// The whole issuer.
pub(crate) struct Issuer {
    /// Where it listens: scheme, host and port.
    pub(crate) base: String,
    /// The command line.
    pub(crate) options: Options,
    keys: [TestKey; KEYS],
    state: Mutex<State>,
}

/// The part that changes.
#[derive(Default)]
pub(crate) struct State {
    /// Codes and refresh tokens by their text.
    pub(crate) tickets: HashMap<String, Ticket>,
    /// Sign-ins begun on the index page, by their `state`.
    pub(crate) sign_ins: HashMap<String, SignIn>,
    current_key: usize,
}

/// A sign-in begun on the index page.
pub(crate) struct SignIn {
    /// PKCE code verifier.
    pub(crate) verifier: String,
    /// Version of the token to ask for.
    pub(crate) version: Version,
    /// Seconds since 1970.
    pub(crate) expires: i64,
}

impl Issuer {
    /// An issuer at this base URL, with the first test key as the current one.
    pub(crate) fn new(base: String, options: Options) -> Issuer {
        Issuer {
            base,
            options,
            keys: std::array::from_fn(|index| TestKey::number(index + 1)),
            state: Mutex::default(),
        }
    }

    /// The state, locked; each change of it is whole, so a panic elsewhere spoils nothing.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The published keys: the current one, then the next one.
    pub(crate) fn published_keys(&self) -> [&TestKey; 2] {
        let current = self.state().current_key;
        [&self.keys[current], &self.keys[(current + 1) % KEYS]]
    }

    /// Makes the next key the current one.
    pub(crate) fn rotate(&self) {
        let mut state = self.state();
        state.current_key = (state.current_key + 1) % KEYS;
    }
}
