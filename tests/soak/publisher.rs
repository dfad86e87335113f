//! The key server: it publishes what it is told, fails as it is told, and keeps its history.

use crate::history::History;
use crate::mint::TestKey;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Serving,
    /// Serving, after three seconds.
    Slow,
    Status500,
    Silent,
    Garbage,
    EmptySet,
    /// A page that wants somebody to sign in.
    Html,
    /// The connection ends within the body.
    Cut,
    HangsUp,
}

/// A published key: its id and the number of the test key behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) kid: String,
    pub(crate) number: usize,
}

/// The server.
pub(crate) struct Publisher {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    keys: Vec<Published>,
    history: History,
}

/// One of the test keys.
pub(crate) fn test_key(number: usize) -> &'static TestKey {
    static KEYS: LazyLock<Vec<TestKey>> = LazyLock::new(|| (1..=4).map(TestKey::number).collect());
    &KEYS[number - 1]
}

impl Publisher {
    pub(crate) fn start() -> std::io::Result<Publisher> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State {
            mood: Mood::Serving,
            keys: Vec::new(),
            history: History::default(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Ok(Publisher { address, state })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// From now on, is like this.
    pub(crate) fn turn(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// From now on, publishes these keys.
    pub(crate) fn publish(&self, keys: Vec<Published>) {
        self.state().keys = keys;
    }

    pub(crate) fn keys(&self) -> Vec<Published> {
        self.state().keys.clone()
    }

    pub(crate) fn mood(&self) -> Mood {
        self.state().mood
    }

    /// Asks the history something.
    pub(crate) fn history<T>(&self, question: impl FnOnce(&History) -> T) -> T {
        question(&self.state().history)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(shared: &Mutex<State>, mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let (mood, keys, number) = {
        let mut state = locked(shared);
        let kids = state.keys.iter().map(|key| key.kid.clone()).collect();
        let succeeds = matches!(state.mood, Mood::Serving | Mood::Slow);
        let number = state.history.comes(succeeds.then_some(kids));
        (state.mood, state.keys.clone(), number)
    };
    let set = key_set(&keys);
    // The handler may have given up meanwhile.
    let _ = match mood {
        Mood::Serving | Mood::Slow => {
            if mood == Mood::Slow {
                thread::sleep(Duration::from_secs(3));
            }
            locked(shared).history.begins(number);
            let written = answer(&mut stream, 200, &set);
            locked(shared).history.ends(number);
            written
        }
        Mood::Status500 => answer(&mut stream, 500, &set),
        Mood::EmptySet => answer(&mut stream, 200, r#"{"keys":[]}"#),
        Mood::Html => answer(&mut stream, 200, "<!doctype html><title>Sign in</title>"),
        Mood::Garbage => stream.write_all(b"\x00\x01 this is no HTTP \xff\r\n\r\n"),
        Mood::Cut => {
            let length = set.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
                &set[..length / 2]
            )
        }
        // Ends when the handler does.
        Mood::Silent => stream.read(&mut [0]).map(drop),
        Mood::HangsUp => Ok(()),
    };
}

fn answer(stream: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// The key set, with a bad key among the good ones.
fn key_set(keys: &[Published]) -> String {
    let jwk = |key: &Published| {
        let mut jwk = test_key(key.number).jwk(None);
        jwk["kid"] = key.kid.as_str().into();
        jwk
    };
    let bad = json!({ "kty": "RSA", "kid": "bad", "n": "AQAB", "e": "AQAB" });
    let keys: Vec<Value> = [bad].into_iter().chain(keys.iter().map(jwk)).collect();
    json!({ "keys": keys }).to_string()
}
