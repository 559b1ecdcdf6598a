//! The tree of commands, one file for each.

mod build_node_image;
mod completion;
mod config;
mod create_cluster;
mod delete_cluster;
mod delete_clusters;
mod doctor;
mod explain;
mod export_kubeconfig;
mod export_logs;
mod flags;
mod get_clusters;
mod get_kubeconfig;
mod get_nodes;
mod groups;
mod help;
mod load_docker_image;
mod load_image_archive;
mod prune;
mod root;
mod start_cluster;
mod stop_cluster;
mod timings;
mod version;

pub(crate) use root::ROOT;

#[cfg(test)]
mod tests;
