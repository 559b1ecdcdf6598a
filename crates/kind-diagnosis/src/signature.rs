//! One way in which components fail, and what mends it.

use crate::final_words::cut;
use crate::pattern::{Captures, waits_for_another};
use crate::{Check, Component, Evidence, Severity};

/// What is known of one way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Stays the same between releases.
    pub id: &'static str,
    /// Names of the components that can fail so; none stand for all.
    pub components: &'static [&'static str],
    /// What they say, with `{}` for what differs.
    pub patterns: &'static [&'static str],
    /// One of each of these lists is said as well.
    pub(crate) only: &'static [&'static [&'static str]],
    /// What lines of that kind say that mean nothing.
    pub(crate) except: &'static [&'static str],
    /// Whether a component that runs says so too, and not only one that ends.
    pub(crate) while_running: bool,
    /// Another try comes to the same, so that none is waited for.
    pub is_certain: bool,
    /// It may heal by itself.
    pub heals: bool,
    /// What is so; `{1}` … are the holes of the pattern.
    pub found: &'static str,
    /// What should be so.
    pub expected: &'static str,
    /// What mends it; `{settings}` is where a cluster's configuration sets the component's flags.
    pub remedy: &'static str,
}

/// A line of a component's log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) component: Component<'a>,
    /// Where it stands.
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
}

impl Line<'_> {
    /// The line as it is shown, cut to a length that can be read.
    pub(crate) fn evidence(self) -> Evidence {
        Evidence {
            path: self.path.to_owned(),
            lines: vec![cut(self.text)],
        }
    }
}

impl Signature {
    /// What fills the pattern's holes in the words with which a component ended.
    pub(crate) fn find_end<'a>(&self, line: Line<'a>) -> Option<Captures<'a>> {
        let name = line.component.name();
        if !self.components.is_empty() && !self.components.contains(&name) {
            return None;
        }
        let says = |words: &&str| line.text.contains(words);
        if self.except.iter().any(says) || !self.only.iter().all(|list| list.iter().any(says)) {
            return None;
        }
        let mut patterns = self.patterns.iter();
        patterns.find_map(|pattern| Captures::find_match(pattern, line.text))
    }

    /// The same in a line of a component that goes on.
    pub(crate) fn find_while_running<'a>(&self, line: Line<'a>) -> Option<Captures<'a>> {
        self.while_running.then(|| self.find_end(line)).flatten()
    }

    /// What a user is told of a match. Who waits for another program may go on whatever else was said.
    pub(crate) fn make_check(&self, line: Line<'_>, captures: &Captures<'_>) -> Check {
        let settings = line.component.settings().unwrap_or("its configuration");
        let fill = |text: &str| captures.fill(&text.replace("{settings}", settings));
        Check {
            id: self.id.to_owned(),
            severity: Severity::of(
                self.heals || (!self.is_certain && waits_for_another(line.text)),
            ),
            subject: line.component.name().to_owned(),
            found: cut(&fill(self.found)),
            expected: fill(self.expected),
            remedy: fill(self.remedy),
            evidence: vec![line.evidence()],
        }
    }
}
