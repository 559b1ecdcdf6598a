//! Commands that only lead to others.

use super::{
    build_node_image, create_cluster, delete_cluster, delete_clusters, export_kubeconfig,
    export_logs, get_clusters, get_kubeconfig, get_nodes, load_docker_image, load_image_archive,
    start_cluster, stop_cluster,
};
use crate::args::{ArgRule, Command};

/// `kind build`
pub(super) static BUILD: Command = Command {
    children: &[&build_node_image::COMMAND],
    ..Command::new("build", "Build one of [node-image]")
};

/// `kind create`
pub(super) static CREATE: Command = Command {
    about: "Creates one of local Kubernetes cluster (cluster)",
    children: &[&create_cluster::COMMAND],
    ..Command::new("create", "Creates one of [cluster]")
};

/// `kind delete`
pub(super) static DELETE: Command = Command {
    children: &[&delete_cluster::COMMAND, &delete_clusters::COMMAND],
    ..Command::new("delete", "Deletes one of [cluster]")
};

/// `kind export`
pub(super) static EXPORT: Command = Command {
    children: &[&export_kubeconfig::COMMAND, &export_logs::COMMAND],
    ..Command::new("export", "Exports one of [kubeconfig, logs]")
};

/// `kind get`
pub(super) static GET: Command = Command {
    children: &[
        &get_clusters::COMMAND,
        &get_nodes::COMMAND,
        &get_kubeconfig::COMMAND,
    ],
    ..Command::new("get", "Gets one of [clusters, nodes, kubeconfig]")
};

/// `kind start`
pub(super) static START: Command = Command {
    children: &[&start_cluster::COMMAND],
    ..Command::new("start", "Starts one of [cluster]")
};

/// `kind stop`
pub(super) static STOP: Command = Command {
    children: &[&stop_cluster::COMMAND],
    ..Command::new("stop", "Stops one of [cluster]")
};

/// `kind load`
pub(super) static LOAD: Command = Command {
    about: "Loads images into node from an archive or image on host",
    rule: ArgRule::None,
    children: &[&load_docker_image::COMMAND, &load_image_archive::COMMAND],
    ..Command::new("load", "Loads images into nodes")
};
