//! Request bodies, which nobody here reads. tiny_http drains an unread body on the thread that
//! drops the request, without a timeout, and into a buffer of the declared size: on the loop's
//! thread, one client could stop everybody. So a request whose body is not yet in memory goes to
//! a thread of its own first, and comes back to the loop when its body has been read.

use crate::limits::{BODY_IN_MEMORY_BYTES, HELPER_STACK_BYTES, MAX_BODY_BYTES};
use crate::outgoing::Outgoing;
use std::io::ErrorKind;
use std::sync::mpsc::channel;
use tiny_http::Request;

/// What is to be done about a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing: there is none, or it has been read.
    Done,
    /// It has to be read elsewhere.
    Pending,
    /// It is declared longer than anybody may send. tiny_http would allocate the declared length
    /// when the request is dropped, which can abort the process.
    TooLong,
}

impl Body {
    /// Follows tiny_http's own reading of the headers: `Upgrade` comes before everything, then
    /// `Transfer-Encoding`, then `Content-Length`.
    pub fn of(length: Option<usize>, is_upgrade: bool, is_chunked: bool, expects_continue: bool) -> Body {
        match length {
            _ if is_upgrade => Body::Done,
            _ if is_chunked => Body::Pending,
            Some(bytes) if bytes > MAX_BODY_BYTES => Body::TooLong,
            Some(bytes) if bytes > BODY_IN_MEMORY_BYTES || (bytes > 0 && expects_continue) => Body::Pending,
            _ => Body::Done,
        }
    }
}

/// Reads the body of `request` on a thread of its own. `on_end` is called however that ends, with
/// the request unless its body could not be read: a malformed one is answered with `refusal`, and
/// one for which there is no thread to be had is given up. Of one that breaks off, tiny_http allocates
/// the rest, untouched, and frees it; `server.rs` sees to it that the allocator gives that back.
pub fn read(request: Request, refusal: Vec<u8>, on_end: impl FnOnce(Option<Request>) + Send + 'static) {
    let (hand_over, take_over) = channel::<Request>();
    let end = OnEnd { request: None, on_end: Some(on_end) };
    let work = move || {
        let mut end = end; // moved as a whole, so that it ends with this thread
        match take_over.recv().ok().map(read_to_end) {
            Some(Outcome::Read(request)) => end.request = Some(request),
            Some(Outcome::Malformed(request)) => Outgoing::new(request.into_writer(), &refusal).finish(),
            Some(Outcome::BrokenOff(request)) => drop(request.into_writer()),
            None => {}
        }
    };
    // The request is handed over only once there is a thread: dropped here, it would block.
    let thread = std::thread::Builder::new().name("body".into()).stack_size(HELPER_STACK_BYTES);
    match thread.spawn(work) {
        Ok(_) => drop(hand_over.send(request)),
        Err(_) => abandon(request),
    }
}

/// Gives a request up without reading its body and without an answer. Its connection's thread and
/// its two file descriptors stay until the process ends: tiny_http offers no way to close it.
pub fn abandon(request: Request) {
    std::mem::forget(request);
}

/// Calls `on_end` when the thread ends, even by a panic.
struct OnEnd<F: FnOnce(Option<Request>)> {
    request: Option<Request>,
    on_end: Option<F>,
}

impl<F: FnOnce(Option<Request>)> Drop for OnEnd<F> {
    fn drop(&mut self) {
        if let Some(on_end) = self.on_end.take() {
            on_end(self.request.take());
        }
    }
}

enum Outcome {
    Read(Request),
    /// The chunks are none, or too many: what is left of them then reads as another request.
    Malformed(Request),
    /// The peer is gone.
    BrokenOff(Request),
}

fn read_to_end(mut request: Request) -> Outcome {
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    loop {
        let count = match request.as_reader().read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) if request.body_length().is_none() => return Outcome::Malformed(request),
            Err(_) => return Outcome::BrokenOff(request),
        };
        total += count;
        match request.body_length() {
            Some(length) if count == 0 && total < length => return Outcome::BrokenOff(request),
            _ if count == 0 => return Outcome::Read(request),
            // Only a chunked body can be longer.
            _ if total > MAX_BODY_BYTES => return Outcome::Malformed(request),
            _ => {}
        }
    }
}
