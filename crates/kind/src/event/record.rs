//! Events as records for programs: the form in which they are written as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::millis::whole_millis;
use super::{Detail, Event, Outcome, Phase, StepEnded, Verbosity};

/// An event as a record whose names and meanings stay the same between releases; new kinds and new
/// fields may come. As JSON it is one object, for example
/// `{"event":"phaseEnded","phase":"prepareNodes","count":1,"outcome":"done"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A step in a node has begun.
    StepStarted {
        /// The node.
        node: String,
        /// What the step is for: a word that stays the same between releases.
        id: String,
        /// What people read of it.
        title: String,
        /// The component or the other node that it does nothing but wait for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waits_for: Option<String>,
    },
    /// Something said in words; a higher level is a finer detail.
    Message {
        /// From which verbosity on it is shown.
        level: i32,
        /// The words.
        text: String,
        /// The step that has ended well, where that is what is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepRecord>,
        /// What it is about, and where it comes from.
        #[serde(flatten)]
        about: About,
    },
}

/// What something that is said is about, and where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct About {
    /// The node that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What the step is for that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// The part of the program that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Values that it has beside its words, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// A step in a node that has ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StepRecord {
    /// The node.
    pub node: String,
    /// What the step is for: a word that stays the same between releases.
    pub id: String,
    /// What people read of it.
    #[serde(default)]
    pub title: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl EventRecord {
    /// Something said in words.
    pub fn message(level: Verbosity, text: impl Into<String>) -> Self {
        Self::Message {
            level: level.level(),
            text: text.into(),
            step: None,
            about: About::default(),
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
                after_ms: whole_millis(after),
            },
            Event::NotReady => Self::NotReady {},
            Event::ContextSet { context } => Self::ContextSet { context },
            Event::NodesDeleted { nodes } => Self::NodesDeleted { nodes },
            Event::Warning(warning) => Self::Warning {
                text: warning.to_string(),
            },
            Event::StepStarted(step) => Self::StepStarted {
                node: step.node,
                id: step.id.as_str().to_owned(),
                title: step.title,
                waits_for: step.waits_for,
            },
            Event::StepEnded(ended) => Self::from(ended),
            Event::Detail(detail) => Self::from(detail),
        }
    }
}

impl From<StepEnded> for EventRecord {
    fn from(ended: StepEnded) -> Self {
        let id = ended.id.as_str().to_owned();
        Self::Message {
            level: StepEnded::LEVEL.level(),
            text: ended.to_string(),
            about: About {
                node: Some(ended.node.clone()),
                step_id: Some(id.clone()),
                ..About::default()
            },
            step: Some(StepRecord {
                node: ended.node,
                id,
                title: ended.title,
                ms: ended.ms,
            }),
        }
    }
}

impl From<Detail> for EventRecord {
    fn from(detail: Detail) -> Self {
        Self::Message {
            level: detail.level.level(),
            text: detail.text,
            step: None,
            about: About {
                node: detail.node,
                step_id: detail.step.map(|step| step.as_str().to_owned()),
                ..About::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;
    use std::time::Duration;

    use crate::event::{KubeadmPhase, StepId, StepStarted};

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
                Event::Detail(Detail::new(Verbosity::Documents, "x")),
                r#"{"event":"message","level":2,"text":"x"}"#,
            ),
            (
                Event::StepEnded(StepEnded {
                    node: "n".to_owned(),
                    id: StepId::Kubeadm(KubeadmPhase::Init),
                    title: "kubeadm init".to_owned(),
                    ms: 7,
                }),
                r#"{"event":"message","level":1,"text":"n: kubeadm init took 7 ms","step":{"node":"n","id":"kubeadmInit","title":"kubeadm init","ms":7},"node":"n","stepId":"kubeadmInit"}"#,
            ),
            (
                Event::StepStarted(StepStarted {
                    node: "n".to_owned(),
                    id: StepId::ApiServer,
                    title: "wait".to_owned(),
                    waits_for: Some("kube-apiserver".to_owned()),
                }),
                r#"{"event":"stepStarted","node":"n","id":"apiServer","title":"wait","waitsFor":"kube-apiserver"}"#,
            ),
        ] {
            assert_eq!(json(&event), text);
            let read: EventRecord = serde_json::from_str(text).unwrap();
            assert_eq!(read, EventRecord::from(&event));
        }
    }
}
