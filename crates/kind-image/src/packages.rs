//! The packages of a node image that decide what its Kubernetes can do.
//!
//! Images that are built here say what they have: in the file [`RECORD`], as JSON, and in labels that
//! begin with [`LABEL_PREFIX`]. Which features of Kubernetes need which release of a package is a table,
//! from Kubernetes' documentation of each feature.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Path of the record in an image, without a leading slash.
pub const RECORD: &str = "kind/packages.json";
/// What the labels' names begin with; the rest is a package's name.
pub const LABEL_PREFIX: &str = "io.x-k8s.kind.package.";

/// A major and a minor release number.
pub type Release = (u32, u32);

/// A package as it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The package's version, for example `2.1.9+ds1-5`.
    pub version: String,
    /// The suite of the distribution that it comes from, for example `forky`.
    pub suite: String,
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.version, self.suite)
    }
}

/// An image's packages by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages(pub BTreeMap<String, Package>);

impl Packages {
    /// Reads a record; `None` if it is none.
    pub fn parse(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    /// The record's text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a record is plain data");
        text.push('\n');
        text
    }

    /// The labels of an image with these packages.
    pub fn labels(&self) -> impl Iterator<Item = (String, String)> {
        let packages = self.0.iter();
        packages.map(|(name, package)| (format!("{LABEL_PREFIX}{name}"), package.to_string()))
    }

    /// Whether a package is of that release or a later one; `false` if it is not there.
    pub fn has_release(&self, name: &str, release: Release) -> bool {
        let package = self.0.get(name);
        package.is_some_and(|package| is_at_least(&package.version, release))
    }

    /// What a Kubernetes of that version has but cannot do with these packages. Packages that are not
    /// recorded are not judged.
    pub fn shortcomings(&self, kubernetes: &str) -> Vec<Shortcoming> {
        let packages = self.0.iter();
        let judged =
            packages.map(|(name, package)| shortcoming(kubernetes, name, &package.version));
        judged.flatten().collect()
    }
}

/// A package that is too old for what a Kubernetes has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortcoming {
    package: String,
    version: String,
    kubernetes: String,
    /// What does not work, and the release that it needs.
    missing: Vec<(&'static str, Release)>,
}

impl fmt::Display for Shortcoming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            package,
            version,
            kubernetes,
            missing,
        } = self;
        write!(
            formatter,
            "{package} {version} of the node image is too old for Kubernetes {kubernetes}: \
             these will not work: "
        )?;
        for (index, (feature, (major, minor))) in missing.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(
                formatter,
                "{separator}{feature} (needs {package} {major}.{minor})"
            )?;
        }
        Ok(())
    }
}

/// A feature of Kubernetes that needs something of what runs its containers.
struct Feature {
    name: &'static str,
    /// The first release of Kubernetes that has it without a feature gate being set.
    since: Release,
    needs: &'static [(&'static str, Release)],
}

const FEATURES: &[Feature] = &[
    Feature {
        name: "recursive read-only mounts",
        since: (1, 31),
        needs: &[("containerd", (2, 0)), ("runc", (1, 1))],
    },
    Feature {
        name: "user namespaces (hostUsers: false)",
        since: (1, 33),
        needs: &[("containerd", (2, 0)), ("runc", (1, 2))],
    },
    Feature {
        name: "supplementalGroupsPolicy: Strict",
        since: (1, 33),
        needs: &[("containerd", (2, 0))],
    },
    Feature {
        name: "image volumes",
        since: (1, 35),
        needs: &[("containerd", (2, 1))],
    },
];

/// What a Kubernetes has but cannot do with this version of a package; `None` if there is nothing, or if a
/// version cannot be read.
pub fn shortcoming(kubernetes: &str, package: &str, version: &str) -> Option<Shortcoming> {
    let has = release(kubernetes)?;
    let installed = release(version)?;
    let offered = FEATURES.iter().filter(|feature| has >= feature.since);
    let missing: Vec<_> = offered
        .flat_map(|feature| feature.needs.iter().map(move |need| (feature, need)))
        .filter(|(_, (name, needed))| *name == package && installed < *needed)
        .map(|(feature, (_, needed))| (feature.name, *needed))
        .collect();
    (!missing.is_empty()).then(|| Shortcoming {
        package: package.to_owned(),
        version: version.to_owned(),
        kubernetes: kubernetes.to_owned(),
        missing,
    })
}

