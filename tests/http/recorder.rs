//! A server of the tests' own, which remembers what reached it.

use crate::harness::GUARD;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// Method and target.
    pub(crate) fn start(&self) -> &str {
        self.head.split(" HTTP/").next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        headers
            .into_iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// Answers one request on each connection.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    has_ended: Arc<AtomicBool>,
}

impl Recorder {
    /// Listens on a free port; `answer` makes the whole answer, which must say that the connection ends.
    pub(crate) fn start(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Recorder {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (received, has_ended) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(AtomicBool::new(false)),
        );
        let recorder = Recorder {
            address,
            received: received.clone(),
            has_ended: has_ended.clone(),
        };
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (received, answer) = (received.clone(), answer.clone());
                thread::spawn(move || serve(stream, &received, &*answer));
            }
        });
        recorder
    }

    /// Passes every request on to this address, and the answer back.
    pub(crate) fn before(address: SocketAddr) -> Recorder {
        Recorder::start(move |received| {
            let mut stream = TcpStream::connect(address).expect("it accepts connections");
            let head = received
                .head
                .trim_end()
                .replace("Connection: keep-alive\r\n", "");
            write!(
                stream,
                "{head}\r\nConnection: close\r\n\r\n{}",
                received.body
            )
            .expect("it takes the request");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            answer
        })
    }

    /// Every request so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic while held").clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// A whole answer; `headers` is one or more lines, each with its line end.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into()
}

fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &dyn Fn(&Received) -> Vec<u8>,
) {
    let _ = stream.set_read_timeout(Some(GUARD));
    // A browser opens connections that it then does not need.
    let Some(request) = read(&mut stream) else {
        return;
    };
    received
        .lock()
        .expect("no panic while held")
        .push(request.clone());
    let _ = stream.write_all(&answer(&request));
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let mut request = Received {
                head,
                body: String::new(),
            };
            let length = request
                .header("Content-Length")
                .map_or(0, |length| length.parse().expect("a number"));
            if bytes.len() >= end + 4 + length {
                request.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                return Some(request);
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}
