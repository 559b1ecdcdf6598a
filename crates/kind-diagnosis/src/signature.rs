//! One way in which components fail, and what mends it.

use crate::pattern::Captures;
use crate::{Check, Component, Evidence, Severity};

/// What is known of one way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Stays the same between releases.
    pub id: &'static str,
    /// Names of the components that can fail so; none stand for all.
    pub(crate) components: &'static [&'static str],
    /// What they say, with `{}` for what differs.
    pub(crate) patterns: &'static [&'static str],
    /// Whether a component that runs says so too, and not only one that ends.
    pub(crate) while_running: bool,
    /// It may heal by itself.
    pub(crate) heals: bool,
    /// What is so; `{1}` … are the holes of the pattern.
    pub(crate) found: &'static str,
    /// What should be so.
    pub(crate) expected: &'static str,
    /// What mends it; `{settings}` is where a cluster's configuration sets the component's flags.
    pub(crate) remedy: &'static str,
}

impl Signature {
    /// What of the words with which a component ended fills the pattern's holes.
    pub(crate) fn matches<'a>(
        &self,
        component: Component<'_>,
        words: &'a str,
    ) -> Option<Captures<'a>> {
        let name = component.name();
        if !self.components.is_empty() && !self.components.contains(&name) {
            return None;
        }
        let mut patterns = self.patterns.iter();
        patterns.find_map(|pattern| Captures::find_match(pattern, words))
    }

    /// The same of a line of a component that goes on.
    pub(crate) fn matches_line<'a>(
        &self,
        component: Component<'_>,
        line: &'a str,
    ) -> Option<Captures<'a>> {
        self.while_running
            .then(|| self.matches(component, line))
            .flatten()
    }

    /// What a user is told of a match.
    pub(crate) fn match_log(
        &self,
        component: Component<'_>,
        captures: &Captures<'_>,
        evidence: Evidence,
    ) -> Check {
        let settings = component.settings().unwrap_or("its configuration");
        let fill = |text: &str| captures.fill(&text.replace("{settings}", settings));
        Check {
            id: self.id.to_owned(),
            severity: Severity::of(self.heals),
            subject: component.name().to_owned(),
            found: fill(self.found),
            expected: fill(self.expected),
            remedy: fill(self.remedy),
            evidence: vec![evidence],
        }
    }
}
