//! What can go wrong while a node's configuration is made.

use std::error::Error as StdError;
use std::fmt;

use kind_config::{version, yaml};

/// Why a node's configuration cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node's Kubernetes version is none.
    #[error("could not parse Kubernetes version")]
    Version(#[from] version::Error),
    /// A node runs without root on a Kubernetes version that cannot.
    #[error(
        "version {0:?} is not compatible with rootless provider (hint: kind v0.11.x may work with this version)"
    )]
    Rootless(String),
    /// The cluster has no control plane that the node could belong to.
    #[error("must have at least one control-plane node")]
    NoControlPlane,
    /// A node has no address of a family that the cluster needs.
    #[error(
        "failed to get {family} address for node {node}; is {provider} configured to use {family} correctly?"
    )]
    Address {
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// The node.
        node: String,
        /// Name of the engine.
        provider: String,
    },
    /// kubeadm refuses a subnet, for this reason.
    #[error("{0}")]
    Subnet(String),
    /// A certificate cannot be made.
    #[error("failed to make certificates")]
    Certificate(#[source] Box<dyn StdError + Send + Sync>),
    /// A patch of kubeadm's documents cannot be used.
    #[error("failed to generate kubeadm config content: {0}")]
    Kubeadm(PatchError),
    /// containerd's configuration does not say which version it is of.
    #[error("failed to patch containerd config: failed to detect containerd config version: {0}")]
    ContainerdVersion(String),
    /// containerd's configuration does not say where images are unpacked.
    #[error("failed to detect containerd snapshotter: {0}")]
    Snapshotter(String),
    /// containerd's configuration is of a version that nobody here knows.
    #[error("unknown containerd config version: {0} (supported versions: 2, 3 and 4)")]
    UnknownContainerdVersion(i64),
    /// A patch of containerd's configuration cannot be used.
    #[error("failed to patch containerd config: {0}")]
    Containerd(PatchError),
}

impl Error {
    /// The place in the cluster's configuration that is at fault, if it is one: a field, for example
    /// `nodes[1].kubeadmConfigPatches[0]`, and after a colon the line of the field's text.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Kubeadm(error) | Self::Containerd(error) => Some(error.place()),
            _ => None,
        }
    }

    pub(crate) fn certificate(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Certificate(reason.into())
    }
}

/// Why a patch cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} {kind}: {field}{}: {reason}", Target(.target))]
pub struct PatchError {
    /// What was tried: `parse` or `apply`.
    pub action: &'static str,
    /// What kind of patch it is.
    pub kind: &'static str,
    /// Where the patch stands in the cluster's configuration, for example
    /// `nodes[1].kubeadmConfigPatches[0]`.
    pub field: String,
    /// The document that it was to change; empty if it did not come so far.
    pub target: String,
    /// The line of the patch, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub reason: Box<dyn StdError + Send + Sync>,
}

impl PatchError {
    pub(crate) fn parse(
        kind: &'static str,
        field: &str,
        reason: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            action: "parse",
            kind,
            field: field.to_owned(),
            target: String::new(),
            line: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn yaml(kind: &'static str, field: &str, error: yaml::Error) -> Self {
        let line = error.problems().first().map(yaml::Problem::line);
        Self {
            line,
            ..Self::parse(kind, field, error)
        }
    }

    pub(crate) fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    pub(crate) fn apply(
        kind: &'static str,
        field: &str,
        target: &str,
        reason: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            action: "apply",
            target: target.to_owned(),
            ..Self::parse(kind, field, reason)
        }
    }

    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.field),
            None => self.field.clone(),
        }
    }
}

/// The document a patch was for, in brackets.
struct Target<'a>(&'a str);

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            target => write!(f, " (for {target})"),
        }
    }
}
