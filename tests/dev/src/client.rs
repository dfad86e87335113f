//! An HTTP client for programs on this machine.

use crate::Result;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A response, read to its end.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The status line and the headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends a request to an address `http://localhost:PORT/…`; a form makes it a `POST`.
pub(crate) fn send(url: &str, token: Option<&str>, form: Option<&str>) -> Result<Response> {
    let address = url
        .strip_prefix("http://localhost:")
        .ok_or("no http://localhost:")?;
    let (port, path) = address.split_once('/').ok_or("no path")?;
    let mut request = match form {
        None => format!("GET /{path} HTTP/1.1\r\n"),
        Some(form) => format!(
            "POST /{path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            form.len()
        ),
    };
    request += &format!("Host: localhost:{port}\r\nConnection: close\r\n");
    if let Some(token) = token {
        request += &format!("Authorization: Bearer {token}\r\n");
    }
    request += &format!("\r\n{}", form.unwrap_or_default());

    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse()?))?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    connection.write_all(request.as_bytes())?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("no HTTP response")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok(Response {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
