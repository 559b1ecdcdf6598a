//! Which engines are there, which would be used, and why.

use std::time::{Duration, Instant};

use kind_engine::command_line::{Flavor, Presence};
use kind_engine::{Code, Error, Info};
use kind_image::concurrent::run_each;

use crate::engines::{CLIENTS, Client, LIMA_CLIENT, engine_client};
use crate::error::chain_of;
use crate::{EngineChoice, ProviderBuilder};

/// Who does not answer within this time hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1200);
/// What is left for an engine that is asked only because no other one answers.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_millis(1600);

/// Whoever had less time than this need not hang.
const FAIR_TIME: Duration = Duration::from_millis(1000);

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

    /// What says that it is not this user's to use.
    pub(super) fn denial(&self) -> Option<&Refusal> {
        let Answer::Refuses(refusals) = &self.answer else {
            return None;
        };
        let mut refusals = refusals.iter();
        refusals.find(|refusal| refusal.code == Code::DaemonDenied)
    }

    fn answers(&self) -> bool {
        matches!(self.answer, Answer::Answers(_))
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
    /// Chooses among engines as a creation does: the one that the user named, or the first that answers. If there is
    /// none at all, root has the native engine, and others are told of the engine that they have, or of docker.
    pub(super) fn choose_engine(choice: EngineChoice, candidates: Vec<Candidate>) -> Self {
        let place = |name| candidates.iter().position(|one| one.name == name);
        let is_chosen = choice != EngineChoice::Detect;
        let used = if is_chosen {
            place(choice.name())
        } else {
            let is_there = |one: &Candidate| {
                !one.is_native() && matches!(one.answer, Answer::Silent | Answer::Refuses(_))
            };
            candidates
                .iter()
                .position(Candidate::answers)
                .or_else(|| place("native").filter(|at| !needs_root(&candidates[*at])))
                .or_else(|| candidates.iter().position(is_there))
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

    /// Those that were looked for before and run, as far as that is known.
    pub(super) fn unseen(&self) -> impl Iterator<Item = &Candidate> {
        let before = self.candidates[..self.used].iter();
        before.filter(|one| one.answer == Answer::Silent || one.denial().is_some())
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
/// used; so is a program that bears the name of another one.
pub(super) fn find_engines(settings: &ProviderBuilder) -> Engines {
    let began = Instant::now();
    let clients = choose_clients(settings.choice);
    let is_chosen = settings.choice != EngineChoice::Detect;
    let answers = run_each(&clients, |client| {
        let deadline = began + ANSWER_TIMEOUT;
        let answer = probe_client(settings, client, deadline);
        // Whoever has named it means whatever is there, and podman's store.
        let is_asked = match answer {
            Answer::NotAsked => is_chosen || client.choice != EngineChoice::Podman,
            Answer::Foreign(_) => is_chosen,
            _ => false,
        };
        if is_asked {
            ask_client(settings, client, &answer, deadline)
        } else {
            answer
        }
    });
    let names = clients.iter().map(|client| client.choice.name());
    let mut candidates: Vec<_> = names
        .zip(answers)
        .map(|(name, answer)| Candidate { name, answer })
        .collect();
    let choice = meant_choice(settings, &candidates);
    if choice == EngineChoice::Detect && !candidates.iter().any(Candidate::answers) {
        ask_others(
            settings,
            &clients,
            &mut candidates,
            began + LAST_ANSWER_TIMEOUT,
        );
    }
    if matches!(choice, EngineChoice::Detect | EngineChoice::Native) {
        candidates.push(Candidate {
            name: EngineChoice::Native.name(),
            answer: probe_native(settings),
        });
    }
    Engines::choose_engine(choice, candidates)
}

/// Docker where a variable leads its program to a daemon, and nothing else was named.
fn meant_choice(settings: &ProviderBuilder, candidates: &[Candidate]) -> EngineChoice {
    let is_docker = |one: &Candidate| {
        let is_there = !matches!(one.answer, Answer::Missing | Answer::Foreign(_));
        one.name == EngineChoice::Docker.name() && is_there
    };
    let is_led = settings.engine_parts().docker_variable().is_some();
    match settings.choice {
        EngineChoice::Detect if is_led && candidates.iter().any(is_docker) => EngineChoice::Docker,
        choice => choice,
    }
}

/// The programs that come into question.
fn choose_clients(choice: EngineChoice) -> Vec<&'static Client> {
    let is_meant = |client: &&Client| choice == EngineChoice::Detect || client.choice == choice;
    let lima = [&LIMA_CLIENT].into_iter();
    let lima = lima.filter(|lima| lima.choice == choice);
    CLIENTS.iter().filter(is_meant).chain(lima).collect()
}

/// Asks what was not asked yet: podman, then a program under another one's name.
fn ask_others(
    settings: &ProviderBuilder,
    clients: &[&Client],
    candidates: &mut [Candidate],
    deadline: Instant,
) {
    let is_left = |one: &Candidate| one.answer == Answer::NotAsked;
    let is_shim = |one: &Candidate| match &one.answer {
        Answer::Foreign(banner) => Flavor::of_banner(banner).is_some(),
        _ => false,
    };
    let mut places = candidates.iter();
    let at = places.position(is_left);
    if let Some(at) = at.or_else(|| candidates.iter().position(is_shim)) {
        let answer = &candidates[at].answer;
        let is_late = deadline.saturating_duration_since(Instant::now()) < FAIR_TIME;
        match ask_client(settings, clients[at], answer, deadline) {
            // Others have taken the time that it would have needed.
            Answer::Silent if is_late => {}
            told => candidates[at].answer = told,
        }
    }
}

fn probe_client(settings: &ProviderBuilder, client: &Client, deadline: Instant) -> Answer {
    let engine = engine_client(
        client.flavor,
        client.choice.name(),
        &settings.engine_parts(),
    );
    let limit = deadline.saturating_duration_since(Instant::now());
    match engine.probe_program(limit) {
        Presence::Missing => Answer::Missing,
        Presence::Silent => Answer::Silent,
        Presence::Broken(error) => Answer::Refuses(vec![refusal(&error)]),
        Presence::Program(banner) if banner.starts_with(client.banner) => Answer::NotAsked,
        Presence::Program(banner) => Answer::Foreign(banner),
    }
}

/// Asks an engine whose program has said this of itself.
fn ask_client(
    settings: &ProviderBuilder,
    client: &Client,
    said: &Answer,
    deadline: Instant,
) -> Answer {
    let flavor = match said {
        Answer::Foreign(banner) => Flavor::of_banner(banner),
        _ => None,
    };
    let engine = engine_client(
        flavor.unwrap_or(client.flavor),
        client.choice.name(),
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
