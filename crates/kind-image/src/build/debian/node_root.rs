//! The root filesystem of nodes.

use std::path::Path;

use super::super::chroot::Chroot;
use super::super::command::NO_PROGRESS;
use super::super::workshop::{Key, Made, Work, Workshop};
use super::super::{Error, Step};
use super::{SUITE, root};

/// What nodes have beside a minimal system.
const PACKAGES: &[&str] = &[
    "bash",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "e2fsprogs",
    "ebtables",
    "ethtool",
    "iproute2",
    "ipset",
    "iptables",
    "jq",
    "kmod",
    "libseccomp2",
    "mount",
    "nftables",
    "pigz",
    "procps",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
    "tar",
    "util-linux",
];

/// Nobody reads manuals in a node. Licences stay.
const OPTIONS: &[&str] = &[
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/zoneinfo/*",
];

const TRIM: &str = include_str!("trim.sh");

/// The node root, in the directory `root` of the result.
pub(super) fn make(workshop: &Workshop<'_>, mirror: Option<&str>) -> Result<Made, Error> {
    let (packages, options) = (PACKAGES.join(","), OPTIONS.join(","));
    let key = Key::of([SUITE, &packages, &options, TRIM, mirror.unwrap_or_default()]);
    let path = workshop.step(Step::NodeRoot, &key, |work| {
        let directory = work.directory.join("root");
        root::make(work, &directory, PACKAGES, mirror, OPTIONS)?;
        trim(work, &directory)
    })?;
    Ok(Made { path, key })
}

/// Takes away what a node does not need, and what would change the host's kernel.
fn trim(work: &Work<'_>, directory: &Path) -> Result<(), Error> {
    work.run(Chroot::new(directory).script(TRIM, &[]), NO_PROGRESS)?;
    // Outside of the chroot, which uses them: an engine gives nodes their own.
    let emptied = std::fs::read_dir(directory.join("dev")).and_then(|entries| {
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    });
    emptied.map_err(Error::path("empty /dev of", directory))?;
    let resolver = directory.join("etc/resolv.conf");
    std::fs::write(&resolver, "").map_err(Error::path("write", &resolver))
}