/// Whether a version is of that release or a later one; `false` if it cannot be read.
pub fn is_at_least(version: &str, wanted: Release) -> bool {
    release(version).is_some_and(|found| found >= wanted)
}

/// The release that a version is of: of a program, with or without a `v`, or of a Debian package.
pub fn release(version: &str) -> Option<Release> {
    let mut numbers = upstream(version).trim_start_matches('v').split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

/// What a Debian package's version says of what is in it.
///
/// `1.20.5+really1.20.2-1.1+deb12u1` is 1.20.2: Debian went back to an older one under a higher number.
pub fn upstream(package_version: &str) -> &str {
    let version = package_version
        .rsplit_once('-')
        .map_or(package_version, |(upstream, _)| upstream);
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version
        .split_once("+really")
        .map_or(version, |(_, real)| real);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(versions: &[(&str, &str)]) -> Packages {
        let package = |(name, version): &(&str, &str)| {
            let package = Package {
                version: (*version).to_owned(),
                suite: "forky".to_owned(),
            };
            ((*name).to_owned(), package)
        };
        Packages(versions.iter().map(package).collect())
    }

    #[test]
    fn releases_are_read_from_versions_of_programs_and_packages() {
        for (version, expected) in [
            ("2.1.9+ds1-5", Some((2, 1))),
            ("1.7.24~ds1-6+deb13u1", Some((1, 7))),
            ("1.1.15+ds1-2+b4", Some((1, 1))),
            ("v2.3.4", Some((2, 3))),
            ("2.1.9+unknown", Some((2, 1))),
            ("1:2.40-1", Some((2, 40))),
            ("1.20.5+really1.20.2-1.1+deb12u1", Some((1, 20))),
            ("v1.37.0-rc.1", Some((1, 37))),
            ("1.20.5+really1.19.2", Some((1, 19))),
            ("", None),
            ("2", None),
            ("unknown", None),
        ] {
            assert_eq!(release(version), expected, "{version}");
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let written = packages(&[("containerd", "2.1.9+ds1-5"), ("runc", "1.3.6+ds1-1")]);
        assert_eq!(Packages::parse(&written.to_json()).unwrap(), written);
        assert_eq!(Packages::parse("[]"), None);
        let labels: Vec<_> = written.labels().collect();
        let label = ("io.x-k8s.kind.package.containerd", "2.1.9+ds1-5 (forky)");
        assert_eq!(labels[0], (label.0.to_owned(), label.1.to_owned()));
    }

    #[test]
    fn packages_that_are_too_old_are_named_with_what_does_not_work() {
        let old = packages(&[
            ("containerd", "1.6.20~ds1-1+b1"),
            ("runc", "1.1.5+ds1-1+deb12u1"),
        ]);
        let told = |kubernetes| {
            let found = old.shortcomings(kubernetes);
            found
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(told("v1.20.2"), "");
        assert_eq!(
            told("v1.31.0"),
            "containerd 1.6.20~ds1-1+b1 of the node image is too old for Kubernetes v1.31.0: these will \
             not work: recursive read-only mounts (needs containerd 2.0)"
        );
        let newest = told("v1.36.2");
        assert!(
            newest.contains("image volumes (needs containerd 2.1)"),
            "{newest}"
        );
        assert!(
            newest.contains("runc 1.1.5+ds1-1+deb12u1 of the node image"),
            "{newest}"
        );
        let new = packages(&[("containerd", "2.1.9+ds1-5"), ("runc", "1.3.6+ds1-1")]);
        assert_eq!(new.shortcomings("v1.36.2"), []);
        assert_eq!(packages(&[]).shortcomings("v1.36.2"), []);
    }
}
