//! The session: every case once in each round, in turn, so that whatever else the machine does
//! falls on all of them.

use std::time::Duration;

use crate::case::{Kind, Sample, Subject};
use crate::decision::{self, Profile};
use crate::launcher::Launcher;
use crate::options::Options;
use crate::statistics::median;
use crate::tokens::{Size, Tokens};
use crate::usage::Usage;
use crate::{lines, progress, verification};

/// What is asked with claims of which size; of the bounds, those that differ in the size of
/// request or answer.
const SUBJECTS: [(Kind, Size); 7] = [
    (Kind::Public, Size::Small),
    (Kind::Repeated, Size::Small),
    (Kind::Different, Size::Small),
    (Kind::Bad, Size::Small),
    (Kind::Repeated, Size::Large),
    (Kind::Different, Size::Large),
    (Kind::Bad, Size::Large),
];

/// A case with one sample for each round.
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    pub(crate) connections: usize,
    /// The bare server instead of the handler.
    pub(crate) is_bound: bool,
    pub(crate) samples: Vec<Sample>,
}

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) rows: Vec<Row>,
    /// Microseconds for one verification, in each round: small claims, then large ones.
    pub(crate) verification: [Vec<f64>; 2],
    /// Where the time of a decision goes: small claims, then large ones.
    pub(crate) profile: Option<[Profile; 2]>,
    /// Milliseconds to the first answer: bare server, `/public`, `/api`.
    pub(crate) starts: [Vec<f64>; 3],
    /// The handler after its first answer, nobody connected.
    pub(crate) idle: Option<Usage>,
    /// Microseconds for one token of `check --lines`; the inner None: not supported.
    pub(crate) lines: Option<Option<f64>>,
}

impl Session {
    /// Measures all that is wanted.
    pub(crate) fn run(
        options: &Options,
        tokens: &Tokens,
        launcher: &Launcher,
    ) -> Result<Session, String> {
        let mut session = Session::default();
        let wanted = |kind: Kind| {
            options.wants(kind.name()) || (kind == Kind::Repeated && options.wants("different"))
        };
        let subjects: Vec<Subject> = SUBJECTS
            .iter()
            .filter(|(kind, _)| wanted(*kind))
            .map(|(kind, size)| Subject::prepare(*kind, *size, tokens, launcher))
            .collect::<Result<_, _>>()?;
        for round in 1..=options.rounds {
            progress(&format!("round {round} of {}", options.rounds));
            if ["verify", "different", "bad", "lines"]
                .iter()
                .any(|part| options.wants(part))
            {
                session.verify(tokens, options.time / 2, launcher);
            }
            for &connections in &options.connections {
                session.round(&subjects, connections, options, launcher)?;
            }
        }
        if options.wants("decision") {
            let profile = |size| {
                launcher
                    .cores
                    .on_server(|| decision::measure(&tokens.of(size)[0]))
            };
            session.profile = Some([profile(Size::Small), profile(Size::Large)]);
        }
        if options.wants("start") {
            progress("time to the first answer");
            session.start(options.starts(), tokens, launcher)?;
        }
        if options.wants("lines") {
            progress("handler check --lines");
            session.lines = Some(lines::measure(launcher, tokens)?);
        }
        progress("");
        Ok(session)
    }

    fn verify(&mut self, tokens: &Tokens, time: Duration, launcher: &Launcher) {
        for (size, times) in [Size::Small, Size::Large]
            .into_iter()
            .zip(&mut self.verification)
        {
            times.push(
                launcher
                    .cores
                    .on_server(|| verification::measure(tokens.of(size), time)),
            );
        }
    }

