//! The command: what to measure, and what to print of it.

use std::path::PathBuf;

use super::check::check_structure;
use super::report::find_measures;
use super::workspace::read_packages;
use crate::{Failure, shell};

/// Prints the measures of this checkout or of the directory of another one, or after `--show` and a name the
/// places behind that measure. After `--check` only checks the structure.
pub(crate) fn measure_workspace(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    if options.check {
        return check_structure(&options.root);
    }
    let measures = find_measures(&read_packages(&options.root)?, &options.root);
    let Some(name) = options.show else {
        let lines = measures
            .iter()
            .map(|measure| format!("{}: {}", measure.name, measure.value));
        return print_lines(lines);
    };
    let measure = measures.into_iter().find(|measure| measure.name == name);
    let measure = measure.ok_or_else(|| format!("there is no measure {name}"))?;
    print_lines(measure.places.into_iter())
}

struct Options {
    /// The measure whose places are asked for.
    show: Option<String>,
    /// Nothing is printed: the command fails if the structure is not as it must be.
    check: bool,
    root: PathBuf,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            show: None,
            check: false,
            root: shell::root(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--show" {
                let name = arguments
                    .next()
                    .ok_or("--show needs the name of a measure")?;
                options.show = Some(name.clone());
            } else if argument == "--check" {
                options.check = true;
            } else {
                options.root = PathBuf::from(argument).canonicalize()?;
            }
        }
        Ok(options)
    }
}

fn print_lines(lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    let lines: String = lines.map(|line| line + "\n").collect();
    shell::print(&lines)
}
