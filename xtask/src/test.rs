//! `cargo xtask test`: style, lints, documentation, licences, unit tests, and real clusters.

use crate::shell::{self, cargo, has};
use crate::{Failure, measure, node_image, packages, programs, sample};

/// Runs everything; `fast` leaves out what needs a real cluster.
pub(crate) fn run(fast: bool) -> Result<(), Failure> {
    packages::ensure(&packages::CLUSTER, true)?;
    packages::ensure(&packages::TESTS, true)?;
    style()?;
    shell::run(cargo().args(["test", "--workspace", "--quiet"]))?;
    fuzz_targets()?;
    if fast {
        return Ok(());
    }
    packages::ensure(&packages::ENGINES, true)?;
    let kind = programs::build()?.kind;
    shell::run(
        cargo()
            .args(["test", "--package", "kind-e2e"])
            .env("KIND_NODE_IMAGE", node_image::archive(&kind, &[])?)
            .env("KIND_BINARY", kind)
            .env("KIND_SAMPLE_IMAGE", sample::archive()?),
    )
}

/// Tries every fuzz target on its seeds and on some changes of them.
fn fuzz_targets() -> Result<(), Failure> {
    let mut test = cargo();
    test.args(["test", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]);
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        // What the workspace has compiled is used again.
        test.args(["--target-dir", "target"]);
    }
    shell::run(&mut test)
}

fn style() -> Result<(), Failure> {
    shell::run(cargo().args(["fmt", "--all", "--check"]))?;
    measure::check_structure(&shell::root())?;
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    shell::run(cargo().args(lints))?;
    let documents = ["doc", "--workspace", "--lib", "--no-deps", "--quiet"];
    shell::run(cargo().args(documents).env("RUSTDOCFLAGS", "-D warnings"))?;
    if !has("cargo-deny") {
        shell::run(cargo().args(["install", "--quiet", "--locked", "cargo-deny"]))?;
    }
    shell::run(cargo().args([
        "deny",
        "--log-level",
        "error",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))
}
