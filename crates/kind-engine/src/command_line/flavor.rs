//! What differs between the programs, as data.

use std::time::Duration;

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

    /// The engine behind a program that says this of its version, whatever the program is called.
    pub fn of_banner(banner: &str) -> Option<Self> {
        let flavors = [
            ("Docker version", Self::Docker),
            ("podman version", Self::Podman),
            ("nerdctl version", Self::Nerdctl),
            ("finch version", Self::Nerdctl),
        ];
        let known = flavors.iter().find(|(start, _)| banner.starts_with(start));
        known.map(|(_, flavor)| *flavor)
    }

    /// Arguments that ask for everything the engine knows about itself, as JSON.
    pub(super) fn info_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Docker | Self::Nerdctl => &["info", "--format", "{{json .}}"],
            Self::Podman => &["info", "--format", "json"],
        }
    }

    /// Arguments of the simplest question that the engine has to answer. Podman is no daemon that could hang, and
    /// whatever looks at its store waits there for a pull of others.
    pub(super) fn liveness_question(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &["version", "--format", "{{.Server.Version}}"],
            Self::Podman => &["-v"],
            Self::Nerdctl => &["version"],
        }
    }

    /// How long the engine may take for what only asks, while it answers other questions.
    pub(super) fn question_timeout(self) -> Duration {
        match self {
            Self::Docker | Self::Nerdctl => Duration::from_secs(60),
            Self::Podman => Duration::from_secs(5 * 60),
        }
    }

    /// What brings an engine back that does not answer.
    pub fn restart_advice(self) -> &'static str {
        match self {
            Self::Docker => {
                "see `systemctl status docker`, then `sudo systemctl restart docker` (Docker Desktop: restart it)"
            }
            Self::Podman => {
                "see what `podman --log-level=debug info` waits for, and end it (a machine: `podman machine stop` and \
                 `start`)"
            }
            Self::Nerdctl => {
                "see `systemctl status containerd`, then `sudo systemctl restart containerd`"
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shim_is_what_it_says_that_it_is() {
        for (banner, flavor) in [
            ("Docker version 29.0.2, build 8108357", Some(Flavor::Docker)),
            ("podman version 5.4.2", Some(Flavor::Podman)),
            ("nerdctl version 2.1.3", Some(Flavor::Nerdctl)),
            ("finch version v1.11.0", Some(Flavor::Nerdctl)),
            ("", None),
            ("bash: docker: command not found", None),
        ] {
            assert_eq!(Flavor::of_banner(banner), flavor, "{banner}");
        }
    }
}
