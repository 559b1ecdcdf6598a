//! Values of flags in Go's spellings, with Go's words for what is wrong with them.

use std::time::Duration;

use super::matches::Value;
use crate::args::Kind;

/// Reads the value of one flag. The error is Go's text without the flag's name.
pub(super) fn parse_value(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Bool => parse_bool(text).map(Value::Bool),
        Kind::Int32 => parse_int32(text).map(Value::Int32),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::OneOf(words) if words.contains(&text) => Ok(Value::String(text.to_owned())),
        Kind::OneOf(words) => Err(format!("must be {}", words.join(" or "))),
        Kind::Duration => parse_duration(text).map(Value::Duration),
        Kind::Strings => Ok(Value::Strings(split_list(text)?)),
    }
}

/// Go's `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {}: invalid syntax",
            quote_value(text)
        )),
    }
}

/// Go's `strconv.ParseInt` with base 0 and 32 bits.
fn parse_int32(text: &str) -> Result<i32, String> {
    let fail = |reason: &str| format!("strconv.ParseInt: parsing {}: {reason}", quote_value(text));
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = split_radix(rest);
    let digits = join_digits(digits, radix != 10).ok_or_else(|| fail("invalid syntax"))?;
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(fail("invalid syntax"));
    }
    let magnitude = i64::from_str_radix(&digits, radix).map_err(|_| fail("value out of range"))?;
    let value = if negative { -magnitude } else { magnitude };
    i32::try_from(value).map_err(|_| fail("value out of range"))
}

/// Splits a number into its radix and its digits.
fn split_radix(text: &str) -> (u32, &str) {
    let prefix = text.get(..2).map(str::to_ascii_lowercase);
    match prefix.as_deref() {
        Some("0x") => (16, &text[2..]),
        Some("0b") => (2, &text[2..]),
        Some("0o") => (8, &text[2..]),
        _ if text.len() > 1 && text.starts_with('0') => (8, &text[1..]),
        _ => (10, text),
    }
}

/// Takes single underscores between digits out; `None` if one stands anywhere else. After a prefix
/// one may stand first.
fn join_digits(text: &str, after_prefix: bool) -> Option<String> {
    let mut previous = if after_prefix { '0' } else { '_' };
    for character in text.chars() {
        if character == '_' && previous == '_' {
            return None;
        }
        previous = character;
    }
    let open = previous == '_' && !text.is_empty();
    (!open).then(|| text.replace('_', ""))
}

/// Go's `time.ParseDuration`, in nanoseconds.
fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote_value(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (nanos, after) = parse_part(rest, text)?;
        total = total.checked_add(nanos).ok_or_else(invalid)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

/// One number with its unit, and what follows.
fn parse_part<'a>(part: &'a str, whole: &str) -> Result<(i64, &'a str), String> {
    let invalid = || format!("time: invalid duration {}", quote_value(whole));
    let number_end = part
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(part.len());
    let (number, rest) = part.split_at(number_end);
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (integer.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(invalid());
    }
    let unit_end = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    let scale = unit_nanos(unit).ok_or_else(|| match unit {
        "" => format!("time: missing unit in duration {}", quote_value(whole)),
        _ => format!(
            "time: unknown unit {} in duration {}",
            quote_value(unit),
            quote_value(whole)
        ),
    })?;
    let nanos = whole_nanos(integer, scale).ok_or_else(invalid)?;
    let nanos = nanos.checked_add(fraction_nanos(fraction, scale));
    Ok((nanos.ok_or_else(invalid)?, after))
}

fn whole_nanos(integer: &str, scale: i64) -> Option<i64> {
    if integer.is_empty() {
        return Some(0);
    }
    integer.parse::<i64>().ok()?.checked_mul(scale)
}

