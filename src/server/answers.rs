//! From a request to its answer, and the answer to its peer.

use super::lines::{Returned, Wait};
use super::{Loop, leave};
use crate::answer::{Answer, Form};
use crate::api::{self, Task};
use crate::audit_log::{Decision, facts};
use crate::bearer;
use crate::body;
use crate::checks::{self, Case};
use crate::claims::Claims;
use crate::clock;
use crate::head::Head;
use crate::keys::Need;
use crate::limits::{MAX_SLOW_SENDS, PARK_TIMEOUT, SLOW_SEND};
use crate::outgoing::{self, Outgoing};
use crate::rejection::Rejection;
use std::net::SocketAddr;
use std::time::Instant;
use tiny_http::Request;

impl Loop {
    pub(super) fn read_body(&self, peer: SocketAddr, request: Request) -> Wait {
        let (back, wake) = (self.back.0.clone(), self.wake());
        let on_end = move |request| {
            let _ = back.send(Returned::Body(peer, request));
            wake();
        };
        body::read(request, self.out.clone(), on_end);
        Wait::Body
    }

    /// Puts an answer into `out`.
    pub(super) fn write(&mut self, answer: &Answer, form: Form) {
        let seconds = clock::unix_now() as u64;
        if self.date.0 != seconds {
            self.date = (seconds, clock::http_date(seconds));
            self.slow_sends.clear();
        }
        answer.write_to(&mut self.out, form, &self.cors, &self.date.1);
    }

    /// The answer, or None when it has to wait for keys.
    pub(super) fn answer(&mut self, request: &Request, head: &Head, since: Instant) -> Option<Answer> {
        match api::task(request.method().as_str(), request.url()) {
            Task::Answer(answer) => Some(answer),
            Task::Preflight(methods) => Some(self.cors.preflight(&api::allow(methods))),
            Task::Check(endpoint) => self.check(head, endpoint, since),
        }
    }

    fn check(&mut self, head: &Head, endpoint: fn(Claims) -> Answer, since: Instant) -> Option<Answer> {
        let decided =
            |check, rejection| Decision { rejection, check, invocation: head.invocation, took: since.elapsed() };
        let token = match bearer::token(head.authorization.into_iter().flatten()) {
            Ok(token) => token,
            Err(rejection) => {
                self.audit.decided(decided(bearer::CHECK_NAME, Some(&rejection)), None);
                return Some(api::refused(&rejection));
            }
        };
        let now = Instant::now();
        let (keys, memory) = self.keys.usable(now);
        let mut case = Case::new(token, &self.settings, keys, clock::unix_now()).with_memory(memory);
        let outcome = checks::decide(&mut case);
        let mut refusal = match outcome {
            Ok(claims) => {
                if self.audit.wants(true) {
                    self.audit.decided(decided("", None), facts(claims.token(), true));
                }
                return Some(endpoint(claims));
            }
            Err(refusal) => refusal,
        };
        let wanted = case.token().filter(|_| self.audit.wants(false));
        let facts = wanted.and_then(|token| facts(token, case.is_verified()));
        let need = match refusal.rejection {
            Rejection::KeysUnavailable { .. } => Some(self.keys.need_any(now)),
            Rejection::UnknownKey { .. } if case.worth_a_fetch() => Some(self.keys.need_unknown(now)),
            _ => None,
        };
        if need == Some(Need::Fetch) {
            self.start_fetch();
        }
        match need {
            Some(Need::Fetch | Need::Wait) if since.elapsed() < PARK_TIMEOUT => return None,
            Some(Need::Fetch | Need::Wait) => refusal.rejection = Rejection::KeysUnavailable { retry_after: 1 },
            Some(Need::Unavailable(retry_after)) => refusal.rejection = Rejection::KeysUnavailable { retry_after },
            Some(Need::Unknown) | None => {}
        }
        self.audit.decided(decided(refusal.check, Some(&refusal.rejection)), facts);
        Some(api::refused(&refusal.rejection))
    }

    /// Sends what is in `out`. A peer that is gone is no matter; one that does not read gets a thread
    /// of its own.
    pub(super) fn send(&mut self, peer: SocketAddr, request: Request) -> Option<Wait> {
        let writer = request.into_writer();
        if let Some((thread, used)) = self.lines.get_mut(&peer).and_then(|line| line.slow.as_mut()) {
            *used = Instant::now();
            return thread.send(Outgoing::new(writer, &self.out)).is_ok().then_some(Wait::Send);
        }
        let start = Instant::now();
        let left = Outgoing::send(writer, &self.out);
        let took = start.elapsed();
        let is_slow = took >= SLOW_SEND && {
            let total = self.slow_sends.entry(peer).or_default();
            *total += took;
            *total >= MAX_SLOW_SENDS
        };
        if left.is_none() && !is_slow {
            return None;
        }
        let (back, wake) = (self.back.0.clone(), self.wake());
        let on_sent = move || {
            let _ = back.send(Returned::Sent(peer));
            wake();
        };
        let Ok(thread) = outgoing::start(on_sent) else { leave(&self.log, "there are no threads to be had") };
        let waits_for = left.and_then(|left| thread.send(left).is_ok().then_some(Wait::Send));
        self.lines.entry(peer).or_default().slow = Some((thread, start));
        waits_for
    }
}
