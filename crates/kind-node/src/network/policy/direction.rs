//! The two directions of traffic, seen from a pod.

use super::cluster::{Allowed, Policy};
use crate::nft::{Field, Verdict};

/// The two directions of traffic, seen from a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What a pod gets.
    Ingress,
    /// What it sends.
    Egress,
}

impl Direction {
    /// Both of them.
    pub(super) const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    /// The first word of the names of chains and sets; also the name of the map of pods.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// Where the address of the pod itself stands in a packet.
    pub(super) fn own(self) -> Field {
        match self {
            Self::Ingress => Field::Destination,
            Self::Egress => Field::Source,
        }
    }

    /// Where that of the other side stands.
    pub(super) fn other(self) -> Field {
        match self {
            Self::Ingress => Field::Source,
            Self::Egress => Field::Destination,
        }
    }

    /// What happens to an allowed packet.
    pub(super) fn passed(self) -> Verdict {
        match self {
            Self::Ingress => Verdict::Accept,
            Self::Egress => Verdict::Goto("ingress".to_owned()),
        }
    }

    /// What a policy allows in this direction; `None` if it has no say in it.
    pub(super) fn rules(self, policy: &Policy) -> Option<&Vec<Allowed>> {
        match self {
            Self::Ingress => policy.ingress.as_ref(),
            Self::Egress => policy.egress.as_ref(),
        }
    }

    /// The chain that holds back pods whose addresses are not known yet.
    pub(super) fn guard(self) -> String {
        format!("{}-unknown", self.name())
    }
}
