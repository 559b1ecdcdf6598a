//! Stopping a cluster and starting it again: after a restart of the host, or to have the memory back.

use std::time::{Duration, Instant};

use kind_engine::{Boot, Engine, Node, State};
use kind_node::request::{Event as NodeEvent, Request, StepId};
use kind_secret::redact_document;

use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::bootstrap::ADMIN_CONFIG;
use crate::create::parallel;
use crate::error::{FailedStep, NotReady};
use crate::event::{Event, Listener, Outcome, Phase};
use crate::leftover::Leftover;
use crate::node::{Abandoned, Reply, Requests, read_output};
use crate::steps::{run_step, step_event};
use crate::{CancelToken, Code, Error, NodeRole, Provider, Result, bootstrap};

/// How long nodes may take to shut down in order.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a node may take until it takes commands.
const BOOT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an API server may take at least until it lets the administrator in.
const ADMINISTRATOR_TIMEOUT: Duration = Duration::from_secs(180);

/// What to start and how.
#[derive(Debug, Clone)]
pub struct StartCluster {
    name: String,
    wait: Option<Duration>,
    cancel: CancelToken,
}

impl StartCluster {
    /// All nodes of the cluster that do not run.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            wait: None,
            cancel: CancelToken::new(),
        }
    }

    /// Waits until all nodes are ready, at most so long.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// Stops waiting when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}

impl Provider {
    /// Ends all nodes of a cluster at once, and returns the names of those that ran. Everything that they
    /// hold stays.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], or [`Error::Engine`] if a node cannot be stopped.
    pub fn stop(&self, cluster: &str, cancel: &CancelToken) -> Result<Vec<String>> {
        let (provider, cluster, token) = (self.share(), cluster.to_owned(), cancel.clone());
        let work = move |_: Listener<'_>| stop_cluster(&provider, &cluster, &token);
        run_abandonable(work, SHORT_GRACE, cancel, &|_| {})?
    }

    /// Starts all nodes of a cluster that do not run, and returns their names once the administrator is let in.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], [`Error::Engine`] if a node cannot be started, [`Error::Step`] if the API server does
    /// not let anybody in, or [`Error::NotReady`].
    pub fn start(&self, options: &StartCluster, listener: Listener<'_>) -> Result<Vec<String>> {
        let (provider, wanted) = (self.share(), options.clone());
        let work = move |tell: Listener<'_>| start_cluster(&provider, &wanted, tell);
        run_abandonable(work, SHORT_GRACE, &options.cancel, listener)?
    }
}

/// Ends all nodes of a cluster at once; their files stay.
fn stop_cluster(provider: &Provider, cluster: &str, cancel: &CancelToken) -> Result<Vec<String>> {
    let mut running = cluster_nodes(provider, cluster)?;
    running.retain(|node| node.state == State::Running);
    note_stop(provider, &running, cancel);
    let _noted = cancel.note_leftover(half_running(cluster));
    let running: Vec<_> = running.into_iter().map(|node| node.name).collect();
    parallel::run_for_each(&running, cancel, |node| {
        let failed = Error::engine(Code::NodeStop, format!("failed to stop node {node:?}"));
        let engine = provider.engine();
        engine.stop(node, SHUTDOWN_TIMEOUT).map_err(failed)
    })?;
    Ok(running)
}

/// What is left if nodes of a cluster are started or stopped and not all of them were.
fn half_running(cluster: &str) -> Leftover {
    Leftover::HalfRunning {
        cluster: cluster.to_owned(),
    }
}

/// Has the cluster know that its nodes stop, if it can be told.
fn note_stop(provider: &Provider, nodes: &[Node], cancel: &CancelToken) {
    let Some(node) = nodes.iter().find(|node| is_control_plane(node)) else {
        return;
    };
    let mut requests = Requests::new(provider.shared_engine());
    let steps = vec![bootstrap::note_stop()];
    requests.begin_request(&node.name, &Request { steps }, &[]);
    let noted = find_failure(requests, cancel, &|_| {});
    tracing::debug!(?noted, node = node.name, "the cluster was told");
}

/// Starts all nodes of a cluster that do not run, at once.
fn start_cluster(
    provider: &Provider,
    options: &StartCluster,
    listener: Listener<'_>,
) -> Result<Vec<String>> {
    let nodes = cluster_nodes(provider, &options.name)?;
    let stopped: Vec<_> = nodes
        .iter()
        .filter(|node| node.state != State::Running)
        .collect();
    let noted = options.cancel.note_leftover(half_running(&options.name));
    parallel::run_for_each(&stopped, &options.cancel, |node| {
        let start = || start_node(provider.engine(), node);
        run_step(listener, &node.name, StepId::Boot, start)
    })?;
    drop(noted);
    let started = stopped.iter().map(|node| node.name.clone()).collect();
    let nodes = kubernetes_nodes(&nodes);
    let Some(first) = nodes.first().filter(|node| is_control_plane(node)) else {
        return Err(Error::NoControlPlane(options.name.clone()));
    };
    await_administrator(provider, options, first, listener)?;
    if let Some(limit) = options.wait {
        wait_until_ready(provider, options, &nodes, limit, listener)?;
    }
    Ok(started)
}

/// Starts a node and waits until it takes commands.
fn start_node(engine: &dyn Engine, node: &Node) -> Result<()> {
    let failed = |attempt, action| Error::engine(attempt, format!("{action} node {:?}", node.name));
    engine
        .start(&node.name)
        .map_err(failed(Code::NodeStart, "failed to start"))?;
    if is_load_balancer(node) {
        return Ok(());
    }
    engine
        .wait_until_booted(&node.name, Boot::Later, BOOT_TIMEOUT)
        .map_err(failed(Code::NodeBoot, "failed to boot"))
}

