//! The checks `exp`, `nbf` and `iat`.

use crate::bench::{Bench, NOW, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

const EXPECTED: &str = "a number of seconds from 0 to the end of the year 9999";

fn refused(check: &'static str, rejection: Rejection) -> Result<String, Refusal> {
    Err(Refusal { check, rejection })
}

/// Judges a token with this date at this time with this leeway.
fn judged(leeway: &str, now: f64, name: &str, date: &str) -> Result<(), Refusal> {
    Bench::with(&[("CLOCK_SKEW_SECONDS", leeway)]).at(now).claims(&[(name, date)]).map(drop)
}

#[test]
fn a_token_is_good_until_its_expiry_and_the_leeway_have_passed() {
    // Leeway, time against NOW, exp against NOW, whether it is still good.
    let table: [(&str, f64, &str, bool); 14] = [
        ("60", 0.0, "1799999941", true),
        ("60", 0.0, "1799999940", false),
        ("60", 0.0, "1799999940.5", true),
        ("60", 0.0, "1799999939.5", false),
        ("60", 0.5, "1799999940.5", false),
        ("60", 0.25, "1799999940.5", true),
        ("0", 0.0, "1800000001", true),
        ("0", 0.0, "1800000000", false),
        ("0", 0.0, "1800000000.25", true),
        ("0", 0.25, "1800000000.25", false),
        ("300", 0.0, "1799999701", true),
        ("300", 0.0, "1799999700", false),
        ("", 0.0, "1799999941", true),
        ("", 0.0, "1799999940", false),
    ];
    for (leeway, late, exp, good) in table {
        let now = NOW + late;
        let expected = if good {
            Ok(())
        } else {
            let leeway = if leeway.is_empty() { 60 } else { leeway.parse().unwrap() };
            let rejection = Rejection::Expired { at: exp.parse().unwrap(), now, leeway };
            Err(Refusal { check: "exp", rejection })
        };
        assert_eq!(judged(leeway, now, "exp", exp), expected, "leeway {leeway}, now {now}, exp {exp}");
    }
}

#[test]
fn a_token_is_good_from_its_nbf_less_the_leeway() {
    let table: [(&str, f64, &str, bool); 12] = [
        ("60", 0.0, "1800000060", true),
        ("60", 0.0, "1800000061", false),
        ("60", 0.0, "1800000060.5", false),
        ("60", 0.5, "1800000060.5", true),
        ("60", 0.25, "1800000060.5", false),
        ("0", 0.0, "1800000000", true),
        ("0", 0.0, "1800000000.25", false),
        ("0", -0.25, "1800000000", false),
        ("300", 0.0, "1800000300", true),
        ("300", 0.0, "1800000301", false),
        ("", 0.0, "1800000060", true),
        ("", 0.0, "1800000061", false),
    ];
    for (leeway, late, nbf, good) in table {
        let now = NOW + late;
        let expected = if good {
            Ok(())
        } else {
            let leeway = if leeway.is_empty() { 60 } else { leeway.parse().unwrap() };
            let rejection = Rejection::NotYetValid { at: nbf.parse().unwrap(), now, leeway };
            Err(Refusal { check: "nbf", rejection })
        };
        assert_eq!(judged(leeway, now, "nbf", nbf), expected, "leeway {leeway}, now {now}, nbf {nbf}");
    }
}

#[test]
fn an_expiry_must_be_there_and_the_other_dates_need_not() {
    assert_eq!(Bench::new().claims(&[("exp", "")]), refused("exp", Rejection::ClaimMissing { name: "exp" }));
    for name in ["nbf", "iat"] {
        assert_eq!(Bench::new().claims(&[(name, "")]), Ok(payload(&[(name, "")])));
    }
    let none = [("nbf", ""), ("iat", "")];
    assert_eq!(Bench::new().claims(&none), Ok(payload(&none)));
    assert_refused!(
        Bench::new().claims(&[("exp", ""), ("Exp", "1800003000")]),
        "exp",
        Rejection::ClaimMissing { name: "exp" }
    );
}

#[test]
fn a_date_is_a_number_from_0_to_the_end_of_the_year_9999() {
    let out_of_range = [
        "253402300800",
        "253402300800.5",
        "1e12",
        "1e400",
        "1E309",
        "-1",
        "-0.5",
        "-1e400",
        "-1e-300",
        "-1e-400",
        "-0.1E-999",
        "-5e-324",
        "99999999999999999999",
    ];
    let of_another_type = ["\"1800000000\"", "\"\"", "null", "true", "[]", "[1800000000]", "{}", "\"1e9\""];
    for name in ["exp", "nbf", "iat"] {
        for date in out_of_range.iter().chain(&of_another_type) {
            assert_eq!(
                Bench::new().claims(&[(name, date)]),
                refused(name, Rejection::ClaimMalformed { name, expected: EXPECTED }),
                "{name} {date}"
            );
        }
    }
}

#[test]
fn dates_at_both_ends_of_the_range_are_read() {
    for last in ["253402300799", "253402300799.5"] {
        assert_eq!(judged("60", NOW, "exp", last), Ok(()), "{last}");
    }
    assert_refused!(judged("60", NOW, "exp", "0"), "exp", Rejection::Expired { at: 0.0, .. });
    assert_refused!(judged("60", NOW, "nbf", "253402300799"), "nbf", Rejection::NotYetValid { at: 253402300799.0, .. });
    for early in ["0", "-0", "-0e9", "-0.0", "0e0", "1e-400", "0.000001"] {
        assert_eq!(judged("60", NOW, "nbf", early), Ok(()), "{early}");
        assert_eq!(judged("60", NOW, "iat", early), Ok(()), "{early}");
    }
    assert_eq!(judged("60", 0.0, "nbf", "0"), Ok(()), "a clock that reads 1970");
}

#[test]
fn a_date_may_be_written_in_any_way_that_json_allows() {
    for exp in ["1800003000.0", "1800003000.999999999999999999999", "1.800003e9", "1800003E+3", "18000030000000e-4"] {
        assert_eq!(Bench::new().claims(&[("exp", exp)]), Ok(payload(&[("exp", exp)])), "{exp}");
    }
}

#[test]
fn a_token_issued_in_the_future_is_judged_by_its_nbf_alone() {
    assert_eq!(judged("0", NOW, "iat", "1900000000"), Ok(()));
    assert_eq!(judged("0", NOW, "iat", "253402300799"), Ok(()));
}

#[test]
fn a_token_that_expires_before_it_becomes_valid_is_never_good() {
    let claims = [("nbf", "1800001000"), ("exp", "1800000500")];
    let at = |now: f64| Bench::with(&[("CLOCK_SKEW_SECONDS", "0")]).at(now).claims(&claims);
    assert_refused!(at(1_800_000_499.0), "nbf", Rejection::NotYetValid { .. });
    assert_refused!(at(1_800_000_500.0), "exp", Rejection::Expired { .. });
    assert_refused!(at(1_800_001_000.0), "exp", Rejection::Expired { .. });
}
