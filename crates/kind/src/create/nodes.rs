//! Making the nodes and putting their files into them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kind_engine::{Error as EngineError, Network, Node};
use kind_kubeadm::{NodeFacts, containerd};

use super::attempt::Attempt;
use super::documents;
use super::facts::Facts;
use super::parallel;
use crate::event::{Event, Warning};
use crate::node::{File, pack, read_file};
use crate::plan::{NodePlan, Plan};
use crate::{Error, Result};

/// What is known of a made node.
pub(super) struct Known {
    /// What its image says.
    pub(super) image: Facts,
    /// What its documents were made from.
    pub(super) kubeadm: NodeFacts,
}

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
        let agent = self.provider.agent_path()?;
        let engine = self.provider.engine();
        let made = Mutex::new(Vec::new());
        let created = self.for_each(&plan.nodes, |node| {
            let created = engine.create(&node.spec(&network.name, &agent));
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

    /// Puts every node's documents into it, and returns what is known of each in plan order.
    pub(super) fn write_configuration(&self, plan: &Plan) -> Result<Vec<Known>> {
        let engine = self.provider.engine();
        let listed = engine.list(Some(&plan.cluster));
        let listed = listed.map_err(Error::engine("failed to list nodes"))?;
        let images = self.read_images(plan)?;
        parallel::each(&plan.nodes, &self.options.cancel, |node| {
            let image = match images.get(node.image.as_str()) {
                Some(facts) if node.mounts.is_empty() => facts.clone(),
                // A mount may hide what the image says.
                _ => Facts::read(engine, &node.name, &node.image)?,
            };
            let made = listed.iter().find(|made| made.name == node.name);
            self.configure(node, image, made)
        })
    }

    /// Reads what each image says once, from any of its nodes.
    fn read_images<'p>(&self, plan: &'p Plan) -> Result<BTreeMap<&'p str, Facts>> {
        let mut nodes: Vec<_> = plan.nodes.iter().filter(|n| n.mounts.is_empty()).collect();
        nodes.sort_by_key(|node| &node.image);
        nodes.dedup_by_key(|node| &node.image);
        let engine = self.provider.engine();
        let facts = parallel::each(&nodes, &self.options.cancel, |node| {
            Facts::read(engine, &node.name, &node.image)
        })?;
        let images = nodes.into_iter().map(|node| node.image.as_str());
        Ok(images.zip(facts).collect())
    }

    fn configure(&self, node: &NodePlan, image: Facts, made: Option<&Node>) -> Result<Known> {
        let engine = self.provider.engine();
        let addresses = made.map_or((None, None), |made| (made.ipv4, made.ipv6));
        let host = (engine.name(), &self.host);
        let kubeadm = documents::node_facts(&node.name, &image, addresses, host)?;
        for warning in kind_kubeadm::warnings(&self.cluster, &kubeadm) {
            self.phases.tell(Event::Warning(Warning::Config(warning)));
        }
        let files = documents::files(&self.cluster, node, &kubeadm, || {
            read_file(engine, &node.name, containerd::CONFIG_PATH).map(Some)
        })?;
        let shown = files
            .iter()
            .find(|file| file.path == kind_kubeadm::CONFIG_PATH);
        if let Some(File { text, .. }) = shown {
            let name = &node.name;
            self.phases.detail(
                2,
                format!("Using the following kubeadm config for node {name}:\n{text}"),
            );
        }
        self.copy_in(&node.name, &files)?;
        Ok(Known { image, kubeadm })
    }

    fn copy_in(&self, node: &str, files: &[File]) -> Result<()> {
        let tar = pack(files).map_err(EngineError::io("packing files"));
        let engine = self.provider.engine();
        tar.and_then(|tar| engine.copy_in(node, "/".as_ref(), &mut &tar[..]))
            .map_err(Error::engine(format!(
                "failed to write files into node {node:?}"
            )))
    }
}
