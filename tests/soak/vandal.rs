//! A hostile client: it does one nuisance after the other, at a moderate rate.

use crate::Run;
use crate::numbers::Numbers;
use crate::passes;
use crate::wire::Wire;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Connections in a run that tiny_http can never end; each costs a thread and two descriptors.
const MOST_GIVEN_UP: u64 = 40;

const PUBLIC: &[u8] = b"GET /public HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CHUNKED: &[u8] =
    b"POST /api HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What stays behind by design.
#[derive(Default)]
pub(crate) struct Damage {
    given_up: AtomicU64,
}

impl Damage {
    /// Connections that the handler had to give up.
    pub(crate) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    fn is_allowed(&self) -> bool {
        self.given_up
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |done| {
                (done < MOST_GIVEN_UP).then_some(done + 1)
            })
            .is_ok()
    }
}

struct Vandal<'a> {
    run: &'a Run,
    address: SocketAddr,
    numbers: Numbers,
    /// Connections that are kept open, each until its time.
    held: VecDeque<(Instant, Wire)>,
}

/// Goes on until the end.
pub(crate) fn work(run: &Run, address: SocketAddr, seed: u64) {
    let mut vandal = Vandal {
        run,
        address,
        numbers: Numbers::from(seed),
        held: VecDeque::new(),
    };
    while !run.is_over() {
        if let Some(name) = vandal.act() {
            run.ledger.nuisance(name);
        }
        let now = Instant::now();
        vandal.held.retain(|(until, _)| *until > now);
        run.sleep(Duration::from_millis(40 + vandal.numbers.below(160) as u64));
    }
}

