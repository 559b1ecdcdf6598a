//! Building the command, with the program for nodes inside.

use std::path::PathBuf;

use crate::Failure;
use crate::shell::{cargo, root, run};

/// The programs that were built.
pub(crate) struct Programs {
    /// The command `kind`.
    pub(crate) kind: PathBuf,
}

/// Builds `kind-node` as one static file, then `kind`, which carries it.
pub(crate) fn build() -> Result<Programs, Failure> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    run(cargo()
        .args([
            "build",
            "--release",
            "--package",
            "kind-node",
            "--target",
            &target,
        ])
        // With a target, the flags reach the program alone and not the build scripts.
        .env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let directory = directory();
    let kind_node = directory.join(&target).join("release/kind-node");
    run(cargo()
        .args(["build", "--release", "--package", "kind-cli"])
        .env("KIND_NODE_BINARY", kind_node))?;
    Ok(Programs {
        kind: directory.join("release/kind"),
    })
}

/// The command under test: that of the tests' variable, or one built now.
pub(crate) fn kind_under_test() -> Result<PathBuf, Failure> {
    match std::env::var_os("KIND_BINARY") {
        Some(path) => Ok(path.into()),
        None => Ok(build()?.kind),
    }
}

/// Where cargo puts what it builds.
pub(crate) fn directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
