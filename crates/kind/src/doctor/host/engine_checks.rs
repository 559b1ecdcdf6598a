//! The engine that would be used: whether it answers, how old it is, and what its host lacks.

use kind_engine::command_line::Version;
use kind_engine::{Engine, Info};

use super::engines::{Answer, Candidate, Engines, Refusal};
use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};
use crate::engines::{CLIENTS, LIMA_CLIENT, engine_client};

/// Releases before it do not know what nodes are made with (`--cgroupns`).
const OLDEST_DOCKER: Version = Version(20, 10, 0);
/// Releases before it were not tried with nodes for years.
const OLD_PODMAN: Version = Version(4, 0, 0);

pub(super) fn look_at_engine(host: &Host) -> Outcome {
    judge_engine(host.engines(), host.is_root())
}

/// Which engine would be used, and whether it can be.
pub(in crate::doctor) fn judge_engine(engines: &Engines, is_root: bool) -> Outcome {
    let used = engines.used();
    let unseen = engines.unseen();
    let mut problems: Vec<_> = unseen.map(|one| passed_over(one, used)).collect();
    match &used.answer {
        Answer::Answers(_) if problems.is_empty() => {
            return Outcome::Passed(describe_choice(engines));
        }
        Answer::Answers(_) => {}
        Answer::Silent | Answer::NotAsked => problems.push(silent(used)),
        Answer::Missing | Answer::Foreign(_) => problems.push(missing(engines, is_root)),
        Answer::Refuses(refusals) => {
            problems.extend(refusals.iter().map(|refusal| refused(used, refusal)));
        }
    }
    let problems = problems
        .into_iter()
        .map(|problem| problem.with_evidence("engines", engines.describe()));
    Outcome::Problems(problems.collect())
}

/// The engine that works, why it is taken, and why not the others.
fn describe_choice(engines: &Engines) -> String {
    let why = if engines.is_chosen() {
        "as chosen"
    } else {
        "the first that answers"
    };
    let before = engines.describe_passed_over();
    let before: String = before.iter().map(|one| format!("; {one}")).collect();
    format!("{}, {why}{before}", engines.used().describe())
}

fn refused(used: &Candidate, refusal: &Refusal) -> Problem {
    let remedy = if refusal.remedy.is_empty() {
        format!("see what `{} info` prints", used.name)
    } else {
        refusal.remedy.clone()
    };
    Problem::error(&refusal.reason, "an engine that answers", remedy).of(used.name)
}

fn silent(used: &Candidate) -> Problem {
    let found = "it does not answer: commands that need it end after some seconds with an error";
    Problem::error(found, "an answer within a second", restart(used)).of(used.name)
}

/// An engine that hangs or denies this user where another one answers: its clusters are not seen.
fn passed_over(unseen: &Candidate, used: &Candidate) -> Problem {
    let used = used.describe();
    let (does, expected, remedy) = match unseen.denial() {
        Some(denial) => (
            "denies this user",
            "one that may be used",
            denial.remedy.clone(),
        ),
        None => (
            "does not answer",
            "an answer within a second",
            restart(unseen),
        ),
    };
    let found = format!("it {does}, and is passed over ({used}): its clusters are not seen");
    Problem::warning(found, expected, remedy).of(unseen.name)
}

/// What brings an engine back that hangs.
fn restart(hangs: &Candidate) -> String {
    let mut clients = CLIENTS.iter().chain([&LIMA_CLIENT]);
    let client = clients.find(|client| client.choice.name() == hangs.name);
    let restart = client.map_or("restart it", |client| client.flavor.restart_advice());
    format!("{restart}; or choose another engine with `--provider`")
}

fn missing(engines: &Engines, is_root: bool) -> Problem {
    let used = engines.used();
    let found = match &used.answer {
        Answer::Foreign(banner) => format!("the program {} is another one: {banner:?}", used.name),
        _ if engines.is_chosen() => format!("{} is not installed", used.name),
        _ => "no container engine is installed".to_owned(),
    };
    let native = if is_root {
        "choose `--provider native`"
    } else {
        "run kind with sudo, which needs none"
    };
    let remedy = format!("install docker, podman or nerdctl, or {native}");
    Problem::error(found, "an engine for nodes", remedy)
}

pub(super) fn look_at_version(host: &Host) -> Outcome {
    match host.engines().info() {
        Some(info) if !info.version.is_empty() => judge_version(host.engines().used(), info),
        _ => Outcome::skipped("no engine tells its version"),
    }
}

