//! What planned nodes do.

use std::fmt;

use kind_config::{LOAD_BALANCER_ROLE, Role};

/// What a planned node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NodeRole {
    /// It runs the control plane.
    ControlPlane,
    /// It runs pods only.
    Worker,
    /// It leads to several control planes, and is no Kubernetes node.
    LoadBalancer,
}

impl NodeRole {
    /// What a node of an engine does, from its label; `None` if that is none of ours.
    pub(crate) fn of(node: &kind_engine::Node) -> Option<Self> {
        let roles = [Self::ControlPlane, Self::Worker, Self::LoadBalancer];
        roles.into_iter().find(|role| role.as_str() == node.role())
    }

    /// The word for it, which is also the value of the container's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::LoadBalancer => LOAD_BALANCER_ROLE,
        }
    }
}

impl From<&Role> for NodeRole {
    /// The role of a checked configuration.
    fn from(role: &Role) -> Self {
        if role.is_control_plane() {
            Self::ControlPlane
        } else {
            Self::Worker
        }
    }
}

impl fmt::Display for NodeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
