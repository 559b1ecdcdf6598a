//! Which Debian a node stands on, and which of Debian's suites its container runtime comes from.

use super::super::Error;
use super::super::node_files::is_since;
use crate::packages::{Package, Packages, Release, is_at_least};

/// A package and the oldest release of it that will do.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) package: &'static str,
    at_least: Release,
}

/// What nodes of some versions of Kubernetes stand on.
#[derive(Debug)]
pub(super) struct Base {
    /// Suites, oldest first: the first is that of the root, the others may have what it has too old.
    pub(super) suites: &'static [&'static str],
    /// What runs containers: of each, the oldest suite's that is new enough.
    pub(super) requirements: &'static [Requirement],
}

/// Kubernetes before 1.24 has no cgroup v2 to speak of, and its kubelet knows nothing of containerd 2.
const OLD: Base = Base {
    suites: &["bookworm"],
    requirements: &[
        Requirement {
            package: "containerd",
            at_least: (1, 6),
        },
        Requirement {
            package: "runc",
            at_least: (1, 1),
        },
        Requirement {
            package: "containernetworking-plugins",
            at_least: (1, 1),
        },
    ],
};

const CURRENT: Base = Base {
    suites: &["trixie", "forky", "sid"],
    requirements: &[
        Requirement {
            package: "containerd",
            at_least: (2, 1),
        },
        Requirement {
            package: "runc",
            at_least: (1, 3),
        },
        Requirement {
            package: "containernetworking-plugins",
            at_least: (1, 9),
        },
    ],
};

impl Base {
    /// What nodes with that version of Kubernetes stand on.
    pub(super) fn for_kubernetes(version: &str) -> &'static Self {
        if is_since(version, (1, 24)) {
            &CURRENT
        } else {
            &OLD
        }
    }

    pub(super) fn root_suite(&self) -> &'static str {
        self.suites[0]
    }
}

/// A version of a package that a suite has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) suite: String,
}

impl Requirement {
    /// The offer of the oldest suite that has the package new enough. If none has, that of the newest
    /// suite which has it at all.
    pub(super) fn choose_offer<'o>(
        &self,
        suites: &[&str],
        offers: &'o [Offer],
    ) -> Option<&'o Offer> {
        let of_suite = |suite: &&str| {
            let mut offers = offers.iter();
            offers.find(|offer| offer.package == self.package && offer.suite == **suite)
        };
        let mut found = suites.iter().filter_map(of_suite);
        found
            .find(|offer| self.is_met_by(offer))
            .or_else(|| suites.iter().rev().find_map(of_suite))
    }

    /// Whether one of the offers will do.
    pub(super) fn is_met(&self, offers: &[Offer]) -> bool {
        offers.iter().any(|offer| self.is_met_by(offer))
    }

    fn is_met_by(&self, offer: &Offer) -> bool {
        offer.package == self.package && is_at_least(&offer.version, self.at_least)
    }
}

/// What `apt-cache madison` lists: a row for each package, version and suite, the newest version first.
/// Security updates and stable updates count as the suite's own.
pub(super) fn parse_offers(madison: &str) -> Vec<Offer> {
    madison.lines().filter_map(parse_offer).collect()
}

fn parse_offer(row: &str) -> Option<Offer> {
    let mut columns = row.split('|').map(str::trim);
    let (package, version, index) = (columns.next()?, columns.next()?, columns.next()?);
    let suite = index.split_whitespace().nth(1)?.split('/').next()?;
    let suite = suite
        .strip_suffix("-security")
        .or_else(|| suite.strip_suffix("-updates"))
        .unwrap_or(suite);
    Some(Offer {
        package: package.to_owned(),
        version: version.to_owned(),
        suite: suite.to_owned(),
    })
}

/// Whether apt failed because the mirror does not have a suite.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Command { output, .. } if output.0.contains("does not have a Release file"))
}

