//! A key server that answers each fetch as its script says.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// One fetch: the pause before the answer, and the body of the answer.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) pause: Duration,
    pub(crate) body: String,
}

/// A key server on loopback.
pub(crate) struct Issuer {
    address: SocketAddr,
    fetches: Arc<AtomicUsize>,
    has_ended: Arc<AtomicBool>,
}

impl Issuer {
    /// Takes one turn a fetch; the last one again and again.
    pub(crate) fn start(script: Vec<Turn>) -> Issuer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (fetches, has_ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ended) = (fetches.clone(), has_ended.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let number = count.fetch_add(1, Ordering::Relaxed);
                let turn = script[number.min(script.len() - 1)].clone();
                thread::spawn(move || take(stream, &turn));
            }
        });
        Issuer { address, fetches, has_ended }
    }

    /// Answers at once, always with this.
    pub(crate) fn with(body: String) -> Issuer {
        Issuer::start(vec![Turn { pause: Duration::ZERO, body }])
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Number of fetches so far.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

fn take(mut stream: TcpStream, turn: &Turn) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer);
    thread::sleep(turn.pause);
    // The handler may have given up meanwhile.
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", turn.body.len(), turn.body);
}
