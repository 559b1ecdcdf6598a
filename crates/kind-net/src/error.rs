//! What can go wrong while networks are made.

use crate::Code;

/// A failure of the host's network set-up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a change of links, addresses or routes.
    #[error("{action}")]
    Netlink {
        /// What was tried.
        action: String,
        /// The kernel's answer.
        #[source]
        source: std::io::Error,
    },
    /// The program `nft` is not installed.
    #[error("the program `nft` was not found")]
    NftMissing,
    /// The kernel or `nft` refused a ruleset.
    #[error("nft refused the ruleset: {0}")]
    Nft(String),
    /// The host's firewall drops packets of nodes and refuses to let them through.
    #[error("{program} refused a change of the host's firewall: {message}")]
    Firewall {
        /// The program that was asked.
        program: String,
        /// Its answer.
        message: String,
    },
    /// Every subnet that could be taken is in use on this host.
    #[error("every subnet for networks of nodes is routed on this host already: {0}")]
    NoSubnet(String),
    /// A subnet has no address left.
    #[error("subnet {0} has no address left")]
    NoAddress(String),
}

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Netlink { .. } => Code::Netlink,
            Self::NftMissing => Code::NftMissing,
            Self::Nft(_) => Code::Nft,
            Self::Firewall { .. } => Code::Firewall,
            Self::NoSubnet(_) => Code::NoSubnet,
            Self::NoAddress(_) => Code::NoAddress,
        }
    }

    /// What the user can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Netlink { .. } => "run as root on a kernel with bridge and veth devices",
            Self::NftMissing => "install the package `nftables`",
            Self::Nft(_) => "use a kernel with nf_tables and NAT (modules nf_tables, nft_masq)",
            Self::Firewall { .. } => {
                "let the host's firewall accept packets of the bridge, or update that program"
            }
            Self::NoSubnet(_) => "remove a route or network that is not needed any more",
            Self::NoAddress(_) => "delete clusters that are not needed any more",
        }
    }
}
