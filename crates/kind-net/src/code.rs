//! What kinds of failure of networks there are.

use serde::{Deserialize, Serialize};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// The kernel refused a change of links, addresses or routes.
    Netlink,
    /// The program `nft` is not installed.
    NftMissing,
    /// The kernel or `nft` refused a ruleset.
    Nft,
    /// The host's firewall refused a change.
    Firewall,
    /// No subnet is free on this host.
    NoSubnet,
    /// A subnet has no address left.
    NoAddress,
}
