//! Moments as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in the form of RFC 3339 in UTC with milliseconds, for example
/// `2026-08-21T09:30:00.250Z`. Moments before 1970 are its beginning.
pub fn timestamp(moment: SystemTime) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil_date(since.as_secs() / DAY);
    let second = since.as_secs() % DAY;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let (second, millis) = (second % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The moment of a text that [`timestamp`] has written.
pub(crate) fn parse_timestamp(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = parse_numbers(date, '-')?;
    let (clock, millis) = time.split_once('.')?;
    let [hour, minute, second] = parse_numbers(clock, ':')?;
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && (1970..=9999).contains(&year);
    let seconds = ((day_number(year, month, day)? * 24 + hour) * 60 + minute) * 60 + second;
    let since = Duration::from_secs(seconds) + Duration::from_millis(millis.parse().ok()?);
    valid.then(|| UNIX_EPOCH + since)
}

/// Three numbers below 10000 with a sign between them.
fn parse_numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let numbers = text
        .split(between)
        .map(|part| part.parse::<u16>().ok().map(u64::from));
    numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// The number of a day, 1970-01-01 being day 0; the way back of [`civil_date`].
fn day_number(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = match month {
        ..3 => (year.checked_sub(1)?, month + 9),
        _ => (year, month - 3),
    };
    let of_year = (153 * month + 2) / 5 + day.checked_sub(1)?;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
    days.checked_sub(EPOCH)
}

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// Year, month and day of the day with that number, 1970-01-01 being day 0.
///
/// Years are taken to begin in March, so that the day that comes and goes is a year's last. All of it
/// repeats every 400 years.
fn civil_date(day: u64) -> (u64, u64, u64) {
    /// Days in 400 years.
    const ERA: u64 = 146_097;
    let day = day + EPOCH;
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March or from August have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (68_169_599, "1972-02-28T23:59:59.007Z"),
            (68_169_600, "1972-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_787_304_600, "2026-08-21T09:30:00.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let moment = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(7);
            assert_eq!(timestamp(moment), text);
            assert_eq!(parse_timestamp(text), Some(moment));
        }
    }

    #[test]
    fn what_is_no_moment_is_not_read() {
        for text in [
            "",
            "Z",
            "T",
            "2026-13-01T00:00:00.000Z",
            "1969-12-31T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
