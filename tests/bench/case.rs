//! A case: what is asked, over how many connections, of which server.

use std::time::Duration;

use crate::bare;
use crate::exchange::{self, Exchanges, Head};
use crate::launcher::{Launcher, Process, Program};
use crate::load::{Clients, Load, Until};
use crate::tokens::{SPARE, Size, Token, Tokens};
use crate::usage::Usage;

/// Time under load before anything is measured.
const WARM_UP: Duration = Duration::from_millis(60);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One valid token, again and again.
    Repeated,
    /// Valid tokens, each used once in the life of a process.
    Different,
    /// Tokens whose signature does not hold, each another one.
    Bad,
    /// `/public`, without a token.
    Public,
}

/// A kind and a size of claims, with all requests and right answers.
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    requests: Vec<Vec<u8>>,
    handler: Right,
    bare: Right,
}

/// A program and its right answers.
struct Right {
    program: Program,
    head: Head,
    bodies: Vec<Vec<u8>>,
}

/// What one round of a case has shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) load: Load,
    /// CPU seconds of the server.
    pub(crate) cpu: Option<f64>,
    /// At the end of the load, connections still open.
    pub(crate) usage: Option<Usage>,
}

impl Kind {
    /// Its name, as `--only` and the report have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Repeated => "repeated",
            Kind::Different => "different",
            Kind::Bad => "bad",
            Kind::Public => "public",
        }
    }

    /// Whether every request costs a verification.
    pub(crate) fn verifies(self) -> bool {
        matches!(self, Kind::Different | Kind::Bad)
    }
}

impl Subject {
    /// Makes the requests, asks a handler once, and makes sure that its answer is the right one.
    pub(crate) fn prepare(
        kind: Kind,
        size: Size,
        tokens: &Tokens,
        launcher: &Launcher,
    ) -> Result<Subject, String> {
        const PUBLIC: &str = r#"{"message":"Public endpoint - open to all"}"#;
        let tokens = tokens.of(size);
        let valid = |token: &Token| exchange::request("/api", Some(&token.text));
        let forged = |token: &Token| exchange::request("/api", Some(&token.with_bad_signature()));
        let claims = |token: &Token| token.payload.clone().into_bytes();
        let requests: Vec<Vec<u8>> = match kind {
            Kind::Repeated => tokens[..1].iter().map(valid).collect(),
            Kind::Different => tokens.iter().map(valid).collect(),
            Kind::Bad => tokens.iter().map(forged).collect(),
            Kind::Public => vec![exchange::request("/public", None)],
        };
        let (_handler, answer, _) = launcher.serve(Program::Handler, &requests[0])?;
        let (status, body) = (
            answer.get(9..12).unwrap_or_default(),
            answer.split_once("\r\n\r\n"),
        );
        let body = body
            .map(|(_, body)| body.as_bytes().to_vec())
            .unwrap_or_default();
        let (is_right, bodies) = match kind {
            Kind::Repeated => (status == "200", vec![claims(&tokens[0])]),
            Kind::Different => (status == "200", tokens.iter().map(claims).collect()),
            Kind::Bad => (
                status == "401" && body.starts_with(br#"{"code":"invalid_header""#),
                vec![body.clone()],
            ),
            Kind::Public => (status == "200", vec![PUBLIC.into()]),
        };
        if !is_right || body != bodies[0] {
            return Err(format!("wrong answer in case {}:\n{answer}", kind.name()));
        }
        let handler = Right {
            program: Program::Handler,
            head: Head::of(&answer),
            bodies,
        };
        let (head, body) = (handler.head.len(), body.len());
        let answer = bare::answer(head, body);
        let (head_bytes, body_bytes) = answer.split_at(head);
        let bare = Right {
            program: Program::Bare { head, body },
            head: Head::of(&String::from_utf8_lossy(head_bytes)),
            bodies: vec![body_bytes.into()],
        };
        Ok(Subject {
            kind,
            size,
            requests,
            handler,
            bare,
        })
    }

    fn right(&self, is_bound: bool) -> (&Right, Exchanges<'_>) {
        let right = if is_bound { &self.bare } else { &self.handler };
        (
            right,
            Exchanges {
                requests: &self.requests,
                bodies: &right.bodies,
            },
        )
    }

    /// One round, with a server of its own: of the handler, or of the bound that goes with it.
    pub(crate) fn run(
        &self,
        is_bound: bool,
        connections: usize,
        time: Duration,
        launcher: &Launcher,
    ) -> Result<Sample, String> {
        let (right, all) = self.right(is_bound);
        let [measured, spare] = all.without_last(SPARE);
        let until = if self.kind.verifies() && !is_bound {
            Until::Sent
        } else {
            Until::Elapsed(time)
        };
        let (server, ..) = launcher.serve(right.program, &spare.requests[0])?;
        let mut clients = Clients::open(
            server.port,
            connections,
            launcher.cores.is_shared,
            spare,
            &right.head,
        )?;
        let warm = clients.drive(spare, &right.head, Until::Elapsed(WARM_UP));
        let before = server.usage();
        let mut load = clients.drive(measured, &right.head, until);
        let after = server.usage();
        load.wrong += warm.wrong;
        let cpu = before
            .zip(after)
            .map(|(before, after)| after.cpu - before.cpu);
        Ok(Sample {
            load,
            cpu,
            usage: after,
        })
    }

    /// Milliseconds from just before the launch of a server to its first whole answer; and the
    /// server.
    pub(crate) fn start(
        &self,
        is_bound: bool,
        launcher: &Launcher,
    ) -> Result<(f64, Process), String> {
        let (right, all) = self.right(is_bound);
        let (server, answer, took) = launcher.serve(right.program, &all.requests[0])?;
        match right.head.judge(answer.as_bytes(), all.body(0)) {
            Some(true) => Ok((took.as_secs_f64() * 1e3, server)),
            _ => Err(format!(
                "wrong first answer of {:?}:\n{answer}",
                right.program
            )),
        }
    }
}