fn judge_version(used: &Candidate, info: &Info) -> Outcome {
    let told = format!("{} {}", used.name, info.version);
    let is_older = |oldest| Version::parse(&info.version).is_some_and(|version| version < oldest);
    let update = format!("update {}", used.name);
    match used.name {
        "docker" if is_older(OLDEST_DOCKER) => Problem::error(
            format!("{told} is too old for nodes"),
            "20.10 or later",
            update,
        )
        .into(),
        "podman" if is_older(OLD_PODMAN) => {
            Problem::warning(format!("{told} is old"), "4.0 or later", update).into()
        }
        _ => Outcome::Passed(told),
    }
}

pub(super) fn look_at_storage(host: &Host) -> Outcome {
    match host.engines().info() {
        Some(info) if !info.storage_driver.is_empty() => {
            judge_storage(&info.storage_driver, &info.backing_filesystem)
        }
        _ => Outcome::skipped("the engine does not tell how it stores files"),
    }
}

fn judge_storage(driver: &str, backing: &str) -> Outcome {
    let told = if backing.is_empty() {
        driver.to_owned()
    } else {
        format!("{driver} on {backing}")
    };
    let found = match driver {
        "vfs" => format!("the storage driver {driver} copies the whole image for each node"),
        "devicemapper" | "aufs" => {
            format!("the storage driver {driver} is not maintained any more")
        }
        _ => return Outcome::Passed(told),
    };
    let remedy = "set the engine's storage driver to overlay2 (docker) or overlay (podman), and see why it was not \
         chosen";
    Problem::warning(found, "overlayfs", remedy).into()
}

/// What engines without root need of their host; those of root have it.
pub(super) fn look_at_rootless(host: &Host) -> Outcome {
    match host.engines().info() {
        Some(info) if info.rootless => judge_rootless(info, host_problems(host)),
        Some(_) => Outcome::skipped("the engine is root's"),
        None => Outcome::skipped("no engine answers"),
    }
}

/// What the engine finds on its host, if that is this one: errors, and warnings.
fn host_problems(host: &Host) -> Vec<Problem> {
    let name = host.engines().used().name;
    let mut clients = CLIENTS.iter().chain([&LIMA_CLIENT]);
    let client = clients.find(|client| client.choice.name() == name);
    let (Some(client), Some(info)) = (client, host.engines().info()) else {
        return Vec::new();
    };
    let engine = engine_client(client.flavor, name, &host.settings.engine_parts());
    engine.remember_info(info.clone());
    let nodes = usize::try_from(host.planned.sum(1, 1)).unwrap_or(1);
    let expected = "a host that is ready for engines without root";
    match engine.preflight(nodes, &[]) {
        Ok(warnings) => warnings
            .into_iter()
            .map(|warning| {
                // As engines write it: what is so, and its remedy in brackets behind it.
                let (found, remedy) = warning.split_once(" (").unwrap_or((&warning, ""));
                Problem::warning(found, expected, remedy.strip_suffix(')').unwrap_or(remedy))
            })
            .collect(),
        Err(error) => {
            let remedy = error.remedy().unwrap_or_default();
            vec![Problem::error(error.to_string(), expected, remedy)]
        }
    }
}

