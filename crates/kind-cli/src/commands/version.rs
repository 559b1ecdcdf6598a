//! `kind version`

use crate::args::{Command, Matches};
use crate::context::Context;
use crate::document::Version;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    action: Some(run),
    ..Command::new("version", "Prints the kind CLI version")
};

/// This command's version.
pub(super) const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// The version with the toolchain and the platform it is for.
pub(super) fn display() -> String {
    let Version {
        version,
        compiler,
        os,
        architecture,
    } = document();
    format!("kind v{version} {compiler} {os}/{architecture}")
}

/// The version in its parts.
pub(super) fn document() -> Version {
    let architecture = match env!("TARGET_ARCH") {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = match env!("TARGET_OS") {
        "macos" => "darwin",
        other => other,
    };
    Version {
        version: NUMBER.to_owned(),
        compiler: concat!("rustc", env!("RUST_VERSION")).to_owned(),
        os: os.to_owned(),
        architecture: architecture.to_owned(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(_: &Matches, context: &Context) -> Result<Exit, Failure> {
    let text = || match context.ui.is_talking() {
        true => format!("{}\n", display()),
        false => format!("{NUMBER}\n"),
    };
    context.ui.result(&document(), text);
    Ok(Exit::Success)
}
