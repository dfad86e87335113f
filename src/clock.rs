//! The one place that reads the system's clock, and the two ways in which a time is written.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time now, in Unix seconds with their fraction. A clock before 1970 reads 0, so that every
/// token is not yet valid or good by its own `nbf`.
pub fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// Reads `--at`: Unix seconds, or RFC 3339 in UTC such as `2026-11-23T17:00:00Z`, with or
/// without a fraction. None for anything else and for years outside 1970 to 9999.
pub fn parse_time(text: &str) -> Option<f64> {
    if !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return text
            .parse()
            .ok()
            .filter(|time| *time < crate::limits::END_OF_NUMERIC_DATES);
    }
    // RFC 3339 section 5.6: T and Z may be written in lower case.
    let text = text.to_ascii_uppercase();
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        text.get(range)
            .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let shape = ["-", "-", "T", ":", ":"];
    if [4, 7, 10, 13, 16]
        .iter()
        .zip(shape)
        .any(|(&at, mark)| text.get(at..at + 1) != Some(mark))
    {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let zone = text.get(19..)?;
    let fraction = match zone
        .strip_suffix('Z')
        .or_else(|| zone.strip_suffix("+00:00"))?
    {
        "" => 0.0,
        part => {
            let digits = part.strip_prefix('.').filter(|rest| !rest.is_empty())?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| format!("0.{digits}").parse().ok())??
        }
    };
    let days = days_from_civil(year, month, day).filter(|_| year >= 1970)?;
    // Back and forth: a date such as 30 February would come back as another one.
    let valid =
        civil_from_days(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    valid.then(|| (days * 86_400 + hour * 3_600 + minute * 60 + second) as f64 + fraction)
}

/// Writes Unix seconds as RFC 3339 in UTC, whole seconds.
pub fn rfc3339(time: f64) -> String {
    let seconds = time as u64;
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Writes Unix seconds as the `Date` header wants them (RFC 9110 section 5.6.7).
pub fn http_date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = seconds / 86_400;
    let (year, month, day) = civil_from_days(days);
    let weekday = DAYS.get((days % 7) as usize).copied().unwrap_or_default();
    let month = MONTHS
        .get((month as usize).saturating_sub(1))
        .copied()
        .unwrap_or_default();
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in years that begin in
/// March, so that the leap day comes last.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let day_of_year = (153 * month + 2) / 5 + day.checked_sub(1)?;
    (year * 365 + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
}

/// The date of a day since 1970-01-01: the reverse of [`days_from_civil`].
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}
