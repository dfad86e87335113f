//! Keys over TLS: a server that nobody vouches for is not believed.

use crate::harness::{Handler, borrowed, usual, wait_until};
use crate::tokens::{good, set};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// For 127.0.0.1, valid for a hundred years, signed by the key that it is for.
const CERTIFICATE: &[u8] = include_bytes!("../keys/test-only-1.der");
const KEY: &[u8] = include_bytes!("../keys/test-only-1.pk8");

/// Answers one request over TLS with a key set, if the client goes that far.
fn serve(config: Arc<ServerConfig>, mut stream: TcpStream) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config).expect("a good configuration");
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let body = set(&[1]);
    write!(
        tls,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    tls.conn.send_close_notify();
    tls.flush()
}

#[test]
fn keys_of_a_server_whose_certificate_nobody_vouches_for_are_not_taken() {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let builder = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(
        builder
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
            .expect("a pair"),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("https://{}/keys", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|stream| drop(serve(config.clone(), stream)))
    });

    let handler = Handler::start(&borrowed(&usual(&url, &[])));
    handler.api(&good()).must_be(503, "keys_unavailable");
    // It is the certificate that is refused, which says that all before it went well.
    wait_until("the reason is logged", || {
        handler.stderr.count("UnknownIssuer") > 0
    });
}
