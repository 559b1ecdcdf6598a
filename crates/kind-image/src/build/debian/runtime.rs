//! The programs that run containers, put into a node root.
//!
//! The root's own suite may have them too old. Then the next suites are asked, oldest first, and what a
//! package needs beside itself comes from its suite only as far as the root's does not do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::cache::StepContext;
use super::super::chroot::Chroot;
use super::super::command::NO_PROGRESS;
use super::super::{Error, tree};
use super::suites::{self, Base, Offer};
use crate::packages::Packages;

/// Where Debian's packages are, unless another mirror is given.
const MIRROR: &str = "http://deb.debian.org/debian";
/// Where the newer suites stand while they are asked.
const SOURCES: &str = "etc/apt/sources.list.d/newer.list";
/// What the record tells of beside the programs that run containers.
const RECORDED: &[&str] = &[
    "conntrack",
    "iptables",
    "libc6",
    "libseccomp2",
    "nftables",
    "systemd",
];
const APT: &[&str] = &[
    "apt-get",
    "--quiet",
    "--yes",
    "--no-install-recommends",
    "--option=Acquire::Languages=none",
    // A mirror may stand still, for example one of a single day. Signatures are checked all the same.
    "--option=Acquire::Check-Valid-Until=false",
];

/// Installs what runs containers, and returns what is installed.
pub(super) fn install_runtime(
    work: &StepContext<'_>,
    root: &Path,
    base: &Base,
    mirror: Option<&str>,
) -> Result<Packages, Error> {
    let installer = Installer {
        work,
        root,
        base,
        mirror: mirror.unwrap_or(MIRROR),
    };
    let offers = installer.find_offers()?;
    for requirement in base.requirements {
        let offer = requirement
            .choose_offer(base.suites, &offers)
            .ok_or_else(|| Error::Unexpected {
                step: work.step,
                what: format!("the Debian mirror has no package {}", requirement.package),
            })?;
        installer.install_offer(offer)?;
    }
    let record = installer.record_packages(&offers)?;
    let sources = installer.sources();
    fs::remove_file(&sources).map_err(Error::path("remove", &sources))?;
    Ok(record)
}

struct Installer<'a> {
    work: &'a StepContext<'a>,
    root: &'a Path,
    base: &'a Base,
    mirror: &'a str,
}

impl Installer<'_> {
    /// Asks one suite after the other until all that is needed is found new enough. A mirror may lack newer ones.
    fn find_offers(&self) -> Result<Vec<Offer>, Error> {
        let requirements = self.base.requirements;
        let mut asked = Vec::new();
        let mut offers = self.list_offers(&asked)?;
        for suite in &self.base.suites[1..] {
            if requirements.iter().all(|needed| needed.is_met(&offers)) {
                break;
            }
            asked.push(*suite);
            match self.list_offers(&asked) {
                Ok(found) => offers = found,
                Err(error) if suites::is_absent(&error) => {
                    asked.pop();
                }
                Err(error) => return Err(error),
            }
        }
        self.write_sources(&asked)?;
        Ok(offers)
    }

    /// What the root's suite and some newer ones have of what is asked for.
    fn list_offers(&self, newer: &[&str]) -> Result<Vec<Offer>, Error> {
        self.write_sources(newer)?;
        // What cannot be reached for a moment would be taken for a suite without the packages.
        self.run_apt(&["update", "--error-on=any"])?;
        let mut madison = vec!["apt-cache", "madison"];
        madison.extend(self.package_names());
        let rows = self.work.command_output(self.command(&madison))?;
        Ok(suites::parse_offers(&rows))
    }

    /// The root's own suite stands in the sources that it was made with.
    fn write_sources(&self, newer: &[&str]) -> Result<(), Error> {
        let line = |suite: &&str| format!("deb {} {suite} main\n", self.mirror);
        let text: String = newer.iter().map(line).collect();
        tree::write_file(&self.sources(), 0o644, &text)
    }

    fn install_offer(&self, offer: &Offer) -> Result<(), Error> {
        let package = format!("{}={}", offer.package, offer.version);
        let release = format!("--target-release={}", offer.suite);
        self.run_apt(&["install", &release, &package])
    }

    fn record_packages(&self, offers: &[Offer]) -> Result<Packages, Error> {
        let mut query = vec![
            "dpkg-query",
            "--show",
            "--showformat=${Package} ${Version}\\n",
        ];
        query.extend(self.package_names());
        let installed = self.work.command_output(self.command(&query))?;
        Ok(suites::record_packages(
            &installed,
            self.base.suites,
            offers,
        ))
    }

    fn package_names(&self) -> impl Iterator<Item = &'static str> {
        let required = self.base.requirements.iter();
        required
            .map(|requirement| requirement.package)
            .chain(RECORDED.iter().copied())
    }

    fn run_apt(&self, arguments: &[&str]) -> Result<(), Error> {
        self.work
            .run_command(self.command(&[APT, arguments].concat()), NO_PROGRESS)
    }

    fn command(&self, argv: &[&str]) -> Command {
        let mut command = Chroot::new(self.root).command(argv);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn sources(&self) -> PathBuf {
        self.root.join(SOURCES)
    }
}
