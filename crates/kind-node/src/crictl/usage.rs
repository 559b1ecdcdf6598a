//! What can be wrong with a command line.

/// Why a command line is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    /// It asks for something that this program has not.
    #[error(
        "{0} is not supported by this small crictl of kind-node, which knows: images, inspecti, pull, rmi, \
         ps, pods, info and version, with -q and -o json"
    )]
    Unsupported(String),
    /// A command without what it works on.
    #[error("{0} needs the name of an image")]
    NoImageGiven(&'static str),
}
