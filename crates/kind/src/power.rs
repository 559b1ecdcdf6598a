//! Stopping a cluster and starting it again: after a restart of the host, or to have the memory back.

use std::time::{Duration, Instant};

use kind_engine::{Engine, Node, State};
use kind_node::request::{Event as NodeEvent, Request, StepId};

use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::create::parallel;
use crate::event::{Event, Listener, Outcome, Phase};
use crate::leftover::Leftover;
use crate::node::{Abandoned, Reply, Requests};
use crate::steps::{run_step, step_event};
use crate::{CancelToken, Code, Error, NodeRole, Provider, Result, bootstrap};

/// How long nodes may take to shut down in order.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a node may take until it takes commands.
const BOOT_TIMEOUT: Duration = Duration::from_secs(30);

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

    /// Waits until the API server answers and all nodes are ready, at most so long; running out of time is no
    /// error.
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

    /// Starts all nodes of a cluster that do not run, and returns their names.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], or [`Error::Engine`] if a node cannot be started.
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
    let noted = went_well(requests, cancel, &|_| {});
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
    if let Some(limit) = options.wait {
        wait_until_ready(provider, options, &nodes, limit, listener)?;
    }
    Ok(stopped.iter().map(|node| node.name.clone()).collect())
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
        .wait_until_booted(&node.name, BOOT_TIMEOUT)
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

/// Waits until every node has said since its start that it is ready, and the API server answers. Each is asked
/// itself: what the cluster knows of a node may be from before it went down.
fn wait_until_ready(
    provider: &Provider,
    options: &StartCluster,
    nodes: &[Node],
    limit: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    let mut nodes: Vec<_> = nodes
        .iter()
        .filter(|node| !is_load_balancer(node))
        .collect();
    nodes.sort_unstable_by_key(|node| (!is_control_plane(node), &node.name));
    if nodes.first().is_none_or(|node| !is_control_plane(node)) {
        return Err(Error::NoControlPlane(options.name.clone()));
    }
    let phase = Phase::WaitReady { limit };
    listener(Event::PhaseStarted(phase.clone()));
    let began = Instant::now();
    let mut requests = Requests::new(provider.shared_engine());
    for (index, node) in nodes.iter().enumerate() {
        let mut steps = vec![bootstrap::await_ready_step(&node.name, limit)];
        // One of them asks as users do, through the load balancer if there is one.
        steps.extend((index == 0).then(|| bootstrap::await_api_server_step(limit)));
        requests.begin_request(&node.name, &Request { steps }, &[]);
    }
    let is_ready = went_well(requests, &options.cancel, listener)?;
    let outcome = if is_ready {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    listener(Event::PhaseEnded { phase, outcome });
    listener(if is_ready {
        Event::Ready {
            after: began.elapsed(),
        }
    } else {
        Event::NotReady
    });
    Ok(())
}

fn is_control_plane(node: &Node) -> bool {
    NodeRole::of(node) == Some(NodeRole::ControlPlane)
}

fn is_load_balancer(node: &Node) -> bool {
    NodeRole::of(node) == Some(NodeRole::LoadBalancer)
}

/// Whether every step of all requests went well.
fn went_well(mut requests: Requests, cancel: &CancelToken, listener: Listener<'_>) -> Result<bool> {
    let mut well = true;
    let kept = || Abandoned::NodesKept;
    requests.handle_replies(cancel, kept, |_, node, reply| {
        match reply {
            Reply::Event(NodeEvent::Failed {
                name,
                reason,
                output,
                ..
            }) => {
                tracing::debug!(node, name, reason, output, "waiting");
                well = false;
            }
            Reply::Ended(code) => well &= code == 0,
            Reply::Event(event) => step_event(node, &event).into_iter().for_each(listener),
            Reply::Noise(_) => {}
        }
        Ok(())
    })?;
    Ok(well)
}
