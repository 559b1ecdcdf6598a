//! Asking a running operation to stop.

use kind_image::build::Stop;

use crate::leftover::{Leftover, Leftovers, Noted};
use crate::{Error, Result};

/// A flag that many places may set and every long operation looks at. It also knows what the operation would leave
/// if its process ended at this moment.
///
/// ```
/// let token = kind::CancelToken::new();
/// let copy = token.clone();
/// copy.cancel();
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    stop: Stop,
    leftovers: Leftovers,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything that holds this token to stop.
    pub fn cancel(&self) {
        self.stop.ask();
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_asked()
    }

    /// What would be left if this process ended now, for whoever does not want to wait for the operation's end.
    pub fn leftovers(&self) -> Vec<Leftover> {
        self.leftovers.list()
    }

    /// Notes what would be left for as long as what is returned lives.
    pub(crate) fn note_leftover(&self, leftover: Leftover) -> Noted {
        self.leftovers.note(leftover)
    }

    /// The same wish for a build.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Ends an operation here if it was asked to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_left_is_known_for_as_long_as_it_is_so() {
        let token = CancelToken::new();
        let nodes = |cluster: &str| Leftover::Nodes {
            cluster: cluster.to_owned(),
        };
        let one = token.note_leftover(nodes("a"));
        let other = token.clone().note_leftover(nodes("b"));
        assert_eq!(token.leftovers(), [nodes("a"), nodes("b")]);
        drop(one);
        assert_eq!(token.leftovers(), [nodes("b")]);
        drop(other);
        assert_eq!(token.leftovers(), []);
    }
}
