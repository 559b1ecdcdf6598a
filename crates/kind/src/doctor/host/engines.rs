//! Which engines are there, which would be used, and why.

use std::time::{Duration, Instant};

use kind_engine::command_line::Presence;
use kind_engine::{Code, Error, Info};
use kind_image::concurrent::run_each;

use crate::choice::{CLIENTS, Client, LIMA_CLIENT, engine_client};
use crate::error::chain_of;
use crate::{EngineChoice, ProviderBuilder};

/// Who does not answer within this time hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1400);

/// Engines in the order in which they are looked for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::doctor) struct Engines {
    candidates: Vec<Candidate>,
    /// Place of the one that would be used.
    used: usize,
    is_chosen: bool,
}

/// One engine.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::doctor) struct Candidate {
    /// What users call it.
    pub(in crate::doctor) name: &'static str,
    /// What it says.
    pub(in crate::doctor) answer: Answer,
}

/// What came of asking an engine.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::doctor) enum Answer {
    /// There is no such program.
    Missing,
    /// Another program bears the name, and says this of itself.
    Foreign(String),
    /// It is there and was not asked, as another one is used.
    NotAsked,
    /// It does not answer in time.
    Silent,
    /// It cannot be used: why, and what mends it.
    Refuses(Vec<Refusal>),
    /// It works.
    Answers(Box<Info>),
}

/// Why an engine cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) struct Refusal {
    pub(in crate::doctor) code: Code,
    pub(in crate::doctor) reason: String,
    pub(in crate::doctor) remedy: String,
}

impl Candidate {
    pub(in crate::doctor) fn is_native(&self) -> bool {
        self.name == EngineChoice::Native.name()
    }

    /// What it said, in a few words.
    pub(super) fn describe(&self) -> String {
        let name = self.name;
        match &self.answer {
            Answer::Missing => format!("{name}: not installed"),
            Answer::Foreign(banner) => format!("{name}: another program, {banner:?}"),
            Answer::NotAsked => format!("{name}: installed"),
            Answer::Silent => format!("{name}: does not answer"),
            Answer::Refuses(reasons) => {
                let reasons: Vec<_> = reasons.iter().map(|one| one.reason.as_str()).collect();
                format!("{name}: {}", reasons.join("; "))
            }
            Answer::Answers(info) if self.is_native() || info.version.is_empty() => {
                format!("{name}: works")
            }
            Answer::Answers(info) => format!("{name}: version {} answers", info.version),
        }
    }
}

impl Engines {
    /// Chooses among engines as a creation does: the one that the user named, or the first that answers. One that
    /// hangs counts, as a creation would wait for it. If there is none at all, root has the native engine, and others
    /// are told of docker.
    pub(super) fn choose_engine(choice: EngineChoice, candidates: Vec<Candidate>) -> Self {
        let place = |name| candidates.iter().position(|one| one.name == name);
        let is_chosen = choice != EngineChoice::Detect;
        let used = if is_chosen {
            place(choice.name())
        } else {
            let counts =
                |one: &Candidate| matches!(one.answer, Answer::Answers(_) | Answer::Silent);
            candidates
                .iter()
                .position(counts)
                .or_else(|| place("native").filter(|at| !needs_root(&candidates[*at])))
        };
        Self {
            used: used.or_else(|| place("docker")).unwrap_or(0),
            candidates,
            is_chosen,
        }
    }

    /// An engine that is open already.
    pub(in crate::doctor) fn opened(name: &'static str, info: &Info) -> Self {
        let candidate = Candidate {
            name,
            answer: Answer::Answers(Box::new(info.clone())),
        };
        Self {
            candidates: vec![candidate],
            used: 0,
            is_chosen: true,
        }
    }

    /// The engine that would be used.
    pub(in crate::doctor) fn used(&self) -> &Candidate {
        &self.candidates[self.used]
    }

    /// Whether the user has named it.
    pub(super) fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// What those said that were looked for before, and are there.
    pub(super) fn describe_passed_over(&self) -> Vec<String> {
        let before = self.candidates[..self.used].iter();
        let there = before.filter(|one| one.answer != Answer::Missing);
        there.map(Candidate::describe).collect()
    }

    /// What each one said.
    pub(super) fn describe(&self) -> Vec<String> {
        self.candidates.iter().map(Candidate::describe).collect()
    }

