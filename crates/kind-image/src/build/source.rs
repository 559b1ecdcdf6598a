//! Where Kubernetes comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the Kubernetes of a node image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Debian's own source package, compiled here.
    Debian,
    /// A release by version.
    Release(String),
    /// A server tarball on the network.
    Url(String),
    /// A server tarball on disk.
    File(PathBuf),
    /// A build of Kubernetes' CI by its marker, for example `latest`.
    Ci(String),
    /// A source tree.
    Tree(PathBuf),
}

impl Source {
    /// Finds out what a text names, as `kind build node-image` does without `--type`.
    ///
    /// Looks at the filesystem to tell files and directories apart.
    pub fn parse(text: &str) -> Self {
        if text == "debian" {
            return Self::Debian;
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Self::Url(text.to_owned());
        }
        let path = Path::new(text);
        if path.is_file() {
            return Self::File(path.to_owned());
        }
        if path.is_dir() {
            return Self::Tree(path.to_owned());
        }
        if let Some(marker) = text.strip_prefix("ci/") {
            return Self::Ci(marker.to_owned());
        }
        if is_version(text) {
            return Self::Release(text.to_owned());
        }
        Self::Tree(path.to_owned())
    }

    /// A source of the type that `--type` names.
    pub fn of_type(kind: &str, text: &str) -> Option<Self> {
        Some(match kind {
            "" => Self::parse(text),
            "debian" => Self::Debian,
            "url" => Self::Url(text.to_owned()),
            "file" => Self::File(text.into()),
            "release" => Self::Release(text.to_owned()),
            "ci" => Self::Ci(text.strip_prefix("ci/").unwrap_or(text).to_owned()),
            "source" => Self::Tree(text.into()),
            _ => return None,
        })
    }

    /// The type's name, for example `release`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Release(_) => "release",
            Self::Url(_) => "url",
            Self::File(_) => "file",
            Self::Ci(_) => "ci",
            Self::Tree(_) => "source",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian => formatter.write_str("debian"),
            Self::Release(text) | Self::Url(text) => formatter.write_str(text),
            Self::Ci(marker) => write!(formatter, "ci/{marker}"),
            Self::File(path) | Self::Tree(path) => path.display().fmt(formatter),
        }
    }
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::parse(text))
    }
}

/// A semantic version, with or without a leading `v`.
pub(super) fn is_version(text: &str) -> bool {
    semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn sources_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.tar.gz");
        std::fs::write(&file, "").unwrap();
        let cases = [
            ("debian", "debian"),
            ("https://example.com/server.tar.gz", "url"),
            ("http://example.com/x", "url"),
            (file.to_str().unwrap(), "file"),
            (directory.path().to_str().unwrap(), "source"),
            ("ci/latest", "ci"),
            ("ci/latest-1.30", "ci"),
            ("v1.30.0", "release"),
            ("1.30.0", "release"),
            ("v1.30.0-rc.1+build.5", "release"),
            ("1.30", "source"),
            ("other", "source"),
            ("", "source"),
        ];
        for (text, kind) in cases {
            assert_eq!(Source::parse(text).kind(), kind, "{text}");
        }
    }

    #[test]
    fn what_is_no_source_is_told_before_anything_begins() {
        let code = |kind: &str, text: &str| {
            let checked = Source::of_type(kind, text).unwrap().check();
            checked.err().map(|error| error.code())
        };
        assert_eq!(code("", "bogus"), Some(Code::BuildSourceUnknown));
        assert_eq!(code("release", "1.33"), Some(Code::BuildSourceVersion));
        assert_eq!(code("url", "ftp://x/y"), Some(Code::DownloadAddress));
        assert_eq!(code("file", "/nonexistent"), Some(Code::BuildIo));
        assert_eq!(code("file", "/"), Some(Code::BuildIo));
        for (kind, text) in [("", "debian"), ("", "v1.37.0"), ("ci", ""), ("source", "")] {
            assert_eq!(code(kind, text), None, "{kind} {text}");
        }
    }

    #[test]
    fn an_unknown_type_is_refused() {
        assert_eq!(Source::of_type("tarball", "x"), None);
        assert_eq!(
            Source::of_type("ci", "ci/latest"),
            Some(Source::Ci("latest".to_owned()))
        );
    }

    #[test]
    fn malformed_versions_are_no_releases() {
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
            "v 1.2.3",
            "vv1.2.3",
        ] {
            assert!(!is_version(text), "{text}");
        }
    }
}
