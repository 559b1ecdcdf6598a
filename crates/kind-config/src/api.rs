//! Versions of the configuration format.

use std::fmt;
use std::str::FromStr;

/// A version of the configuration format. Later versions can say everything that earlier ones can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `kind.x-k8s.io/v1alpha4`, the version of kind v0.33.0. It is frozen.
    V1alpha4,
    /// `kind.x-k8s.io/v1beta1`: what `v1alpha4` says, and what it cannot say.
    V1beta1,
}

impl ApiVersion {
    /// Every version, the oldest first.
    pub const ALL: &'static [Self] = &[Self::V1alpha4, Self::V1beta1];

    /// What stands at `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1alpha4 => "kind.x-k8s.io/v1alpha4",
            Self::V1beta1 => "kind.x-k8s.io/v1beta1",
        }
    }

    /// The version without its group, for example `v1beta1`.
    pub fn short(self) -> &'static str {
        match self {
            Self::V1alpha4 => "v1alpha4",
            Self::V1beta1 => "v1beta1",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no version of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown apiVersion: {0}")]
pub struct UnknownApiVersion(String);

impl FromStr for ApiVersion {
    type Err = UnknownApiVersion;

    /// Takes a version with or without its group.
    fn from_str(word: &str) -> Result<Self, UnknownApiVersion> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| [version.as_str(), version.short()].contains(&word))
            .ok_or_else(|| UnknownApiVersion(word.to_owned()))
    }
}
