//! Fetching the key set: the only file that names ureq, and the only one that opens a file.

use crate::jwks::KeySet;
use crate::limits::{FETCH_CONNECT_TIMEOUT, FETCH_TIMEOUT, HELPER_STACK_BYTES, MAX_KEY_SET_BYTES};
use crate::settings::KeySource;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use ureq::Agent;

/// Fetches the key set and reads it.
///
/// # Errors
/// Why there is no usable set: for a log line, without any text that came from the server.
pub fn fetch(source: &KeySource) -> Result<KeySet, String> {
    let bytes = match source {
        KeySource::Url(url) => get(url)?,
        KeySource::File(path) => read(path)?,
    };
    if bytes.len() as u64 > MAX_KEY_SET_BYTES {
        return Err(format!("the answer is longer than {MAX_KEY_SET_BYTES} bytes"));
    }
    KeySet::parse(bytes).map_err(|fault| fault.to_string())
}

/// Fetches on a thread of its own. `wake` is called when the thread ends, however it ends; the
/// receiver then has the outcome, or is disconnected when the thread died.
pub fn start(source: &KeySource, wake: impl Fn() + Send + 'static) -> Receiver<Result<KeySet, String>> {
    let (sender, receiver) = channel();
    let source = source.clone();
    let on_end = OnDrop(wake);
    let work = move || {
        let on_end = on_end;
        let _ = sender.send(fetch(&source));
        // The receiver must see the outcome, or the end of the sender, when it is woken.
        drop(sender);
        drop(on_end);
    };
    // When no thread can be had, the closure is dropped: the receiver is disconnected, and woken.
    let _ = std::thread::Builder::new().name("key fetch".into()).stack_size(4 * HELPER_STACK_BYTES).spawn(work);
    receiver
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn get(url: &str) -> Result<Vec<u8>, String> {
    let mut config = Agent::config_builder()
        .timeout_global(Some(FETCH_TIMEOUT))
        .timeout_connect(Some(FETCH_CONNECT_TIMEOUT))
        // A redirect could lead to another host; Entra's key address needs none.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false);
    if url.starts_with("http://") {
        // Loopback: a proxy would turn this machine's keys into another's.
        config = config.proxy(None);
    }
    let agent: Agent = config.build().into();
    let mut answer = agent.get(url).header("Accept", "application/json").call().map_err(words)?;
    if answer.status() != 200 {
        return Err(format!("the key server answered with status {}", answer.status().as_u16()));
    }
    // One byte more than is accepted: ureq refuses a body that just reaches its limit.
    answer.body_mut().with_config().limit(MAX_KEY_SET_BYTES + 1).read_to_vec().map_err(words)
}

fn words(error: ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "the key server took too long".into(),
        ureq::Error::BodyExceedsLimit(_) => format!("the answer is longer than {MAX_KEY_SET_BYTES} bytes"),
        error => crate::rejection::clean(&error.to_string(), crate::limits::MAX_QUOTED_CHARS).into_owned(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| format!("the file cannot be read: {error}");
    // Opening a pipe waits for its other end, which would hold the fetch for good.
    if !std::fs::metadata(path).map_err(words)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let file = File::open(path).map_err(words)?;
    let mut bytes = Vec::new();
    file.take(MAX_KEY_SET_BYTES + 1).read_to_end(&mut bytes).map_err(words)?;
    Ok(bytes)
}
