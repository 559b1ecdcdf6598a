//! Room for a bridge's packets in a host's firewall that drops what it does not know.
//!
//! Docker and ufw make `DROP` the policy of iptables' chain `FORWARD`. An `accept` in a table of our own
//! does not help: a packet must pass every table. So the rules go where the packets would be dropped,
//! and only there: a host without iptables, or whose iptables drops nothing, is not touched. Bridged
//! packets pass `FORWARD` too where `br_netfilter` is loaded; the same rules let them through.
//!
//! Rules that accept in all directions would open nodes to the host's neighbours, which such a host
//! does not want. What comes in from outside must be a reply.
//!
//! firewalld has a table of its own and is told by its own program. What a host's firewall forgets when it
//! is loaded anew comes back with the next start of a node.

mod firewalld;
mod grants;
mod iptables;
mod orphans;
mod passage;

pub use grants::{grant, revoke};
