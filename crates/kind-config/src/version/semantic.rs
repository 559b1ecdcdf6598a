//! Versions as <https://semver.org> has them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Error, number, split};

/// A semantic version. Blanks around it and one leading `v` are allowed and not kept.
#[derive(Debug, Clone)]
pub struct SemanticVersion {
    numbers: [u64; 3],
    pre_release: String,
    build: String,
}

impl SemanticVersion {
    /// What follows the first `-`, without it; empty for a release.
    pub fn pre_release(&self) -> &str {
        &self.pre_release
    }

    /// What follows the `+`, without it; it has no part in the order.
    pub fn build(&self) -> &str {
        &self.build
    }
}

impl FromStr for SemanticVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (digits, rest) = split(text);
        let Ok(digits) = <[&str; 3]>::try_from(digits) else {
            return Err(Error::new(
                text,
                "it must begin with three numbers, as in 1.2.3",
            ));
        };
        let mut numbers = [0; 3];
        for (place, digits) in numbers.iter_mut().zip(digits) {
            if digits.len() > 1 && digits.starts_with('0') {
                return Err(Error::new(text, "a number begins with a zero"));
            }
            *place = number(digits, text)?;
        }
        let rest = rest.trim_end();
        let (pre_release, build) = match rest.split_once('+') {
            Some((pre_release, build)) => (pre_release, Some(build)),
            None => (rest, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return Err(Error::new(
                text,
                "its build part is not words separated by dots",
            ));
        }
        Ok(Self {
            numbers,
            pre_release: checked_pre_release(pre_release, text)?.to_owned(),
            build: build.unwrap_or_default().to_owned(),
        })
    }
}

fn checked_pre_release<'a>(part: &'a str, text: &str) -> Result<&'a str, Error> {
    if part.is_empty() {
        return Ok(part);
    }
    let fits = |word: &str| {
        is_identifier(word) && !(is_number(word) && word.len() > 1 && word.starts_with('0'))
    };
    match part.strip_prefix('-') {
        Some(part) if part.split('.').all(fits) => Ok(part),
        _ => Err(Error::new(
            text,
            "its pre-release part is not words separated by dots",
        )),
    }
}

fn is_identifier(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for SemanticVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.pre_release.is_empty() {
            write!(f, "-{}", self.pre_release)?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

impl Ord for SemanticVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| compare_pre_releases(&self.pre_release, &other.pre_release))
    }
}

/// A release is newer than all its pre-releases.
fn compare_pre_releases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let order = |word| Word(word);
            left.split('.').map(order).cmp(right.split('.').map(order))
        }
    }
}

/// One word of a pre-release; numbers come before other words and are ordered by value.
#[derive(PartialEq, Eq)]
struct Word<'a>(&'a str);

impl Ord for Word<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.0, other.0);
        match (is_number(left), is_number(right)) {
            (true, true) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => left.cmp(right),
        }
    }
}

impl PartialOrd for Word<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialOrd for SemanticVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SemanticVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SemanticVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> SemanticVersion {
        text.parse().unwrap()
    }

    #[test]
    fn orders_as_the_specification_does() {
        let rising = [
            "0.1.0",
            "1.0.0-0.3.7",
            "1.0.0-alpha",
            "=1.0.0-alpha+001",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "=1.0.0-beta+exp.sha.5114f85",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0-x.7.z.92",
            "1.0.0",
            "=1.0.0+20130313144700",
            "1.8.0-alpha.3",
            "1.8.0-alpha.3.673+73326ef01d2d7c",
            "1.9.0",
            "1.10.0",
            "1.11.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "42.0.0",
        ];
        for pair in rising.windows(2) {
            let before = version(pair[0].trim_start_matches('='));
            match pair[1].strip_prefix('=') {
                Some(same) => assert_eq!(before, version(same)),
                None => assert!(before < version(pair[1]), "{pair:?}"),
            }
        }
        let beta = version("v1.24.0-beta.0.115+1a2b3c");
        assert!(beta < version("v1.24.0"));
        assert!(version("v1.24.0-0") < beta);
    }

    #[test]
    fn prints_without_blanks_and_v() {
        for text in ["1.8.0-alpha.3.673+73326ef01d2d7c", "1.2.3", "1.0.0+1"] {
            assert_eq!(version(&format!(" v{text}\n")).to_string(), text);
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "1",
            "1.2",
            "1.2.3.4",
            ".2.3",
            "1..3",
            "1.2.",
            "",
            "..",
            "-1.2.3",
            "1.-2.3",
            "1.2.-3",
            "1a.2.3",
            "1.2a.3",
            "1.2.3a",
            "a1.2.3",
            "a.b.c",
            "1 .2.3",
            "1. 2.3",
            "01.2.3",
            "1.02.3",
            "1.2.03",
            "1.2.3-/",
            "1.2.3-",
            "1.2.3-.",
            "1.2.3-foo.",
            "1.2.3-.foo",
            "1.2.3-01",
            "1.2.3+/",
            "1.2.3+",
            "1.2.3+.",
            "1.2.3+foo.",
            "1.2.3+.foo",
            "v 1.2.3",
            "vv1.2.3",
        ] {
            assert!(text.parse::<SemanticVersion>().is_err(), "{text}");
        }
    }
}
