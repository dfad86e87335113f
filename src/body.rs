//! Request bodies, which nobody here reads. tiny_http drains an unread body on the thread that
//! drops the request, without a timeout, and into a buffer of the declared size: on the loop's
//! thread, one client could stop everybody. So a request whose body is not yet in memory goes to
//! a thread of its own first, and comes back to the loop when its body has been read.

use crate::limits::{BODY_IN_MEMORY_BYTES, HELPER_STACK_BYTES, MAX_BODY_BYTES};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
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

/// A request that comes back from its body: the peer, and the request unless it has been answered
/// already, because its body could not be read to the end.
pub struct Returned {
    /// The peer whose connection may go on.
    pub peer: Option<SocketAddr>,
    /// The request, its body read.
    pub request: Option<Request>,
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

/// Reads the body of `request` on a thread of its own; then, however that ends, something is sent
/// to `back` and `wake` is called. A body that cannot be read to its end is answered with `refusal`.
/// False when there is no thread to be had.
pub fn read(request: Request, refusal: Vec<u8>, back: Sender<Returned>, wake: impl Fn() + Send + 'static) -> bool {
    let (hand_over, take_over) = channel::<Request>();
    let peer = request.remote_addr().copied();
    let mut home = WayHome { returned: Some(Returned { peer, request: None }), back, wake };
    let work = move || {
        let request = take_over.recv().ok().and_then(|request| read_to_end(request, &refusal));
        if let Some(returned) = &mut home.returned {
            returned.request = request;
        }
    };
    // The request is handed over only once there is a thread: dropped here, it would block.
    let is_started = std::thread::Builder::new().name("body".into()).stack_size(HELPER_STACK_BYTES).spawn(work).is_ok();
    match is_started {
        true => drop(hand_over.send(request)),
        false => abandon(request),
    }
    is_started
}

/// Gives a request up without reading its body and without an answer. Its connection's thread and
/// its two file descriptors stay until the process ends: tiny_http offers no way to close it.
pub fn abandon(request: Request) {
    std::mem::forget(request);
}

/// Sends what there is when the thread ends, even by a panic.
struct WayHome<W: Fn()> {
    returned: Option<Returned>,
    back: Sender<Returned>,
    wake: W,
}

impl<W: Fn()> Drop for WayHome<W> {
    fn drop(&mut self) {
        if let Some(returned) = self.returned.take() {
            let _ = self.back.send(returned);
            (self.wake)();
        }
    }
}

/// None when it was refused: what is left of the body then reads as a bad request, after which
/// tiny_http closes the connection.
fn read_to_end(mut request: Request, refusal: &[u8]) -> Option<Request> {
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    loop {
        match request.as_reader().read(&mut buffer) {
            Ok(0) => return Some(request),
            Ok(bytes) => total += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        // Only a chunked body can be longer.
        if total > MAX_BODY_BYTES {
            break;
        }
    }
    let mut writer = request.into_writer();
    let _ = writer.write_all(refusal).and_then(|()| writer.flush());
    None
}
