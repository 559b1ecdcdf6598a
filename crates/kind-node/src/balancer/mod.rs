//! The load balancer in front of several control planes: plain TCP to those whose API server is ready. In:
//! connections of clients, and the members in `/kind/load-balancer.json`. Out: connections to them, and that file
//! where the cluster is asked.
//!
//! Traffic stays as it is, so that client certificates reach the API server. Each member is asked for
//! `/readyz` in short intervals. One that cannot be reached any more is drained within two seconds: its
//! connections end, and their clients come again and are led elsewhere. One that answers but is not ready
//! keeps the connections it has and gets no new ones.
//!
//! The members stand in a file that may be written at any time. Where the load balancer has a kubeconfig it
//! asks the cluster for its control planes and keeps that file itself.

mod certificates;
mod member;
mod members;
mod membership;
mod probe;
mod program;
mod relay;
#[cfg(test)]
mod tests;

pub(crate) use program::run_load_balancer;
