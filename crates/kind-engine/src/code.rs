//! What kinds of failure of engines there are.

use kind_image::Code as ImageCode;
use kind_net::Code as NetworkCode;
use serde::{Deserialize, Serialize};

/// What kind of failure it is. Helper processes hand it to those who called them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// An address of the nodes' network has another owner.
    AddressTaken,
    /// An engine's answer cannot be understood.
    Answer,
    /// A node did not boot.
    Boot,
    /// The daemon is not this user's to use.
    DaemonDenied,
    /// A disk is full.
    DiskFull,
    /// A helper process failed without a reason.
    Helper,
    /// A helper process was killed.
    HelperKilled,
    /// A registry wants a login, or has no such image.
    ImageDenied,
    /// The engine has no such image.
    ImageMissing,
    /// An operation on the host failed.
    Io,
    /// Several failures of one operation.
    Many,
    /// A host path does not pass mounts on.
    MountNotShared,
    /// A network went while it was used.
    NetworkGone,
    /// A node's network does not exist.
    NetworkMissing,
    /// An engine does not answer within its time.
    NoAnswer,
    /// The host has no cgroups that nodes can use.
    NoCgroup,
    /// No daemon answers.
    NoDaemon,
    /// An image does not say what starts a node.
    NoEntrypoint,
    /// The kernel has no overlayfs.
    NoOverlay,
    /// No subnet is left for a network.
    NoSubnet,
    /// A node of that name exists.
    NodeExists,
    /// No node of that name exists.
    NodeMissing,
    /// A node runs already.
    NodeRunning,
    /// A node does not run.
    NodeStopped,
    /// A node's processes do not end.
    NodeStuck,
    /// The native engine needs root.
    NotRoot,
    /// A host path is not shared with the engine's machine.
    PathNotShared,
    /// Podman is too old.
    PodmanOld,
    /// A port's address cannot be used.
    PortAddress,
    /// SCTP ports are not forwarded.
    PortSctp,
    /// A host port has another owner.
    PortTaken,
    /// An image's own images could not be unpacked.
    Prepare,
    /// An engine's program failed.
    ProgramFailed,
    /// An engine's program is not installed.
    ProgramMissing,
    /// A node's record is damaged.
    Record,
    /// A node's record is of a newer version.
    RecordNewer,
    /// The engine cannot reach a registry.
    RegistryUnreachable,
    /// The host lacks what an engine without root needs.
    RootlessHost,
    /// An image's `/var` could not be shared.
    SharedVar,
    /// The host routes the nodes' subnet elsewhere.
    SubnetRouted,
    /// The engine keeps a privilege from nodes.
    Unprivileged,
    /// An image failed.
    Image(ImageCode),
    /// The host's networks failed.
    Network(NetworkCode),
}
