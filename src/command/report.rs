//! The report on one token: for a person, or as JSON.

use super::words::found;
use crate::policy::{CHECKS, Case, Reason, Rejection, walk};
use crate::token::peek_payload;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

/// The verdict on a token.
pub(super) struct Report {
    verdicts: Vec<Verdict>,
    refusal: Option<Refusal>,
    claims: Option<String>,
    claims_verified: bool,
}

struct Verdict {
    check: &'static str,
    verdict: &'static str,
    detail: String,
}

/// The refusal that the server would have answered with.
struct Refusal {
    status: u16,
    code: &'static str,
    description: String,
}

impl Report {
    /// Judges a token to the end.
    pub(super) fn of(text: &str, mut case: Case, now: f64) -> Report {
        let outcomes = walk(&mut case);
        let mut refusal = None;
        let verdicts = outcomes.into_iter().map(|outcome| {
            let check = outcome.check.name;
            let (verdict, detail) = match outcome.result {
                Ok(()) => ("pass", found(check, &case, text, now)),
                Err(Reason::NotReached) => return Verdict::skipped(check),
                Err(reason) => {
                    let refused = Refusal::of(&Rejection::new(check, reason));
                    let detail = refused.description.clone();
                    refusal = refusal.take().or(Some(refused));
                    ("fail", detail)
                }
            };
            Verdict {
                check,
                verdict,
                detail,
            }
        });
        let verdicts = verdicts.collect();
        let payload = case.token().map(|token| token.payload().text().to_owned());
        Report {
            verdicts,
            refusal,
            claims: payload.ok().or_else(|| peek_payload(text)),
            claims_verified: case.is_verified(),
        }
    }

    /// The report on a text that no check looks into: this refuses it, and the checks are skipped.
    pub(super) fn unread(rejection: &Rejection) -> Report {
        Report::refused(rejection.check, Refusal::of(rejection))
    }

    /// The report on nothing.
    pub(super) fn nothing(rejection: &Rejection) -> Report {
        let description = "Standard input is empty: handler check reads one access token from it, as in handler check < token.txt";
        let refusal = Refusal {
            description: description.into(),
            ..Refusal::of(rejection)
        };
        Report::refused(rejection.check, refusal)
    }

    fn refused(check: &'static str, refusal: Refusal) -> Report {
        let refused = Verdict {
            check,
            verdict: "fail",
            detail: refusal.description.clone(),
        };
        let others = CHECKS
            .iter()
            .map(|check| check.name)
            .filter(|name| *name != check);
        let others = others.map(Verdict::skipped);
        Report {
            verdicts: [refused].into_iter().chain(others).collect(),
            refusal: Some(refusal),
            claims: None,
            claims_verified: false,
        }
    }

    /// 0 accepted, 1 refused, 2 not decided.
    pub(super) fn exit_status(&self) -> u8 {
        match &self.refusal {
            None => 0,
            Some(refusal) if refusal.status == 503 => 2,
            Some(_) => 1,
        }
    }

    /// `accepted`, or the code of the refusal.
    pub(super) fn outcome(&self) -> &'static str {
        self.refusal
            .as_ref()
            .map_or("accepted", |refusal| refusal.code)
    }

    /// One JSON object and the end of its line; with the number of the token's line where there are
    /// many.
    pub(super) fn write_json(&self, out: &mut Vec<u8>, line: Option<u64>) {
        let (status, description) = match &self.refusal {
            Some(refusal) => (refusal.status, refusal.description.as_str()),
            None => (200, "The token is accepted"),
        };
        out.push(b'{');
        if let Some(line) = line {
            let _ = write!(out, "\"line\":{line},");
        }
        let accepted = self.refusal.is_none();
        let _ = write!(out, "\"accepted\":{accepted},\"status\":{status}");
        if let Some(refusal) = &self.refusal {
            write_member(out, ",\"code\":", refusal.code);
        }
        write_member(out, ",\"description\":", description);
        out.extend_from_slice(b",\"checks\":[");
        for (number, verdict) in self.verdicts.iter().enumerate() {
            let start = if number == 0 {
                "{\"name\":"
            } else {
                ",{\"name\":"
            };
            write_member(out, start, verdict.check);
            write_member(out, ",\"verdict\":", verdict.verdict);
            write_member(out, ",\"detail\":", &verdict.detail);
            out.push(b'}');
        }
        // The claims stay as they were written: their numbers may have more digits than a double. An
        // end of line can only stand between values, where a blank means the same.
        let claims = self.claims.as_deref().unwrap_or("null");
        let claims = claims.replace(['\r', '\n'], " ");
        let verified = self.claims_verified;
        let _ = writeln!(
            out,
            "],\"claims\":{claims},\"claims_verified\":{verified}}}"
        );
    }

    /// A row for each check, for a person; the verdict last.
    pub(super) fn text(&self) -> String {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let has_colour = std::io::stdout().is_terminal() && !is_plain;
        let paint = |code: &str, text: &str| {
            if has_colour {
                format!("\x1b[{code}m{text}\x1b[0m")
            } else {
                text.to_owned()
            }
        };
        let mut text = String::new();
        for verdict in &self.verdicts {
            let mark = match verdict.verdict {
                "pass" => paint("32", "ok  "),
                "fail" => paint("31", "FAIL"),
                _ => paint("2", "-   "),
            };
            let _ = writeln!(text, "{mark}  {:<13}  {}", verdict.check, verdict.detail);
        }
        let _ = match &self.refusal {
            None => {
                let accepted = paint("1;32", "accepted");
                writeln!(
                    text,
                    "\n{accepted}: the server would let it pass, unless its route needs more (--route)"
                )
            }
            Some(refusal) => {
                let (status, code, words) = (&refusal.status, refusal.code, &refusal.description);
                let word = if *status == 503 {
                    "not decided"
                } else {
                    "refused"
                };
                let refused = paint("1;31", word);
                writeln!(
                    text,
                    "\n{refused}: the server would answer {status} {code}\n{words}"
                )
            }
        };
        text
    }
}

impl Verdict {
    /// Of a check that has nothing to look at.
    fn skipped(check: &'static str) -> Verdict {
        Verdict {
            check,
            verdict: "skip",
            detail: "needs a check that did not pass".into(),
        }
    }
}

impl Refusal {
    fn of(rejection: &Rejection) -> Refusal {
        Refusal {
            status: rejection.status(),
            code: rejection.code().as_str(),
            description: rejection.description(),
        }
    }
}

/// Adds a member of an object, from its comma or brace to its text.
fn write_member(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    let _ = serde_json::to_writer(out, text);
}
