//! What a published tarball must be, as others than its server tell.

use std::fmt::{self, Write as _};
use std::io::{self, Read};

use sha2::{Digest as _, Sha512};

use crate::Digest;

/// What the content of a file must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileDigest {
    Sha256(Digest),
    /// In hexadecimal digits.
    Sha512(String),
}

impl FileDigest {
    /// The digest of a file by the same rule.
    pub(super) fn of_same_kind(&self, file: &mut impl Read) -> io::Result<Self> {
        match self {
            Self::Sha256(_) => Ok(Self::Sha256(Digest::of_reader(file)?.0)),
            Self::Sha512(_) => {
                let mut hasher = Sha512::new();
                let mut buffer = vec![0; 256 << 10];
                loop {
                    match file.read(&mut buffer)? {
                        0 => break,
                        count => hasher.update(&buffer[..count]),
                    }
                }
                let mut hex = String::new();
                for byte in hasher.finalize() {
                    let _ = write!(hex, "{byte:02x}");
                }
                Ok(Self::Sha512(hex))
            }
        }
    }
}

impl fmt::Display for FileDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(formatter),
            Self::Sha512(hex) => write!(formatter, "sha512:{hex}"),
        }
    }
}

/// The changelog that lists a version: there is one for each minor version.
pub(super) fn changelog_name(version: &str) -> Option<String> {
    let version = semver::Version::parse(version.strip_prefix('v').unwrap_or(version)).ok()?;
    Some(format!("CHANGELOG-{}.{}.md", version.major, version.minor))
}

/// The digest that a changelog lists for a download, in a row of the download's link and the digest.
pub(super) fn find_listed(changelog: &str, url: &str) -> Option<FileDigest> {
    let link = format!("({url})");
    let row = changelog.lines().find(|line| line.contains(&link))?;
    let is_hex = |word: &&str| word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut words = row.split(['|', '`', ' ']).filter(is_hex);
    words.find_map(|word| match word.len() {
        128 => Some(FileDigest::Sha512(word.to_owned())),
        64 => Some(FileDigest::Sha256(format!("sha256:{word}").parse().ok()?)),
        _ => None,
    })
}

/// The digest under which a list of promoted images has a tag of an image.
pub(super) fn find_promoted(list: &str, image: &str, tag: &str) -> Option<Digest> {
    let name = format!("- name: {image}");
    let mut lines = list.lines().skip_while(|line| line.trim_end() != name);
    lines.next()?;
    let mut own = lines.take_while(|line| !line.starts_with("- "));
    let tag = format!("\"{tag}\"");
    own.find_map(|line| {
        let (digest, tags) = line.split_once(": [")?;
        let mut tags = tags.trim_end().trim_end_matches(']').split(',');
        tags.any(|known| known.trim() == tag)
            .then(|| digest.trim().trim_matches('"').parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_promoted_images_tell_digests() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let (first, second, other) = (digest("a"), digest("b"), digest("c"));
        let list = format!(
            "- name: etcd\n  dmap:\n    \"{first}\": [\"3.5.1-0\"]\n    \"{second}\": [\"3.6.1-0\", \"3.6.1\"]\n\
             - name: etcd-more\n  dmap:\n    \"{other}\": [\"3.7.0-0\"]\n"
        );
        let found = |image, tag| find_promoted(&list, image, tag).map(|digest| digest.to_string());
        assert_eq!(found("etcd", "3.5.1-0"), Some(first));
        assert_eq!(found("etcd", "3.6.1"), Some(second.clone()));
        assert_eq!(found("etcd", "3.6.1-0"), Some(second));
        assert_eq!(found("etcd-more", "3.7.0-0"), Some(other));
        for (image, tag) in [("etcd", "3.7.0-0"), ("etcd", "3.5.1"), ("etc", "3.5.1-0")] {
            assert_eq!(found(image, tag), None, "{image}:{tag}");
        }
    }

    #[test]
    fn changelogs_list_digests() {
        let (hash, other) = ("ab".repeat(64), "cd".repeat(64));
        let changelog = format!(
            "## Downloads for v1.33.4\n\nfilename | sha512 hash\n-------- | -----------\n\
             [a.tar.gz](https://dl.k8s.io/v1.33.4/a-amd64.tar.gz) | `{other}`\n\
             [a.tar.gz](https://dl.k8s.io/v1.33.4/a.tar.gz) | `{hash}`\n\
             [b.tar.gz](https://dl.k8s.io/v1.33.4/b.tar.gz) | `soon`\n"
        );
        let find =
            |name: &str| find_listed(&changelog, &format!("https://dl.k8s.io/v1.33.4/{name}"));
        assert_eq!(find("a.tar.gz"), Some(FileDigest::Sha512(hash)));
        assert_eq!(find("b.tar.gz"), None);
        assert_eq!(find("c.tar.gz"), None);
        let name = |version| changelog_name(version);
        assert_eq!(
            name("v1.34.0-alpha.1").as_deref(),
            Some("CHANGELOG-1.34.md")
        );
        assert_eq!(name("1.33"), None);
    }

    #[test]
    fn files_are_digested_as_they_are_told() {
        let sha256 = FileDigest::Sha256(Digest::of(b"x"));
        assert_eq!(sha256.of_same_kind(&mut &b"x"[..]).unwrap(), sha256);
        let empty = FileDigest::Sha512(String::new()).of_same_kind(&mut io::empty());
        let text = empty.unwrap().to_string();
        assert!(text.starts_with("sha512:cf83e1357eefb8bd"), "{text}");
    }
}
