//! Which engine nodes run on.

/// Which engine to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineChoice {
    /// The first that answers: docker, nerdctl, podman, and then the native engine on Linux. Where `DOCKER_HOST` or
    /// `DOCKER_CONTEXT` is set, docker is meant, whatever it says.
    #[default]
    Detect,
    /// This Linux kernel, without any container engine.
    Native,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd through nerdctl.
    Nerdctl,
    /// containerd through finch.
    Finch,
    /// containerd through nerdctl in a Lima machine.
    NerdctlLima,
}

impl EngineChoice {
    /// The engine that users call so; `None` for a name that is none.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "native" => Self::Native,
            "docker" => Self::Docker,
            "podman" => Self::Podman,
            "nerdctl" => Self::Nerdctl,
            "finch" => Self::Finch,
            "nerdctl.lima" => Self::NerdctlLima,
            _ => return None,
        })
    }

    /// The engine's name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Native => "native",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
            Self::Finch => "finch",
            Self::NerdctlLima => "nerdctl.lima",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kinds() {
        for name in [
            "native",
            "docker",
            "podman",
            "nerdctl",
            "finch",
            "nerdctl.lima",
        ] {
            assert_eq!(EngineChoice::named(name).unwrap().name(), name);
        }
        assert_eq!(EngineChoice::named("detect"), None);
    }
}
