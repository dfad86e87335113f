//! Peers that do not read their answers. Each further answer would block the loop for as long as
//! the first one did, so they get none until they have connected anew.

use crate::limits::{MAX_MUTED_PEERS, MUTED_FOR};
use std::net::SocketAddr;
use std::time::Instant;

/// The peers that were muted last.
#[derive(Debug, Default)]
pub struct Muted(Vec<(SocketAddr, Instant)>);

impl Muted {
    /// An answer to this peer could not be sent.
    pub fn add(&mut self, peer: Option<&SocketAddr>) {
        self.0.retain(|(_, since)| since.elapsed() < MUTED_FOR);
        if self.0.len() >= MAX_MUTED_PEERS {
            self.0.remove(0);
        }
        self.0.extend(peer.map(|peer| (*peer, Instant::now())));
    }

    /// Whether this peer is to get no answer.
    pub fn contains(&self, peer: Option<&SocketAddr>) -> bool {
        self.0.iter().any(|(muted, since)| Some(muted) == peer && since.elapsed() < MUTED_FOR)
    }
}
