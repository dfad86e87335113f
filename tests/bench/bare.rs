//! The bound of the server: the least program around tiny_http. This binary runs as it when it is
//! called with `--bare PORT HEAD BODY`, the sizes of its one answer in bytes.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

/// Serves until it is killed.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let numbers: Vec<usize> = arguments
        .iter()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let [port, head, body] = numbers[..] else {
        return ExitCode::from(2);
    };
    match serve(port as u16, &answer(head, body)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench --bare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An answer of exactly these sizes.
pub(crate) fn answer(head: usize, body: usize) -> Vec<u8> {
    let fixed = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body}\r\nX-Padding: "
    );
    let padding = head.saturating_sub(fixed.len() + 4);
    let mut answer = format!("{fixed}{}\r\n\r\n", "p".repeat(padding)).into_bytes();
    answer.extend(std::iter::repeat_n(b'b', body));
    answer
}

fn serve(port: u16, answer: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = with_send_options(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?)?;
    let server = tiny_http::Server::from_listener(listener, None)?;
    loop {
        let mut writer = server.recv()?.into_writer();
        let _ = writer.write_all(answer).and_then(|()| writer.flush());
    }
}

/// As in src/server.rs: accepted sockets inherit these.
#[cfg(unix)]
fn with_send_options(listener: TcpListener) -> std::io::Result<TcpListener> {
    let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener));
    socket.set_write_timeout(Some(std::time::Duration::from_millis(50)))?;
    socket.set_nodelay(true)?;
    Ok(TcpListener::from(std::os::fd::OwnedFd::from(socket)))
}

#[cfg(not(unix))]
fn with_send_options(listener: TcpListener) -> std::io::Result<TcpListener> {
    Ok(listener)
}
