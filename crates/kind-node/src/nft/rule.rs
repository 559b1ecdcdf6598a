//! Rules as values.

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
