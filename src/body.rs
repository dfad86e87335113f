//! Request bodies, which nobody here reads. tiny_http drains an unread body on the thread that
//! drops the request, without a timeout, and into a buffer of the declared size: on the loop's
//! thread, one client could stop everybody. So a request whose body is not yet in memory goes to
//! a thread of its own first, and comes back to the loop when its body has been read.

use crate::limits::{BODY_IN_MEMORY_BYTES, HELPER_STACK_BYTES, MAX_BODY_BYTES};
use std::sync::mpsc::{Sender, channel};
use tiny_http::{Request, Response};

/// What is to be done about a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing: there is none, or tiny_http has read it.
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

/// Reads the body of `request` on a thread of its own, then hands the request to `back` and calls
/// `wake`. A body that cannot be read to its end gets its answer from that thread.
pub fn drain(request: Request, back: Sender<Request>, wake: impl Fn() + Send + 'static) {
    let (hand_over, take_over) = channel::<Request>();
    let work = move || {
        let Ok(request) = take_over.recv() else { return };
        if let Some(request) = read_to_end(request)
            && back.send(request).is_ok()
        {
            wake();
        }
    };
    // The request is handed over only once there is a thread: dropped here, it would block.
    match std::thread::Builder::new().name("body".into()).stack_size(HELPER_STACK_BYTES).spawn(work) {
        Ok(_) => drop(hand_over.send(request)),
        Err(_) => abandon(request),
    }
}

/// Gives a request up without reading its body and without an answer. Its connection's thread and
/// its two file descriptors stay until the process ends: tiny_http offers no way to close it.
pub fn abandon(request: Request) {
    std::mem::forget(request);
}

fn read_to_end(mut request: Request) -> Option<Request> {
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    loop {
        match request.as_reader().read(&mut buffer) {
            Ok(0) => return Some(request),
            Ok(bytes) => total += bytes,
            Err(_) => {
                let _ = request.respond(Response::empty(400));
                return None;
            }
        }
        // Only a chunked body gets here; what is left of it then reads as a bad request, after
        // which tiny_http closes the connection.
        if total > MAX_BODY_BYTES {
            let _ = request.respond(Response::empty(413));
            return None;
        }
    }
}
