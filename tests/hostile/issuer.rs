//! A key server that misbehaves as it is told, and counts the fetches.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What is done with a fetch.
#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 and this body, after a pause.
    Late(Duration, String),
    /// No answer and no end.
    Silence,
    /// 200 and this body, the head byte by byte with pauses.
    SlowHead(String),
    /// 200 and this body, its bytes one at a time with pauses.
    SlowBody(String),
    /// 200 and so many bytes.
    Flood(usize),
    /// A redirect to the same server.
    RedirectToItself,
    /// This and nothing else.
    Raw(Vec<u8>),
    /// The connection ends at once.
    HangUp,
}

/// A key server on loopback.
pub(crate) struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Each has a path of its own: what looks for somebody else on this port is no fetch.
    path: String,
    reply: Mutex<Reply>,
    fetches: AtomicUsize,
    has_ended: AtomicBool,
}

impl Issuer {
    /// Listens on a free port.
    pub(crate) fn start(reply: Reply) -> Issuer {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let path = format!("/keys/{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Shared {
            path,
            reply: Mutex::new(reply),
            fetches: AtomicUsize::new(0),
            has_ended: false.into(),
        };
        let shared = Arc::new(shared);
        let server = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.has_ended() {
                    return;
                }
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        Issuer { address, shared }
    }

    /// Answers at once with this.
    pub(crate) fn with(body: String) -> Issuer {
        Issuer::start(good(body))
    }

    /// From now on, does this.
    pub(crate) fn reply(&self, reply: Reply) {
        *self
            .shared
            .reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reply;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.path)
    }

    /// Number of fetches so far.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// 200 and this body, at once.
pub(crate) fn good(body: String) -> Reply {
    Reply::Late(Duration::ZERO, body)
}

impl Shared {
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut request = [0; 4096];
        let count = stream.read(&mut request).unwrap_or_default();
        if !request[..count].starts_with(format!("GET {} ", self.path).as_bytes()) {
            return;
        }
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let reply = self
            .reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // The handler may have given up meanwhile.
        let _ = self.answer(&mut stream, reply);
    }

    fn answer(&self, stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
        let head = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        match reply {
            Reply::Late(pause, body) => {
                thread::sleep(pause);
                stream.write_all(format!("{}{body}", head(body.len())).as_bytes())
            }
            Reply::Silence => {
                while !self.has_ended() {
                    thread::sleep(Duration::from_millis(100));
                }
                Ok(())
            }
            Reply::SlowHead(body) => {
                self.trickle(stream, head(body.len()).as_bytes())?;
                stream.write_all(body.as_bytes())
            }
            Reply::SlowBody(body) => {
                stream.write_all(head(body.len()).as_bytes())?;
                self.trickle(stream, body.as_bytes())
            }
            Reply::Flood(bytes) => {
                stream.write_all(head(bytes).as_bytes())?;
                (0..bytes / 65536).try_for_each(|_| stream.write_all(&[b' '; 65536]))
            }
            Reply::RedirectToItself => {
                let location = format!("http://{}{}", stream.local_addr()?, self.path);
                write!(
                    stream,
                    "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                )
            }
            Reply::Raw(bytes) => stream.write_all(&bytes),
            Reply::HangUp => Ok(()),
        }
    }

    fn trickle(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        for byte in bytes.iter().take_while(|_| !self.has_ended()) {
            stream.write_all(&[*byte])?;
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}
