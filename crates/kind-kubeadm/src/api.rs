//! Versions of kubeadm's configuration API.

use kind_config::version::Version;

/// A version of `kubeadm.k8s.io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Kubernetes before 1.23.
    V1beta2,
    /// Kubernetes 1.23 to 1.35; brings `skipPhases`.
    V1beta3,
    /// Kubernetes 1.36 and later; extra arguments are lists.
    V1beta4,
}

impl Api {
    /// All of them, the oldest first.
    pub(crate) const ALL: [Self; 3] = [Self::V1beta2, Self::V1beta3, Self::V1beta4];

    /// The API version for a Kubernetes version. A pre-release counts as its release.
    pub fn of_kubernetes(kubernetes: &Version) -> Self {
        if *kubernetes < Version::new(1, 23, 0) {
            Self::V1beta2
        } else if *kubernetes < Version::new(1, 36, 0) {
            Self::V1beta3
        } else {
            Self::V1beta4
        }
    }

    /// What stands at `apiVersion` of kubeadm's documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1beta2 => "kubeadm.k8s.io/v1beta2",
            Self::V1beta3 => "kubeadm.k8s.io/v1beta3",
            Self::V1beta4 => "kubeadm.k8s.io/v1beta4",
        }
    }

    /// True if phases to skip stand in the documents; else they are arguments of the command.
    pub(crate) fn has_skip_phases(self) -> bool {
        self >= Self::V1beta3
    }

    /// True if extra arguments are a list of names and values; else they are a map.
    pub(crate) fn has_argument_lists(self) -> bool {
        self >= Self::V1beta4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kubernetes_version_has_its_api() {
        for (kubernetes, api) in [
            ("v1.20.2", Api::V1beta2),
            ("v1.22.0", Api::V1beta2),
            ("v1.23.0-alpha.1", Api::V1beta3),
            ("v1.23.0", Api::V1beta3),
            ("v1.35.0", Api::V1beta3),
            ("v1.36.0-alpha.1.22+abcdef01234567", Api::V1beta4),
            ("v1.36.0", Api::V1beta4),
            ("v1.37.0", Api::V1beta4),
        ] {
            assert_eq!(
                Api::of_kubernetes(&kubernetes.parse().unwrap()),
                api,
                "{kubernetes}"
            );
        }
    }
}
