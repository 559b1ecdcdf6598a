//! Image references: parsing and normal form.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, Error};

const DEFAULT_DOMAIN: &str = "docker.io";
const DEFAULT_TAG: &str = "latest";

/// An image reference in its full form, for example `docker.io/library/ubuntu:18.04`.
///
/// Short forms are completed as container engines do it: no domain means `docker.io`, a bare name
/// there gets `library/`, and neither tag nor digest means the tag `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Registry host, with its port if it has one.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Repository below the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Tag; `None` only where there is a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Digest of the manifest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Registry host and repository.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The name to pull by: a digest replaces the tag.
    pub fn pull_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.repository()),
            (None, Some(tag)) => format!("{}:{tag}", self.repository()),
            (None, None) => self.repository(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|reason| Error::Reference {
            text: text.to_owned(),
            reason,
        })
    }
}

/// What a message shows of a reference: as written, without the digest.
pub fn friendly(text: &str) -> &str {
    text.split_once('@').map_or(text, |(name, _)| name)
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => {
            let digest = digest.parse().map_err(|_| "its digest is malformed")?;
            (name, Some(digest))
        }
        None => (text, None),
    };
    let (name, tag) = split_tag(name);
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    let (domain, path) = split_domain(name);
    check_domain(domain)?;
    check_path(&path)?;
    let tag = match (tag, &digest) {
        (None, None) => Some(DEFAULT_TAG),
        (tag, _) => tag,
    };
    Ok(Reference {
        domain: domain.to_owned(),
        path,
        tag: tag.map(str::to_owned),
        digest,
    })
}

/// A tag follows the last colon, unless a slash comes later: then the colon is a port's.
fn split_tag(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (name, None),
    }
}

fn split_domain(name: &str) -> (&str, String) {
    let explicit = name
        .split_once('/')
        .filter(|(first, _)| first.contains(['.', ':']) || *first == "localhost");
    let (domain, path) = explicit.unwrap_or((DEFAULT_DOMAIN, name));
    if domain == DEFAULT_DOMAIN && !path.contains('/') {
        return (domain, format!("library/{path}"));
    }
    (domain, path.to_owned())
}

fn check_domain(domain: &str) -> Result<(), &'static str> {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'[' | b']');
    if domain.is_empty() || !domain.bytes().all(allowed) {
        return Err("its registry is malformed");
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.len() > 255 {
        return Err("its repository is longer than 255 characters");
    }
    let allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    for part in path.split('/') {
        let bytes = part.as_bytes();
        if !bytes.iter().copied().all(allowed) {
            return Err(
                "its repository has a character other than a-z, 0-9, `.`, `_`, `-` and `/`",
            );
        }
        let edges = [bytes.first(), bytes.last()];
        if !edges
            .iter()
            .all(|edge| edge.is_some_and(u8::is_ascii_alphanumeric))
        {
            return Err("a part of its repository does not begin and end with a letter or digit");
        }
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let good = !tag.is_empty()
        && tag.len() <= 128
        && tag.bytes().all(allowed)
        && !tag.starts_with(['.', '-']);
    if good {
        Ok(())
    } else {
        Err("its tag is malformed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parsed(text: &str) -> Reference {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn short_names_are_completed() {
        let cases = [
            ("ubuntu:18.04", "docker.io/library/ubuntu:18.04"),
            ("custom/ubuntu:18.04", "docker.io/custom/ubuntu:18.04"),
            (
                "registry.k8s.io/kindest/node:latest",
                "registry.k8s.io/kindest/node:latest",
            ),
            ("registry.k8s.io/pause:3.6", "registry.k8s.io/pause:3.6"),
            ("baz", "docker.io/library/baz:latest"),
            ("other-registry/baz", "docker.io/other-registry/baz:latest"),
            ("localhost:5000/baz", "localhost:5000/baz:latest"),
            ("localhost:5000/baz:quux", "localhost:5000/baz:quux"),
            ("docker.io/baz", "docker.io/library/baz:latest"),
        ];
        for (text, full) in cases {
            assert_eq!(parsed(text).to_string(), full, "{text}");
        }
    }

    #[test]
    fn digests_replace_tags_when_pulling() {
        let cases = [
            (
                "kindest/node:v1.21.1@D",
                "kindest/node:v1.21.1",
                "docker.io/kindest/node@D",
            ),
            (
                "kindest/node:v1.21.1",
                "kindest/node:v1.21.1",
                "docker.io/kindest/node:v1.21.1",
            ),
            ("kindest/node@D", "kindest/node", "docker.io/kindest/node@D"),
            (
                "foo.bar/kindest/node:v1.21.1@D",
                "foo.bar/kindest/node:v1.21.1",
                "foo.bar/kindest/node@D",
            ),
            (
                "foo.bar/kindest/node:v1.21.1",
                "foo.bar/kindest/node:v1.21.1",
                "foo.bar/kindest/node:v1.21.1",
            ),
            ("foo.bar/baz:quux@D", "foo.bar/baz:quux", "foo.bar/baz@D"),
            (
                "localhost:5000/kindest/node:v1.21.1@D",
                "localhost:5000/kindest/node:v1.21.1",
                "localhost:5000/kindest/node@D",
            ),
            ("baz:quux@D", "baz:quux", "docker.io/library/baz@D"),
            ("baz:quux", "baz:quux", "docker.io/library/baz:quux"),
            ("baz@D", "baz", "docker.io/library/baz@D"),
        ];
        for (text, shown, pulled) in cases {
            let text = text.replace("@D", &format!("@{D}"));
            assert_eq!(friendly(&text), shown, "{text}");
            assert_eq!(
                parsed(&text).pull_name(),
                pulled.replace("@D", &format!("@{D}")),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        let long = "a".repeat(300);
        for text in [
            "",
            ":",
            "@",
            "a@",
            "a:",
            ":a",
            "A/b",
            "a//b",
            "a/",
            "/a",
            "a b",
            "-a",
            "a/../b",
            "a:-x",
            "a@sha256:zz",
            "a\n",
            long.as_str(),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses_or_fails_without_a_panic(text in ".{0,60}") {
            if let Ok(reference) = text.parse::<Reference>() {
                let again: Reference = reference.to_string().parse().unwrap();
                proptest::prop_assert_eq!(again, reference);
            }
        }
    }
}