fn judge_rootless(info: &Info, mut problems: Vec<Problem>) -> Outcome {
    if info.cgroup2 && !info.limits.are_complete() {
        let limits = [
            ("cpu", info.limits.cpu),
            ("memory", info.limits.memory),
            ("pids", info.limits.pids),
        ];
        let missing = limits
            .into_iter()
            .filter(|(_, can)| !can)
            .map(|(name, _)| name);
        let missing: Vec<_> = missing.collect();
        let found = format!(
            "the engine cannot limit {}: the controllers are not delegated",
            missing.join(", ")
        );
        let remedy = kind_engine::DELEGATE;
        problems.insert(0, Problem::error(found, "cpu, memory and pids", remedy));
    }
    Outcome::of_problems(problems, "the host has what engines without root need")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineChoice;
    use crate::doctor::host::engines::Refusal;
    use crate::doctor::tests::told;
    use kind_engine::{Code, Limits};

    fn candidate(name: &'static str, answer: Answer) -> Candidate {
        Candidate { name, answer }
    }

    fn answers(version: &str) -> Answer {
        Answer::Answers(Box::new(Info {
            version: version.to_owned(),
            ..Info::default()
        }))
    }

    fn refuses(code: Code, reason: &str) -> Answer {
        let (reason, remedy) = (reason.to_owned(), "do".to_owned());
        Answer::Refuses(vec![Refusal {
            code,
            reason,
            remedy,
        }])
    }

    fn docker(answer: Answer) -> Candidate {
        candidate("docker", answer)
    }

    fn podman(answer: Answer) -> Candidate {
        candidate("podman", answer)
    }

    /// The native engine of a user who is not root.
    fn not_root() -> Candidate {
        candidate("native", refuses(Code::NotRoot, "needs root"))
    }

    fn judged(choice: EngineChoice, candidates: Vec<Candidate>) -> String {
        told(&judge_engine(
            &Engines::choose_engine(choice, candidates),
            false,
        ))
    }

    #[test]
    fn the_engine_is_the_first_that_answers() {
        let native = || candidate("native", answers("1"));
        let no_daemon = || docker(refuses(Code::NoDaemon, "no daemon"));
        let denies = || docker(refuses(Code::DaemonDenied, "permission denied"));
        let missing = || podman(Answer::Missing);
        for (candidates, expected) in [
            (
                vec![docker(answers("28.1.0")), podman(answers("5.0")), native()],
                "passed: docker: version 28.1.0 answers, the first that answers",
            ),
            (
                vec![docker(Answer::Missing), podman(answers("5.0")), not_root()],
                "passed: podman: version 5.0 answers, the first that answers",
            ),
            (
                vec![docker(Answer::Silent), missing(), native()],
                "warning: it does not answer, and is passed over (native: works): its clusters are not seen",
            ),
            (
                vec![docker(Answer::Silent), podman(answers("5.0")), not_root()],
                "warning: it does not answer, and is passed over (podman: version 5.0 answers): its clusters are not \
                 seen",
            ),
            (
                vec![docker(Answer::Silent), missing(), not_root()],
                "error: it does not answer: commands that need it end after some seconds with an error",
            ),
            (
                vec![
                    docker(Answer::Missing),
                    podman(refuses(Code::ProgramFailed, "no subuid")),
                    not_root(),
                ],
                "error: no subuid",
            ),
            (
                vec![no_daemon(), missing(), native()],
                "passed: native: works, the first that answers; docker: no daemon",
            ),
            (vec![no_daemon(), missing(), not_root()], "error: no daemon"),
            (
                vec![denies(), podman(answers("5.0")), not_root()],
                "warning: it denies this user, and is passed over (podman: version 5.0 answers): its clusters are not \
                 seen",
            ),
            (
                vec![denies(), missing(), not_root()],
                "error: permission denied",
            ),
            (
                vec![docker(Answer::Missing), missing(), not_root()],
                "error: no container engine is installed",
            ),
            (
                vec![docker(Answer::Foreign("podman 5".to_owned())), not_root()],
                "error: the program docker is another one: \"podman 5\"",
            ),
        ] {
            assert_eq!(judged(EngineChoice::Detect, candidates), expected);
        }
    }

    #[test]
    fn the_engine_that_the_user_names_is_used() {
        assert_eq!(
            judged(EngineChoice::Native, vec![not_root()]),
            "error: needs root"
        );
        assert_eq!(
            judged(EngineChoice::Podman, vec![podman(Answer::Missing)]),
            "error: podman is not installed"
        );
        assert_eq!(
            judged(EngineChoice::Podman, vec![podman(answers("5.0"))]),
            "passed: podman: version 5.0 answers, as chosen"
        );
    }

    #[test]
    fn old_engines_are_told() {
        let judged = |name: &'static str, version: &str| {
            let info = Info {
                version: version.to_owned(),
                ..Info::default()
            };
            told(&judge_version(&candidate(name, answers(version)), &info))
        };
        assert_eq!(judged("docker", "28.2.2"), "passed: docker 28.2.2");
        assert_eq!(
            judged("docker", "20.10.24+dfsg1"),
            "passed: docker 20.10.24+dfsg1"
        );
        assert_eq!(
            judged("docker", "19.03.1"),
            "error: docker 19.03.1 is too old for nodes"
        );
        assert_eq!(judged("podman", "3.4.4"), "warning: podman 3.4.4 is old");
        assert_eq!(judged("nerdctl", "v1.7"), "passed: nerdctl v1.7");
        assert_eq!(judged("docker", "dev"), "passed: docker dev");
    }

    #[test]
    fn storage_that_copies_is_told() {
        assert_eq!(
            told(&judge_storage("overlay2", "extfs")),
            "passed: overlay2 on extfs"
        );
        assert_eq!(told(&judge_storage("btrfs", "")), "passed: btrfs");
        assert!(told(&judge_storage("vfs", "")).starts_with("warning: "));
    }

    #[test]
    fn engines_without_root_must_be_able_to_limit() {
        let info = |limits| Info {
            rootless: true,
            cgroup2: true,
            limits,
            ..Info::default()
        };
        let passed = "passed: the host has what engines without root need";
        assert_eq!(
            told(&judge_rootless(&info(Limits::ALL), Vec::new())),
            passed
        );
        assert_eq!(
            told(&judge_rootless(
                &info(Limits {
                    cpu: false,
                    ..Limits::ALL
                }),
                Vec::new()
            )),
            "error: the engine cannot limit cpu: the controllers are not delegated"
        );
    }
}
