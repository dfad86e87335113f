//! The tests, and how they start a table.

mod client;
mod items;
mod managed_identity;
mod mcp;
mod on_behalf_of;
mod readme;
mod requests;
mod rex;
mod sign_in;
mod wire;

use crate::support::cargo::built;
use crate::support::host::Host;
use crate::support::tokens::{AUDIENCE, TENANT, set};
use crate::support::{Connection, Handler, KeyServer, Response, Setup, request};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The program that serves a table.
fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| built(&["--example", "serve"]));
    &PROGRAM
}

/// A table that is served for `TENANT` and `AUDIENCE`, and the server of key 1.
fn served(table: &str, settings: &[(&str, &str)]) -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    let setup = Setup::new(&keys.url()).program(program());
    let handler = setup.with(&[("TABLE", table)]).with(settings).start();
    (handler, keys)
}

/// The same under the stand-in for the Functions host; None where there is none.
fn hosted(mode: &str, table: &str, settings: &[(&str, &str)]) -> Option<(Host, KeyServer)> {
    let keys = KeyServer::with(set(&[1]));
    let url = keys.url();
    let usual = [
        ("TENANT_ID", TENANT),
        ("API_AUDIENCE", AUDIENCE),
        ("JWKS_URI", &url),
        ("TABLE", table),
    ];
    let host = Host::start(mode, 0, program(), &[&usual, settings].concat())?;
    Some((host, keys))
}

/// One request on a connection of its own.
fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let length = body.len().to_string();
    let usual = [("Connection", "close"), ("Content-Length", &length)];
    // A GET with a Content-Length is legal, and the host would pass it on.
    let usual = if body.is_empty() && method == "GET" {
        &usual[..1]
    } else {
        &usual[..]
    };
    let mut connection = Connection::to(address).expect("the port accepts connections");
    connection.send(request(method, target, &[headers, usual].concat()) + body);
    connection.last_response()
}
