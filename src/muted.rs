//! Peers that do not read their answers. Each further answer would block the loop for as long as
//! the first one did. What is worse, the answer that could not be sent was cut in the middle: what
//! is written to that connection afterwards would be read as its rest. So such a connection gets
//! nothing any more for as long as it lives.

use crate::limits::{MAX_MUTED_PEERS, MUTED_FOR};
use std::net::SocketAddr;
use std::time::Instant;

/// The connections that were muted last.
#[derive(Debug)]
pub struct Muted {
    port: u16,
    peers: Vec<Peer>,
}

#[derive(Debug)]
struct Peer {
    address: SocketAddr,
    /// The kernel's number of the connection's socket, where it can be had.
    socket: Option<String>,
    checked: Instant,
}

impl Muted {
    /// No connection of the listener on this port is muted yet.
    pub fn on(port: u16) -> Muted {
        Muted { port, peers: Vec::new() }
    }

    /// An answer to this peer could not be sent.
    pub fn add(&mut self, peer: Option<&SocketAddr>) {
        let Some(address) = peer.copied() else { return };
        self.peers.retain(|muted| muted.address != address);
        if self.peers.len() >= MAX_MUTED_PEERS {
            self.peers.remove(0);
        }
        self.peers.push(Peer { address, socket: socket(self.port, address), checked: Instant::now() });
    }

    /// Whether this peer is to get no answer. tiny_http does not tell when a connection ends and
    /// another one has its address, so the kernel is asked, now and then.
    pub fn contains(&mut self, peer: Option<&SocketAddr>) -> bool {
        let Some(place) = self.peers.iter().position(|muted| Some(&muted.address) == peer) else { return false };
        let port = self.port;
        let is_gone = self.peers.get_mut(place).is_some_and(|muted| {
            if muted.checked.elapsed() < MUTED_FOR {
                return false;
            }
            muted.checked = Instant::now();
            muted.socket.is_none() || socket(port, muted.address) != muted.socket
        });
        if is_gone {
            self.peers.remove(place);
        }
        !is_gone
    }
}

/// The inode of the socket of the connection between the local port and this peer, as Linux lists
/// it; None elsewhere, and when there is none.
fn socket(port: u16, peer: SocketAddr) -> Option<String> {
    let SocketAddr::V4(peer) = peer else { return None };
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let local = format!(":{port:04X}");
    // The kernel prints the four bytes of an address as one number of this machine.
    let remote = format!("{:08X}:{:04X}", u32::from_ne_bytes(peer.ip().octets()), peer.port());
    let mut rows = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| {
        row.get(1).is_some_and(|address| address.ends_with(&local)) && row.get(2) == Some(&remote.as_str())
    })?;
    row.get(9).map(|inode| (*inode).to_owned())
}
