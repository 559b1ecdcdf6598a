//! Events as records for programs: the form in which they are written as JSON.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Event, Outcome, Phase, StepEnded};

/// An event as a record whose names and meanings stay the same between releases; new kinds and new
/// fields may come. As JSON it is one object, for example
/// `{"event":"phaseEnded","phase":"prepareNodes","count":1,"outcome":"done"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum EventRecord {
    /// The configuration is right and work on a cluster begins.
    Creating {
        /// The cluster.
        cluster: String,
    },
    /// A phase began.
    PhaseStarted {
        /// The phase.
        #[serde(flatten)]
        phase: Phase,
    },
    /// A phase ended.
    PhaseEnded {
        /// The phase.
        #[serde(flatten)]
        phase: Phase,
        /// Whether it did what it is for.
        outcome: Outcome,
    },
    /// Something happened in the running phase.
    Note {
        /// What, in a few words.
        text: String,
    },
    /// Bytes moved.
    Progress {
        /// What is moved; the same in every report of one transfer.
        what: String,
        /// Bytes that have been moved.
        done: u64,
        /// Bytes there are to move, once that is known.
        total: Option<u64>,
    },
    /// The control plane became ready.
    Ready {
        /// Milliseconds of waiting.
        after_ms: u64,
    },
    /// The control plane did not become ready in time.
    NotReady {},
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
    /// Something that the user should know.
    Warning {
        /// In words.
        text: String,
    },
    /// Something said in words; a higher level is a finer detail.
    Message {
        /// From which verbosity on it is shown.
        level: i32,
        /// The words.
        text: String,
        /// The step that it is about: it has ended well.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<StepRecord>,
    },
}

/// A step in a node that has ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StepRecord {
    /// The node.
    pub node: String,
    /// What the step is for: a word that stays the same between releases.
    pub id: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl EventRecord {
    /// Something said in words.
    pub fn message(level: i32, text: impl Into<String>) -> Self {
        Self::Message {
            level,
            text: text.into(),
            step: None,
        }
    }
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        match event.clone() {
            Event::Creating { cluster } => Self::Creating { cluster },
            Event::PhaseStarted(phase) => Self::PhaseStarted { phase },
            Event::PhaseEnded { phase, outcome } => Self::PhaseEnded { phase, outcome },
            Event::Note { text } => Self::Note { text },
            Event::Progress(progress) => Self::Progress {
                what: progress.what,
                done: progress.done,
                total: progress.total,
            },
            Event::Ready { after } => Self::Ready {
                after_ms: millis(after),
            },
            Event::NotReady => Self::NotReady {},
            Event::ContextSet { context } => Self::ContextSet { context },
            Event::NodesDeleted { nodes } => Self::NodesDeleted { nodes },
            Event::Warning(warning) => Self::Warning {
                text: warning.to_string(),
            },
            Event::StepEnded(ended) => Self::Message {
                level: StepEnded::LEVEL,
                text: ended.to_string(),
                step: Some(StepRecord {
                    node: ended.node,
                    id: ended.id.as_str().to_owned(),
                    ms: ended.ms,
                }),
            },
            Event::Detail { level, text } => Self::message(level, text),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Writes a duration in milliseconds.
pub(super) fn serialize_millis<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(millis(*duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;
    use crate::event::{KubeadmPhase, StepId};

    fn json(event: &Event) -> String {
        serde_json::to_string(&EventRecord::from(event)).unwrap()
    }

    #[test]
    fn records_are_flat_objects() {
        let phase = Phase::PrepareNodes { count: 2 };
        for (event, text) in [
            (
                Event::PhaseStarted(Phase::InstallCni),
                r#"{"event":"phaseStarted","phase":"installCni"}"#,
            ),
            (
                Event::PhaseEnded {
                    phase,
                    outcome: Outcome::Failed,
                },
                r#"{"event":"phaseEnded","phase":"prepareNodes","count":2,"outcome":"failed"}"#,
            ),
            (
                Event::Progress(Progress::new("a", 1, None)),
                r#"{"event":"progress","what":"a","done":1,"total":null}"#,
            ),
            (
                Event::Ready {
                    after: Duration::from_millis(1500),
                },
                r#"{"event":"ready","afterMs":1500}"#,
            ),
            (Event::NotReady, r#"{"event":"notReady"}"#),
            (
                Event::Detail {
                    level: 2,
                    text: "x".to_owned(),
                },
                r#"{"event":"message","level":2,"text":"x"}"#,
            ),
            (
                Event::StepEnded(StepEnded {
                    node: "n".to_owned(),
                    id: StepId::Kubeadm(KubeadmPhase::Init),
                    title: "kubeadm init".to_owned(),
                    ms: 7,
                }),
                r#"{"event":"message","level":1,"text":"n: kubeadm init took 7 ms","step":{"node":"n","id":"kubeadmInit","ms":7}}"#,
            ),
        ] {
            assert_eq!(json(&event), text);
        }
    }
}
