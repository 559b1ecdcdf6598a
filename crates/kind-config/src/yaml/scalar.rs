//! What the text of an unquoted scalar means.

/// The meaning of an unquoted scalar under the YAML 1.1 rules of Kubernetes' tools.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Scalar {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// One of YAML 1.1's other words for a truth value: `yes`, `no`, `on`, `off`, `y`, `n`.
    Legacy11Bool(bool),
    /// A whole number, decimal or with one of the prefixes `0x`, `0o`, `0b` and `0`.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A date, with or without a time.
    Timestamp,
    /// Anything else.
    Text,
}

impl Scalar {
    /// Decides what an unquoted scalar means.
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Self::Legacy11Bool(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Self::Legacy11Bool(false),
            _ => parse_number(text).unwrap_or_else(|| {
                if is_timestamp(text) {
                    Self::Timestamp
                } else {
                    Self::Text
                }
            }),
        }
    }

    /// YAML's short name for the type, as it stands in messages.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Integer(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Legacy11Bool(_) | Self::Text => "!!str",
        }
    }
}

fn parse_number(text: &str) -> Option<Scalar> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Scalar::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Scalar::Float(f64::NAN)),
        _ => {}
    }
    let digits = text.replace('_', "");
    parse_integer(&digits)
        .map(Scalar::Integer)
        .or_else(|| parse_float(&digits).map(Scalar::Float))
}

fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix)?;
        (!digits.starts_with(['+', '-'])).then(|| i128::from_str_radix(digits, radix).ok())?
    };
    let magnitude = radix("0x", 16)
        .or_else(|| radix("0X", 16))
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0B", 2))
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0O", 8))
        .or_else(|| radix("0", 8))
        .or_else(|| digits.parse().ok().filter(|_| !octal_like(digits)))?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `08` is neither octal nor decimal; it becomes a float, as with Kubernetes' tools.
fn octal_like(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_fits =
        exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    let value = (mantissa_fits && exponent_fits).then(|| text.parse().ok())??;
    // A number that no float holds is text.
    f64::is_finite(value).then_some(value)
}

/// `YYYY-MM-DD`, alone or followed by a time.
fn is_timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let day = rest.bytes().take_while(u8::is_ascii_digit).count();
    year.len() == 4
        && digits(year)
        && (1..=2).contains(&month.len())
        && digits(month)
        && (1..=2).contains(&day)
        && match &rest.as_bytes()[day..] {
            [] => true,
            [b'T' | b't' | b' ' | b'\t', time @ ..] => {
                time.first().is_some_and(u8::is_ascii_digit)
                    && time.contains(&b':')
                    && time
                        .iter()
                        .all(|b| b.is_ascii_digit() || b" :.+-Z".contains(b))
            }
            _ => false,
        }
}

/// Digits grouped by colons, which YAML 1.1 readers take for a number to the base of 60.
pub(super) fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut groups = whole.split(':');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && rest.peek().is_some()
        && rest.all(|group| {
            (1..=2).contains(&group.len())
                && group.bytes().all(|b| b.is_ascii_digit())
                && (group.len() == 1 || group.as_bytes()[0] < b'6')
        })
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_kubernetes_tools_do() {
        for (text, meaning) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("true", Scalar::Bool(true)),
            ("tRue", Scalar::Text),
            ("off", Scalar::Legacy11Bool(false)),
            ("0", Scalar::Integer(0)),
            ("-12", Scalar::Integer(-12)),
            ("+12", Scalar::Integer(12)),
            ("1_000", Scalar::Integer(1000)),
            ("0x1F", Scalar::Integer(31)),
            ("0o17", Scalar::Integer(15)),
            ("012345", Scalar::Integer(5349)),
            ("-0b11", Scalar::Integer(-3)),
            ("0x-1", Scalar::Text),
            ("089", Scalar::Float(89.0)),
            (
                "99999999999999999999",
                Scalar::Integer(99_999_999_999_999_999_999),
            ),
            ("1.0", Scalar::Float(1.0)),
            ("1e3", Scalar::Float(1000.0)),
            (".5", Scalar::Float(0.5)),
            ("1.", Scalar::Float(1.0)),
            ("-.inf", Scalar::Float(f64::NEG_INFINITY)),
            ("1.2.3", Scalar::Text),
            ("1e", Scalar::Text),
            ("1e400", Scalar::Text),
            (".", Scalar::Text),
            ("-", Scalar::Text),
            ("+", Scalar::Text),
            ("infinity", Scalar::Text),
            ("nan", Scalar::Text),
            ("12:30", Scalar::Text),
            ("2001-01-01", Scalar::Timestamp),
            ("2001-12-14t21:59:43.10-05:00", Scalar::Timestamp),
            ("2001-01-01x", Scalar::Text),
            ("2001-01-01T10:00:00Z,a", Scalar::Text),
            ("v1.36.1", Scalar::Text),
            ("::1", Scalar::Text),
        ] {
            assert_eq!(Scalar::of(text), meaning, "{text}");
        }
    }

    #[test]
    fn knows_base_60() {
        for text in ["12:30", "1:2:3", "-1:20.5", "190:20:30"] {
            assert!(is_sexagesimal(text), "{text}");
        }
        for text in ["12", "::1", "12:", "1:60", "a:1", "172.18.0.2:80", "1:234"] {
            assert!(!is_sexagesimal(text), "{text}");
        }
    }
}
