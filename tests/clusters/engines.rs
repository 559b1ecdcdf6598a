//! The suite on one engine after the other, each in a world of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use kind_e2e::{Engine, Kept, Traces, enclosed, eventually, reference_kind};

use crate::world::{DIRECTORY, Ingredients};

/// Where engines keep what they make; on a disk, because overlays cannot be stacked at will.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Runs the tests of every engine, or of the one that is named.
pub(crate) fn run_each(only: Option<&str>, ingredients: &Ingredients) -> ExitCode {
    let mut failed = false;
    for engine in Engine::NAMES {
        if only.is_some_and(|only| only != engine) {
            continue;
        }
        if let Err(problem) = run(engine, ingredients) {
            let _ = writeln!(std::io::stderr(), "{engine}: {problem}");
            failed = true;
        }
    }
    if failed {
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

fn run(engine: &str, ingredients: &Ingredients) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let before = Traces::of_host();
    let directory = Path::new(SCRATCH).join("engines").join(engine);
    let kept = Kept::new(directory).map_err(text)?;
    let this = std::env::current_exe().map_err(text)?;
    let prepare = |command: &mut Command| {
        command
            .args(std::env::args_os().skip(1))
            .env("KIND_E2E_ENGINE", engine)
            .env(DIRECTORY, kept.path());
    };
    let status = if engine == "native" {
        let mut command = Command::new(this);
        prepare(&mut command);
        command.status()
    } else {
        let original = reference_kind(&Path::new(SCRATCH).join("reference"))?;
        ingredients.check_node_image()?;
        enclosed(|command| {
            prepare(command.arg(this));
            command.env("KIND_REFERENCE", original);
        })
    };
    if !status.map_err(text)?.success() {
        return Err("tests failed".to_owned());
    }
    // The kernel takes a moment to end the namespaces of dead processes.
    eventually("the host is as before", 20, || {
        match Traces::of_host().since(&before).as_slice() {
            [] => Ok(()),
            left => Err(left.join("\n")),
        }
    });
    Ok(())
}
