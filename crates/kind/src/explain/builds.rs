//! Codes of builds of node images.

use super::entry::{Entry, entry};
use crate::Code;

const APPEARS: &str = "`build node-image`, `create cluster --from`.";

/// What they mean.
pub(super) const TABLE: &[Entry] = &[
    entry(
        Code::BuildToolMissing,
        [
            "A build runs a few programs of the host, and one of them is not installed.",
            APPEARS,
            "Install the package that the hint names.",
            "mmdebstrap is not installed",
        ],
    ),
    entry(
        Code::BuildNotRoot,
        [
            "Builds make root directories with owners and devices, which only root may make.",
            APPEARS,
            "Build with sudo once; `kind create cluster --image IMAGE` needs no root then.",
            "building a node image needs root",
        ],
    ),
    entry(
        Code::BuildNoSpace,
        [
            "The disk of the cache or of the state directory has less room than the build needs.",
            APPEARS,
            "Make room (`kind prune --build-cache`), or choose other directories with KIND_CACHE_DIR and KIND_STATE_DIR.",
            "/var/cache/kind has 900 MiB of free space, the build needs 6000 MiB",
        ],
    ),
    entry(
        Code::BuildSourceUnknown,
        [
            "The source is neither `debian` nor a version, a URL, a file or a directory that exists.",
            APPEARS,
            "`kind build node-image --help` has all forms.",
            "\"bogus\" is neither `debian` nor a Kubernetes version, a URL, a file or a directory",
        ],
    ),
    entry(
        Code::BuildSourceVersion,
        [
            "A release is named by its whole version.",
            APPEARS,
            "Give all three numbers, for example v1.33.4.",
            "1.33 is not a valid kubernetes version",
        ],
    ),
    entry(
        Code::BuildSourceTree,
        [
            "The directory is no checkout of Kubernetes, or none was found where kind looks for one.",
            APPEARS,
            "Give the directory of a checkout, or another source such as `debian`.",
            "error finding kuberoot: …",
        ],
    ),
    entry(
        Code::BuildTarball,
        [
            "The file or download is not the tarball of a release's server programs.",
            APPEARS,
            "A release's is called `kubernetes-server-linux-ARCH.tar.gz`.",
            "server.tar.gz is no Kubernetes server tarball: …",
        ],
    ),
    entry(
        Code::BuildDigestMissing,
        [
            "What is downloaded must have the digest that somebody else than its server tells: you, or a release's changelog.",
            APPEARS,
            "Give the digest after the source, `https://…/kubernetes-server-linux-amd64.tar.gz@sha256:HEX` or `v1.33.4@sha256:HEX`, or give a file that you trust.",
            "cannot tell whether https://example.com/server.tar.gz is what it should be: no digest is given",
        ],
    ),
    entry(
        Code::BuildArchitecture,
        [
            "The programs for nodes exist for amd64 and arm64.",
            APPEARS,
            "Build on such a machine.",
            "no node images are built on architecture \"riscv64\"",
        ],
    ),
    entry(
        Code::BuildCommand,
        [
            "A program that the build ran (mmdebstrap, apt, the compiler, docker) failed. Its last lines follow.",
            APPEARS,
            "Read the log that the hint names. Steps that went well are kept: the next build goes on there.",
            "compile: unshare failed (exit status: 2)",
        ],
    ),
    entry(
        Code::BuildUnexpected,
        [
            "A step went well and did not leave what the next one needs.",
            APPEARS,
            "Build again from scratch (`kind prune --build-cache`): packages may have changed meanwhile.",
            "root: …",
        ],
    ),
    entry(
        Code::BuildIo,
        [
            "The system refused an operation on a file of the build.",
            APPEARS,
            "Mend what the message says: a path, its permissions, a full disk.",
            "write /var/cache/kind/logs/root.log: no space left on device",
        ],
    ),
];
