//! Looking for an engine that answers: in kind's order, each for a limited time.

use std::time::{Duration, Instant};

use kind_engine::command_line::{CommandLine, Flavor, Presence};
use kind_engine::{Code as EngineCode, Error as EngineError};

use super::choice::EngineChoice;
use super::client::{CLIENTS, Client, EngineParts, engine_client};
use crate::error::chain_of;

/// Who does not answer within this time is passed over.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// How many times longer an engine may take than its program to print its version: machines are not equally fast.
const SLOWNESS: u32 = 20;

/// What came of looking.
#[derive(Debug, Default)]
pub(super) struct Detection {
    /// The engine that answers, or that the user means.
    pub(super) engine: Option<CommandLine>,
    /// The program that reaches it.
    name: &'static str,
    /// The variable that says that the user means it.
    named_by: Option<&'static str>,
    /// Those that were looked for before it.
    passed: Vec<Passed>,
}

/// A program behind which no engine answers.
#[derive(Debug)]
struct Passed {
    name: &'static str,
    reason: Reason,
}

#[derive(Debug, PartialEq, Eq)]
enum Reason {
    Missing,
    /// It is another program, which says this of itself.
    Foreign(String),
    /// It does not answer.
    Silent,
    /// It is not this user's to use: what mends that.
    Denied(String),
    /// It says why it cannot be used.
    Refuses(String),
}

/// How far engines are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The engine is going to be used.
    Use,
    /// Nothing is to be made: podman, which makes a store when it is asked for anything, is believed its version.
    Look,
}

impl Detection {
    /// The program that is there although no engine answers behind it.
    pub(super) fn first_installed(&self) -> Option<&'static str> {
        let mut there = self.passed.iter();
        let is_there = |one: &&Passed| match one.reason {
            Reason::Missing | Reason::Foreign(_) => false,
            Reason::Silent | Reason::Denied(_) | Reason::Refuses(_) => true,
        };
        there.find(is_there).map(|one| one.name)
    }

    /// Whether one of those that were looked for before runs, as far as that is known, and its clusters are not seen.
    pub(super) fn has_unseen(&self) -> bool {
        let is_unseen = |one: &Passed| matches!(one.reason, Reason::Silent | Reason::Denied(_));
        self.passed.iter().any(is_unseen)
    }

    /// The engine that is taken, and why.
    pub(super) fn describe_choice(&self) -> String {
        let name = self.name;
        match self.named_by {
            Some(variable) => format!("{name}, as {variable} is set"),
            None => format!("{name}, the first that answers"),
        }
    }

    /// Why those that were looked for before were not taken, in a few words.
    pub(super) fn describe_passed_over(&self) -> String {
        let (missing, others): (Vec<_>, Vec<_>) = self
            .passed
            .iter()
            .partition(|one| one.reason == Reason::Missing);
        let mut parts: Vec<_> = others.into_iter().map(Passed::describe).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|one| one.name).collect();
            parts.push(format!("{}: not installed", names.join(", ")));
        }
        parts.join("; ")
    }
}

impl Passed {
    fn describe(&self) -> String {
        let name = self.name;
        match &self.reason {
            Reason::Missing => format!("{name}: not installed"),
            Reason::Foreign(banner) => format!("{name}: another program, {banner:?}"),
            Reason::Silent => format!("{name}: does not answer"),
            Reason::Denied(remedy) => format!("{name}: permission denied: {remedy}"),
            Reason::Refuses(reason) => format!("{name}: {reason}"),
        }
    }
}

/// Looks for the first program behind which an engine answers, or that the user means. A program that bears the name of one and is another is
/// taken for what it is, if nothing else answers.
pub(super) fn detect_engine(parts: &EngineParts, purpose: Purpose) -> Detection {
    let mut detection = Detection::default();
    for client in &CLIENTS {
        match try_client(client, parts, purpose) {
            Ok(engine) => {
                detection.named_by = variable_for(client, parts);
                return detection.found(engine, client);
            }
            Err(reason) => detection.passed.push(Passed {
                name: client.choice.name(),
                reason,
            }),
        }
    }
    for (at, client) in CLIENTS.iter().enumerate() {
        let Reason::Foreign(banner) = &detection.passed[at].reason else {
            continue;
        };
        let flavor = Flavor::of_banner(banner);
        let engine = flavor.map(|flavor| engine_client(flavor, client.choice.name(), parts));
        if let Some(engine) = engine
            && ask_engine(&engine, ANSWER_TIMEOUT).is_ok()
        {
            return detection.found(engine, client);
        }
    }
    detection
}

