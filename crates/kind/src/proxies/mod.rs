//! Proxies of the host: which ones there are, and where nodes reach them.

mod address;
mod nodes;
mod reach;
mod variables;

pub(crate) use address::ProxyAddress;
pub(crate) use nodes::{ProxiesOfNodes, proxies_of_nodes};
pub(crate) use reach::open_ports;
