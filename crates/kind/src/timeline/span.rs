//! The timeline itself.

use std::time::SystemTime;

use serde::Serialize;

/// Where what the command itself does stands, beside the nodes.
pub(super) const COMMAND: &str = "kind";

/// What ran, when and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeline {
    /// When it began.
    pub begin: SystemTime,
    /// How long all of it took, in milliseconds.
    pub total_ms: u64,
    /// What ran: the command's own first, then by node and begin. None ends after the whole does.
    pub spans: Vec<Span>,
}

/// Something that ran for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Span {
    /// The node, or `kind` for the command itself.
    pub node: String,
    /// What a step is for: a word that stays the same between releases. The command's own spans have none.
    pub id: Option<String>,
    /// What people read of it.
    pub title: String,
    /// When it began, in milliseconds since the whole did.
    pub begin_ms: u64,
    /// When it ended, in milliseconds since the whole began.
    pub end_ms: u64,
    /// The component or the other node that it did nothing but wait for.
    pub waits_for: Option<String>,
    /// Whether it ended well; otherwise it failed, or ran when the whole ended.
    pub finished: bool,
}

impl Span {
    /// How long it took, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.begin_ms)
    }
}

impl Timeline {
    /// Every node once, the command itself first, in the order in which they began.
    pub fn nodes(&self) -> Vec<&str> {
        let mut nodes: Vec<&str> = Vec::new();
        for span in &self.spans {
            if !nodes.contains(&span.node.as_str()) {
                nodes.push(&span.node);
            }
        }
        nodes
    }

    /// The spans of a node, in the order of their begin.
    pub fn spans_of(&self, node: &str) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.node == node)
    }

    /// Whose end a span waited for: what ended last in the node that it names, before it went on itself.
    pub fn awaited_span(&self, waiting: &Span) -> Option<&Span> {
        let node = waiting.waits_for.as_deref()?;
        let ended = self
            .spans_of(node)
            .filter(|span| span.finished && span.end_ms <= waiting.end_ms);
        ended.max_by_key(|span| span.end_ms)
    }
}
