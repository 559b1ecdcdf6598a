//! `cargo xtask test`: style, lints, documentation, licences, unit tests, and real clusters.

use crate::shell::{self, cargo};
use crate::{Failure, deny, fuzz, measure, node_image, packages, programs, sample};

/// Runs everything; `fast` leaves out what needs a real cluster.
pub(crate) fn run(fast: bool) -> Result<(), Failure> {
    packages::ensure(&packages::CLUSTER, true)?;
    packages::ensure(&packages::TESTS, true)?;
    style()?;
    shell::run(cargo().args(["test", "--workspace", "--quiet"]))?;
    // Every fuzz target on its seeds and on some changes of them.
    shell::run(&mut fuzz::fuzz_tests())?;
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
    deny::check()
}
