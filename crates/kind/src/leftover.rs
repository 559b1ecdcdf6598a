//! What an operation leaves if its process ends in the middle of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What may be left of an operation that was not even given the time to clean up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leftover {
    /// Nodes of a cluster that was being made.
    Nodes {
        /// The cluster.
        cluster: String,
    },
    /// Nodes and kubeconfig entries of a cluster that was being deleted.
    Remains {
        /// The cluster.
        cluster: String,
    },
    /// A cluster of which some nodes run and others do not.
    HalfRunning {
        /// The cluster.
        cluster: String,
    },
    /// Parts of images in a cluster's nodes, which their containerd removes.
    ImageParts {
        /// The cluster.
        cluster: String,
    },
    /// A directory with a part of what nodes can tell.
    Logs {
        /// The directory.
        directory: PathBuf,
    },
    /// Results of a build that are not whole; the next build does not use them.
    BuildParts {
        /// The directory of all builds' results.
        directory: PathBuf,
    },
}

/// What may be left at this moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leftovers(Arc<Mutex<Vec<Leftover>>>);

impl Leftovers {
    /// All that would be left if the process ended now.
    pub(crate) fn list(&self) -> Vec<Leftover> {
        self.items().clone()
    }

    /// Notes that something may be left for as long as what is returned lives.
    pub(crate) fn note(&self, leftover: Leftover) -> Noted {
        self.items().push(leftover.clone());
        Noted {
            leftovers: self.clone(),
            leftover,
        }
    }

    fn items(&self) -> MutexGuard<'_, Vec<Leftover>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that may be left for as long as this lives.
#[derive(Debug)]
#[must_use = "nothing is noted once this is dropped"]
pub(crate) struct Noted {
    leftovers: Leftovers,
    leftover: Leftover,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut items = self.leftovers.items();
        if let Some(place) = items.iter().position(|item| *item == self.leftover) {
            items.remove(place);
        }
    }
}
