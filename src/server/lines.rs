//! The order of requests: each connection has a line, in which a request waits until those before it
//! are answered, and the first one for what it needs.

use super::Loop;
use crate::api;
use crate::body::{self, Body};
use crate::head::Head;
use crate::limits::{MAX_PARKED, MAX_TURNS, PARK_TIMEOUT, SLOW_FOR, SWEEP_EVERY};
use crate::outgoing::Outgoing;
use crate::rejection::Rejection;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::time::Instant;
use tiny_http::Request;

/// A request on its way to its answer.
pub(super) struct Arrival {
    pub(super) request: Request,
    /// When it could first be answered.
    pub(super) since: Instant,
    /// Whether its body has been read.
    pub(super) is_read: bool,
}

/// The requests of one connection. Answers leave in their order: one that came before its turn
/// would make the loop wait for itself.
#[derive(Default)]
pub(super) struct Line {
    /// What the first request waits for.
    pub(super) waits_for: Option<Wait>,
    /// Those behind it.
    pub(super) behind: VecDeque<Request>,
    /// The thread that sends the answers, when the peer reads slowly, and when it was last used.
    pub(super) slow: Option<(Sender<Outgoing>, Instant)>,
}

pub(super) enum Wait {
    /// For keys.
    Keys(Arrival),
    /// Until its body has been read.
    Body,
    /// Until its answer has been sent.
    Send,
    /// For its connection's turn.
    Turn,
}

/// What other threads hand back.
pub(super) enum Returned {
    /// The request whose body has been read, or nothing when it has been answered.
    Body(SocketAddr, Option<Request>),
    /// An answer has been sent, or its peer is gone.
    Sent(SocketAddr),
}

impl Arrival {
    pub(super) fn new(request: Request) -> Arrival {
        Arrival { request, since: Instant::now(), is_read: false }
    }
}

impl Loop {
    /// A request has come: it is taken, or waits behind others of its connection.
    pub(super) fn arrive(&mut self, request: Request) {
        let peer = peer(&request);
        match self.lines.get_mut(&peer) {
            Some(line) if line.waits_for.is_some() => line.behind.push_back(request),
            _ => self.take(peer, Arrival::new(request)),
        }
    }

    /// A request has come while many others wait: it waits behind those of its connection, or for its
    /// connection's turn.
    pub(super) fn queue(&mut self, request: Request) {
        let peer = peer(&request);
        let line = self.lines.entry(peer).or_default();
        line.behind.push_back(request);
        if line.waits_for.is_none() {
            line.waits_for = Some(Wait::Turn);
            self.ready.push_back(peer);
        }
    }

    /// What the first request of a connection has waited for has come.
    pub(super) fn resume(&mut self, peer: SocketAddr, arrival: Arrival) {
        self.take(peer, arrival);
        if self.lines.get(&peer).is_some_and(|line| line.waits_for.is_none()) {
            self.next_turn(peer);
        }
    }

    /// The first request of a connection is done: those behind it take their turn.
    pub(super) fn next_turn(&mut self, peer: SocketAddr) {
        for _ in 0..MAX_TURNS {
            let Some(line) = self.lines.get_mut(&peer) else { return };
            line.waits_for = None;
            let Some(request) = line.behind.pop_front() else {
                if line.slow.is_none() {
                    self.lines.remove(&peer);
                }
                return;
            };
            self.take(peer, Arrival::new(request));
            if self.lines.get(&peer).is_some_and(|line| line.waits_for.is_some()) {
                return;
            }
        }
        if let Some(line) = self.lines.get_mut(&peer) {
            line.waits_for = Some(Wait::Turn);
            self.ready.push_back(peer);
        }
    }

    /// Takes a request whose turn it is as far as it gets, and notes what it has to wait for. A panic
    /// meanwhile costs it a 500, and nobody else anything.
    fn take(&mut self, peer: SocketAddr, arrival: Arrival) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.take_unguarded(peer, arrival)));
        let waits_for = outcome.unwrap_or_default();
        if waits_for.is_some() {
            self.lines.entry(peer).or_default().waits_for = waits_for;
        } else if let Some(line) = self.lines.get_mut(&peer) {
            line.waits_for = None;
        }
    }

    fn take_unguarded(&mut self, peer: SocketAddr, arrival: Arrival) -> Option<Wait> {
        let head = Head::of(&arrival.request);
        match if arrival.is_read { Body::Done } else { head.body(&arrival.request) } {
            Body::Done => {}
            Body::Pending => {
                self.write(&api::bad_body(), head.last_form(&arrival.request));
                return Some(self.read_body(peer, arrival.request));
            }
            Body::TooLong => {
                self.log.err("warning: a body of more than 100 MiB was declared; its connection is given up".into());
                body::abandon(arrival.request);
                return None;
            }
        }
        let answer = match self.answer(&arrival.request, &head, arrival.since) {
            Some(answer) => answer,
            None if self.waiting_for_keys().count() < MAX_PARKED => return Some(Wait::Keys(arrival)),
            None => api::refused(&Rejection::KeysUnavailable { retry_after: 1 }),
        };
        self.write(&answer, head.form(&arrival.request));
        self.send(peer, arrival.request)
    }

    fn waiting_for_keys(&self) -> impl Iterator<Item = (&SocketAddr, Instant)> {
        self.lines.iter().filter_map(|(peer, line)| match &line.waits_for {
            Some(Wait::Keys(arrival)) => Some((peer, arrival.since)),
            _ => None,
        })
    }

    /// Takes up the requests that have waited for keys since such a moment.
    pub(super) fn retry(&mut self, since: impl Fn(Instant) -> bool) {
        let peers: Vec<SocketAddr> =
            self.waiting_for_keys().filter(|(_, then)| since(*then)).map(|(peer, _)| *peer).collect();
        for peer in peers {
            let waits_for = self.lines.get_mut(&peer).and_then(|line| line.waits_for.take());
            if let Some(Wait::Keys(arrival)) = waits_for {
                self.resume(peer, arrival);
            }
        }
    }

    /// Now and then: answers what has waited too long, and forgets slow peers that were not heard of.
    pub(super) fn sweep(&mut self) {
        if self.lines.is_empty() || self.swept.elapsed() < SWEEP_EVERY {
            return;
        }
        self.swept = Instant::now();
        self.retry(|since| since.elapsed() >= PARK_TIMEOUT);
        self.lines.retain(|_, line| {
            line.waits_for.is_some() || line.slow.as_ref().is_some_and(|(_, used)| used.elapsed() < SLOW_FOR)
        });
    }
}

/// The peer of a request; all peers of a TCP listener have an address.
fn peer(request: &Request) -> SocketAddr {
    request.remote_addr().copied().unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}
