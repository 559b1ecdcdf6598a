//! Flags of several commands.

use crate::args::Flag;

/// The cluster a command is about.
pub(super) const NAME: Flag = Flag::text("name", "the cluster context name")
    .short('n')
    .default(kind::DEFAULT_CLUSTER_NAME);

/// The kubeconfig file a command changes.
pub(super) const KUBECONFIG: Flag = Flag::text(
    "kubeconfig",
    "sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config",
);

/// Which address of the API server a kubeconfig names.
pub(super) const INTERNAL: Flag =
    Flag::switch("internal", "use internal address instead of external");
