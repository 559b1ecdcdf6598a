//! `kind version`

use crate::args::{Command, Matches};
use crate::context::Context;
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
    let architecture = match env!("TARGET_ARCH") {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match env!("TARGET_OS") {
        "macos" => "darwin",
        other => other,
    };
    let compiler = env!("RUST_VERSION");
    format!("kind v{NUMBER} rustc{compiler} {system}/{architecture}")
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(_: &Matches, context: &Context) -> Result<Exit, Failure> {
    let text = match context.ui.is_talking() {
        true => display(),
        false => NUMBER.to_owned(),
    };
    context.ui.data(&format!("{text}\n"));
    Ok(Exit::Success)
}
