//! Where Kubernetes comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::Digest;

/// Where the Kubernetes of a node image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Debian's own source package, compiled here.
    Debian,
    /// A release by version; `@sha256:HEX` may follow.
    Release(String),
    /// A server tarball on the network, with `@sha256:HEX` after it.
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
        if is_version(split_digest(text).0) {
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

/// A source without the digest after it, `SOURCE@sha256:HEX`, and that digest.
pub(super) fn split_digest(text: &str) -> (&str, Option<Digest>) {
    let split = text.rsplit_once('@');
    let found = split.and_then(|(source, digest)| Some((source, digest.parse().ok()?)));
    found.map_or((text, None), |(source, digest)| (source, Some(digest)))
}

/// A semantic version, with or without a leading `v`.
pub(super) fn is_version(text: &str) -> bool {
    semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    /// A release whose tarball has the digest of nothing.
    const PINNED: &str =
        "v1.30.0@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_may_follow_a_source() {
        assert_eq!(split_digest(PINNED), ("v1.30.0", Some(Digest::of(b""))));
        for text in ["v1.30.0", "v1.30.0@sha256:e3b0", "https://a@b/c", ""] {
            assert_eq!(split_digest(text), (text, None));
        }
    }

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
            (PINNED, "release"),
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
        for text in ["http://x/y", "https://x/y", "https://x/y@sha256:0"] {
            assert_eq!(code("", text), Some(Code::BuildDigestMissing), "{text}");
        }
        let pinned = PINNED.replace("v1.30.0", "http://x/y");
        assert_eq!((code("", &pinned), code("", PINNED)), (None, None));
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
