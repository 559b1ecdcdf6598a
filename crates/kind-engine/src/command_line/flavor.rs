//! What differs between the programs, as data.

use crate::EngineKind;

/// A kind of program that reaches an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// nerdctl and what speaks its language: finch, nerdctl.lima.
    Nerdctl,
}

impl Flavor {
    /// The engine behind it.
    pub fn kind(self) -> EngineKind {
        match self {
            Self::Docker => EngineKind::Docker,
            Self::Podman => EngineKind::Podman,
            Self::Nerdctl => EngineKind::Nerdctl,
        }
    }

    /// kind's name for it, whatever the program is called.
    pub fn name(self) -> &'static str {
        self.kind().name()
    }

    /// Arguments that ask for everything the engine knows about itself, as JSON.
    pub(super) fn info_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Docker | Self::Nerdctl => &["info", "--format", "{{json .}}"],
            Self::Podman => &["info", "--format", "json"],
        }
    }

    /// Nodes can be made at once; nerdctl's network plugins trip over each other.
    pub(super) fn creates_in_parallel(self) -> bool {
        self != Self::Nerdctl
    }

    /// Files go in and out as tar streams whether the node runs or not. Otherwise `tar` in the running
    /// node has to do it: nerdctl's own copying knows no streams.
    pub(super) fn copies_streams(self) -> bool {
        self != Self::Nerdctl
    }

    /// Nodes can be given addresses of their own for life.
    pub(super) fn gives_addresses(self) -> bool {
        self != Self::Nerdctl
    }

    /// What the engine calls a protocol when it publishes a port.
    pub(super) fn protocol(self, protocol: crate::Protocol) -> &'static str {
        match (self, protocol) {
            (Self::Podman, crate::Protocol::Tcp) => "tcp",
            (Self::Podman, crate::Protocol::Udp) => "udp",
            (Self::Podman, crate::Protocol::Sctp) => "sctp",
            (_, crate::Protocol::Tcp) => "TCP",
            (_, crate::Protocol::Udp) => "UDP",
            (_, crate::Protocol::Sctp) => "SCTP",
        }
    }

    /// The host port that lets the engine choose one at each start.
    pub(super) fn any_port(self) -> &'static str {
        match self {
            Self::Podman => "",
            Self::Docker | Self::Nerdctl => "0",
        }
    }
}
