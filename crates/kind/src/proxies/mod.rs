//! Proxies of the host: which ones there are, and where nodes reach them.

mod nodes;
mod reach;
mod variables;

pub(crate) use nodes::{ProxiesOfNodes, proxies_of_nodes};
pub(crate) use reach::open_ports;
pub(crate) use variables::find_variable;
