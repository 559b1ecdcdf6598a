//! Versions as <https://semver.org> has them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::Error;

/// A semantic version. Blanks around it and one leading `v` are allowed and not kept. What follows a `+` has no part
/// in the order.
#[derive(Debug, Clone)]
pub struct SemanticVersion(semver::Version);

impl SemanticVersion {
    /// What follows the first `-`, without it; empty for a release.
    pub fn pre_release(&self) -> &str {
        &self.0.pre
    }

    /// What follows the `+`, without it; it has no part in the order.
    pub fn build(&self) -> &str {
        &self.0.build
    }
}

impl FromStr for SemanticVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let trimmed = text.trim();
        let version = semver::Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed));
        let reason = "it must be three numbers, as in 1.2.3, and what may follow them";
        version.map(Self).map_err(|_| Error::new(text, reason))
    }
}

impl fmt::Display for SemanticVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Ord for SemanticVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
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
