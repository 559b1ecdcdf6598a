//! Codes of failures: what kind of thing went wrong, for programs.

use std::fmt;
use std::str::FromStr;

/// Makes the enum of codes, their texts and their titles from one list.
macro_rules! codes {
    ($(#[doc = $title:literal] $name:ident = $text:literal,)*) => {
        /// What kind of failure something is. Codes and their texts stay the same between releases;
        /// [`Code::explanation`](crate::Code::explanation) says what each means and what to do.
        ///
        /// ```
        /// let code: kind::Code = "kind-cluster-exists".parse().unwrap();
        /// assert_eq!(code, kind::Code::ClusterExists);
        /// assert_eq!(code.as_str(), "KIND-CLUSTER-EXISTS");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its text, for example `KIND-CLUSTER-EXISTS`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it stands for, in one line.
            pub fn title(self) -> &'static str {
                let title = match self {
                    $(Self::$name => $title,)*
                };
                title.trim()
            }
        }
    };
}

codes! {
    /// A cluster of that name exists.
    ClusterExists = "KIND-CLUSTER-EXISTS",
    /// No cluster has that name.
    ClusterMissing = "KIND-CLUSTER-MISSING",
    /// A cluster has no control plane.
    ControlPlaneMissing = "KIND-CONTROL-PLANE-MISSING",
    /// A cluster has no node that takes images.
    NodesMissing = "KIND-NODES-MISSING",
    /// A cluster has no node of that name.
    NodeMissing = "KIND-NODE-MISSING",
    /// The cluster's configuration is wrong.
    Config = "KIND-CONFIG",
    /// A document for a node cannot be made from the configuration.
    Document = "KIND-DOCUMENT",
    /// The manifest of the pod network cannot be used.
    Manifest = "KIND-MANIFEST",
    /// A kubeconfig cannot be read or written.
    Kubeconfig = "KIND-KUBECONFIG",
    /// Another program holds the lock of a kubeconfig.
    KubeconfigLocked = "KIND-KUBECONFIG-LOCKED",
    /// A cluster has no address for its API server.
    Endpoint = "KIND-ENDPOINT",
    /// The command line is wrong.
    Usage = "KIND-USAGE",
    /// The command cannot do what it was asked to.
    Command = "KIND-COMMAND",
    /// This version cannot do that.
    NotSupported = "KIND-NOT-SUPPORTED",
    /// A file or directory could not be used.
    Io = "KIND-IO",
    /// Somebody interrupted the command.
    Cancelled = "KIND-CANCELLED",
    /// Several things failed.
    Many = "KIND-MANY",

    /// A step inside a node failed.
    NodeStep = "KIND-NODE-STEP",
    /// A node could not be made.
    NodeCreate = "KIND-NODE-CREATE",
    /// A node could not be started.
    NodeStart = "KIND-NODE-START",
    /// A node was started and does not take commands.
    NodeBoot = "KIND-NODE-BOOT",
    /// A node could not be stopped.
    NodeStop = "KIND-NODE-STOP",
    /// Nodes could not be deleted.
    NodeDelete = "KIND-NODE-DELETE",
    /// Nodes could not be listed.
    NodeList = "KIND-NODE-LIST",
    /// No program could be run in a node.
    NodeReach = "KIND-NODE-REACH",
    /// Files could not be put into a node or read from it.
    NodeFiles = "KIND-NODE-FILES",
    /// A node's logs could not be had.
    NodeLogs = "KIND-NODE-LOGS",
    /// The network of nodes could not be made.
    NetworkCreate = "KIND-NETWORK-CREATE",
    /// The network of nodes has no IPv6, and the cluster wants it.
    NetworkIpv6 = "KIND-NETWORK-IPV6",
    /// Pods would have addresses of nodes.
    NetworkOverlap = "KIND-NETWORK-OVERLAP",
    /// The engine could not say what it can do here.
    HostCheck = "KIND-HOST-CHECK",
    /// A cluster is not ready in time.
    NotReady = "KIND-NOT-READY",
    /// The host has less than nodes take.
    HostResources = "KIND-HOST-RESOURCES",
    /// Nodes cannot run on the engine's machine.
    Architecture = "KIND-ARCHITECTURE",
    /// No engine can be used.
    EngineUnavailable = "KIND-ENGINE-UNAVAILABLE",
    /// An engine without root lacks what nodes need.
    Rootless = "KIND-ROOTLESS",
    /// What nobody uses could not be removed.
    Prune = "KIND-PRUNE",

    /// No store on this host has that image.
    ImageNotPresent = "KIND-IMAGE-MISSING",
    /// An image does not hold what a node needs.
    ImageUnusable = "KIND-IMAGE-UNUSABLE",
    /// The engine could not look for an image.
    ImageLookup = "KIND-IMAGE-LOOKUP",
    /// An image could not be brought from its registry.
    ImagePull = "KIND-IMAGE-PULL",
    /// An image could not be moved from an engine or to one.
    ImageTransfer = "KIND-IMAGE-TRANSFER",
    /// The store of images could not be used.
    ImageStore = "KIND-IMAGE-STORE",
    /// Nothing tells which Kubernetes an image has.
    VersionUnknown = "KIND-VERSION-UNKNOWN",
    /// A node image cannot be built from that.
    Source = "KIND-SOURCE",

    /// An address of the nodes' network has another owner.
    EngineAddressTaken = "KIND-ENG-ADDRESS-TAKEN",
    /// An engine's answer cannot be understood.
    EngineAnswer = "KIND-ENG-ANSWER",
    /// A node did not boot in time.
    EngineBoot = "KIND-ENG-BOOT",
    /// The daemon is not this user's to use.
    EngineDaemonDenied = "KIND-ENG-DAEMON-DENIED",
    /// A disk is full.
    EngineDiskFull = "KIND-ENG-DISK-FULL",
    /// A helper process of the native engine failed without a reason.
    EngineHelper = "KIND-ENG-HELPER",
    /// A helper process of the native engine was killed.
    EngineHelperKilled = "KIND-ENG-HELPER-KILLED",
    /// A registry gives the engine no such image.
    EngineImageDenied = "KIND-ENG-IMAGE-DENIED",
    /// The engine has no such image.
    EngineImageMissing = "KIND-ENG-IMAGE-MISSING",
    /// An operation on the host failed.
    EngineIo = "KIND-ENG-IO",
    /// Several things of an engine failed.
    EngineMany = "KIND-ENG-MANY",
    /// A host path does not pass mounts on.
    EngineMountNotShared = "KIND-ENG-MOUNT-NOT-SHARED",
    /// A network went while it was used.
    EngineNetworkGone = "KIND-ENG-NETWORK-GONE",
    /// A node's network does not exist.
    EngineNetworkMissing = "KIND-ENG-NETWORK-MISSING",
    /// The engine does not answer.
    EngineNoAnswer = "KIND-ENG-NO-ANSWER",
    /// The host has no cgroups that nodes can use.
    EngineNoCgroup = "KIND-ENG-NO-CGROUP",
    /// No daemon of the engine answers.
    EngineNoDaemon = "KIND-ENG-NO-DAEMON",
    /// An image does not say what starts a node.
    EngineNoEntrypoint = "KIND-ENG-NO-ENTRYPOINT",
    /// The kernel has no overlayfs.
    EngineNoOverlay = "KIND-ENG-NO-OVERLAY",
    /// No subnet is left for a network of nodes.
    EngineNoSubnet = "KIND-ENG-NO-SUBNET",
    /// The engine has a node of that name.
    EngineNodeExists = "KIND-ENG-NODE-EXISTS",
    /// The engine has no node of that name.
    EngineNodeMissing = "KIND-ENG-NODE-MISSING",
    /// A node runs already.
    EngineNodeRunning = "KIND-ENG-NODE-RUNNING",
    /// A node does not run.
    EngineNodeStopped = "KIND-ENG-NODE-STOPPED",
    /// Processes of a node do not end.
    EngineNodeStuck = "KIND-ENG-NODE-STUCK",
    /// The native engine needs root.
    EngineNotRoot = "KIND-ENG-NOT-ROOT",
    /// A host path is not shared with the engine's machine.
    EnginePathNotShared = "KIND-ENG-PATH-NOT-SHARED",
    /// Podman is too old.
    EnginePodmanOld = "KIND-ENG-PODMAN-OLD",
    /// A host port cannot be opened at that address.
    EnginePortAddress = "KIND-ENG-PORT-ADDRESS",
    /// The native engine does not forward SCTP.
    EnginePortSctp = "KIND-ENG-PORT-SCTP",
    /// A host port is taken.
    EnginePortTaken = "KIND-ENG-PORT-TAKEN",
    /// Images inside a node image could not be unpacked.
    EnginePrepare = "KIND-ENG-PREPARE",
    /// An engine's program failed for a reason that kind does not know.
    EngineProgramFailed = "KIND-ENG-PROGRAM-FAILED",
    /// An engine's program is not installed.
    EngineProgramMissing = "KIND-ENG-PROGRAM-MISSING",
    /// A native node's record is damaged.
    EngineRecord = "KIND-ENG-RECORD",
    /// A native node was made by a newer kind.
    EngineRecordNewer = "KIND-ENG-RECORD-NEWER",
    /// The engine cannot reach a registry.
    EngineRegistryUnreachable = "KIND-ENG-REGISTRY-UNREACHABLE",
    /// The host lacks what an engine without root needs.
    EngineRootlessHost = "KIND-ENG-ROOTLESS-HOST",
    /// What nodes of an image share could not be made.
    EngineSharedVar = "KIND-ENG-SHARED-VAR",
    /// The host routes the nodes' subnet elsewhere.
    EngineSubnetRouted = "KIND-ENG-SUBNET-ROUTED",
    /// The engine keeps a privilege from nodes.
    EngineUnprivileged = "KIND-ENG-UNPRIVILEGED",

    /// The kernel refused a change of links, addresses or routes.
    NetworkNetlink = "KIND-NET-NETLINK",
    /// The program `nft` is not installed.
    NetworkNftMissing = "KIND-NET-NFT-MISSING",
    /// The kernel or `nft` refused rules of packets.
    NetworkNft = "KIND-NET-NFT",
    /// The host's firewall refused to let packets of nodes through.
    NetworkFirewall = "KIND-NET-FIREWALL",
    /// Every subnet for nodes is in use on this host.
    NetworkNoSubnet = "KIND-NET-NO-SUBNET",
    /// The nodes' subnet has no address left.
    NetworkNoAddress = "KIND-NET-NO-ADDRESS",

    /// A file of an image or of the store could not be used.
    ImageIo = "KIND-IMG-IO",
    /// A text is no name of an image.
    ImageReference = "KIND-IMG-REFERENCE",
    /// A text is no digest.
    ImageDigest = "KIND-IMG-DIGEST",
    /// A document of an image cannot be understood.
    ImageDocument = "KIND-IMG-DOCUMENT",
    /// Content is not what its digest says.
    ImageMismatch = "KIND-IMG-MISMATCH",
    /// The store has no such image.
    ImageMissing = "KIND-IMG-MISSING",
    /// A part of an image is not there.
    ImageIncomplete = "KIND-IMG-INCOMPLETE",
    /// A layer holds something that is not unpacked.
    ImageRefused = "KIND-IMG-REFUSED",
    /// A file is no archive of images.
    ImageNotAnImage = "KIND-IMG-NOT-AN-IMAGE",

    /// A registry serves nothing now.
    RegistryRefused = "KIND-REG-REFUSED",
    /// A registry cannot be reached.
    RegistryUnreachable = "KIND-REG-UNREACHABLE",
    /// A registry has no such image.
    RegistryNotFound = "KIND-REG-NOT-FOUND",
    /// A registry does not let this user have an image.
    RegistryDenied = "KIND-REG-DENIED",
    /// An image is for other platforms.
    RegistryPlatform = "KIND-REG-PLATFORM",
    /// A registry sent content that is not taken.
    RegistryContentRefused = "KIND-REG-CONTENT-REFUSED",
    /// A registry sent something else than it said.
    RegistryMismatch = "KIND-REG-MISMATCH",
    /// A login for a registry could not be had.
    RegistryCredentials = "KIND-REG-CREDENTIALS",
    /// A file that says how registries are reached is wrong.
    RegistryConfiguration = "KIND-REG-CONFIGURATION",
    /// The disk has no room for an image.
    RegistryNoSpace = "KIND-REG-NO-SPACE",

    /// A text is no address that can be asked.
    DownloadAddress = "KIND-NET-ADDRESS",
    /// The name of a host has no address.
    DownloadLookup = "KIND-NET-LOOKUP",
    /// No connection came to be.
    DownloadConnect = "KIND-NET-CONNECT",
    /// A connection broke.
    DownloadBroken = "KIND-NET-BROKEN",
    /// A server took too long.
    DownloadTimeout = "KIND-NET-TIMEOUT",
    /// A server's certificate is not trusted.
    DownloadCertificate = "KIND-NET-CERTIFICATE",
    /// An encrypted connection could not be made.
    DownloadTls = "KIND-NET-TLS",
    /// A proxy is set wrong, or refuses.
    DownloadProxy = "KIND-NET-PROXY",
    /// A server leads elsewhere in a way that is not followed.
    DownloadRedirect = "KIND-NET-REDIRECT",
    /// A server answered with a failure.
    DownloadStatus = "KIND-NET-STATUS",
    /// A server sent more than is taken.
    DownloadTooLarge = "KIND-NET-TOO-LARGE",
    /// A server does not speak HTTP as it should.
    DownloadProtocol = "KIND-NET-PROTOCOL",

    /// A program that builds need is not installed.
    BuildToolMissing = "KIND-BLD-TOOL-MISSING",
    /// Only root can build node images.
    BuildNotRoot = "KIND-BLD-NOT-ROOT",
    /// The disk has no room for a build.
    BuildNoSpace = "KIND-BLD-NO-SPACE",
    /// A text names no source of Kubernetes.
    BuildSourceUnknown = "KIND-BLD-SOURCE-UNKNOWN",
    /// A text is no version of Kubernetes.
    BuildSourceVersion = "KIND-BLD-SOURCE-VERSION",
    /// A directory is no source tree of Kubernetes.
    BuildSourceTree = "KIND-BLD-SOURCE-TREE",
    /// A file is no server tarball of Kubernetes.
    BuildTarball = "KIND-BLD-TARBALL",
    /// Nobody but a server tells what its tarball must be.
    BuildDigestMissing = "KIND-BLD-DIGEST",
    /// No node images are built on this architecture.
    BuildArchitecture = "KIND-BLD-ARCHITECTURE",
    /// A program of a build failed.
    BuildCommand = "KIND-BLD-COMMAND",
    /// A step of a build gave something unexpected.
    BuildUnexpected = "KIND-BLD-UNEXPECTED",
    /// A file of a build could not be used.
    BuildIo = "KIND-BLD-IO",
}

/// What every code begins with; people may leave it out.
const PREFIX: &str = "KIND-";

impl Code {
    /// Whether it says no more than that an engine failed: then what was tried tells more.
    pub(crate) fn is_general(self) -> bool {
        matches!(
            self,
            Self::EngineIo | Self::EngineProgramFailed | Self::EngineMany | Self::EngineHelper
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown code {0:?}")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    /// In any case, and with or without `KIND-`.
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let named = |code: &&Self| {
            let name = code.as_str();
            let short = name.strip_prefix(PREFIX).unwrap_or(name);
            name.eq_ignore_ascii_case(text) || short.eq_ignore_ascii_case(text)
        };
        let found = Self::ALL.iter().find(named);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_its_own_and_is_found_by_its_text() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            let short = code.as_str().strip_prefix(PREFIX).unwrap();
            for text in [code.to_string(), short.to_owned(), short.to_lowercase()] {
                assert_eq!(text.parse(), Ok(*code), "{text}");
            }
            assert!(code.title().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "KIND-", "KIND-KIND-IO", "IO-"] {
            assert_eq!(text.parse::<Code>(), Err(UnknownCode(text.to_owned())));
        }
    }
}
