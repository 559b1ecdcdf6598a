//! The suite on one engine after the other, each in a world of its own.

use std::io::Write;
use std::process::ExitCode;

use kind_e2e::{Engine, Traces, eventually, is_ordinary_user, reference_kind, run_on, scratch};

use crate::world::ImageInputs;

const BUILT: &str = env!("CARGO_TARGET_TMPDIR");

/// Runs the tests of every engine, or of the one that is named.
pub(crate) fn run_each(only: Option<&str>, ingredients: &ImageInputs) -> ExitCode {
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

fn run(engine: &str, ingredients: &ImageInputs) -> Result<(), String> {
    let before = Traces::of_host();
    let mut environment = Vec::new();
    if engine != "native" {
        ingredients.check_node_image()?;
        let original = reference_kind(&scratch(BUILT).join("reference"))?;
        environment.push(("KIND_REFERENCE", original));
    }
    run_on(engine, &scratch(BUILT).join("engines"), &environment)?;
    if is_ordinary_user() {
        // The engine stays, and the host's other users are none of the test's business.
        return Ok(());
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