    fn round(
        &mut self,
        subjects: &[Subject],
        connections: usize,
        options: &Options,
        launcher: &Launcher,
    ) -> Result<(), String> {
        for subject in subjects {
            // Different tokens make requests and answers of the same size as one repeated token.
            for is_bound in [true, false]
                .into_iter()
                .skip(usize::from(subject.kind == Kind::Different))
            {
                let sample = subject.run(is_bound, connections, options.time, launcher)?;
                let (kind, size) = (subject.kind, subject.size);
                match self
                    .rows
                    .iter_mut()
                    .find(|row| row.is(kind, size, connections, is_bound))
                {
                    Some(row) => row.samples.push(sample),
                    None => self.rows.push(Row {
                        kind,
                        size,
                        connections,
                        is_bound,
                        samples: vec![sample],
                    }),
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, count: usize, tokens: &Tokens, launcher: &Launcher) -> Result<(), String> {
        let public = Subject::prepare(Kind::Public, Size::Small, tokens, launcher)?;
        let api = Subject::prepare(Kind::Repeated, Size::Small, tokens, launcher)?;
        for _ in 0..count {
            for ((subject, is_bound), times) in [(&public, true), (&public, false), (&api, false)]
                .into_iter()
                .zip(&mut self.starts)
            {
                times.push(subject.start(is_bound, launcher)?.0);
            }
        }
        let (_, handler) = api.start(false, launcher)?;
        std::thread::sleep(Duration::from_millis(300));
        self.idle = handler.usage();
        Ok(())
    }

    /// A case, when it was measured.
    pub(crate) fn row(
        &self,
        kind: Kind,
        size: Size,
        connections: usize,
        is_bound: bool,
    ) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.is(kind, size, connections, is_bound))
    }

    /// What one request of a case would take by its bounds in each round, in microseconds.
    pub(crate) fn bounds(&self, row: &Row) -> Option<Vec<f64>> {
        let server = self.row(row.bound_kind(), row.size, row.connections, true)?;
        let verification = |round: usize| match row.kind.verifies() {
            true => self.verification[usize::from(row.size == Size::Large)]
                .get(round)
                .copied(),
            false => Some(0.0),
        };
        let samples = server.samples.iter().enumerate();
        samples
            .map(|(round, sample)| Some(verification(round)? + 1e6 / sample.load.per_second))
            .collect()
    }

    /// Time of one request over what its bounds allow: the median of the rounds' own ratios.
    pub(crate) fn ratio(&self, row: &Row) -> Option<f64> {
        let bounds = self.bounds(row)?;
        median(
            row.samples
                .iter()
                .zip(bounds)
                .map(|(sample, bound)| 1e6 / sample.load.per_second / bound),
        )
    }

    /// CPU time of one request over what its bounds use; steadier than [`Session::ratio`] while
    /// other programs run.
    pub(crate) fn cpu_ratio(&self, row: &Row) -> Option<f64> {
        let times = &self.verification[usize::from(row.size == Size::Large)];
        let verification = if row.kind.verifies() {
            median(times.clone())?
        } else {
            0.0
        };
        let server = self.row(row.bound_kind(), row.size, row.connections, true)?;
        // Seconds for 10,000 are 100 microseconds for one.
        Some(row.cpu()? / (server.cpu()? + verification / 100.0))
    }

    /// The part of its core that the bare server had under many connections, in the median. Far
    /// below 1, other programs were running, and figures of time mean little.
    pub(crate) fn quiet(&self) -> Option<f64> {
        let busy = self
            .rows
            .iter()
            .filter(|row| row.is_bound && row.connections >= 16);
        let samples = busy.flat_map(|row| &row.samples);
        median(samples.filter_map(|sample| {
            Some(sample.cpu? * sample.load.per_second / sample.load.requests as f64)
        }))
    }

    /// Wrong answers in the whole session.
    pub(crate) fn wrong(&self) -> usize {
        self.rows
            .iter()
            .flat_map(|row| &row.samples)
            .map(|sample| sample.load.wrong)
            .sum()
    }
}

impl Row {
    fn is(&self, kind: Kind, size: Size, connections: usize, is_bound: bool) -> bool {
        (self.kind, self.size, self.connections, self.is_bound)
            == (kind, size, connections, is_bound)
    }

    /// The kind whose bare server has requests and answers of the same size.
    fn bound_kind(&self) -> Kind {
        if self.kind == Kind::Different {
            Kind::Repeated
        } else {
            self.kind
        }
    }

    /// The median over the rounds.
    pub(crate) fn median(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(value)).unwrap_or_default()
    }

    /// The highest of the rounds.
    pub(crate) fn highest(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        self.samples.iter().map(value).fold(0.0, f64::max)
    }

    /// What the server used in the round in which its memory was largest.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.samples
            .iter()
            .filter_map(|sample| sample.usage)
            .max_by_key(|usage| usage.resident)
    }

    /// CPU seconds of the server for 10,000 requests, over all rounds together.
    pub(crate) fn cpu(&self) -> Option<f64> {
        let requests: usize = self.samples.iter().map(|sample| sample.load.requests).sum();
        let seconds: Option<f64> = self.samples.iter().map(|sample| sample.cpu).sum();
        Some(seconds? * 1e4 / requests.max(1) as f64)
    }

    /// For tables.
    pub(crate) fn name(&self) -> String {
        let size = if self.kind == Kind::Public {
            ""
        } else {
            self.size.name()
        };
        let what = match (self.is_bound, self.kind) {
            (true, Kind::Public) => "bare server, like /public",
            (true, Kind::Bad) => "bare server, like bad signatures",
            (true, _) => "bare server, like tokens",
            (false, Kind::Repeated) => "one repeated token",
            (false, Kind::Different) => "different tokens",
            (false, Kind::Bad) => "bad signatures",
            (false, Kind::Public) => "/public",
        };
        format!("{what}{}{size}", if size.is_empty() { "" } else { ", " })
    }
}
