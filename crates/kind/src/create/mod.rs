//! Creating a cluster: config → plan → provision → bootstrap → ready.

mod balancer;
mod boot;
mod checks;
mod coordinator;
mod documents;
mod drive;
mod etcd_data;
mod event_log;
mod image_facts;
mod kubeadm_failure;
mod network_overlap;
mod node_documents;
mod options;
pub(crate) mod parallel;
mod phases;
mod prerequisites;
mod provision;
mod requests;
mod run;
mod start;
mod strategy;

pub(crate) use checks::{check_cluster, check_host};
pub(crate) use documents::{ClusterDocuments, NodeFiles, make_documents};
pub(crate) use image_facts::ImageFacts;
pub use options::{CreateCluster, Created};
pub(crate) use options::{explain_error, use_image};
pub(crate) use provision::{Provisioned, ProvisionedNode};
pub(crate) use run::make_plan;

#[cfg(test)]
mod tests;
