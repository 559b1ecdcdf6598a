//! A suite of tests that runs once for every engine, each time in a process of its own.

use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::{Kept, enclosed, is_ordinary_user};

/// Variable with the directory in which an engine keeps what it makes.
pub const DIRECTORY: &str = "KIND_E2E_DIRECTORY";
/// Variable with the name of the engine.
pub const ENGINE: &str = "KIND_E2E_ENGINE";

/// Runs this program again for the tests of one engine, which keeps what it makes below `scratch`: on a disk,
/// because overlays cannot be stacked at will. All but the native engine get a world of their own, if root asks.
///
/// # Errors
/// What kept the tests from running, or that some failed.
pub fn run_on(engine: &str, scratch: &Path, environment: &[(&str, PathBuf)]) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let kept = Kept::new(scratch.join(engine)).map_err(text)?;
    let this = std::env::current_exe().map_err(text)?;
    let prepare = |command: &mut Command| {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        command
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env(ENGINE, engine)
            .env(DIRECTORY, kept.path());
    };
    let status = if engine == "native" || is_ordinary_user() {
        let mut command = Command::new(this);
        prepare(&mut command);
        command.status()
    } else {
        enclosed(|command| prepare(command.arg(this)))
    };
    if status.map_err(text)?.success() {
        Ok(())
    } else {
        Err("tests failed".to_owned())
    }
}

/// What the tests of one engine share: made when the first test needs it.
#[derive(Debug)]
pub struct Shared<W> {
    world: Arc<OnceLock<Result<W, String>>>,
    make: fn(&str) -> Result<W, String>,
}

impl<W: Send + Sync + 'static> Shared<W> {
    /// Something that is made so, for the engine of that name.
    pub fn new(make: fn(&str) -> Result<W, String>) -> Self {
        Self {
            world: Arc::default(),
            make,
        }
    }

    /// A test of an engine. A test fails by panicking.
    pub fn trial(&self, engine: &str, name: &str, test: fn(&W)) -> Trial {
        let (world, make, engine) = (self.world.clone(), self.make, engine.to_owned());
        Trial::test(format!("{engine}::{name}"), move || {
            let world = world.get_or_init(|| make(&engine));
            let world = world.as_ref().map_err(Failed::from)?;
            caught(|| test(world)).map_err(Failed::from)
        })
    }

    /// Runs the tests of one engine one after the other, and ends what they share.
    pub fn run(
        &self,
        engine: &str,
        mut arguments: Arguments,
        trials: Vec<Trial>,
        end: fn(&W),
    ) -> ExitCode {
        arguments.test_threads = Some(1);
        let conclusion = libtest_mimic::run(&arguments, trials);
        let clean = match self.world.get() {
            Some(Ok(world)) => caught(|| end(world)),
            _ => Ok(()),
        };
        if let Err(failure) = &clean {
            let _ = writeln!(std::io::stderr(), "{engine}: something is left: {failure}");
            return ExitCode::from(101);
        }
        conclusion.exit_code()
    }
}

/// Makes an error of a test's panic.
///
/// # Errors
/// What the panic said.
fn caught(test: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(test)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("the test failed").to_owned()
    })
}
