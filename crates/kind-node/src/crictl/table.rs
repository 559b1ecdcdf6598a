//! Tables, sizes and ages in crictl's form.

use std::io::{self, Write};
use std::time::Duration;

/// Columns are at least this wide, and this far apart.
const WIDTH: usize = 20;
const GAP: usize = 3;
/// Characters of an id that are shown.
const SHORT: usize = 13;

/// Writes rows below each other, the first being the heads of the columns.
pub(super) fn write_table(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let longest = cells.map(|cell| cell.chars().count()).max();
            WIDTH.max(longest.unwrap_or_default() + GAP)
        })
        .collect();
    for row in rows {
        let (last, cells) = row
            .split_last()
            .map_or((None, &row[..]), |(last, cells)| (Some(last), cells));
        for (cell, width) in cells.iter().zip(&widths) {
            write!(out, "{cell:width$}")?;
        }
        writeln!(out, "{}", last.map_or("", String::as_str))?;
    }
    Ok(())
}

/// The first characters of an id, without the name of its algorithm.
pub(super) fn short_id(id: &str) -> String {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.chars().take(SHORT).collect()
}

/// Bytes with three digits that count and a unit of powers of 1000.
pub(super) fn size_text(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{}", units[unit])
}

/// How long ago something happened, in words.
pub(super) fn age_text(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let words = match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if days < 14 => format!("{days} days"),
        () if days < 60 => format!("{} weeks", days / 7),
        () if days < 730 => format!("{} months", days / 30),
        () => format!("{} years", days / 365),
    };
    format!("{words} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (683_011, "683kB"),
            (1_920_000, "1.92MB"),
            (11_000_000, "11MB"),
            (54_049_000, "54MB"),
            (99_960_000, "100MB"),
            (1_234_567_890, "1.23GB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }

    #[test]
    fn ages_are_words() {
        for (seconds, text) in [
            (0, "Less than a second ago"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (61, "About a minute ago"),
            (180, "3 minutes ago"),
            (3700, "About an hour ago"),
            (47 * 3600, "47 hours ago"),
            (49 * 3600, "2 days ago"),
            (15 * 86400, "2 weeks ago"),
            (90 * 86400, "3 months ago"),
            (800 * 86400, "2 years ago"),
        ] {
            assert_eq!(age_text(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [
            ["A", "B", "C"].map(str::to_owned).to_vec(),
            vec!["x".repeat(21), "y".to_owned(), "z".to_owned()],
        ];
        let mut out = Vec::new();
        write_table(&mut out, &rows).unwrap();
        let long = "x".repeat(21);
        let expected = format!(
            "A{}B{}C\n{long}   y{}z\n",
            " ".repeat(23),
            " ".repeat(19),
            " ".repeat(19)
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
