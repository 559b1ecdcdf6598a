//! Developer tasks: `cargo xtask try` and `cargo xtask test` do everything from a fresh clone.
#![forbid(unsafe_code)]

mod attempt;
mod bench;
mod conformance;
mod dependencies;
mod failure;
mod faults;
mod fuzz;
mod lab;
mod measure;
mod node_image;
mod packages;
mod programs;
mod published;
mod sample;
mod sbom;
mod shell;
mod test;

use std::process::ExitCode;

use failure::Failure;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  try [--yes]   build kind, make a cluster with a sample app and show its answer
  test [--fast] run every test; --fast leaves out those on real clusters
  bench [--runs N] [--case ID]... [--quick] [--image ARCHIVE | --packed] [--before KIND] [--output DIR]
                let this kind, the original one and an earlier kind of ours do the same in turn, five
                times or N: creations, loads, restarts, what idle clusters cost; --quick does once what
                takes seconds. The node image is that of an archive, or made from Debian's packages, its
                images unpacked or packed as published node images hold them. --output writes latest.md
                and latest.json
  conformance [--suite DIR] [--focus RE] [--provider NAME] [--image ARCHIVE] [--parallel N]
                [--timeout MINUTES]
                run Kubernetes' own conformance tests on a cluster of three nodes and write the
                result to docs/conformance: those of the node image from Debian's packages, or those
                of a directory that holds e2e.test and ginkgo (docs/conformance says what else)
  faults [--provider NAME] [--image ARCHIVE] [--only ID] [--update]
                provoke what breaks clusters, and compare what kind says of it with what it said before;
                --update writes that down
  faults --rounds N [--seed N] [--provider NAME] [--image ARCHIVE]
                kill creations at moments of chance and delete their clusters: nothing may be left
  fuzz [TARGET] [--minutes N] [--seed N]
                try changes of the seeds of a fuzz target, or of all at once, for five minutes or N
  lab [--lab SCRIPT] [--image ARCHIVE] [--keep] [WAY...] [-- ARGUMENTS]
                run the end-to-end suites in a guest with cgroup v2, current engines and an ordinary
                user (CONTRIBUTING.md), and write a table to target/lab.md
  measure [--show NAME | --check] [DIRECTORY]
                numbers about the code of this checkout or another one, a line each; --show lists the
                places behind one of them: cargo xtask measure --show circles; --check fails if files use
                each other in a circle, reach into other rooms or stand where no module is looked for
  advisories    look for crates with a known fault, or taken back, in the lock files
  build         build the kind command and the kind-node program it carries
  sbom          write what kind is made of, as a document of SPDX beside the program
  sample-image  write the image of the sample app as an archive
  node-image    write the node image from Debian's packages as an archive

--yes installs missing packages without asking.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let result = match arguments.first().map(String::as_str) {
        Some("try") => attempt::run(has("--yes")),
        Some("test") => test::run(has("--fast")),
        Some("bench") => bench::run(&arguments[1..]),
        Some(bench::INSIDE) => bench::contest(&arguments[1..]),
        Some("conformance") => conformance::run(&arguments[1..]),
        Some(conformance::INSIDE) => conformance::inside(&arguments[1..]),
        Some("faults") => faults::run(&arguments[1..]),
        Some(faults::INSIDE) => faults::inside(&arguments[1..]),
        Some("fuzz") => fuzz::run(&arguments[1..]),
        Some("lab") => lab::run(&arguments[1..]),
        Some("measure") => measure::measure_workspace(&arguments[1..]),
        Some("advisories") => dependencies::check_advisories(),
        Some("build") => {
            programs::build().map(|programs| shell::say(&programs.kind.display().to_string()))
        }
        Some("sbom") => sbom::write().map(|path| shell::say(&path.display().to_string())),
        Some("sample-image") => {
            sample::archive().map(|path| shell::say(&path.display().to_string()))
        }
        Some("node-image") => programs::build()
            .and_then(|programs| node_image::archive(&programs.kind, &[]))
            .map(|path| shell::say(&path.display().to_string())),
        _ => {
            shell::say(HELP);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            shell::say(&format!("xtask: {failure}"));
            ExitCode::FAILURE
        }
    }
}
