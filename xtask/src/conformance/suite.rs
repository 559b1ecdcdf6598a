//! The tests themselves: a directory with upstream's programs.

use std::path::{Path, PathBuf};

use kind_image::build::{Event, debian};

use crate::Failure;
use crate::shell::{output, program, say};

/// Programs and data that a suite's directory holds, and which tests fail without them.
const PARTS: [(&str, &str); 5] = [
    ("agnhost", "nearly every test"),
    (
        "localhost.crt",
        "the API server's proxy to pods that speak TLS",
    ),
    (
        "localhost.key",
        "the API server's proxy to pods that speak TLS",
    ),
    ("sample-apiserver", "the aggregator"),
    ("nnp", "pods that may not gain privileges"),
];

/// A directory with upstream's programs.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) directory: PathBuf,
    /// What the tests say that they are, for example `v1.20.2`.
    pub(super) version: String,
    /// Ginkgo's second version calls some options by other names.
    is_ginkgo_2: bool,
}

impl Suite {
    /// The suite in a directory, or that of the Kubernetes that node images are made of.
    pub(super) fn open(directory: Option<&Path>) -> Result<Self, Failure> {
        let directory = match directory {
            Some(directory) => std::path::absolute(directory)?,
            None => debian::build_tests(&cache(), None, &tell)?,
        };
        for part in ["e2e.test", "ginkgo"] {
            if !directory.join(part).is_file() {
                return Err(format!("{} holds no `{part}`", directory.display()).into());
            }
        }
        let version = output(program(directory.join("e2e.test")).arg("--version"))?;
        let ginkgo = output(program(directory.join("ginkgo")).arg("version"))?;
        let suite = Self {
            version: version.trim().to_owned(),
            is_ginkgo_2: ginkgo.contains("Version 2."),
            directory,
        };
        for (part, tests) in suite.missing() {
            say(&format!(
                "The suite has no `{part}`: what fails is {tests}."
            ));
        }
        Ok(suite)
    }

    /// A part that images are made of.
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The `kubectl` of the tests' version, or the machine's.
    pub(super) fn kubectl(&self) -> PathBuf {
        let own = self.part("kubectl");
        if own.is_file() {
            return own;
        }
        "kubectl".into()
    }

    /// Options of ginkgo: tests at a time, and no colours.
    pub(super) fn ginkgo_arguments(&self, parallel: usize) -> [String; 2] {
        if self.is_ginkgo_2 {
            return [format!("--procs={parallel}"), "--no-color".to_owned()];
        }
        [format!("--nodes={parallel}"), "--noColor".to_owned()]
    }

    /// How many reports that many processes write: only the first version of ginkgo has one of each.
    pub(super) fn reports(&self, parallel: usize) -> usize {
        if self.is_ginkgo_2 { 1 } else { parallel }
    }

    /// The version without its last number, for example `v1.20`.
    pub(super) fn minor_version(&self) -> &str {
        let end = self.version.match_indices('.').nth(1);
        &self.version[..end.map_or(self.version.len(), |(end, _)| end)]
    }

    fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        PARTS
            .into_iter()
            .filter(|(part, _)| !self.part(part).is_file())
    }

    /// The images that the tests know, by the names under which they ask for them.
    pub(super) fn images(&self) -> Result<Vec<String>, Failure> {
        let list = output(program(self.part("e2e.test")).arg("--list-images"))?;
        let names = list
            .lines()
            .map(str::trim)
            .filter(|line| line.contains('/'));
        Ok(names.map(str::to_owned).collect())
    }
}

/// Where builds of node images keep what they make.
fn cache() -> PathBuf {
    std::env::var_os("KIND_CACHE_DIR").map_or_else(|| "/var/cache/kind".into(), PathBuf::from)
}

fn tell(event: Event<'_>) {
    match event {
        Event::Started { step, log } => say(&format!("{step} ... ({})", log.display())),
        Event::Finished { step, elapsed } => {
            say(&format!("{step}: {:.0} s", elapsed.as_secs_f64()))
        }
        Event::Waiting => say("waiting for another build"),
        _ => {}
    }
}
