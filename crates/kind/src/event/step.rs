//! Steps in nodes: that they begin, take long and end; and details about them.

use std::fmt;

use kind_node::request::StepId;

use super::Verbosity;

/// A step in a node that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepStarted {
    /// The node.
    pub node: String,
    /// What the step is for.
    pub id: StepId,
    /// What people read of it.
    pub title: String,
    /// The component or the other node that it does nothing but wait for.
    pub waits_for: Option<String>,
}

impl StepStarted {
    /// From which verbosity on it is shown.
    pub const LEVEL: Verbosity = Verbosity::Documents;
}

impl fmt::Display for StepStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} begins", self.node, self.title)?;
        match &self.waits_for {
            Some(awaited) => write!(f, "; it waits for {awaited}"),
            None => Ok(()),
        }
    }
}

/// A step in a node that has ended well. Printing it says how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepEnded {
    /// The node.
    pub node: String,
    /// What the step is for.
    pub id: StepId,
    /// What people read of it.
    pub title: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl StepEnded {
    /// From which verbosity on it is shown.
    pub const LEVEL: Verbosity = Verbosity::Steps;
}

impl fmt::Display for StepEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node, title, ms, ..
        } = self;
        write!(f, "{node}: {title} took {ms} ms")
    }
}

/// A step in a node that takes long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The node.
    pub node: String,
    /// What people read of the step.
    pub title: String,
    /// For how long it has run.
    pub seconds: u64,
    /// What may be in the way, in one line.
    pub cause: Option<String>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node,
            title,
            seconds,
            cause,
        } = self;
        write!(f, "{node}: {title} has taken {seconds}s so far")?;
        match cause {
            Some(cause) => write!(f, "; {cause}"),
            None => Ok(()),
        }
    }
}

/// Something said in words to a user who asked for that much.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// From which verbosity on it is shown.
    pub level: Verbosity,
    /// The words.
    pub text: String,
    /// The node that it is about.
    pub node: Option<String>,
    /// The step that it is about.
    pub step: Option<StepId>,
}

impl Detail {
    /// Words about the whole.
    pub fn new(level: Verbosity, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            node: None,
            step: None,
        }
    }

    /// About this node.
    pub fn of_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// About this step.
    pub fn of_step(mut self, step: StepId) -> Self {
        self.step = Some(step);
        self
    }
}
