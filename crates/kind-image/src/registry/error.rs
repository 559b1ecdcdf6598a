//! What can go wrong between this machine and a registry.

use std::path::PathBuf;

use crate::oci::Platform;
use crate::{Code, Digest, http};

/// A failure of a pull or a push. `code` is stable, Display says what failed, `source` why, `remedy` what
/// to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No registry that may have it gave it.
    #[error("cannot get {what}{}", Attempts(.attempts))]
    Unreachable {
        /// What was asked for.
        what: String,
        /// Why, for each registry in the order they were asked, the last one apart.
        attempts: Vec<http::Error>,
        /// The last one.
        #[source]
        last: Box<http::Error>,
    },
    /// Registries answered that they do not have it.
    #[error("{host} has no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
    },
    /// The registry does not let this user.
    #[error("{host} denies access to {what}")]
    Denied {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// Whether credentials were sent.
        known: bool,
        /// What the registry said.
        #[source]
        answer: Box<http::Error>,
    },
    /// The image is not made for this platform.
    #[error("{what} is not made for {wanted}, only for {}", list(.available))]
    Platform {
        /// The image.
        what: String,
        /// The wanted platform.
        wanted: Box<Platform>,
        /// The platforms there are.
        available: Vec<Platform>,
    },
    /// Something that is not as the specification wants it, or larger than is allowed.
    #[error("{what} is refused: {reason}")]
    Refused {
        /// What was received.
        what: String,
        /// The rule it breaks.
        reason: String,
    },
    /// Content differs from what its digest promises.
    #[error("{what} from {from} is damaged: its digest is {found}, not {expected}")]
    Mismatch {
        /// What was received.
        what: String,
        /// The address it came from.
        from: String,
        /// The promised digest.
        expected: Digest,
        /// The real one.
        found: Digest,
    },
    /// No credentials where there should be some.
    #[error("no credentials for {host}: {reason}")]
    Credentials {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// A configuration file cannot be used.
    #[error("cannot use {path}: {reason}")]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is too full.
    #[error("{path} has {free} MiB of free space, {what} needs {needed} MiB")]
    NoSpace {
        /// Where it was to be put.
        path: PathBuf,
        /// The image.
        what: String,
        /// MiB needed.
        needed: u64,
        /// MiB free.
        free: u64,
    },
}

struct Attempts<'a>(&'a [http::Error]);

impl std::fmt::Display for Attempts<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for attempt in self.0 {
            write!(formatter, ": {attempt}: {}", attempt.failure)?;
        }
        Ok(())
    }
}

fn list(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    match names.as_slice() {
        [] => "no platform at all".to_owned(),
        names => names.join(", "),
    }
}

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { last, .. } => match last.status() {
                Some(_) => Code::RegistryRefused,
                None => Code::RegistryUnreachable,
            },
            Self::NotFound { .. } => Code::RegistryNotFound,
            Self::Denied { .. } => Code::RegistryDenied,
            Self::Platform { .. } => Code::RegistryPlatform,
            Self::Refused { .. } => Code::RegistryContentRefused,
            Self::Mismatch { .. } => Code::RegistryMismatch,
            Self::Credentials { .. } => Code::RegistryCredentials,
            Self::Configuration { .. } => Code::RegistryConfiguration,
            Self::NoSpace { .. } => Code::RegistryNoSpace,
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { last, .. } => {
                let network = last.remedy()?;
                return Some(format!("{network}; {WITHOUT_NETWORK}"));
            }
            Self::NotFound { .. } => {
                "check the image's name and tag; private images may need `docker login`".to_owned()
            }
            Self::Denied {
                known: false, host, ..
            } => {
                format!("check the image's name, or log in with `docker login {host}`")
            }
            Self::Denied { known: true, .. } => {
                "the credentials that were sent do not suffice: check the image's name and who \
                 may use it"
                    .to_owned()
            }
            Self::Mismatch { .. } => {
                "try again; if it stays so, the registry or something on the way to it is broken"
                    .to_owned()
            }
            Self::NoSpace { .. } => {
                "make room, or choose another directory with KIND_STATE_DIR".to_owned()
            }
            Self::Platform { .. } => "choose another image, or build one with \
                                      `kind build node-image`"
                .to_owned(),
            _ => return None,
        })
    }
}

const WITHOUT_NETWORK: &str = "without a registry, `kind create cluster --from debian` builds a \
                               node image from Debian's packages";
