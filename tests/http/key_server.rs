//! A key server on loopback that answers as it is told, and counts.

use crate::harness::wait_until;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What the server answers with.
#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 and this body, such as a key set.
    Body(String),
    /// This status, and a good-looking body all the same.
    Status(u16, String),
    /// A redirect to this address.
    Redirect(String),
    /// 200 and so many bytes, with (true) or without their length.
    Bytes(usize, bool),
    /// 200, and then one byte now and then.
    Trickle,
    /// The connection ends before an answer.
    Close,
    /// The connection ends within the body.
    Cut(String),
    /// No HTTP at all.
    Garbage,
    /// Neither an answer nor an end.
    Silence,
}

pub(crate) struct KeyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    reply: Reply,
    /// Target of every request so far.
    fetches: Vec<String>,
    /// While true, no request is answered.
    is_held: bool,
    has_ended: bool,
}

impl KeyServer {
    /// Listens on a free port.
    pub(crate) fn start(reply: Reply) -> KeyServer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = State {
            reply,
            fetches: Vec::new(),
            is_held: false,
            has_ended: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let server = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.state().has_ended {
                    return;
                }
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        KeyServer { address, shared }
    }

    /// Answers with a key set.
    pub(crate) fn with(set: String) -> KeyServer {
        KeyServer::start(Reply::Body(set))
    }

    /// A server that does not answer before [`KeyServer::release`].
    pub(crate) fn held(set: String) -> KeyServer {
        let server = KeyServer::with(set);
        server.hold();
        server
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/keys", self.origin())
    }

    /// From now on, answers with this.
    pub(crate) fn reply(&self, reply: Reply) {
        self.shared.state().reply = reply;
    }

    pub(crate) fn hold(&self) {
        self.shared.state().is_held = true;
    }

    pub(crate) fn release(&self) {
        self.shared.state().is_held = false;
        self.shared.changed.notify_all();
    }

    /// Number of fetches so far.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.state().fetches.len()
    }

    /// Targets of the fetches so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.shared.state().fetches.clone()
    }

    /// Waits for the fetch of this number.
    pub(crate) fn wait_for_fetch(&self, number: usize) {
        wait_until("the keys are fetched", || self.fetches() >= number);
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.shared.state().has_ended = true;
        self.shared.changed.notify_all();
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut state = self.state();
        state
            .fetches
            .push(head.split(' ').nth(1).unwrap_or_default().to_owned());
        while state.is_held && !state.has_ended {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let reply = state.reply.clone();
        drop(state);
        // The handler may have given up meanwhile.
        let _ = self.write(&mut stream, reply);
    }

    fn write(&self, stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
        const OK: &str =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        match reply {
            Reply::Body(body) => write!(stream, "{OK}Content-Length: {}\r\n\r\n{body}", body.len()),
            Reply::Status(status, body) => {
                write!(
                    stream,
                    "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Reply::Redirect(to) => {
                write!(
                    stream,
                    "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
                )
            }
            Reply::Bytes(count, has_length) => {
                let length = if has_length {
                    format!("Content-Length: {count}\r\n")
                } else {
                    String::new()
                };
                write!(stream, "{OK}{length}\r\n")?;
                let block = [b' '; 64 * 1024];
                for start in (0..count).step_by(block.len()) {
                    stream.write_all(&block[..block.len().min(count - start)])?;
                }
                Ok(())
            }
            Reply::Trickle => {
                write!(stream, "{OK}Content-Length: 100000\r\n\r\n")?;
                while !self.has_ended_after(Duration::from_millis(100)) {
                    stream.write_all(b" ")?;
                }
                Ok(())
            }
            Reply::Close => Ok(()),
            Reply::Cut(body) => {
                write!(
                    stream,
                    "{OK}Content-Length: {}\r\n\r\n{}",
                    body.len(),
                    &body[..body.len() / 2]
                )
            }
            Reply::Garbage => stream.write_all(b"\x00\x01\x02 this is no HTTP \xff\xfe\r\n\r\n"),
            Reply::Silence => {
                while !self.has_ended_after(Duration::from_secs(1)) {}
                Ok(())
            }
        }
    }

    fn has_ended_after(&self, time: Duration) -> bool {
        let state = self.state();
        let wait = self
            .changed
            .wait_timeout_while(state, time, |state| !state.has_ended);
        wait.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }
}
