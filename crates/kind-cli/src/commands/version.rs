//! `kind version`

use kind::Platform;

use crate::args::{Command, Matches};
use crate::context::Context;
use crate::document::Version;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    action: Some(print_version),
    ..Command::new("version", "Prints the kind CLI version")
};

/// This command's version. Builds between releases say from which commit they are, if the builder does.
pub(super) fn version_number() -> String {
    let core = concat!(
        env!("CARGO_PKG_VERSION_MAJOR"),
        ".",
        env!("CARGO_PKG_VERSION_MINOR"),
        ".",
        env!("CARGO_PKG_VERSION_PATCH")
    );
    let count = option_env!("KIND_COMMIT_COUNT").unwrap_or("");
    let commit = option_env!("KIND_COMMIT").unwrap_or("");
    join_version(core, env!("CARGO_PKG_VERSION_PRE"), count, commit)
}

/// The parts of a version as one text. A release has no pre-release part and names no commit.
fn join_version(core: &str, prerelease: &str, count: &str, commit: &str) -> String {
    /// What kind shows of a commit.
    const COMMIT_DIGITS: usize = 14;
    if prerelease.is_empty() {
        return core.to_owned();
    }
    let mut version = format!("{core}-{prerelease}");
    if !count.is_empty() {
        version.push_str(&format!(".{count}"));
    }
    if !commit.is_empty() {
        version.push('+');
        version.extend(commit.chars().take(COMMIT_DIGITS));
    }
    version
}

/// The version with the toolchain and the platform it is for.
pub(super) fn version_line() -> String {
    let Version {
        version,
        compiler,
        os,
        architecture,
    } = version_document();
    format!("kind v{version} {compiler} {os}/{architecture}")
}

/// The version in its parts.
pub(super) fn version_document() -> Version {
    let architecture = Platform::of_machine(env!("TARGET_ARCH")).architecture;
    let os = match env!("TARGET_OS") {
        "macos" => "darwin",
        other => other,
    };
    Version {
        version: version_number(),
        compiler: concat!("rustc", env!("RUST_VERSION")).to_owned(),
        os: os.to_owned(),
        architecture,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn print_version(_: &Matches, context: &Context) -> Result<Exit, Failure> {
    let text = || {
        if context.ui.is_talking() {
            format!("{}\n", version_line())
        } else {
            format!("{}\n", version_number())
        }
    };
    context.ui.result(&version_document(), text);
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_put_together_as_kinds() {
        const HASH: &str = "mocked-hash-longer-than-that";
        for (prerelease, count, commit, version) in [
            ("alpha", "1", HASH, "0.27.0-alpha.1+mocked-hash-lo"),
            ("beta", "", HASH, "0.27.0-beta+mocked-hash-lo"),
            ("alpha", "1", "", "0.27.0-alpha.1"),
            ("alpha", "", "", "0.27.0-alpha"),
            ("", "1", HASH, "0.27.0"),
            ("", "", "", "0.27.0"),
        ] {
            assert_eq!(join_version("0.27.0", prerelease, count, commit), version);
        }
    }
}
