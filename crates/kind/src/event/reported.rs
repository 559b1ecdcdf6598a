//! Events, and who hears them.

use std::time::Duration;

use kind_image::Progress;

use super::phase::{Outcome, Phase};
use super::step::{Detail, StepEnded, StepStarted};
use super::warning::Warning;

/// Receives events while an operation runs; may be called from several threads.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The configuration is right and work on a cluster begins.
    Creating {
        /// The cluster.
        cluster: String,
    },
    /// A phase began. It ends with [`Event::PhaseEnded`] before the next one begins.
    PhaseStarted(Phase),
    /// A phase ended.
    PhaseEnded {
        /// The phase.
        phase: Phase,
        /// Whether it did what it is for.
        outcome: Outcome,
    },
    /// Something happened in the running phase; changes often.
    Note {
        /// What, in a few words.
        text: String,
    },
    /// Bytes moved: of a pull, a load or a build. Comes often, and also while no phase runs.
    Progress(Progress),
    /// The control plane became ready after the wait of [`Phase::WaitReady`].
    Ready {
        /// Time of the wait.
        after: Duration,
    },
    /// The control plane did not become ready in time; the cluster stays.
    NotReady,
    /// The user's kubeconfig names the cluster now.
    ContextSet {
        /// Name of the context.
        context: String,
    },
    /// Nodes were removed.
    NodesDeleted {
        /// Their names.
        nodes: Vec<String>,
    },
    /// Something that does not stop the work but that the user should know.
    Warning(Warning),
    /// A step in a node has begun: a detail.
    StepStarted(StepStarted),
    /// A step in a node has ended well: a detail.
    StepEnded(StepEnded),
    /// A detail for a user who asked for details.
    Detail(Detail),
}