/// The record of installed packages, from rows of name and version as `dpkg-query` lists them; each comes
/// from the oldest suite that has this version.
pub(super) fn record_packages(installed: &str, suites: &[&str], offers: &[Offer]) -> Packages {
    let rows = installed.lines().filter_map(|row| row.split_once(' '));
    let packages = rows.map(|(name, version)| {
        let is_from = |suite: &&&str| {
            let mut offers = offers.iter();
            offers.any(|offer| {
                offer.package == name && offer.version == version && offer.suite == **suite
            })
        };
        let suite = suites.iter().find(is_from);
        let package = Package {
            version: version.to_owned(),
            suite: suite.map_or("unknown", |suite| suite).to_owned(),
        };
        (name.to_owned(), package)
    });
    Packages(packages.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::Step;
    use super::super::super::error::Output;
    use super::*;

    /// What Debian had in November 2026.
    const MADISON: &str = "\
containerd | 2.1.9+ds1-5 | http://deb.debian.org/debian forky/main amd64 Packages
containerd | 2.1.9+ds1-5 | http://deb.debian.org/debian sid/main amd64 Packages
containerd | 1.7.24~ds1-6+deb13u1 | http://deb.debian.org/debian trixie/main amd64 Packages
containerd | 1.7.24~ds1-6+deb13u1 | http://security.debian.org/debian-security trixie-security/main amd64 Packages
      runc | 1.3.6+ds1-1 | http://deb.debian.org/debian forky/main amd64 Packages
      runc | 1.3.6+ds1-1 | http://deb.debian.org/debian sid/main amd64 Packages
      runc | 1.1.15+ds1-2+deb13u1 | http://security.debian.org/debian-security trixie-security/main amd64 Packages
      runc | 1.1.15+ds1-2+b4 | http://deb.debian.org/debian trixie/main amd64 Packages
";

    fn chosen(madison: &str, package: &str) -> Option<(String, String)> {
        let base = Base::for_kubernetes("v1.36.2");
        let mut requirements = base.requirements.iter();
        let requirement = requirements
            .find(|requirement| requirement.package == package)
            .unwrap();
        let offers = parse_offers(madison);
        let offer = requirement.choose_offer(base.suites, &offers)?;
        Some((offer.suite.clone(), offer.version.clone()))
    }

    fn pair(suite: &str, version: &str) -> Option<(String, String)> {
        Some((suite.to_owned(), version.to_owned()))
    }

    #[test]
    fn the_oldest_suite_that_is_new_enough_is_taken() {
        assert_eq!(chosen(MADISON, "containerd"), pair("forky", "2.1.9+ds1-5"));
        assert_eq!(chosen(MADISON, "runc"), pair("forky", "1.3.6+ds1-1"));
        let backported =
            format!("{MADISON}runc | 1.4.0-1~deb13u1 | http://d trixie/main amd64 P\n");
        let updated = backported.replace("runc | 1.1", "gone | 1.1");
        assert_eq!(chosen(&updated, "runc"), pair("trixie", "1.4.0-1~deb13u1"));
    }

    #[test]
    fn when_a_version_is_gone_the_next_suite_is_asked() {
        let without_forky = MADISON.replace("forky/main", "other/main");
        assert_eq!(
            chosen(&without_forky, "containerd"),
            pair("sid", "2.1.9+ds1-5")
        );
        let newer = MADISON.replace(
            "2.1.9+ds1-5 | http://deb.debian.org/debian forky",
            "3.0.0-1 | d forky",
        );
        assert_eq!(chosen(&newer, "containerd"), pair("forky", "3.0.0-1"));
    }

    #[test]
    fn a_mirror_without_newer_suites_gives_what_it_has() {
        let only_trixie: String = MADISON
            .lines()
            .filter(|row| row.contains("trixie"))
            .flat_map(|row| [row, "\n"])
            .collect();
        let security = pair("trixie", "1.1.15+ds1-2+deb13u1");
        assert_eq!(chosen(&only_trixie, "runc"), security);
        assert_eq!(chosen("", "runc"), None);
        let offers = parse_offers(&only_trixie);
        let base = Base::for_kubernetes("v1.36.2");
        assert!(base.requirements.iter().all(|one| !one.is_met(&offers)));
    }

    #[test]
    fn old_kubernetes_stands_on_what_it_was_made_for() {
        for (version, suite) in [
            ("v1.20.2", "bookworm"),
            ("v1.23.17", "bookworm"),
            ("v1.24.0", "trixie"),
            ("v1.37.0-rc.1", "trixie"),
        ] {
            assert_eq!(
                Base::for_kubernetes(version).root_suite(),
                suite,
                "{version}"
            );
        }
    }

    #[test]
    fn the_record_says_where_each_package_is_from() {
        let installed = "containerd 2.1.9+ds1-5\nrunc 1.1.15+ds1-2+deb13u1\nlibc6 9-1\n";
        let record = record_packages(
            installed,
            &["trixie", "forky", "sid"],
            &parse_offers(MADISON),
        );
        let suites: Vec<_> = record
            .0
            .iter()
            .map(|(name, package)| (name.as_str(), package.suite.as_str()))
            .collect();
        let expected = [
            ("containerd", "forky"),
            ("libc6", "unknown"),
            ("runc", "trixie"),
        ];
        assert_eq!(suites, expected);
    }

    #[test]
    fn a_mirror_without_a_suite_is_told_from_one_that_does_not_answer() {
        let failed = |text: &str| Error::Command {
            step: Step::NodeRoot,
            program: "chroot".to_owned(),
            status: "exit status: 100".to_owned(),
            log: "log".into(),
            output: Output(text.to_owned()),
        };
        let absent = "Err:2 http://mirror/debian sid Release\n  404  Not Found [IP: 192.0.2.1 80]\n\
            E: The repository 'http://mirror/debian sid Release' does not have a Release file.";
        let unreachable = "E: Failed to fetch http://mirror/debian/dists/sid/InRelease  Could not connect\n\
            E: Some index files failed to download. They have been ignored, or old ones used instead.";
        assert!(is_absent(&failed(absent)));
        assert!(!is_absent(&failed(unreachable)));
        assert!(!is_absent(&Error::NotRoot));
    }
}
