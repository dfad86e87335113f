//! The figures that are wanted, beside those that were measured.

use crate::case::{Kind, Sample};
use crate::session::{Row, Session};
use crate::statistics::median;
use crate::tokens::Size;

/// One figure.
pub(crate) struct Goal {
    /// What it is.
    pub(crate) name: String,
    /// The bound for it.
    pub(crate) wanted: Wanted,
    /// What came out.
    pub(crate) measured: f64,
    /// What both are in; empty for ratios.
    pub(crate) unit: &'static str,
}

/// The bound for a figure.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Goal {
    /// Whether the measured figure is as wanted.
    pub(crate) fn is_met(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(least) => self.measured >= least,
            Wanted::AtMost(most) => self.measured <= most,
        }
    }

    /// The wanted figure, as text.
    pub(crate) fn wanted(&self) -> String {
        let (sign, figure) = match self.wanted {
            Wanted::AtLeast(least) => ('≥', least),
            Wanted::AtMost(most) => ('≤', most),
        };
        format!("{sign} {figure:.2} {}", self.unit)
            .trim_end()
            .to_owned()
    }
}

/// Those for which there is something measured.
pub(crate) fn goals(session: &Session) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut goal = |name: String, wanted, measured: Option<f64>, unit| {
        goals.extend(measured.map(|measured| Goal {
            name,
            wanted,
            measured,
            unit,
        }));
    };
    let ratio = |kind, size| session.ratio(session.row(kind, size, 16, false)?);
    for size in [Size::Small, Size::Large] {
        let name = format!(
            "one repeated token, {}, 16 connections: requests/s over the bare server's",
            size.name()
        );
        goal(
            name,
            Wanted::AtLeast(0.95),
            ratio(Kind::Repeated, size).map(f64::recip),
            "",
        );
        let name = format!(
            "the same, 1 connection: median latency over the bare server's, {}",
            size.name()
        );
        goal(name, Wanted::AtMost(1.1), latency(session, size), "");
    }
    for size in [Size::Small, Size::Large] {
        let name = format!(
            "different tokens, {}, 16 connections: time over verification + bare server",
            size.name()
        );
        goal(name, Wanted::AtMost(1.1), ratio(Kind::Different, size), "");
    }
    for size in [Size::Small, Size::Large] {
        let name = format!(
            "bad signatures, {}, 16 connections: requests/s over different tokens'",
            size.name()
        );
        goal(name, Wanted::AtLeast(1.0), bad(session, size), "");
    }
    let name = "/public, 16 connections: requests/s over the bare server's".to_owned();
    goal(
        name,
        Wanted::AtLeast(0.98),
        ratio(Kind::Public, Size::Small).map(f64::recip),
        "",
    );
    let slowest = session
        .rows
        .iter()
        .filter(|row| !row.is_bound)
        .map(|row| row.median(|sample| sample.load.max));
    let slowest = slowest.max_by(f64::total_cmp).map(|micros| micros / 1e3);
    goal(
        "slowest answer of any case, median of the rounds".into(),
        Wanted::AtMost(40.0),
        slowest,
        "ms",
    );
    let [bare, public, api] = &session.starts;
    let pairs = |to: &[f64], from: &[f64], with: fn(f64, f64) -> f64| {
        median(to.to_vec())
            .zip(median(from.to_vec()))
            .map(|(to, from)| with(to, from))
    };
    goal(
        "exec to first /public over the bare server's".into(),
        Wanted::AtMost(1.5),
        pairs(public, bare, |to, from| to / from),
        "",
    );
    goal(
        "exec to first /api, beyond first /public".into(),
        Wanted::AtMost(2.0),
        pairs(api, public, |to, from| to - from),
        "ms",
    );
    let mib = |kib: u64| kib as f64 / 1024.0;
    goal(
        "resident memory, idle".into(),
        Wanted::AtMost(4.0),
        session.idle.map(|usage| mib(usage.resident)),
        "MiB",
    );
    let row = session.row(Kind::Different, Size::Small, 16, false);
    let tokens = row.map_or(0.0, |row| row.median(|sample| sample.load.requests as f64));
    let name = format!("resident memory after {tokens:.0} different tokens, 16 connections");
    goal(
        name,
        Wanted::AtMost(8.0),
        row.and_then(Row::usage).map(|usage| mib(usage.resident)),
        "MiB",
    );
    goals
}

/// Median latency at one connection over the bare server's, round by round.
fn latency(session: &Session, size: Size) -> Option<f64> {
    rounds(
        session,
        (Kind::Repeated, size, 1, false),
        (Kind::Repeated, size, 1, true),
        |sample| sample.load.median,
    )
}

/// Requests a second with bad signatures over those with different valid tokens, round by round.
fn bad(session: &Session, size: Size) -> Option<f64> {
    rounds(
        session,
        (Kind::Bad, size, 16, false),
        (Kind::Different, size, 16, false),
        |sample| sample.load.per_second,
    )
}

type Place = (Kind, Size, usize, bool);

fn rounds(session: &Session, of: Place, over: Place, value: fn(&Sample) -> f64) -> Option<f64> {
    let row =
        |(kind, size, connections, is_bound): Place| session.row(kind, size, connections, is_bound);
    let pairs = row(of)?.samples.iter().zip(&row(over)?.samples);
    median(pairs.map(|(of, over)| value(of) / value(over)))
}
