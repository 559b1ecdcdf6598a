//! Debian's build of the original kind, to compare with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release of Debian that has it.
const RELEASE: &str = "sid";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The program `kind` of Debian's package, kept below `directory`.
///
/// `KIND_REFERENCE` names another one instead. apt works in directories of its own here: the host's
/// sources and packages stay as they are, and nothing is installed.
///
/// # Errors
/// Why it cannot be had: no apt on this machine, or no way to Debian's packages.
pub fn reference_kind(directory: &Path) -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("KIND_REFERENCE") {
        return Ok(named.into());
    }
    let program = directory.join("package/usr/bin/kind");
    if !program.exists() {
        fetch(directory).map_err(|error| format!("Debian's kind cannot be fetched: {error}"))?;
    }
    Ok(program)
}

/// Downloads and unpacks the package. What is not whole is never where it is looked for.
fn fetch(directory: &Path) -> Result<(), String> {
    if !Path::new(KEYRING).exists() {
        return Err(format!("{KEYRING} is missing"));
    }
    let text = |error: std::io::Error| error.to_string();
    let work = directory.join(format!("work.{}", std::process::id()));
    for name in ["lists/partial", "cache/archives/partial", "download"] {
        fs::create_dir_all(work.join(name)).map_err(text)?;
    }
    let sources = format!("deb [signed-by={KEYRING}] {} {RELEASE} main\n", mirror()?);
    fs::write(work.join("sources.list"), sources).map_err(text)?;
    fs::write(work.join("apt.conf"), apt_configuration(&work)).map_err(text)?;
    apt_get(&work, &["update"])?;
    apt_get(&work, &["download", "kind"])?;
    let package = fs::read_dir(work.join("download")).map_err(text)?.next();
    let package = package.ok_or("apt downloaded nothing")?.map_err(text)?;
    let mut unpack = Command::new("dpkg-deb");
    run(unpack
        .arg("--extract")
        .arg(package.path())
        .arg(work.join("package")))?;
    // Another test may have been faster; its package is as good.
    let _ = fs::rename(work.join("package"), directory.join("package"));
    fs::remove_dir_all(&work).map_err(text)
}

/// Where this host has its own packages from.
fn mirror() -> Result<String, String> {
    let output = Command::new("apt-get")
        .args([
            "indextargets",
            "--format",
            "$(SITE)",
            "Created-By: Packages",
        ])
        .output()
        .map_err(|error| format!("apt-get: {error}"))?;
    let sites = String::from_utf8_lossy(&output.stdout);
    let mut sites = sites.lines().map(|site| site.trim_end_matches('/'));
    let mirror = sites.find(|site| site.ends_with("/debian"));
    mirror
        .map(str::to_owned)
        .ok_or_else(|| "apt knows no mirror of Debian".to_owned())
}

fn apt_configuration(work: &Path) -> String {
    let work = work.display();
    format!(
        "Dir::State::lists \"{work}/lists\";\n\
         Dir::Cache \"{work}/cache\";\n\
         Dir::Etc::sourcelist \"{work}/sources.list\";\n\
         Dir::Etc::sourceparts \"-\";\n\
         Dir::Etc::preferences \"-\";\n\
         Dir::Etc::preferencesparts \"-\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

fn apt_get(work: &Path, arguments: &[&str]) -> Result<(), String> {
    run(Command::new("apt-get")
        .arg("-qq")
        .args(arguments)
        .current_dir(work.join("download"))
        .env("APT_CONFIG", work.join("apt.conf")))
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name} failed: {}", words.trim()))
        }
        Err(error) => Err(format!("{name}: {error}")),
    }
}