/// The value of decimal places; digits that no longer count are dropped.
fn fraction_nanos(fraction: &str, scale: i64) -> i64 {
    let mut unit = scale;
    let mut nanos = 0;
    for digit in fraction.chars().filter_map(|c| c.to_digit(10)) {
        // Hours are divisible by ten nine times and more, so nothing that counts is lost.
        nanos += i64::from(digit) * unit / 10;
        unit /= 10;
    }
    nanos
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Splits one occurrence of a list flag: one CSV record.
fn split_list(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    if rest.is_empty() {
        return Ok(fields);
    }
    loop {
        let (field, after) = split_field(rest)?;
        fields.push(field);
        match after {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// One CSV field, and what follows its comma.
fn split_field(text: &str) -> Result<(String, Option<&str>), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (field, after) = match text.split_once(',') {
            Some((field, after)) => (field, Some(after)),
            None => (text, None),
        };
        if field.contains('"') {
            return Err("bare \" in non-quoted field".to_owned());
        }
        return Ok((field.to_owned(), after));
    };
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest
            .split_once('"')
            .ok_or("extraneous or missing \" in quoted-field")?;
        field.push_str(part);
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
        } else if after.is_empty() {
            return Ok((field, None));
        } else {
            let after = after
                .strip_prefix(',')
                .ok_or("extraneous or missing \" in quoted-field")?;
            return Ok((field, Some(after)));
        }
    }
}

/// A duration in whole seconds as Go writes it: `0s`, `1m0s`, `1h0m0s`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = (duration + Duration::from_millis(500)).as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Text in double quotes as Go's `%q` writes it, for the characters that occur.
pub(super) fn quote_value(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_base() {
        for (text, value) in [
            ("7", 7),
            ("0x7", 7),
            ("-1", -1),
            ("+3", 3),
            ("010", 8),
            ("0b11", 3),
            ("0o17", 15),
            ("1_000", 1000),
            ("0", 0),
            ("2147483647", i32::MAX),
            ("-2147483648", i32::MIN),
        ] {
            assert_eq!(parse_int32(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn bad_numbers_have_words() {
        for (text, reason) in [
            ("abc", "invalid syntax"),
            ("", "invalid syntax"),
            ("1__0", "invalid syntax"),
            ("_1", "invalid syntax"),
            ("1_", "invalid syntax"),
            ("08", "invalid syntax"),
            ("2147483648", "value out of range"),
            ("99999999999999999999", "value out of range"),
        ] {
            let expected = format!("strconv.ParseInt: parsing \"{text}\": {reason}");
            assert_eq!(parse_int32(text), Err(expected));
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, nanos) in [
            ("0", 0),
            ("300ms", 300_000_000),
            ("1m30s", 90_000_000_000),
            ("2h45m", 9_900_000_000_000),
            ("-1.5s", -1_500_000_000),
            (".5m", 30_000_000_000),
            ("1.25h", 4_500_000_000_000),
            ("1us", 1_000),
        ] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn bad_durations_have_words() {
        for (text, message) in [
            ("30", "time: missing unit in duration \"30\""),
            ("abc", "time: invalid duration \"abc\""),
            ("", "time: invalid duration \"\""),
            ("3x", "time: unknown unit \"x\" in duration \"3x\""),
            ("1.2.3s", "time: invalid duration \"1.2.3s\""),
        ] {
            assert_eq!(parse_duration(text), Err(message.to_owned()));
        }
    }

    #[test]
    fn lists_are_records_of_csv() {
        for (text, list) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a,b", vec!["a", "b"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"a\"\"b\"", vec!["a\"b"]),
            ("a,", vec!["a", ""]),
        ] {
            assert_eq!(split_list(text).unwrap(), list, "{text}");
        }
        assert!(split_list("a\"b").is_err());
        assert!(split_list("\"ab").is_err());
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (millis, text) in [
            (0, "0s"),
            (11_600, "12s"),
            (60_000, "1m0s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(duration_text(Duration::from_millis(millis)), text);
        }
    }
}
