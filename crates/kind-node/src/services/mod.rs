//! Addresses for Services of type `LoadBalancer`, from the network that the nodes themselves are on. In: Services,
//! Endpoints and Nodes. Out: their status, addresses on the node's link, neighbour announcements, and tables of
//! nftables.
//!
//! The last addresses of that network belong to services ([`kind_net::pool::service_range`]). One node of the
//! control plane leads, as long as there is such a Service: it gives each its address and names the node that
//! announces it, in the Service's status and an annotation ([`control`]). Every node takes the addresses that it is to announce onto its
//! own link ([`announce`]); what arrives there is kube-proxy's, as at any node. Where a Service wants its clients'
//! addresses kept, the announcing node hands connections on to all nodes that have its pods ([`share`]). When the
//! announcing node dies, the leader names another one; when the leader dies, another one leads.

mod alive;
mod announce;
mod backends;
mod cluster;
mod control;
mod decide;
mod error;
mod events;
mod frames;
mod guard;
mod lease;
mod link;
mod program;
mod share;

pub(crate) use error::Error;
pub(crate) use program::{run_services, serve_services};

#[cfg(test)]
mod lab_tests;
#[cfg(test)]
mod manifest_tests;
