//! The parts of an operation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis;

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    // As the published schema calls it.
    schemars(rename = "OutcomeRecord")
)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it is for.
    Done,
    /// It failed, or was interrupted.
    Failed,
}

/// A part of an operation, in the words of the user. As JSON it is one object with the phase's name and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "phase", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Phase {
    /// A step of building a node image that has to be done.
    BuildStep {
        /// The step in words.
        title: String,
    },
    /// Looking for a node image, and bringing it if it is missing.
    EnsureImage {
        /// Its name without a digest.
        image: String,
    },
    /// Making the nodes.
    PrepareNodes {
        /// How many, without the load balancer.
        count: usize,
    },
    /// Making the load balancer work.
    LoadBalancer,
    /// Putting files into the nodes.
    WriteConfiguration,
    /// Booting the first control plane and Kubernetes on it.
    StartControlPlane,
    /// Pod network.
    InstallCni,
    /// Default storage.
    InstallStorage,
    /// Joining the other control planes.
    JoinControlPlanes,
    /// Joining the workers.
    JoinWorkers,
    /// Waiting for the control plane.
    WaitReady {
        /// Milliseconds at most.
        #[serde(rename = "limitMs", with = "millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        limit: Duration,
    },
}

impl Phase {
    /// The phase in plain words.
    pub fn title(&self) -> &str {
        match self {
            Self::BuildStep { title } => title,
            Self::EnsureImage { .. } => "ensure the node image",
            Self::PrepareNodes { .. } => "prepare nodes",
            Self::LoadBalancer => "configure the load balancer",
            Self::WriteConfiguration => "write configuration",
            Self::StartControlPlane => "start the control plane",
            Self::InstallCni => "install the pod network",
            Self::InstallStorage => "install storage",
            Self::JoinControlPlanes => "join more control planes",
            Self::JoinWorkers => "join workers",
            Self::WaitReady { .. } => "wait for the control plane",
        }
    }
}
