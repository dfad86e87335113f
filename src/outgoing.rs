//! Answers to peers that do not read: the loop tries to send an answer once, for as long as the
//! kernel's shortest timeout, and hands what is left to a thread of that peer's own. No answer is
//! ever cut, and a peer costs the loop a moment, however slowly it reads.

use crate::limits::{HELPER_STACK_BYTES, MAX_SEND_PAUSE, SEND_TIMEOUT};
use std::io::{ErrorKind, Result, Write};
use std::sync::mpsc::{Sender, channel};

/// What writes to a connection.
pub type Writer = Box<dyn Write + Send>;

/// An answer on its way.
pub struct Outgoing {
    writer: Writer,
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// Sends `bytes` as far as the peer takes them at once: None when nothing is left to do, because
    /// all is sent or the peer is gone.
    pub fn send(mut writer: Writer, bytes: &[u8]) -> Option<Outgoing> {
        let mut sent = 0;
        match push(&mut writer, bytes, &mut sent) {
            Err(error) if is_full(&error) => Some(Outgoing { writer, bytes: bytes.to_vec(), sent }),
            _ => None,
        }
    }

    /// One of which nothing has been sent yet.
    pub fn new(writer: Writer, bytes: &[u8]) -> Outgoing {
        Outgoing { writer, bytes: bytes.to_vec(), sent: 0 }
    }

    /// Sends the rest, however long the peer takes. Ends when it is gone, too.
    pub fn finish(mut self) {
        let mut pause = SEND_TIMEOUT;
        loop {
            let before = self.sent;
            match push(&mut self.writer, &self.bytes, &mut self.sent) {
                Err(error) if is_full(&error) => std::thread::sleep(pause),
                _ => return,
            }
            pause = if self.sent > before { SEND_TIMEOUT } else { (pause * 2).min(MAX_SEND_PAUSE) };
        }
    }
}

/// A thread that sends the answers to one peer, one after the other. `on_sent` is called after each;
/// the thread ends with the sender that is given back.
///
/// # Errors
/// There is no thread to be had.
pub fn start(on_sent: impl Fn() + Send + 'static) -> Result<Sender<Outgoing>> {
    let (sender, receiver) = channel::<Outgoing>();
    let work = move || {
        for outgoing in receiver {
            outgoing.finish();
            on_sent();
        }
    };
    std::thread::Builder::new().name("slow peer".into()).stack_size(HELPER_STACK_BYTES).spawn(work)?;
    Ok(sender)
}

/// Can be called again after the buffer was full: `sent` counts what has been taken.
fn push(writer: &mut Writer, bytes: &[u8], sent: &mut usize) -> Result<()> {
    while let Some(rest) = bytes.get(*sent..).filter(|rest| !rest.is_empty()) {
        match writer.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => *sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    writer.flush()
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
