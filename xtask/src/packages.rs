//! What the machine lacks, installed through its package manager.

use std::io::{IsTerminal, Write};

use crate::Failure;
use crate::shell::{has, program, run, say};

/// A program (or a file by its whole path), the Debian package that has it, and what it is needed for.
pub(crate) struct Need {
    program: &'static str,
    package: &'static str,
    reason: &'static str,
}

const fn need(program: &'static str, package: &'static str, reason: &'static str) -> Need {
    Need {
        program,
        package,
        reason,
    }
}

/// What a cluster without a container engine needs.
pub(crate) const CLUSTER: [Need; 5] = [
    need(
        "mmdebstrap",
        "mmdebstrap",
        "makes the file system of nodes from Debian packages",
    ),
    need(
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "debian-archive-keyring",
        "tells Debian's packages from forged ones",
    ),
    need("nft", "nftables", "lets nodes reach the outside"),
    need("kubectl", "kubernetes-client", "talks to the cluster"),
    need("busybox", "busybox-static", "is the sample app"),
];

/// What answers where images are pulled from.
pub(crate) const REGISTRY: Need = need(
    "docker-registry",
    "docker-registry",
    "is the registry that images are pulled from and pushed to",
);

/// What breaks clusters in `cargo xtask faults`.
pub(crate) const FAULTS: [Need; 2] = [
    need("openssl", "openssl", "makes certificates that have expired"),
    IPTABLES,
];

const IPTABLES: Need = need(
    "iptables",
    "iptables",
    "makes firewalls that are in the way of nodes",
);

/// What the tests need beside that.
pub(crate) const TESTS: [Need; 7] = [
    need("zstd", "zstd", "packs archives that are loaded"),
    REGISTRY,
    need(
        "ip",
        "iproute2",
        "makes routes that are in the way of networks",
    ),
    IPTABLES,
    need("make", "make", "builds a tree of sources"),
    need("zsh", "zsh", "completes kind's commands"),
    need("fish", "fish", "completes kind's commands"),
];

/// What the tests on engines need.
pub(crate) const ENGINES: [Need; 6] = [
    need("dockerd", "docker.io", "runs clusters in the tests"),
    need("podman", "podman", "runs clusters in the tests"),
    need(
        "/usr/lib/podman/netavark",
        "netavark",
        "makes podman's networks",
    ),
    need(
        "/usr/lib/podman/aardvark-dns",
        "aardvark-dns",
        "answers for names of podman's containers",
    ),
    need(
        "runc",
        "runc",
        "starts podman's containers on hosts that crun refuses",
    ),
    need("mkfs.ext4", "e2fsprogs", "makes the small disk of a node"),
];

/// Installs what is missing; asks first on a terminal unless `yes`.
pub(crate) fn ensure(needs: &[Need], yes: bool) -> Result<(), Failure> {
    let missing: Vec<_> = needs.iter().filter(|need| !has(need.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say("This machine lacks:");
    for need in &missing {
        say(&format!("  {:<24} {}", need.package, need.reason));
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    if !has("apt-get") {
        return Err(format!("install {} and run this again", packages.join(", ")).into());
    }
    if !yes && std::io::stdin().is_terminal() && !agreed()? {
        return Err("nothing was installed".into());
    }
    run(apt().arg("update"))?;
    run(apt()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages))
}

fn apt() -> std::process::Command {
    let mut command = program("apt-get");
    command.arg("-qq").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn agreed() -> Result<bool, Failure> {
    let mut terminal = std::io::stderr();
    write!(terminal, "Install with apt-get? [Y/n] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}
