//! What a build tells while it works.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::Progress;

/// A step of a build, in the order they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A Debian root with compilers, so that the host needs none.
    BuildRoot,
    /// The source of Kubernetes.
    Source,
    /// Compiling Kubernetes.
    Compile,
    /// Compiling the conformance tests of Kubernetes.
    CompileTests,
    /// Bringing a release's server tarball, instead of the steps before.
    Download,
    /// Taking the programs out of a server tarball, or from where a source tree was built.
    Unpack,
    /// The etcd program with its libraries.
    Etcd,
    /// The root filesystem of nodes.
    NodeRoot,
    /// Container images of the control plane and the add-ons, unpacked into containerd's store.
    Preload,
    /// The node image from all that.
    Assemble,
}

impl Step {
    /// A short name that stays the same between releases, for example `node-root`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuildRoot => "build-root",
            Self::Source => "source",
            Self::Compile => "compile",
            Self::CompileTests => "compile-tests",
            Self::Download => "download",
            Self::Unpack => "unpack",
            Self::Etcd => "etcd",
            Self::NodeRoot => "node-root",
            Self::Preload => "preload",
            Self::Assemble => "assemble",
        }
    }

    /// What the step does, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::BuildRoot => "Preparing the build environment",
            Self::Source => "Fetching the Kubernetes source",
            Self::Compile => "Compiling Kubernetes",
            Self::CompileTests => "Compiling the conformance tests",
            Self::Download => "Downloading Kubernetes",
            Self::Unpack => "Unpacking Kubernetes",
            Self::Etcd => "Collecting etcd",
            Self::NodeRoot => "Installing the node's root filesystem",
            Self::Preload => "Preloading container images",
            Self::Assemble => "Assembling the node image",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}

/// What happened in a build.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Another build works with the same cache; this one goes on when that has ended.
    Waiting,
    /// A step began.
    Started {
        /// The step.
        step: Step,
        /// File that its programs' output goes to.
        log: &'a Path,
    },
    /// Something happened in the running step.
    Progress {
        /// The step.
        step: Step,
        /// What, in a few words; changes often.
        text: &'a str,
    },
    /// Something the user should read.
    Note {
        /// One line.
        text: &'a str,
    },
    /// The image will not do all that its Kubernetes can.
    Warning {
        /// What, and why; one line.
        text: &'a str,
    },
    /// Bytes moved.
    Transfer(&'a Progress),
    /// A step ended well.
    Finished {
        /// The step.
        step: Step,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step's result was there already.
    Cached {
        /// The step.
        step: Step,
    },
}

/// Hears what happens in a build.
pub type Observer<'a> = &'a (dyn Fn(Event<'_>) + Sync);
