//! A server of the tests' own: one request on each connection, which it keeps and responds to.

use super::process::GUARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// For 127.0.0.1, valid for a hundred years. Nobody knows its authority but tests/keys/test-only-ca.pem.
const CERTIFICATE: &[u8] = include_bytes!("../keys/test-only-1.pem");
const KEY: &[u8] = include_bytes!("../keys/test-only-1.pk8");

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Request line and headers.
    pub start: String,
    pub body: String,
}

impl Received {
    /// Method and target.
    pub fn call(&self) -> &str {
        self.start.split(" HTTP/").next().unwrap_or_default()
    }

    /// The path of the target.
    pub fn path(&self) -> &str {
        let target = self.call().split(' ').nth(1).unwrap_or_default();
        target.split('?').next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self
            .start
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let mut values = headers.filter(|(have, _)| have.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }
}

/// Either end of a connection, with TLS or without.
pub trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// How a server responds.
pub trait Respond: Fn(&Received, &mut dyn Stream) -> Result<()> + Send + Sync + 'static {}

impl<F: Fn(&Received, &mut dyn Stream) -> Result<()> + Send + Sync + 'static> Respond for F {}

pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    has_ended: Arc<AtomicBool>,
}

impl Server {
    /// Listens on a free port; `respond` writes the whole response, then the connection ends.
    pub fn start(respond: impl Respond) -> Server {
        Server::listen(respond, None)
    }

    /// The same over TLS, with a certificate of the test authority.
    pub fn start_tls(respond: impl Respond) -> Server {
        Server::listen(respond, Some(tls()))
    }

    /// Passes every request on to this address, and the response back.
    pub fn before(address: SocketAddr) -> Server {
        Server::start(move |received: &Received, stream: &mut dyn Stream| {
            let mut upstream = TcpStream::connect(address)?;
            let start = received.start.trim_end();
            let start = start.replace("Connection: keep-alive\r\n", "");
            let body = &received.body;
            write!(upstream, "{start}\r\nConnection: close\r\n\r\n{body}")?;
            let mut response = Vec::new();
            upstream.read_to_end(&mut response)?;
            stream.write_all(&response)
        })
    }

    fn listen(respond: impl Respond, tls: Option<Arc<ServerConfig>>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (received, has_ended) = (Arc::default(), Arc::default());
        let server = Server {
            address,
            received,
            has_ended,
        };
        let (received, has_ended) = (server.received.clone(), server.has_ended.clone());
        let respond = Arc::new(respond);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (received, respond, tls) = (received.clone(), respond.clone(), tls.clone());
                // The other end may have given up meanwhile.
                thread::spawn(move || drop(serve(stream, tls, &received, &*respond)));
            }
        });
        server
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic while held").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// A whole response; `headers` is any number of lines, each with its line end.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    received: &Mutex<Vec<Received>>,
    respond: &impl Respond,
) -> Result<()> {
    stream.set_read_timeout(Some(GUARD))?;
    let mut stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let session = ServerConnection::new(config).expect("a good configuration");
            Box::new(StreamOwned::new(session, stream))
        }
    };
    // A browser opens connections that it then does not need.
    let Some(request) = read(&mut stream)? else {
        return Ok(());
    };
    received
        .lock()
        .expect("no panic while held")
        .push(request.clone());
    respond(&request, &mut stream)?;
    stream.flush()
}

fn read(stream: &mut dyn Stream) -> Result<Option<Received>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let start = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let mut request = Received {
                start,
                body: String::new(),
            };
            let length = request
                .header("Content-Length")
                .map_or(0, |it| it.parse().expect("a length"));
            if bytes.len() >= end + 4 + length {
                request.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                return Ok(Some(request));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn tls() -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let builder = ServerConfig::builder().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate], key);
    Arc::new(config.expect("a pair"))
}
