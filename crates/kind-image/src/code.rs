//! What kinds of failure of images there are.

use serde::{Deserialize, Serialize};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A file of an image or of the store could not be read or written.
    Io,
    /// The disk has no room for a file of an image or of the store.
    NoSpace,
    /// A text is no reference of an image.
    Reference,
    /// A text is no digest.
    Digest,
    /// A document of an image cannot be understood.
    Document,
    /// Content is not what its digest says.
    Mismatch,
    /// The store has no such image.
    Missing,
    /// A part of an image is not there.
    Incomplete,
    /// A layer holds what is not unpacked.
    Refused,
    /// An archive is none of images.
    NotAnImage,
    /// A registry answered that it does not serve now.
    RegistryRefused,
    /// A registry cannot be reached.
    RegistryUnreachable,
    /// A registry has no such image.
    RegistryNotFound,
    /// A registry lets nobody, or not this user, have an image.
    RegistryDenied,
    /// An image is for other platforms.
    RegistryPlatform,
    /// A registry sent content that is not taken.
    RegistryContentRefused,
    /// A registry sent something else than was asked for.
    RegistryMismatch,
    /// A login could not be had.
    RegistryCredentials,
    /// A file that says how registries are reached is wrong.
    RegistryConfiguration,
    /// The disk has no room for an image.
    RegistryNoSpace,
    /// A text is no address.
    DownloadAddress,
    /// The name of a host has no address.
    DownloadLookup,
    /// No connection came to be.
    DownloadConnect,
    /// A connection broke.
    DownloadBroken,
    /// A server took too long.
    DownloadTimeout,
    /// A server's certificate is not trusted.
    DownloadCertificate,
    /// Encryption failed.
    DownloadTls,
    /// A proxy is set wrong, or refuses.
    DownloadProxy,
    /// A server leads elsewhere in a way that is not followed.
    DownloadRedirect,
    /// A server answered with a failure.
    DownloadStatus,
    /// A server sent more than is taken.
    DownloadTooLarge,
    /// A server does not speak HTTP as it should.
    DownloadProtocol,
    /// A program that a build runs is not installed.
    BuildToolMissing,
    /// Only root can build.
    BuildNotRoot,
    /// The disk has no room for a build.
    BuildNoSpace,
    /// A text names no source of Kubernetes.
    BuildSourceUnknown,
    /// A text is no version of Kubernetes.
    BuildSourceVersion,
    /// A directory is no source tree of Kubernetes.
    BuildSourceTree,
    /// A file is no server tarball of Kubernetes.
    BuildTarball,
    /// Nobody but a server tells what its tarball must be.
    BuildDigestMissing,
    /// No node images are built for this architecture.
    BuildArchitecture,
    /// A program of a build failed.
    BuildCommand,
    /// A program of a build did not give what was expected.
    BuildUnexpected,
    /// A file of a build could not be read or written.
    BuildIo,
    /// The caller asked a build to stop.
    BuildStopped,
}
