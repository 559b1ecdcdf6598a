//! Cluster DNS: the records of Kubernetes DNS-based service discovery (schema 1.1) and forwarding of every other
//! name. In: questions over UDP and TCP, the cluster's Services, EndpointSlices, namespaces and pods, and a
//! Corefile. Out: answers, metrics, and Events about the Corefile.
//!
//! ```text
//! API server ─► watch ─► objects ─► index ─────────┐  (each swapped as a whole)
//!           └─► corefile_watch ─► configuration ─► chains
//!                                                  ▼
//! packet ─► wire ─► resolver ─► chain ─► plugins ─► answer ─► wire ─► packet
//!                                 └─► forward (cache, upstream) for names that are not ours
//! ```
//!
//! Everything that decides is pure and sits in `configuration`, `plugin`, `convert`, `objects`, `index`, `zone`,
//! `answer`, `wire`, `cache` and `resolv_conf`; sockets, clocks, files and the API server are in `watch`, `pods`,
//! `corefile_watch`, `loader`, `listeners`, `report`, `surroundings`, `chain`, `asking`, `forward`, `upstream`,
//! `server`, `probe` and `program`.
//!
//! What is answered is said by a Corefile, CoreDNS's configuration: that of the ConfigMap `kube-system/coredns`,
//! which is in force as soon as it changes. What this server does not do of it is an Event on the ConfigMap. Beyond
//! CoreDNS, answers of the cluster's own zone are never cached, and a Corefile need not ask for `reload`.

mod answer;
mod asking;
mod cache;
mod chain;
mod configuration;
mod convert;
mod corefile_watch;
mod error;
mod forward;
mod index;
mod listeners;
mod loader;
mod message;
mod metrics;
mod model;
mod objects;
mod options;
mod plugin;
mod pods;
mod probe;
mod program;
mod report;
mod resolv_conf;
mod resolver;
mod server;
mod shares;
mod surroundings;
mod upstream;
mod watch;
mod wire;
mod zone;

#[cfg(test)]
mod loopback_tests;
#[cfg(test)]
mod manifest_tests;
#[cfg(test)]
mod specification_tests;

pub(crate) use error::Error;
pub(crate) use program::run_dns;
