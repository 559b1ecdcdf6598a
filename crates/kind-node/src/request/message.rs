//! Requests, their steps, and what is told of them.

use kind_diagnosis::Check;
use serde::{Deserialize, Serialize};

use super::step_id::{StepId, known};

/// What to do once the files of the request are in place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {
    /// Steps, one after the other; the first that fails ends the request.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Runs a program to its end; a code other than 0 fails the request.
    Run {
        /// What it is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// Name for people, for example `kubeadm init`.
        name: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// Text for its standard input.
        #[serde(default)]
        stdin: Option<String>,
    },
    /// Waits until a program ends with code 0, trying again every 100 ms.
    Wait {
        /// What it is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// Name for people.
        name: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// Milliseconds after which the request fails.
        timeout_ms: u64,
    },
    /// Waits until something listens on a unix socket.
    WaitSocket {
        /// What it is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// The socket's path.
        path: String,
        /// Milliseconds after which the request fails.
        timeout_ms: u64,
    },
    /// Reads a text file into an [`Event::File`].
    Read {
        /// What it is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// Its path.
        path: String,
    },
    /// Tells the caller that the steps before are done.
    Mark {
        /// What is done; comes back in [`Event::Marked`].
        #[serde(default, deserialize_with = "known")]
        id: StepId,
    },
    /// Runs several sequences at once and waits for all.
    Together {
        /// The sequences.
        sequences: Vec<Vec<Step>>,
    },
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum Event {
    /// A step with a name began.
    Started {
        /// What the step is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// The step.
        name: String,
    },
    /// A step with a name ended well.
    Finished {
        /// What the step is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// The step.
        name: String,
        /// How long it took, in milliseconds.
        ms: u64,
        /// Everything the program printed, stdout and stderr together.
        output: String,
    },
    /// A step failed; the request ends.
    Failed {
        /// What the step is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// The step, or the path that it is about.
        name: String,
        /// Why, in one line.
        reason: String,
        /// Everything the program printed.
        output: String,
        /// What is in the way, the worst first.
        #[serde(default)]
        causes: Vec<Check>,
    },
    /// A step takes long.
    Slow {
        /// What the step is for.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// The step.
        name: String,
        /// For how long it has run, in milliseconds.
        ms: u64,
        /// What may be in the way, the worst first; none if nothing is known.
        causes: Vec<Check>,
    },
    /// A file's text.
    File {
        /// What the step is for that reads it.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
        /// Its path.
        path: String,
        /// Its text.
        text: String,
    },
    /// A [`Step::Mark`] was reached.
    Marked {
        /// What is done.
        #[serde(default, deserialize_with = "known")]
        id: StepId,
    },
}

#[cfg(test)]
mod tests {
    use super::super::KubeadmPhase;
    use super::*;

    fn id_of(step: &str) -> StepId {
        match serde_json::from_str(step).unwrap() {
            Step::Read { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_step_of_another_release_is_read_whatever_it_is_for() {
        let id = StepId::Kubeadm(KubeadmPhase::Init);
        let path = "/a".to_owned();
        let step = serde_json::to_string(&Step::Read { id, path }).unwrap();
        assert_eq!(id_of(&step), id);
        for step in [
            r#"{"read":{"path":"/a"}}"#,
            r#"{"read":{"path":"/a","id":"later"}}"#,
            r#"{"read":{"path":"/a","id":{"kubeadm":"later"}}}"#,
        ] {
            assert_eq!(id_of(step), StepId::Other, "{step}");
        }
    }
}
