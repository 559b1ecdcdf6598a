//! Reading the words of directives.

use std::time::Duration;

use kind_node::corefile::Directive;

use super::zones::{self, Fallthrough, Zones};

/// What is wrong with a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DirectiveError {
    /// CoreDNS would refuse it, and with it the whole Corefile.
    Invalid(String),
    /// CoreDNS knows it, and this server does not.
    NotSupported(String),
}

/// An invalid directive.
pub(crate) fn invalid_directive<T>(reason: impl Into<String>) -> Result<T, DirectiveError> {
    Err(DirectiveError::Invalid(reason.into()))
}

/// Something that only CoreDNS itself does.
pub(crate) fn not_supported<T>(reason: impl Into<String>) -> Result<T, DirectiveError> {
    Err(DirectiveError::NotSupported(reason.into()))
}

/// Collects what is wrong with the lines of a directive's block, so that one line that is not supported
/// leaves the others in force.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    found: &'a mut Vec<(Directive, DirectiveError)>,
}

impl<'a> Lines<'a> {
    /// Collects into a list.
    pub(crate) fn new(found: &'a mut Vec<(Directive, DirectiveError)>) -> Self {
        Self { found }
    }

    /// Reads each line of a block.
    pub(crate) fn read_each(
        &mut self,
        directive: &Directive,
        mut read: impl FnMut(&Directive) -> Result<(), DirectiveError>,
    ) {
        for line in &directive.block {
            let result = if line.block.is_empty() {
                read(line)
            } else {
                invalid_directive("no braces are expected here")
            };
            if let Err(fault) = result {
                self.found.push((line.clone(), fault));
            }
        }
    }
}

/// The only argument of a directive.
pub(crate) fn one_argument(directive: &Directive) -> Result<&str, DirectiveError> {
    match directive.arguments.as_slice() {
        [argument] => Ok(argument),
        arguments => invalid_directive(format!("takes one argument, has {}", arguments.len())),
    }
}

/// At most one argument.
pub(crate) fn optional_argument(directive: &Directive) -> Result<Option<&str>, DirectiveError> {
    match directive.arguments.as_slice() {
        [] => Ok(None),
        _ => one_argument(directive).map(Some),
    }
}

/// No argument at all.
pub(crate) fn no_arguments(directive: &Directive) -> Result<(), DirectiveError> {
    match directive.arguments.as_slice() {
        [] => Ok(()),
        arguments => invalid_directive(format!("takes no argument, has {}", arguments.len())),
    }
}

/// A whole number.
pub(crate) fn parse_number<T: std::str::FromStr>(text: &str) -> Result<T, DirectiveError> {
    text.parse()
        .or_else(|_| invalid_directive(format!("{text:?} is not a number that fits")))
}

/// Zones; those around where none are named.
pub(crate) fn parse_zones(texts: &[String], around: &Zones) -> Result<Zones, DirectiveError> {
    if texts.is_empty() {
        return Ok(around.clone());
    }
    let mut all = Vec::new();
    for text in texts {
        match zones::read_zones(text) {
            Some(read) => all.extend(read),
            None => return invalid_directive(format!("{text:?} is not a zone")),
        }
    }
    Ok(Zones::new(all))
}

/// `fallthrough [ZONES…]`.
pub(crate) fn parse_fallthrough(line: &Directive) -> Result<Fallthrough, DirectiveError> {
    if line.arguments.is_empty() {
        return Ok(Fallthrough::Always);
    }
    parse_zones(&line.arguments, &Zones::default()).map(Fallthrough::Within)
}

/// A duration as Go writes it, for example `1h30m` or `500ms`; not a negative one.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DirectiveError> {
    let wrong = || DirectiveError::Invalid(format!("{text:?} is not a duration such as 5s"));
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (amount, unit_on) = rest.split_at(digits);
        let letters = unit_on.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, behind) = unit_on.split_at(letters.unwrap_or(unit_on.len()));
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let amount: f64 = amount.parse().map_err(|_| wrong())?;
        seconds += amount * unit;
        rest = behind;
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_texts() {
        for (text, milliseconds) in [
            ("5s", 5000),
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
            ("2m0.5s", 120_500),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "5x",
            "1..5s",
            "99999999999999999999h",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
