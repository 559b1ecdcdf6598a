//! Versions of which only the numbers count.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::Error;
use super::numbers::{number, split};

/// The numbers of a version; whatever follows them is ignored, so `v1.36.0-alpha.1` is 1.36.0.
/// Missing numbers count as 0.
#[derive(Debug, Clone)]
pub struct Version {
    numbers: Vec<u64>,
}

impl Version {
    /// A version of three numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            numbers: vec![major, minor, patch],
        }
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.at(0)
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.at(1)
    }

    /// The third number, 0 if there is none.
    pub fn patch(&self) -> u64 {
        self.at(2)
    }

    fn at(&self, index: usize) -> u64 {
        self.numbers.get(index).copied().unwrap_or(0)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (numbers, _) = split(text);
        if numbers.len() < 2 {
            return Err(Error::new(
                text,
                "it must begin with two numbers, as in 1.36",
            ));
        }
        if numbers[0].len() > 1 && numbers[0].starts_with('0') {
            return Err(Error::new(text, "the first number begins with a zero"));
        }
        let numbers = numbers
            .into_iter()
            .map(|digits| number(digits, text))
            .collect::<Result<_, _>>()?;
        Ok(Self { numbers })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (0..self.numbers.len().max(other.numbers.len()))
            .map(|index| self.at(index).cmp(&other.at(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn only_numbers_count() {
        for (text, same) in [
            ("1.2a.3", "1.2"),
            ("1.2.3.0", "1.2.3"),
            ("1.02.3", "1.2.3"),
            ("1.0.0-alpha", "1.0.0"),
            (" v1.20.2\n", "1.20.2"),
        ] {
            assert_eq!(version(text), version(same), "{text}");
        }
        assert_eq!(version("1.02.3").to_string(), "1.2.3");
        assert_eq!(version("v1.36.0-alpha.1.22+abcdef").to_string(), "1.36.0");
    }

    #[test]
    fn orders_by_numbers() {
        for (smaller, larger) in [
            ("1.2.3.4", "1.2.3.4.5"),
            ("1.21.1", "1.21.2"),
            ("1.21.2", "1.22.1"),
            ("1.20.3", "1.21.2"),
            ("1.9.0", "1.10.0"),
        ] {
            assert!(version(smaller) < version(larger), "{smaller} {larger}");
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "1",
            "01.2.3",
            "-1.2.3",
            "1.-2.3",
            ".2.3",
            "1..3",
            "1a.2.3",
            "a1.2.3",
            "1 .2.3",
            "1. 2.3",
            "1.bob",
            "bob",
            "v 1.2.3",
            "vv1.2.3",
            "",
            ".",
            "1.99999999999999999999",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
