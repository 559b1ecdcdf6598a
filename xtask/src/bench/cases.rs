//! What is measured, and how good it shall be.

/// A case of the contest.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) unit: &'static str,
    /// Whether it is part of `--quick`.
    pub(super) quick: bool,
    /// Goals on native, docker and podman.
    goals: [Goal; 3],
}

/// The most that a value of ours may be of another one's, measured in the same contest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Goal {
    /// Of the original's on docker.
    pub(super) ratio: Option<f64>,
    /// Of an earlier kind's on the same engine.
    pub(super) ratio_before: Option<f64>,
}

impl Case {
    /// What is aimed at on an engine.
    pub(super) fn goal(&self, engine: &str) -> Goal {
        let index = ["native", "docker", "podman"]
            .iter()
            .position(|name| *name == engine);
        index.map_or_else(Goal::default, |index| self.goals[index])
    }
}

const fn goal(ratio: f64, ratio_before: f64) -> Goal {
    Goal {
        ratio: Some(ratio),
        ratio_before: Some(ratio_before),
    }
}

const NONE: Goal = Goal {
    ratio: None,
    ratio_before: None,
};

const LOAD: Goal = Goal {
    ratio: Some(1.0 / 15.0),
    ratio_before: None,
};

/// All of them, in the order of the tables.
pub(super) const CASES: [Case; 12] = [
    case(
        "create-1",
        "s",
        [goal(1.0 / 6.0, 0.6), goal(0.2, 0.6), goal(0.2, 0.6)],
    )
    .quickly(),
    case(
        "create-3",
        "s",
        [goal(1.0 / 7.0, 0.6), goal(0.2, 0.6), goal(0.2, 0.6)],
    )
    .quickly(),
    case("create-3+3", "s", [NONE; 3]),
    case("app-answers", "s", [goal(0.25, 0.6); 3]),
    case("delete", "s", [goal(1.0 / 3.0, 0.8); 3]).quickly(),
    case("start-after-stop", "s", [NONE; 3]),
    case("load-first", "s", [NONE; 3]),
    case("load-again", "s", [NONE; 3]),
    case("load-changed", "s", [LOAD; 3]),
    case("idle-cpu", "% of a core", [goal(0.6, 0.7); 3]),
    case("idle-memory", "MB", [goal(0.7, 0.75); 3]),
    case("disk-per-node", "MB", [NONE; 3]),
];

const fn case(id: &'static str, unit: &'static str, goals: [Goal; 3]) -> Case {
    Case {
        id,
        unit,
        quick: false,
        goals,
    }
}

impl Case {
    const fn quickly(mut self) -> Self {
        self.quick = true;
        self
    }
}
