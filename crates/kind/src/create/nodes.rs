//! Making the nodes and putting their files into them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kind_engine::{Engine, Error as EngineError, Network, Node};
use kind_kubeadm::containerd;

use super::attempt::Attempt;
use super::documents::{Draft, Place, balancer_file};
use super::facts::Facts;
use super::parallel;
use super::way::Way;
use crate::event::{Event, Phase, Warning};
use crate::node::{File, pack, read_file};
use crate::plan::{KubernetesNode, NodeMap, NodePlan, Plan};
use crate::{Error, Result};

impl Attempt<'_> {
    /// Does `work` for every node at once, or one after the other where the engine wants it so.
    pub(super) fn for_each<R: Send>(
        &self,
        nodes: &[NodePlan],
        work: impl Fn(&NodePlan) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        if self.host.parallel_creates {
            return parallel::each(nodes, &self.options.cancel, work);
        }
        let one = |node| self.check().and_then(|()| work(node));
        nodes.iter().map(one).collect()
    }

    /// Makes all nodes, without starting them.
    pub(super) fn create_nodes(&mut self, plan: &Plan, network: &Network) -> Result<()> {
        let agent = self.provider.agent()?;
        let engine = self.provider.engine();
        let made = Mutex::new(Vec::new());
        let created = self.for_each(&plan.nodes, |node| {
            let created = engine.create(&node.spec(&network.name, agent));
            // What a failing engine leaves behind is ours, unless it was there before.
            if !matches!(&created, Err(EngineError::NodeExists(_))) {
                let mut made = made
                    .lock()
                    .expect("no thread panics while it holds the names");
                made.push(node.name.clone());
            }
            let action = format!("failed to create node {:?}", node.name);
            created.map_err(Error::engine(action))
        });
        self.made = made
            .into_inner()
            .expect("no thread panics while it holds the names");
        self.made.sort_unstable();
        created?;
        self.check()
    }

    /// Tells the load balancer whom it leads to, if there is one.
    pub(super) fn configure_balancer(&mut self, plan: &Plan) -> Result<()> {
        let Some(balancer) = plan.balancer() else {
            return Ok(());
        };
        self.phases.begin(Phase::LoadBalancer);
        self.copy_in(&balancer.name, &[balancer_file(plan)])
    }

    /// Puts every node's files into it. Returns how the nodes come together, and what is known of
    /// each.
    pub(super) fn write_configuration<'p>(
        &self,
        plan: &'p Plan,
    ) -> Result<(Way, NodeMap<Draft<'p>>)> {
        let engine = self.provider.engine();
        let listed = engine.list(Some(&plan.cluster));
        let listed = listed.map_err(Error::engine("failed to list nodes"))?;
        let images = self.read_images(plan)?;
        let nodes = plan.kubernetes_nodes();
        let drafts = parallel::each(&nodes, &self.options.cancel, |node| {
            let NodePlan { name, image, .. } = node.plan;
            let facts = match images.get(image.as_str()) {
                Some(facts) if node.plan.mounts.is_empty() => facts.clone(),
                // A mount may hide what the image says.
                _ => Facts::read(engine, name, image)?,
            };
            let made = listed.iter().find(|made| made.name == *name);
            let draft = self.draft(plan, *node, facts, made)?;
            Ok((name.clone(), draft))
        })?;
        let mut drafts: NodeMap<_> = drafts.into_iter().collect();
        let way = Way::choose(plan, &drafts)?;
        drafts.values_mut().for_each(|draft| way.settle(draft));
        let first = drafts.get(&plan.bootstrap);
        let kindnet = first.is_some_and(|first| first.image.brings_kindnet());
        let all: Vec<_> = drafts.values().collect();
        parallel::each(&all, &self.options.cancel, |draft| {
            if let Some(balancer) = plan.balancer().filter(|_| way.is_first(&draft.plan.name)) {
                let file = way.balancer_secret(draft)?;
                self.copy_in(&balancer.name, file.as_slice())?;
            }
            self.configure(plan, draft, &way, kindnet)
        })?;
        Ok((way, drafts))
    }

    fn draft<'p>(
        &self,
        plan: &'p Plan,
        node: KubernetesNode<'p>,
        image: Facts,
        made: Option<&Node>,
    ) -> Result<Draft<'p>> {
        let place = Place {
            ipv4: made.and_then(|made| made.ipv4),
            ipv6: made.and_then(|made| made.ipv6),
            engine: self.provider.engine().name(),
            host: &self.host,
        };
        Draft::new(&plan.kubernetes, node, image, place)
    }

    /// Reads what each image says once, from any of its nodes.
    fn read_images<'p>(&self, plan: &'p Plan) -> Result<BTreeMap<&'p str, Facts>> {
        let nodes = plan.kubernetes_nodes().into_iter();
        let mut nodes: Vec<_> = nodes.map(|node| node.plan).collect();
        nodes.retain(|node| node.mounts.is_empty());
        nodes.sort_by_key(|node| &node.image);
        nodes.dedup_by_key(|node| &node.image);
        let engine = self.provider.engine();
        let facts = parallel::each(&nodes, &self.options.cancel, |node| {
            let facts = Facts::read(engine, &node.name, &node.image)?;
            Ok((node.image.as_str(), facts))
        })?;
        for text in facts.iter().flat_map(|(_, facts)| facts.shortcomings()) {
            self.phases.tell(Event::Warning(Warning::Image(text)));
        }
        Ok(facts.into_iter().collect())
    }

    fn configure(&self, plan: &Plan, draft: &Draft<'_>, way: &Way, kindnet: bool) -> Result<()> {
        let cluster = &plan.kubernetes;
        let name = &draft.plan.name;
        for warning in kind_kubeadm::warnings(&cluster.networking, &draft.facts) {
            self.phases.tell(Event::Warning(Warning::Config(warning)));
        }
        let mut files = draft.files(cluster, || {
            read_file(self.provider.engine(), name, containerd::CONFIG_PATH).map(Some)
        })?;
        let shown = files
            .iter()
            .find(|file| file.path == kind_kubeadm::CONFIG_PATH);
        if let Some(File { text, .. }) = shown {
            self.phases.detail(
                2,
                format!("Using the following kubeadm config for node {name}:\n{text}"),
            );
        }
        if kindnet {
            files.extend(draft.pod_network(cluster));
        }
        files.extend(way.secrets(draft)?);
        files.extend(way.start_document(draft));
        self.copy_in(name, &files)
    }

    fn copy_in(&self, node: &str, files: &[File]) -> Result<()> {
        copy_in(self.provider.engine(), node, files)
    }
}

/// Puts files into a node.
pub(super) fn copy_in(engine: &dyn Engine, node: &str, files: &[File]) -> Result<()> {
    let tar = pack(files).map_err(EngineError::io("packing files"));
    tar.and_then(|tar| engine.copy_in(node, "/".as_ref(), &mut &tar[..]))
        .map_err(Error::engine(format!(
            "failed to write files into node {node:?}"
        )))
}