impl Vandal<'_> {
    /// One nuisance; its name when it could be done.
    fn act(&mut self) -> Option<&'static str> {
        let random = self.numbers.below(3000);
        let length = *self.numbers.pick(&[5, 1024, 1025, 50_000, 100_000_000]);
        let post =
            format!("POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        match self.numbers.below(64) {
            0..4 => self.hold("idle connection", b"", 10_000),
            4..8 => self.hold("half a request line", b"GET /pu", 5000),
            8..12 => self.hold("body that is not sent", post.as_bytes(), 3000),
            12..16 => self.hold(
                "endless chunks",
                &[CHUNKED, b"ffffffffffffffff\r\nhello"].concat(),
                3000,
            ),
            16..20 => self.hold(
                "wrong chunks",
                &[CHUNKED, b"5\r\nhelloXX0\r\n\r\n"].concat(),
                100,
            ),
            20..24 => {
                let bytes = self.numbers.bytes(random);
                self.hold("random bytes", &bytes, 200)
            }
            24..28 => self.reset(&post),
            28..32 => self.trickle(),
            32..36 => self.altered(),
            36..40 => self.burst(),
            40..44 => self.flood("tokens worth no fetch", passes::worthless, random),
            44..47 => self.flood("tokens with unknown keys", passes::stranger, random),
            47..52 => self.huge_head(),
            52..58 => self.pipeline(),
            58 => self.deaf(),
            59 => self.give_up("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            60 => self.give_up(
                "body beyond 100 MiB",
                b"POST /api HTTP/1.1\r\nContent-Length: 1099511627776\r\n\r\n",
            ),
            _ => self.hold(
                "unfinished headers",
                b"GET /api HTTP/1.1\r\nAuthorization: Bear",
                5000,
            ),
        }
    }

    fn connect(&self) -> Option<Wire> {
        Wire::to(self.address).ok()
    }

    fn hold(&mut self, name: &'static str, bytes: &[u8], millis: u64) -> Option<&'static str> {
        let mut wire = self.connect()?;
        let _ = wire.send(bytes);
        self.held
            .push_back((Instant::now() + Duration::from_millis(millis), wire));
        Some(name)
    }

    fn reset(&mut self, more: &str) -> Option<&'static str> {
        let mut wire = self.connect()?;
        wire.send(&[PUBLIC, more.as_bytes()].concat()).ok()?;
        wire.wait_for_a_byte(Duration::from_secs(2));
        Some("reset")
    }

    fn trickle(&mut self) -> Option<&'static str> {
        let mut wire = self.connect()?;
        wire.send(b"POST /api HTTP/1.1\r\nContent-Length: 1100\r\n\r\n")
            .ok()?;
        for _ in 0..25 {
            wire.send(b"x").ok()?;
            self.run.sleep(Duration::from_millis(20));
        }
        Some("body that trickles")
    }

    /// A forged token with some bytes of its request changed: whatever it is, it is not accepted.
    fn altered(&mut self) -> Option<&'static str> {
        let folders = self.run.passes.folders();
        let token = &self.numbers.pick(&folders).forged.token;
        let mut bytes =
            format!("GET /api HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes();
        for _ in 0..self.numbers.below(5) {
            let place = self.numbers.below(bytes.len());
            bytes[place] = self.numbers.below(256) as u8;
        }
        let mut wire = self.connect()?;
        wire.send(&bytes).ok()?;
        let said = String::from_utf8_lossy(&wire.rest(Duration::from_millis(20))).into_owned();
        if said.contains("\"sub\"") {
            self.run
                .ledger
                .wrong(format!("claims of a forged token were answered: {said}"));
        }
        Some("altered request")
    }

    /// Connections at the same instant, which all stay open until all are answered.
    fn burst(&mut self) -> Option<&'static str> {
        let mut wires: Vec<Wire> = (0..40).filter_map(|_| self.connect()).collect();
        let sent = wires
            .iter_mut()
            .filter_map(|wire| wire.send(PUBLIC).ok())
            .count();
        let mut answered = 0;
        for wire in &mut wires {
            answered += usize::from(
                wire.answer(Duration::from_secs(10))
                    .is_some_and(|answer| answer.status == 200),
            );
        }
        if (sent, answered) != (40, 40) {
            self.run.ledger.wrong(format!(
                "of a burst of 40 connections, {sent} could ask and {answered} were answered"
            ));
        }
        Some("burst of 40 connections")
    }

    /// Many tokens on one connection, none of which may be accepted.
    fn flood(
        &mut self,
        name: &'static str,
        token: fn(usize) -> passes::Pass,
        first: usize,
    ) -> Option<&'static str> {
        let request = |number| {
            format!(
                "GET /api HTTP/1.1\r\nAuthorization: Bearer {}\r\n\r\n",
                token(number).token
            )
            .into_bytes()
        };
        let mut wire = self.connect()?;
        wire.send(&(first..first + 20).flat_map(request).collect::<Vec<u8>>())
            .ok()?;
        for _ in 0..20 {
            let status = wire
                .answer(Duration::from_secs(12))
                .map(|answer| answer.status);
            if !matches!(status, Some(401 | 503)) && !self.run.is_over() {
                self.run.ledger.wrong(format!("{name}: {status:?}"));
                break;
            }
        }
        Some(name)
    }

    fn huge_head(&mut self) -> Option<&'static str> {
        let mut wire = self.connect()?;
        let head = format!(
            "GET /public HTTP/1.1\r\nX: {}\r\n{}\r\n",
            "x".repeat(200_000),
            "a: b\r\n".repeat(2000)
        );
        wire.send(head.as_bytes()).ok()?;
        let status = wire
            .answer(Duration::from_secs(10))
            .map(|answer| answer.status);
        if status != Some(200) && !self.run.is_over() {
            self.run.ledger.wrong(format!("a huge head: {status:?}"));
        }
        Some("huge head")
    }

    fn pipeline(&mut self) -> Option<&'static str> {
        let mut wire = self.connect()?;
        wire.send_for(Duration::from_secs(1), &PUBLIC.repeat(500));
        self.held
            .push_back((Instant::now() + Duration::from_secs(1), wire));
        Some("500 pipelined requests, answers unread")
    }

    /// Asks for more than the buffers hold and reads nothing.
    fn deaf(&mut self) -> Option<&'static str> {
        let key = self.run.publisher.keys().first()?.clone();
        let token = passes::long(&key).token;
        let request = format!("GET /api HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n");
        let mut wire = self.connect()?;
        wire.send_for(Duration::from_secs(2), request.repeat(600).as_bytes());
        self.run.sleep(Duration::from_secs(1));
        wire.hang_up();
        Some("client that never reads")
    }

    fn give_up(&mut self, name: &'static str, bytes: &[u8]) -> Option<&'static str> {
        let mut wire = self.connect().filter(|_| self.run.damage.is_allowed())?;
        let _ = wire.send(bytes);
        Some(name)
    }
}
