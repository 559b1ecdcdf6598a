//! What a failed program probably means, from what it printed.

use crate::Code;

/// A known reason for a program's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// Nothing that is known.
    Unknown,
    /// The program is not installed.
    NoProgram,
    /// No daemon answers.
    NoDaemon,
    /// The daemon is not ours to use.
    Denied,
    /// A host port has another owner.
    PortTaken,
    /// The disk of the engine is full.
    DiskFull,
    /// The registry cannot be reached.
    NoRegistry,
    /// The registry wants a login, or has no such image.
    ImageDenied,
    /// A host path is not shared with the engine's machine.
    NotShared,
    /// An address of the node's network has another owner.
    AddressTaken,
    /// No subnet is left for a network.
    NoSubnet,
    /// The engine lacks something that privileged nodes need.
    Unprivileged,
}

/// Words of programs and the reasons they stand for. The first match counts.
const WORDS: [(&str, FailureReason); 29] = [
    (
        "executable file not found in $PATH",
        FailureReason::NoProgram,
    ),
    (
        "permission denied while trying to connect",
        FailureReason::Denied,
    ),
    ("Got permission denied", FailureReason::Denied),
    (
        "Cannot connect to the Docker daemon",
        FailureReason::NoDaemon,
    ),
    ("Is the docker daemon running", FailureReason::NoDaemon),
    (
        "failed to connect to the docker API",
        FailureReason::NoDaemon,
    ),
    ("cannot access containerd socket", FailureReason::NoDaemon),
    ("unable to connect to Podman", FailureReason::NoDaemon),
    ("Cannot connect to Podman", FailureReason::NoDaemon),
    ("error during connect", FailureReason::NoDaemon),
    ("port is already allocated", FailureReason::PortTaken),
    ("ports are not available", FailureReason::PortTaken),
    ("failed to bind host port", FailureReason::PortTaken),
    ("rootlessport listen", FailureReason::PortTaken),
    ("Address already in use", FailureReason::AddressTaken),
    ("is already allocated", FailureReason::AddressTaken),
    ("address already in use", FailureReason::PortTaken),
    ("no space left on device", FailureReason::DiskFull),
    ("pull access denied", FailureReason::ImageDenied),
    ("insufficient_scope", FailureReason::ImageDenied),
    ("no such host", FailureReason::NoRegistry),
    ("i/o timeout", FailureReason::NoRegistry),
    ("connection refused", FailureReason::NoRegistry),
    ("network is unreachable", FailureReason::NoRegistry),
    ("no route to host", FailureReason::NoRegistry),
    ("name resolution", FailureReason::NoRegistry),
    ("Mounts denied", FailureReason::NotShared),
    ("non-overlapping IPv4 address pool", FailureReason::NoSubnet),
    ("unable to apply caps", FailureReason::Unprivileged),
];

impl FailureReason {
    /// The reason behind what a program printed.
    pub(super) fn of_output(output: &str) -> Self {
        let known = WORDS.iter().find(|(words, _)| output.contains(words));
        known.map_or(Self::Unknown, |(_, failure_reason)| *failure_reason)
    }

    /// The kind of failure that an error with this reason is.
    pub(crate) fn code(self) -> Code {
        match self {
            Self::Unknown => Code::ProgramFailed,
            Self::NoProgram => Code::ProgramMissing,
            Self::NoDaemon => Code::NoDaemon,
            Self::Denied => Code::DaemonDenied,
            Self::PortTaken => Code::PortTaken,
            Self::DiskFull => Code::DiskFull,
            Self::NoRegistry => Code::RegistryUnreachable,
            Self::ImageDenied => Code::ImageDenied,
            Self::NotShared => Code::PathNotShared,
            Self::AddressTaken => Code::AddressTaken,
            Self::NoSubnet => Code::NoSubnet,
            Self::Unprivileged => Code::Unprivileged,
        }
    }

    /// What the user can do.
    pub(crate) fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::NoProgram => {
                "install docker, podman or nerdctl, or choose another engine with `--provider`; \
                 on Linux, root needs none with `--provider native`"
            }
            Self::NoDaemon => {
                "start the engine, or see where its program connects to (`docker context ls`, \
                 DOCKER_HOST); on Linux, root needs none with `--provider native`"
            }
            Self::Denied => {
                "join the group that may use the engine (`sudo usermod -aG docker $USER`, then log in \
                 again), or run kind with sudo"
            }
            Self::PortTaken => {
                "free that port, or choose another in the configuration (hostPort, apiServerPort); \
                 0 takes a free one"
            }
            Self::DiskFull => {
                "free space on the engine's disk, for example with `docker system prune`"
            }
            Self::NoRegistry => {
                "check the network, a proxy and the name; images that are here already are not pulled"
            }
            Self::ImageDenied => {
                "check the image's name, or log in to its registry with the engine"
            }
            Self::NotShared => "share that path with the engine's machine in its settings",
            Self::AddressTaken => {
                "another container on the network has the node's address; delete the cluster and \
                 create it again"
            }
            Self::NoSubnet => {
                "remove networks that nobody uses (`docker network prune`), or give the engine more \
                 address pools (`default-address-pools` of dockerd)"
            }
            Self::Unprivileged => {
                "this host keeps a capability from privileged containers; on Linux, \
                 `--provider native` does without it"
            }
        })
    }
}

/// How the engines say that a name is taken.
const TAKEN: [&str; 3] = [
    "Conflict. The container name",
    "is already in use",
    "is already used by ID",
];

/// Whether an engine complains that a container of that name is there.
pub(super) fn is_taken(output: &str, name: &str) -> bool {
    TAKEN.iter().any(|words| output.contains(words)) && output.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_have_reasons() {
        for (output, failure_reason) in [
            (
                "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
                FailureReason::NoDaemon,
            ),
            (
                "docker: Error response from daemon: driver failed programming external connectivity \
                 on endpoint a: Bind for 0.0.0.0:80 failed: port is already allocated.",
                FailureReason::PortTaken,
            ),
            (
                "Error response from daemon: Address already in use",
                FailureReason::AddressTaken,
            ),
            (
                "Error: IPAM error: requested ip address 10.89.0.135 is already allocated to container ID 0123",
                FailureReason::AddressTaken,
            ),
            (
                "listen tcp4 0.0.0.0:80: bind: address already in use",
                FailureReason::PortTaken,
            ),
            (
                "Error response from daemon: Get \"https://a.test/v2/\": dial tcp 192.0.2.1:443: connect: \
                 network is unreachable",
                FailureReason::NoRegistry,
            ),
            ("something else", FailureReason::Unknown),
        ] {
            assert_eq!(FailureReason::of_output(output), failure_reason, "{output}");
        }
        assert!(FailureReason::Unknown.remedy().is_none());
        assert!(FailureReason::NoDaemon.remedy().is_some());
    }
}