fn cluster_nodes(provider: &Provider, cluster: &str) -> Result<Vec<Node>> {
    let listed = provider.engine().list(Some(cluster));
    let nodes = listed.map_err(Error::engine(Code::NodeList, "failed to list nodes"))?;
    if nodes.is_empty() {
        Err(Error::NoSuchCluster(cluster.to_owned()))
    } else {
        Ok(nodes)
    }
}

/// Nodes that run Kubernetes, control planes first.
fn kubernetes_nodes(nodes: &[Node]) -> Vec<&Node> {
    let nodes = nodes.iter().filter(|node| !is_load_balancer(node));
    let mut nodes: Vec<_> = nodes.collect();
    nodes.sort_unstable_by_key(|node| (!is_control_plane(node), &node.name));
    nodes
}

/// Waits until the API server lets the administrator in: asked as users do, through the load balancer if there is one.
fn await_administrator(
    provider: &Provider,
    options: &StartCluster,
    node: &Node,
    listener: Listener<'_>,
) -> Result<()> {
    let limit = options.wait.unwrap_or_default().max(ADMINISTRATOR_TIMEOUT);
    let mut requests = Requests::new(provider.shared_engine());
    let steps = vec![bootstrap::await_api_server_step(limit)];
    requests.begin_request(&node.name, &Request { steps }, &[]);
    match find_failure(requests, &options.cancel, listener)? {
        None => Ok(()),
        // A node of another release of kind has no agent.
        Some(Failure::Ended(CANNOT_RUN | NO_PROGRAM)) => ask_without_agent(provider, node),
        Some(failure) => Err(failure.into_step(&node.name).into_error()),
    }
}

/// The same in a node that has nothing but kubectl.
fn ask_without_agent(provider: &Provider, node: &Node) -> Result<()> {
    let seconds = ADMINISTRATOR_TIMEOUT.as_secs();
    let script = format!(
        "timeout {seconds} sh -c 'until kubectl --kubeconfig={ADMIN_CONFIG} get nodes; do sleep 0.2; done'"
    );
    read_output(provider.engine(), &node.name, &["sh", "-c", &script]).map(drop)
}

/// Waits until every node has said since its start that it is ready. Each is asked itself: what the cluster knows of a
/// node may be from before it went down.
fn wait_until_ready(
    provider: &Provider,
    options: &StartCluster,
    nodes: &[&Node],
    limit: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    let phase = Phase::WaitReady { limit };
    listener(Event::PhaseStarted(phase.clone()));
    let began = Instant::now();
    let mut requests = Requests::new(provider.shared_engine());
    for node in nodes {
        let steps = vec![bootstrap::await_ready_step(&node.name, limit)];
        requests.begin_request(&node.name, &Request { steps }, &[]);
    }
    let failure = find_failure(requests, &options.cancel, listener)?;
    let outcome = match failure {
        None => Outcome::Done,
        Some(_) => Outcome::Failed,
    };
    listener(Event::PhaseEnded { phase, outcome });
    match failure {
        None => {
            let after = began.elapsed();
            listener(Event::Ready { after });
            Ok(())
        }
        Some(failure) => {
            listener(Event::NotReady);
            let failed = failure.into_step(&options.name);
            Err(NotReady::new(&failed.output, failed.causes).into_error())
        }
    }
}

fn is_control_plane(node: &Node) -> bool {
    NodeRole::of(node) == Some(NodeRole::ControlPlane)
}

fn is_load_balancer(node: &Node) -> bool {
    NodeRole::of(node) == Some(NodeRole::LoadBalancer)
}

/// Why a request did not do what it was for.
#[derive(Debug)]
enum Failure {
    Step(FailedStep),
    /// It ended with this code and without a word.
    Ended(i32),
}

/// What shells and engines say of a program that cannot run or is not there.
const CANNOT_RUN: i32 = 126;
const NO_PROGRAM: i32 = 127;

impl Failure {
    fn into_step(self, node: &str) -> FailedStep {
        match self {
            Self::Step(failed) => failed,
            Self::Ended(code) => FailedStep {
                node: node.to_owned(),
                action: format!("node {node:?} failed to finish its request"),
                reason: format!("exit code {code}"),
                output: String::new(),
                causes: Vec::new(),
            },
        }
    }
}

/// The first failure of requests, if there was one.
fn find_failure(
    mut requests: Requests,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<Option<Failure>> {
    let mut failure = None;
    let kept = || Abandoned::NodesKept;
    requests.handle_replies(cancel, kept, |_, node, reply| {
        match reply {
            Reply::Event(NodeEvent::Failed {
                name,
                reason,
                output,
                causes,
                ..
            }) => {
                tracing::debug!(node, name, reason, output, "waiting");
                failure.get_or_insert(Failure::Step(FailedStep {
                    node: node.to_owned(),
                    action: format!("node {node:?} did not get to {name}"),
                    reason,
                    output: redact_document(&output).into_owned(),
                    causes,
                }));
            }
            Reply::Ended(0) => {}
            Reply::Ended(code) => {
                failure.get_or_insert(Failure::Ended(code));
            }
            Reply::Event(event) => step_event(node, &event).into_iter().for_each(listener),
            Reply::Noise(_) => {}
        }
        Ok(())
    })?;
    Ok(failure)
}
