//! What can go wrong while building a node image.

use std::path::{Path, PathBuf};

use super::Step;
use crate::Code;
use crate::error::is_full;
use crate::http;

/// A failure of a build. `code` is stable, Display says what failed, `source` why, `remedy` what to do,
/// `log` where the whole output is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that the build runs on the host is not installed.
    #[error("{tool} is not installed")]
    MissingTool {
        /// The program.
        tool: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The caller is not root.
    #[error("building a node image needs root")]
    NotRoot,
    /// The disk is too full.
    #[error("{path} has {free} MiB of free space, the build needs {needed} MiB")]
    NoSpace {
        /// The directory asked about.
        path: PathBuf,
        /// MiB needed.
        needed: u64,
        /// MiB free.
        free: u64,
    },
    /// A text that names no source of Kubernetes.
    #[error("{0:?} is neither `debian` nor a Kubernetes version, a URL, a file or a directory")]
    UnknownSource(String),
    /// A text that should be a version of Kubernetes.
    #[error("{0} is not a valid kubernetes version")]
    NotAVersion(String),
    /// No source tree where one is looked for.
    #[error("error finding kuberoot: {0}")]
    NoTree(String),
    /// A file that should be a server tarball.
    #[error("{name} is no Kubernetes server tarball: {reason}")]
    Tarball {
        /// The file or the address.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody but its server tells what a download must be.
    #[error("cannot tell whether {what} is what it should be: {reason}")]
    NoDigest {
        /// What would be downloaded.
        what: String,
        /// Why there is no digest.
        reason: String,
    },
    /// Nobody but the registry itself says which image of etcd is the right one.
    #[error("nothing tells which image {image} is: {list} does not list it")]
    EtcdUnknown {
        /// Its name.
        image: String,
        /// Where it should be listed.
        list: String,
    },
    /// Something that is needed could not be brought from the network.
    #[error("cannot download {what}")]
    Download {
        /// What it is.
        what: String,
        /// What was tried, and why it failed.
        #[source]
        source: Box<http::Error>,
    },
    /// A container image that is needed could not be brought from its registry.
    #[error("{reason}, and it could not be pulled")]
    Pull {
        /// Why it is needed.
        reason: String,
        /// What was tried, and why it failed.
        #[source]
        source: crate::Error,
    },
    /// The machine's architecture is none that node images are built for.
    #[error("no node images are built on architecture {0:?}")]
    UnsupportedArchitecture(String),
    /// A program failed.
    #[error("{step}: {program} failed ({status})")]
    Command {
        /// The step it ran in.
        step: Step,
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// Its whole output, with that of the step's other programs.
        log: PathBuf,
        /// The last lines it printed.
        #[source]
        output: Output,
    },
    /// A program succeeded but did not give what was expected of it.
    #[error("{step}: {what}")]
    Unexpected {
        /// The step.
        step: Step,
        /// What is not as expected.
        what: String,
    },
    /// An operation of the system failed.
    #[error("{action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
    /// The image store failed.
    #[error("cannot put the image together")]
    Image(#[from] crate::Error),
}

/// The last lines a program printed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Output(pub String);

impl Error {
    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::MissingTool { .. } => Code::BuildToolMissing,
            Self::NotRoot => Code::BuildNotRoot,
            Self::NoSpace { .. } => Code::BuildNoSpace,
            Self::UnknownSource(_) => Code::BuildSourceUnknown,
            Self::NotAVersion(_) => Code::BuildSourceVersion,
            Self::NoTree(_) => Code::BuildSourceTree,
            Self::Tarball { .. } => Code::BuildTarball,
            Self::NoDigest { .. } | Self::EtcdUnknown { .. } => Code::BuildDigestMissing,
            Self::Download { source, .. } => source.code(),
            Self::Pull { source, .. } => source.code(),
            Self::UnsupportedArchitecture(_) => Code::BuildArchitecture,
            Self::Command { .. } => Code::BuildCommand,
            Self::Unexpected { .. } => Code::BuildUnexpected,
            Self::Io { source, .. } if is_full(source) => Code::BuildNoSpace,
            Self::Io { .. } => Code::BuildIo,
            Self::Stopped => Code::BuildStopped,
            Self::Image(error) => error.code(),
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::MissingTool { package, .. } => Some(format!(
                "install the package `{package}`, for example with `apt install {package}`"
            )),
            Self::NotRoot => Some("run the command as root, for example with `sudo`".to_owned()),
            Self::NoSpace { path, .. } => Some(format!(
                "make room on the filesystem of {}, or choose another directory with KIND_CACHE_DIR and KIND_STATE_DIR",
                path.display()
            )),
            Self::UnknownSource(_) | Self::NotAVersion(_) => Some(
                "give `debian`, a version such as v1.33.4, the URL or the file of a server tarball, \
                 `ci/latest`, or the directory of a source tree"
                    .to_owned(),
            ),
            Self::NoTree(_) => Some(
                "give the directory of a checkout of Kubernetes, or another source such as `debian`"
                    .to_owned(),
            ),
            Self::Tarball { .. } => Some(format!(
                "a release's is called kubernetes-server-linux-{}.tar.gz",
                super::architecture::known_architecture().unwrap_or("amd64")
            )),
            Self::NoDigest { .. } => Some(
                "give the digest that whoever made it tells, after the source: `SOURCE@sha256:HEX`; or a file that you \
                 trust"
                    .to_owned(),
            ),
            Self::EtcdUnknown { .. } => Some(OWN_ETCD.to_owned()),
            Self::Download { source, .. } => Some(match source.remedy() {
                Some(remedy) => format!("{remedy}; {WITHOUT_NETWORK}"),
                None => WITHOUT_NETWORK.to_owned(),
            }),
            Self::Pull { source, .. } => Some(match source.remedy() {
                Some(remedy) => format!("{remedy}; or {OWN_ETCD}"),
                None => OWN_ETCD.to_owned(),
            }),
            Self::Command { step, log, .. } => Some(command_remedy(*step, log)),
            Self::Unexpected { .. } => {
                Some("build again from scratch: the packages may have changed meanwhile".to_owned())
            }
            Self::Image(error) => error.remedy(),
            Self::Io { source, .. } if is_full(source) => Some(
                "free some space on that disk, or choose another directory with KIND_CACHE_DIR; `kind prune` removes \
                 what is kept for builds to come"
                    .to_owned(),
            ),
            Self::UnsupportedArchitecture(_) | Self::Io { .. } | Self::Stopped => None,
        }
    }

    /// The file with the whole output of the failed step, if there is one.
    pub fn log(&self) -> Option<&Path> {
        match self {
            Self::Command { log, .. } => Some(log),
            _ => None,
        }
    }

    /// Wraps an operating-system error with a verb and the path it was about.
    pub(super) fn path<'a, E: Into<std::io::Error>>(
        verb: &'a str,
        path: &'a Path,
    ) -> impl FnOnce(E) -> Self + 'a {
        move |source| Self::Io {
            action: format!("{verb} {}", path.display()),
            source: source.into(),
        }
    }
}

const OWN_ETCD: &str = "build from a server tarball with a static etcd at kubernetes/server/bin/etcd, which needs no registry";

const WITHOUT_NETWORK: &str =
    "a server tarball on disk or the source `debian` needs less of the network";

fn command_remedy(step: Step, log: &Path) -> String {
    let log = log.display();
    match step {
        Step::BuildRoot | Step::NodeRoot | Step::Source => format!(
            "check that the Debian mirror can be reached (and, outside Debian, that `debian-archive-keyring` is installed); the whole output is in {log}"
        ),
        _ => format!("the whole output is in {log}"),
    }
}
