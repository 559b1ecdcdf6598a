//! The nodes that images go to.

use kind_image::concurrent::run_each;

use super::inventory::Inventory;
use super::options::LoadImages;
use crate::{Code, Error, NodeRole, Provider, Result};

/// A node and what it has.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) inventory: Inventory,
}

/// Names of the nodes that the options choose, in the engine's order.
pub(super) fn select_nodes(provider: &Provider, options: &LoadImages) -> Result<Vec<String>> {
    let listed = provider.engine().list(Some(&options.cluster));
    let mut nodes = listed.map_err(Error::engine(Code::NodeList, "failed to list nodes"))?;
    nodes.retain(|node| NodeRole::of(node) != Some(NodeRole::LoadBalancer));
    if nodes.is_empty() {
        return Err(Error::NoNodes(options.cluster.clone()));
    }
    let unknown = |name: &&String| nodes.iter().all(|node| node.name != **name);
    if let Some(name) = options.nodes.iter().find(unknown) {
        // Scripts know the name in quotes from one of kind's commands and without from the other.
        return Err(Error::UnknownNode(if options.images.is_empty() {
            name.clone()
        } else {
            format!("{name:?}")
        }));
    }
    if !options.nodes.is_empty() {
        nodes.retain(|node| options.nodes.contains(&node.name));
    }
    Ok(nodes.into_iter().map(|node| node.name).collect())
}

/// Asks all nodes at once what they have.
pub(super) fn query_targets(provider: &Provider, names: &[String]) -> Result<Vec<Target>> {
    let engine = provider.engine();
    let asked = run_each(names, |name| {
        let inventory = Inventory::query_node(engine, name)?;
        Ok(Target {
            name: name.clone(),
            inventory,
        })
    });
    let (mut targets, mut errors) = (Vec::new(), Vec::new());
    for target in asked {
        match target {
            Ok(target) => targets.push(target),
            Err(error) => errors.push(error),
        }
    }
    Error::collect(errors)?;
    Ok(targets)
}
