//! Rules as values.

use std::net::IpAddr;

use ipnet::IpNet;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    /// Where a packet comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// The packet is one of the table's family, which only tables at ingress have to ask.
    OfFamily,
    /// The packet came in through the link of that index.
    LinkIn(u32),
    /// The packet goes out through the link of that index.
    LinkOut(u32),
    /// The packet came in through a link whose name begins so.
    LinkInNamed(&'static str),
    /// What is sent to where the packet comes from does not leave through the link that it came in by.
    NoWayBack,
    /// The packet is a piece of a larger one of IPv4; only the first piece has ports.
    Fragment,
    /// The packet belongs to a connection that was let through before, or tells of an error of one.
    Established,
    /// The packet was sent by this machine itself.
    FromHere,
    /// An address is in a range.
    In(Field, IpNet),
    /// An address is in the set of that name.
    InSet(Field, String),
    /// An address is not in the set of that name.
    NotInSet(Field, String),
    /// Destination address, protocol and port are in the set of that name.
    Service(String),
    /// The protocol above IP is of that number.
    Protocol(u8),
    /// The destination port is one of these; the protocol is to be matched before.
    Ports(u16, u16),
    /// The type of the ICMP message is one of these; the protocol is to be matched before.
    IcmpTypes(u8, u8),
}

/// What a rule does with a packet that meets all its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Lets it through this hook.
    Accept,
    /// Loses it.
    Drop,
    /// Loses it and tells the sender that the port is closed.
    Reject,
    /// Leaves the chain.
    Return,
    /// Goes on in a chain, and afterwards after this rule.
    Jump(String),
    /// Goes on in a chain, and afterwards after the rule that led to this chain.
    Goto(String),
    /// Does what the map of that name says about the address; goes on if that says nothing.
    Map(Field, String),
    /// Gives the packet the address of the link it leaves through.
    Masquerade,
    /// Goes on in the chain that the map of that name has for a number below [`SPREAD`], which is the
    /// same for all packets with the same [`Key`]; goes on in this chain if the map has none.
    Spread(Key, String),
    /// Hands the packet to the neighbour of that address, out of the link of that index. At ingress only.
    Forward(IpAddr, u32),
}

/// How many numbers there are to spread packets over.
pub(crate) const SPREAD: u32 = 256;

/// What packets have in common that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// Where they come from.
    Source,
    /// Where they come from, and the port there; the protocol is to be matched before.
    SourceAndPort,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Conditions, all of which must hold.
    pub(crate) matches: Vec<Match>,
    /// What happens then.
    pub(crate) verdict: Verdict,
}

impl Rule {
    /// A rule with these conditions.
    pub(crate) fn new(matches: impl Into<Vec<Match>>, verdict: Verdict) -> Self {
        Self {
            matches: matches.into(),
            verdict,
        }
    }
}
