//! The key server that the handler fetches from: a key set in Entra's shape on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::mint::TestKey;
use crate::tokens::ISSUER;

/// Starts it on a thread of its own; comes back with its port.
pub(crate) fn start() -> Result<u16, String> {
    let keys: Vec<_> = (1..=3)
        .map(|number| TestKey::number(number).jwk(Some(ISSUER)))
        .collect();
    let body = serde_json::json!({ "keys": keys }).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let words = |error: std::io::Error| format!("the key server cannot listen: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(words)?;
    let port = listener.local_addr().map_err(words)?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = serve(stream, answer.as_bytes());
        }
    });
    Ok(port)
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let (mut request, mut part) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&part[..count]),
        }
    }
    stream.write_all(answer)
}
