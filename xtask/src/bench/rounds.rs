//! What every contestant does in turn, once a run: each round is the life of one cluster.

use std::path::PathBuf;

use super::cluster::{Nodes, Source, delete, timed};
use super::contestant::{Contestant, Who};
use super::image::Archives;
use super::options::Options;
use super::results::Results;
use super::{app, disk, idle, restart};
use crate::Failure;

/// What rounds need.
pub(super) struct Course<'a> {
    pub(super) options: &'a Options,
    pub(super) source: Source<'a>,
    pub(super) archives: Option<Archives>,
    pub(super) app: PathBuf,
}

impl Course<'_> {
    /// All rounds of one contestant.
    pub(super) fn run(&self, contestant: &Contestant, results: &mut Results) {
        let alone = self.run_one_node(contestant, results);
        if self.wants(&["app-answers"]) {
            let time = app::measure(&self.source, contestant, &self.app);
            results.add_time("app-answers", contestant, time);
            self.end(contestant, results);
        }
        self.run_three_nodes(contestant, alone, results);
        // The original's load balancer is an image of its own, which no registry gives here.
        if self.wants(&["create-3+3"]) && contestant.who != Who::Original {
            let nodes = Nodes {
                control_planes: 3,
                ..Nodes::with_workers(3)
            };
            let times = self.source.create(contestant, nodes, true);
            results.add_time("create-3+3", contestant, times.map(|times| times.total));
            self.end(contestant, results);
        }
    }

    fn wants(&self, cases: &[&str]) -> bool {
        cases.iter().any(|case| self.options.wants(case))
    }

    /// Returns how much of the disk was used with it.
    fn run_one_node(&self, contestant: &Contestant, results: &mut Results) -> Option<u64> {
        let needed = [
            "create-1",
            "delete",
            "start-after-stop",
            "idle-cpu",
            "idle-memory",
        ];
        if !self.wants(&needed) && !self.wants(&["disk-per-node"]) {
            return None;
        }
        let times = self.source.create(contestant, Nodes::with_workers(0), true);
        if let Ok(times) = &times {
            results.steps.push((contestant.title(), times.clone()));
        }
        let is_made = times.is_ok();
        results.add_time("create-1", contestant, times.map(|times| times.total));
        let mut used = None;
        if is_made {
            used = self.look_at_disk(contestant);
            self.watch_idle(contestant, results);
            if self.wants(&["start-after-stop"]) {
                results.add_time("start-after-stop", contestant, restart::measure(contestant));
            }
        }
        self.end(contestant, results);
        used
    }

    fn watch_idle(&self, contestant: &Contestant, results: &mut Results) {
        if !self.wants(&["idle-cpu", "idle-memory"]) {
            return;
        }
        match idle::measure() {
            Ok(idle) => {
                results.add("idle-cpu", contestant, Ok(idle.cpu));
                results.add("idle-memory", contestant, Ok(idle.memory));
            }
            Err(failure) => results.add("idle-cpu", contestant, Err(failure)),
        }
    }

    fn run_three_nodes(&self, contestant: &Contestant, alone: Option<u64>, results: &mut Results) {
        const LOADS: [&str; 3] = ["load-first", "load-again", "load-changed"];
        if !self.wants(&LOADS) && !self.wants(&["create-3", "disk-per-node"]) {
            return;
        }
        let times = self.source.create(contestant, Nodes::with_workers(2), true);
        let is_made = times.is_ok();
        results.add_time("create-3", contestant, times.map(|times| times.total));
        if is_made {
            if let (Some(alone), Some(three)) = (alone, self.look_at_disk(contestant)) {
                results.add(
                    "disk-per-node",
                    contestant,
                    megabytes(three.saturating_sub(alone) / 2),
                );
            }
            if let Some(archives) = self.archives.as_ref().filter(|_| self.wants(&LOADS)) {
                let order = [&archives.first, &archives.first, &archives.changed];
                for (case, archive) in LOADS.into_iter().zip(order) {
                    let archive = archive.display().to_string();
                    let load = ["load", "image-archive", &archive, "--name", "bench"];
                    results.add_time(case, contestant, timed(contestant, &load));
                }
            }
        }
        self.end(contestant, results);
    }

    fn look_at_disk(&self, contestant: &Contestant) -> Option<u64> {
        if self.wants(&["disk-per-node"]) {
            return disk::usage(&contestant.data).ok();
        }
        None
    }

    /// The end of a cluster; what failed to be made is removed as well.
    fn end(&self, contestant: &Contestant, results: &mut Results) {
        results.add_time("delete", contestant, delete(contestant));
    }
}

fn megabytes(bytes: u64) -> Result<f64, Failure> {
    Ok(f64::from(u32::try_from(bytes / 1000)?) / 1000.0)
}
