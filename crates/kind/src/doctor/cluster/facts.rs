//! What nodes tell of themselves, asked once for all checks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kind_engine::{Command, Engine, Io, Node, State};
use kind_image::concurrent::run_each;
use kind_node::examination::Examination;

use crate::node::{LimitedOutput, NODE_AGENT};
use crate::{KubeconfigFiles, NodeRole, Provider};

/// Which cluster it is, and what its nodes have said.
pub(in crate::doctor) struct Patient {
    pub(super) name: String,
    pub(super) provider: Provider,
    pub(super) nodes: Vec<Node>,
    pub(super) kubeconfigs: Option<KubeconfigFiles>,
    /// When nobody waits for nodes any more.
    deadline: Instant,
    answers: OnceLock<BTreeMap<String, NodeAnswer>>,
}

/// What came of asking a node.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeAnswer {
    /// What it found.
    Examined(Box<NodeExamination>),
    /// It does not answer in time.
    Silent,
    /// The engine has frozen it.
    Paused,
    /// Its agent cannot tell: it is of an older release, or there is none.
    Mute,
}

/// What a node found of itself, and when.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NodeExamination {
    pub(super) examination: Examination,
    /// The caller's time in the middle between the question and the answer, in milliseconds since 1970.
    pub(super) asked_ms: u64,
    /// How long that took.
    pub(super) took: Duration,
}

impl Patient {
    pub(in crate::doctor) fn new(
        name: &str,
        provider: Provider,
        nodes: Vec<Node>,
        kubeconfigs: Option<KubeconfigFiles>,
        deadline: Instant,
    ) -> Self {
        Self {
            name: name.to_owned(),
            provider,
            nodes,
            kubeconfigs,
            deadline,
            answers: OnceLock::new(),
        }
    }

    /// What running nodes of Kubernetes say, by their names.
    pub(super) fn answers(&self) -> &BTreeMap<String, NodeAnswer> {
        self.answers.get_or_init(|| {
            let running = self.nodes.iter().filter(|node| {
                node.state == State::Running && NodeRole::of(node) != Some(NodeRole::LoadBalancer)
            });
            let running: Vec<_> = running.collect();
            let answers = run_each(&running, |node| self.ask(&node.name));
            let names = running.iter().map(|node| node.name.clone());
            names.zip(answers).collect()
        })
    }

    /// What nodes found, with their names.
    pub(super) fn examinations(&self) -> Vec<(&str, &NodeExamination)> {
        let answers = self.answers().iter();
        answers
            .filter_map(|(name, answer)| match answer {
                NodeAnswer::Examined(told) => Some((name.as_str(), told.as_ref())),
                NodeAnswer::Silent | NodeAnswer::Paused | NodeAnswer::Mute => None,
            })
            .collect()
    }

    /// A program on the user's PATH.
    pub(super) fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.provider.settings().environment.get("PATH")?;
        let programs = std::env::split_paths(path).map(|directory| directory.join(name));
        programs.into_iter().find(|program| program.is_file())
    }

    fn ask(&self, node: &str) -> NodeAnswer {
        let (engine, name) = (self.provider.shared_engine(), node.to_owned());
        let left = self.deadline.saturating_duration_since(Instant::now());
        run_within(left, move || ask_node(&engine, &name)).unwrap_or(NodeAnswer::Silent)
    }
}

fn ask_node(engine: &Arc<dyn Engine>, node: &str) -> NodeAnswer {
    // Nothing is left behind in a node that hangs.
    let command = Command::new(["timeout", "5", NODE_AGENT, "examine"]);
    let (mut stdout, mut stderr) = (LimitedOutput::default(), LimitedOutput::default());
    let (began, began_ms) = (Instant::now(), now_ms());
    let code = engine.exec(node, &command, Io::new(None, &mut stdout, &mut stderr));
    let took = began.elapsed();
    tracing::debug!(
        node,
        ?code,
        ms = took.as_millis(),
        "a node was asked how it is"
    );
    let half = u64::try_from(took.as_millis() / 2).unwrap_or(0);
    let examination = serde_json::from_slice(&stdout.0).ok();
    match examination.filter(|_| matches!(code, Ok(0))) {
        Some(examination) => NodeAnswer::Examined(Box::new(NodeExamination {
            examination,
            asked_ms: began_ms + half,
            took,
        })),
        None if is_paused(&stderr.0) => NodeAnswer::Paused,
        None => NodeAnswer::Mute,
    }
}

/// Engines run no command in what they have frozen, and say why.
fn is_paused(stderr: &[u8]) -> bool {
    String::from_utf8_lossy(stderr).contains("paused")
}

fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Does something that may hang in a thread of its own; `None` if it has not ended in time.
pub(in crate::doctor) fn run_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || drop(sender.send(work())));
    receiver.recv_timeout(limit).ok()
}
