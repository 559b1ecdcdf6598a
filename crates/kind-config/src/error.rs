//! What can be wrong with a configuration.

use std::fmt;

use crate::yaml;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text does not even say what it is.
    #[error("could not determine kind / apiVersion for config: {0}")]
    Header(yaml::Error),
    /// The text is of an API version that nobody here knows.
    #[error("unknown apiVersion: {0}")]
    ApiVersion(String),
    /// The text is of a kind that its API version does not have.
    #[error("unknown kind {kind} for apiVersion: {api_version}")]
    Kind {
        /// What stands at `kind`.
        kind: String,
        /// What stands at `apiVersion`.
        api_version: String,
    },
    /// The text does not have the form of its kind.
    #[error("unable to decode config: {0}")]
    Decode(yaml::Error),
    /// A field holds a word that is none of its choices.
    #[error("unable to decode config: Unknown {kind}: {value:?}")]
    Word {
        /// Name of the choice, for example `MountPropagation`.
        kind: &'static str,
        /// The word.
        value: String,
        /// Line of the text, from 1.
        line: usize,
        /// What the field can hold.
        choices: &'static [&'static str],
    },
    /// Values that cannot work. Holds every problem.
    #[error("{}", Aggregate(.0))]
    Invalid(Vec<String>),
}

impl Error {
    /// What to do about it, as sentences for people.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Header(error) | Self::Decode(error) => {
                error.hints().into_iter().map(str::to_owned).collect()
            }
            Self::ApiVersion(_) | Self::Kind { .. } => vec![
                "a config begins with the lines `kind: Cluster` and `apiVersion: kind.x-k8s.io/v1alpha4`"
                    .to_owned(),
            ],
            Self::Word { line, choices, .. } => {
                vec![format!("line {line}: use one of {}", choices.join(", "))]
            }
            Self::Invalid(_) => Vec::new(),
        }
    }
}

/// One problem as it is, several as `[a, b]`.
pub(crate) struct Aggregate<'a>(pub(crate) &'a [String]);

impl fmt::Display for Aggregate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [problem] => f.write_str(problem),
            problems => write!(f, "[{}]", problems.join(", ")),
        }
    }
}
