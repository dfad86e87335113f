//! Times in text, read and written.

use entra_handler::{http_date, parse_time, rfc3339};

#[test]
fn a_time_is_read_as_unix_seconds_or_as_rfc_3339_in_utc() {
    let table = [
        ("0", 0.0),
        ("1800000000.25", 1_800_000_000.25),
        ("253402300799", 253_402_300_799.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:00+00:00", 0.0),
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("2000-02-29T12:30:15Z", 951_827_415.0),
        ("2026-11-23t17:00:00z", 1_795_453_200.0),
        ("2027-01-15T08:00:00.125+00:00", 1_800_000_000.125),
        ("9999-12-31T23:59:59Z", 253_402_300_799.0),
    ];
    for (text, time) in table {
        assert_eq!(parse_time(text), Some(time), "{text}");
    }
}

#[test]
fn what_is_no_time_is_not_read() {
    let lines = "\
        |x|-1|+1|1e9|1.2.3|.|1800000000 |253402300800|NaN|inf|99999999999999999999\
        |1969-12-31T23:59:59Z|0000-01-01T00:00:00Z|10000-01-01T00:00:00Z|2026-11-23\
        |2026-11-23T17:00:00|2026-11-23 17:00:00Z|2026-11-23T17:00Z|2026-11-23T17:00:00+01:00\
        |2026-11-23T17:00:00-00:00|2026-11-23T17:00:00.Z|2026-11-23T17:00:00.5\
        |2026-11-23T17:00:00.xZ|2026-11-23T17:00:00,5Z|2026-11-23T24:00:00Z|2026-11-23T23:60:00Z\
        |2026-11-23T23:59:60Z|2026-00-23T17:00:00Z|2026-13-23T17:00:00Z|2026-11-00T17:00:00Z\
        |2026-11-99T00:00:00Z|2026/11/23T17:00:00Z|2026-1-023T17:00:00Z|2026-11-23T17:00:0Z\
        |+026-11-23T17:00:00Z|2026-+1-23T17:00:00Z|２０２６-11-23T17:00:00Z|2026-11-23T17:00:00Zx";
    for text in lines.split('|') {
        assert_eq!(parse_time(text), None, "{text:?}");
    }
}

#[test]
fn every_day_of_four_centuries_is_written_and_read_back() {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut day = 0.0;
    for year in 1970..2371 {
        let february = if is_leap(year) { 29 } else { 28 };
        let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, days) in (1..).zip(months) {
            for date in 1..=days {
                let text = format!("{year}-{month:02}-{date:02}T00:00:00Z");
                assert_eq!(rfc3339(day), text);
                assert_eq!(parse_time(&text), Some(day), "{text}");
                day += 86_400.0;
            }
            let none = format!("{year}-{month:02}-{:02}T00:00:00Z", days + 1);
            assert_eq!(parse_time(&none), None, "{none}");
        }
    }
    assert_eq!(
        rfc3339(1_800_000_000.9),
        "2027-01-15T08:00:00Z",
        "whole seconds"
    );
}

#[test]
fn http_dates_are_written_as_rfc_9110_wants_them() {
    let table = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        // The example of RFC 9110 section 5.6.7.
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (seconds, text) in table {
        assert_eq!(http_date(seconds), text);
    }
    let months =
        (0..12).map(|month| http_date(1_768_435_200 + month * 2_635_200)[8..11].to_owned());
    let months: Vec<String> = months.collect();
    assert_eq!(
        months.join(" "),
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    );
    let days: Vec<String> = (0..7)
        .map(|day| http_date(1_795_392_000 + day * 86_400)[..3].to_owned())
        .collect();
    assert_eq!(days.join(" "), "Mon Tue Wed Thu Fri Sat Sun");
}
