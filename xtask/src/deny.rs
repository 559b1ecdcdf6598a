//! Licences, sources, versions and known flaws of all crates, those of the fuzz targets too, by `cargo deny`.

use crate::Failure;
use crate::shell::{cargo, output, run, say};

/// What it is asked is the same for everybody, and so is who answers.
const VERSION: &str = "0.20.2";
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];
/// Every one has a lock file of its own.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

/// Checks both workspaces. Flaws are left out, with a word, where the database of them cannot be had.
pub(crate) fn check() -> Result<(), Failure> {
    install()?;
    let mut checks = CHECKS.to_vec();
    match output(cargo().args(["deny", "--log-level", "error", "fetch", "db"])) {
        Ok(_) => checks.push("advisories"),
        Err(error) => say(&format!(
            "known flaws of crates are not looked for: the database of RustSec cannot be had: {error}"
        )),
    }
    for workspace in WORKSPACES {
        let of = ["deny", "--manifest-path", workspace, "--log-level", "error"];
        run(cargo().args(of).arg("check").args(&checks))?;
    }
    Ok(())
}

fn install() -> Result<(), Failure> {
    let found = output(cargo().args(["deny", "--version"]));
    if found.is_ok_and(|version| version.trim() == format!("cargo-deny {VERSION}")) {
        return Ok(());
    }
    let install = ["install", "--quiet", "--locked", "--version", VERSION];
    run(cargo().args(install).arg("cargo-deny"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_file_is_checked() {
        let root = crate::shell::root();
        let found = output(std::process::Command::new("git").current_dir(&root).args([
            "ls-files",
            "Cargo.lock",
            "*/Cargo.lock",
        ]));
        let found = found.unwrap();
        let checked = WORKSPACES.map(|it| it.replace(".toml", ".lock"));
        assert_eq!(found.lines().collect::<Vec<_>>(), checked);
    }
}
