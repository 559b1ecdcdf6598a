//! The root filesystem of nodes.

use std::path::Path;

use super::super::assemble::NodeRoot;
use super::super::cache::{BuildCache, CacheKey, StepContext, StepOutput};
use super::super::chroot::Chroot;
use super::super::command::NO_PROGRESS;
use super::super::{Error, Step, tree};
use super::suites::Base;
use super::{root, runtime};
use crate::packages::Packages;

/// What nodes have beside a minimal system and what runs their containers.
const PACKAGES: &[&str] = &[
    "bash",
    "ca-certificates",
    "conntrack",
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

/// Name in the step's result of the record of packages.
const RECORD: &str = "packages.json";

/// The root filesystem of nodes with that version of Kubernetes.
pub(super) fn make_node_root(
    build_cache: &BuildCache<'_>,
    version: &str,
    mirror: Option<&str>,
) -> Result<NodeRoot, Error> {
    let base = Base::for_kubernetes(version);
    let key = CacheKey::of_parts([
        // What decides where packages come from is an input as well.
        include_str!("suites.rs"),
        include_str!("runtime.rs"),
        base.root_suite(),
        &PACKAGES.join(","),
        &OPTIONS.join(","),
        TRIM,
        mirror.unwrap_or_default(),
    ]);
    let path = build_cache.cached_step(Step::NodeRoot, &key, |work| {
        let directory = work.directory.join("root");
        let what = root::Root {
            suite: base.root_suite(),
            packages: PACKAGES,
            options: OPTIONS,
        };
        root::make_root(work, &directory, &what, mirror)?;
        let packages = runtime::install_runtime(work, &directory, base, mirror)?;
        tree::write_file(&work.directory.join(RECORD), 0o644, &packages.to_json())?;
        trim_root(work, &directory)
    })?;
    let packages = read_record(&path.join(RECORD))?;
    let made = StepOutput { path, key };
    Ok(NodeRoot { made, packages })
}

fn read_record(path: &Path) -> Result<Packages, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::path("read", path))?;
    Packages::parse(&text).ok_or_else(|| Error::Unexpected {
        step: Step::NodeRoot,
        what: format!("{} is no record of packages", path.display()),
    })
}

/// Takes away what a node does not need, and what would change the host's kernel.
fn trim_root(work: &StepContext<'_>, directory: &Path) -> Result<(), Error> {
    work.run_command(Chroot::new(directory).script(TRIM, &[]), NO_PROGRESS)?;
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
