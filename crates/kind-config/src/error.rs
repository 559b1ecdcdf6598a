//! What can be wrong with a configuration.

use std::fmt;

use crate::{ApiVersion, yaml};

/// Why a configuration cannot be used. [`Source::explain`](crate::Source::explain) shows the places
/// in the text.
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
    Invalid(Vec<ValidationError>),
    /// A version of the format cannot say everything that the configuration says.
    #[error("{version} cannot express {}", Places(.unsupported))]
    Unsupported {
        /// The version.
        version: ApiVersion,
        /// Places of the values, for example `nodes[0].taints`, and the first version that has them.
        unsupported: Vec<(String, ApiVersion)>,
    },
}

/// One problem with the values of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    message: String,
    field_errors: Vec<FieldError>,
}

/// A place in a configuration and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl FieldError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// What was probably meant.
    pub(crate) fn hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }
}

impl ValidationError {
    /// Several places told of in one message.
    pub(crate) fn new(message: String, field_errors: Vec<FieldError>) -> Self {
        Self {
            message,
            field_errors,
        }
    }

    /// What is wrong, in kind's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields that it is about, for example `nodes[0].extraPortMappings[1].hostPort`.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.field_errors
            .iter()
            .map(|field_error| field_error.path.as_str())
    }

    /// One for each field, in the order of the message.
    pub(crate) fn field_errors(&self) -> &[FieldError] {
        &self.field_errors
    }
}

impl From<FieldError> for ValidationError {
    fn from(field_error: FieldError) -> Self {
        Self::new(field_error.message.clone(), vec![field_error])
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error {
    /// What to do about it, as sentences for people who have no text at hand to look at.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Header(error) | Self::Decode(error) => error.hints(),
            Self::ApiVersion(word) => {
                let known = ApiVersion::ALL.iter().map(|version| version.as_str());
                let meant = crate::nearest::nearest_word(word, known).filter(|_| !word.is_empty());
                vec![match meant {
                    Some(version) => format!("did you mean `apiVersion: {version}`?"),
                    None => HEADER.to_owned(),
                }]
            }
            Self::Kind { .. } => vec![HEADER.to_owned()],
            Self::Word {
                line,
                value,
                choices,
                ..
            } => {
                vec![format!("line {line}: {}", choice_hint(value, choices))]
            }
            Self::Invalid(findings) => findings
                .iter()
                .flat_map(ValidationError::field_errors)
                .filter_map(|field_error| {
                    Some(format!(
                        "{}: {}",
                        field_error.path,
                        field_error.hint.as_ref()?
                    ))
                })
                .collect(),
            Self::Unsupported { unsupported, .. } => unsupported
                .iter()
                .map(|(place, since)| format!("`{place}` needs `apiVersion: {since}`"))
                .collect(),
        }
    }
}

/// How a configuration begins.
const HEADER: &str =
    "a config begins with the lines `kind: Cluster` and `apiVersion: kind.x-k8s.io/v1alpha4`";

/// What to write instead of a word that is none of the choices.
pub(crate) fn choice_hint(word: &str, choices: &[&str]) -> String {
    match crate::nearest::nearest_word(word, choices.iter().copied()) {
        Some(meant) if !word.is_empty() => format!("did you mean `{meant}`?"),
        _ => format!("use one of {}", choices.join(", ")),
    }
}

/// One problem as it is, several as `[a, b]`.
pub(crate) struct Aggregate<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Display> fmt::Display for Aggregate<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [problem] => problem.fmt(f),
            problems => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}

/// Places in a row.
struct Places<'a>(&'a [(String, ApiVersion)]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<&str> = self.0.iter().map(|(place, _)| place.as_str()).collect();
        f.write_str(&places.join(", "))
    }
}
