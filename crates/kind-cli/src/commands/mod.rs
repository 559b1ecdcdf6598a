//! The tree of commands, one file for each.

mod build_node_image;
mod completion;
mod config;
mod create_cluster;
mod delete_cluster;
mod delete_clusters;
mod export_kubeconfig;
mod export_logs;
mod get_clusters;
mod get_kubeconfig;
mod get_nodes;
mod help;
mod load_docker_image;
mod load_image_archive;
mod prune;
mod root;
mod start_cluster;
mod stop_cluster;
mod version;

use crate::args::{ArgRule, Command, Flag};

pub(crate) use root::ROOT;

static BUILD: Command = Command {
    children: &[&build_node_image::COMMAND],
    ..Command::new("build", "Build one of [node-image]")
};

static CREATE: Command = Command {
    about: "Creates one of local Kubernetes cluster (cluster)",
    children: &[&create_cluster::COMMAND],
    ..Command::new("create", "Creates one of [cluster]")
};

static DELETE: Command = Command {
    children: &[&delete_cluster::COMMAND, &delete_clusters::COMMAND],
    ..Command::new("delete", "Deletes one of [cluster]")
};

static EXPORT: Command = Command {
    children: &[&export_kubeconfig::COMMAND, &export_logs::COMMAND],
    ..Command::new("export", "Exports one of [kubeconfig, logs]")
};

static GET: Command = Command {
    children: &[
        &get_clusters::COMMAND,
        &get_nodes::COMMAND,
        &get_kubeconfig::COMMAND,
    ],
    ..Command::new("get", "Gets one of [clusters, nodes, kubeconfig]")
};

static START: Command = Command {
    children: &[&start_cluster::COMMAND],
    ..Command::new("start", "Starts one of [cluster]")
};

static STOP: Command = Command {
    children: &[&stop_cluster::COMMAND],
    ..Command::new("stop", "Stops one of [cluster]")
};

static LOAD: Command = Command {
    about: "Loads images into node from an archive or image on host",
    rule: ArgRule::None,
    children: &[&load_docker_image::COMMAND, &load_image_archive::COMMAND],
    ..Command::new("load", "Loads images into nodes")
};

/// The cluster a command is about.
const NAME: Flag = Flag::text("name", "the cluster context name")
    .short('n')
    .default(kind::DEFAULT_CLUSTER_NAME);

/// The kubeconfig file a command changes.
const KUBECONFIG: Flag = Flag::text(
    "kubeconfig",
    "sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config",
);

/// Which address of the API server a kubeconfig names.
const INTERNAL: Flag = Flag::switch("internal", "use internal address instead of external");

#[cfg(test)]
mod tests;