/// The flavor of the engine behind a program of that name, if the program is there and says that it is another one.
pub(super) fn actual_flavor(flavor: Flavor, program: &str, parts: &EngineParts) -> Flavor {
    match engine_client(flavor, program, parts).probe_program(ANSWER_TIMEOUT) {
        Presence::Program(banner) => Flavor::of_banner(&banner).unwrap_or(flavor),
        _ => flavor,
    }
}

impl Detection {
    fn found(mut self, engine: CommandLine, client: &Client) -> Self {
        self.engine = Some(engine);
        self.name = client.choice.name();
        self
    }
}

/// The variable by which the user means this program's engine.
fn variable_for(client: &Client, parts: &EngineParts) -> Option<&'static str> {
    let is_docker = client.choice == EngineChoice::Docker;
    is_docker.then(|| parts.docker_variable()).flatten()
}

fn try_client(
    client: &Client,
    parts: &EngineParts,
    purpose: Purpose,
) -> Result<CommandLine, Reason> {
    let engine = engine_client(client.flavor, client.choice.name(), parts);
    let began = Instant::now();
    match engine.probe_program(ANSWER_TIMEOUT) {
        Presence::Missing => return Err(Reason::Missing),
        Presence::Program(banner) if !banner.starts_with(client.banner) => {
            return Err(Reason::Foreign(banner));
        }
        // Whatever it says is told by who uses it.
        _ if variable_for(client, parts).is_some() => return Ok(engine),
        Presence::Silent => return Err(Reason::Silent),
        Presence::Broken(error) => return Err(Reason::of_error(&error)),
        Presence::Program(_) => {}
    }
    if client.flavor == Flavor::Podman && purpose == Purpose::Look {
        return Ok(engine);
    }
    let limit = ANSWER_TIMEOUT.max(began.elapsed() * SLOWNESS);
    ask_engine(&engine, limit).map(|()| engine)
}

fn ask_engine(engine: &CommandLine, limit: Duration) -> Result<(), Reason> {
    match engine.info_within(limit) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Reason::Silent),
        Err(error) => Err(Reason::of_error(&error)),
    }
}

impl Reason {
    fn of_error(error: &EngineError) -> Self {
        match error.remedy() {
            Some(remedy) if error.code() == EngineCode::DaemonDenied => Self::Denied(remedy),
            _ => Self::Refuses(short(error)),
        }
    }
}

/// The last line of what a program printed, or the failure itself.
fn short(error: &EngineError) -> String {
    let printed = error
        .output()
        .and_then(|output| output.trim().lines().last());
    match printed.filter(|line| !line.is_empty()) {
        Some(line) => line.to_owned(),
        None => chain_of(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_others_were_not_taken_is_told_in_one_line() {
        let passed = |name, reason| Passed { name, reason };
        let refuses = Reason::Refuses("Cannot connect to the Docker daemon".to_owned());
        let mut detection = Detection {
            passed: vec![
                passed("docker", refuses),
                passed("nerdctl", Reason::Missing),
                passed("finch", Reason::Missing),
                passed("podman", Reason::Silent),
            ],
            ..Detection::default()
        };
        assert_eq!(
            detection.describe_passed_over(),
            "docker: Cannot connect to the Docker daemon; podman: does not answer; nerdctl, finch: not installed"
        );
        assert_eq!(detection.first_installed(), Some("docker"));
        assert!(detection.has_unseen());
        detection.passed[0].reason = Reason::Foreign("podman version 5.4.2".to_owned());
        assert_eq!(detection.first_installed(), Some("podman"));
        assert!(
            detection
                .describe_passed_over()
                .starts_with("docker: another program, \"podman ")
        );
    }
}