    /// What the engine that would be used says of itself, if it works.
    pub(super) fn info(&self) -> Option<&Info> {
        match &self.used().answer {
            Answer::Answers(info) => Some(info),
            _ => None,
        }
    }
}

fn needs_root(candidate: &Candidate) -> bool {
    match &candidate.answer {
        Answer::Refuses(reasons) => reasons.iter().any(|one| one.code == Code::NotRoot),
        Answer::Missing => true,
        _ => false,
    }
}

/// Asks all engines at once. Podman, which makes a store when it is asked for anything, is asked only if it would be
/// used.
pub(super) fn find_engines(settings: &ProviderBuilder) -> Engines {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    let choice = settings.choice;
    let is_chosen = choice != EngineChoice::Detect;
    let clients: Vec<_> = CLIENTS
        .iter()
        .filter(|client| !is_chosen || client.choice == choice)
        .chain(
            [&LIMA_CLIENT]
                .into_iter()
                .filter(|lima| lima.choice == choice),
        )
        .collect();
    let answers = run_each(&clients, |client| {
        let answer = probe_client(settings, client, deadline);
        // Whoever has named it means whatever is there, and podman's store.
        let is_asked = match answer {
            Answer::NotAsked => is_chosen || client.choice != EngineChoice::Podman,
            Answer::Foreign(_) => is_chosen,
            _ => false,
        };
        if is_asked {
            ask_client(settings, client, deadline)
        } else {
            answer
        }
    });
    let names = clients.iter().map(|client| client.choice.name());
    let mut candidates: Vec<_> = names
        .zip(answers)
        .map(|(name, answer)| Candidate { name, answer })
        .collect();
    let counts = |one: &Candidate| matches!(one.answer, Answer::Answers(_) | Answer::Silent);
    if !candidates.iter().any(counts)
        && let Some(at) = candidates
            .iter()
            .position(|one| one.answer == Answer::NotAsked)
    {
        candidates[at].answer = ask_client(settings, clients[at], deadline);
    }
    if matches!(choice, EngineChoice::Detect | EngineChoice::Native) {
        candidates.push(Candidate {
            name: EngineChoice::Native.name(),
            answer: probe_native(settings),
        });
    }
    Engines::choose_engine(choice, candidates)
}

fn probe_client(settings: &ProviderBuilder, client: &Client, deadline: Instant) -> Answer {
    let engine = engine_client(
        (client.flavor, client.choice.name()),
        &settings.engine_parts(),
    );
    let limit = deadline.saturating_duration_since(Instant::now());
    match engine.probe_program(client.banner, limit) {
        Presence::Missing => Answer::Missing,
        Presence::Foreign(banner) => Answer::Foreign(banner),
        Presence::Silent => Answer::Silent,
        Presence::Broken(error) => Answer::Refuses(vec![refusal(&error)]),
        Presence::Installed => Answer::NotAsked,
    }
}

fn ask_client(settings: &ProviderBuilder, client: &Client, deadline: Instant) -> Answer {
    let engine = engine_client(
        (client.flavor, client.choice.name()),
        &settings.engine_parts(),
    );
    let limit = deadline.saturating_duration_since(Instant::now());
    match engine.info_within(limit) {
        Ok(Some(info)) => Answer::Answers(Box::new(info)),
        Ok(None) => Answer::Silent,
        Err(error) => Answer::Refuses(vec![refusal(&error)]),
    }
}

#[cfg(target_os = "linux")]
fn probe_native(settings: &ProviderBuilder) -> Answer {
    let problems = kind_engine::native::find_host_problems(&settings.state_dir);
    if problems.is_empty() {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let storage_dir = settings.state_dir.display().to_string();
        return Answer::Answers(Box::new(Info {
            version,
            storage_dir,
            ..Info::default()
        }));
    }
    Answer::Refuses(problems.iter().map(refusal).collect())
}

#[cfg(not(target_os = "linux"))]
fn probe_native(_: &ProviderBuilder) -> Answer {
    Answer::Missing
}

/// What an engine's failure says, with what its program printed if that is why.
fn refusal(error: &Error) -> Refusal {
    let printed = error
        .output()
        .and_then(|output| output.trim().lines().last());
    Refusal {
        code: error.code(),
        reason: match printed.filter(|line| !line.is_empty()) {
            Some(line) => line.to_owned(),
            None => chain_of(error),
        },
        remedy: error.remedy().unwrap_or_default(),
    }
}
