//! What the kinds of failure of the crates below are called here. Each of them has a name, or this does not compile.

use kind_engine::Code as EngineCode;
use kind_image::Code as ImageCode;
use kind_net::Code as NetworkCode;

use crate::Code;

/// Of an engine.
pub(crate) fn of_engine(code: EngineCode) -> Code {
    match code {
        EngineCode::AddressTaken => Code::EngineAddressTaken,
        EngineCode::Answer => Code::EngineAnswer,
        EngineCode::Boot => Code::EngineBoot,
        EngineCode::DaemonDenied => Code::EngineDaemonDenied,
        EngineCode::DiskFull => Code::EngineDiskFull,
        EngineCode::Helper => Code::EngineHelper,
        EngineCode::HelperKilled => Code::EngineHelperKilled,
        EngineCode::ImageDenied => Code::EngineImageDenied,
        EngineCode::ImageMissing => Code::EngineImageMissing,
        EngineCode::Io => Code::EngineIo,
        EngineCode::Many => Code::EngineMany,
        EngineCode::MountNotShared => Code::EngineMountNotShared,
        EngineCode::NetworkGone => Code::EngineNetworkGone,
        EngineCode::NetworkMissing => Code::EngineNetworkMissing,
        EngineCode::NoAnswer => Code::EngineNoAnswer,
        EngineCode::NoCgroup => Code::EngineNoCgroup,
        EngineCode::NoDaemon => Code::EngineNoDaemon,
        EngineCode::NoEntrypoint => Code::EngineNoEntrypoint,
        EngineCode::NoOverlay => Code::EngineNoOverlay,
        EngineCode::NoSubnet => Code::EngineNoSubnet,
        EngineCode::NodeExists => Code::EngineNodeExists,
        EngineCode::NodeMissing => Code::EngineNodeMissing,
        EngineCode::NodeRunning => Code::EngineNodeRunning,
        EngineCode::NodeStopped => Code::EngineNodeStopped,
        EngineCode::NodeStuck => Code::EngineNodeStuck,
        EngineCode::NotRoot => Code::EngineNotRoot,
        EngineCode::PathNotShared => Code::EnginePathNotShared,
        EngineCode::PodmanOld => Code::EnginePodmanOld,
        EngineCode::PortAddress => Code::EnginePortAddress,
        EngineCode::PortSctp => Code::EnginePortSctp,
        EngineCode::PortTaken => Code::EnginePortTaken,
        EngineCode::Prepare => Code::EnginePrepare,
        EngineCode::ProgramFailed => Code::EngineProgramFailed,
        EngineCode::ProgramMissing => Code::EngineProgramMissing,
        EngineCode::Record => Code::EngineRecord,
        EngineCode::RecordNewer => Code::EngineRecordNewer,
        EngineCode::RegistryUnreachable => Code::EngineRegistryUnreachable,
        EngineCode::RootlessHost => Code::EngineRootlessHost,
        EngineCode::SharedVar => Code::EngineSharedVar,
        EngineCode::SubnetRouted => Code::EngineSubnetRouted,
        EngineCode::Unprivileged => Code::EngineUnprivileged,
        EngineCode::Image(code) => of_image(code),
        EngineCode::Network(code) => of_network(code),
    }
}

/// Of an image, its registry, a download or a build.
pub(crate) fn of_image(code: ImageCode) -> Code {
    match code {
        ImageCode::Io => Code::ImageIo,
        ImageCode::NoSpace => Code::EngineDiskFull,
        ImageCode::Reference => Code::ImageReference,
        ImageCode::Digest => Code::ImageDigest,
        ImageCode::Document => Code::ImageDocument,
        ImageCode::Mismatch => Code::ImageMismatch,
        ImageCode::Missing => Code::ImageMissing,
        ImageCode::Incomplete => Code::ImageIncomplete,
        ImageCode::Refused => Code::ImageRefused,
        ImageCode::NotAnImage => Code::ImageNotAnImage,
        ImageCode::RegistryRefused => Code::RegistryRefused,
        ImageCode::RegistryUnreachable => Code::RegistryUnreachable,
        ImageCode::RegistryNotFound => Code::RegistryNotFound,
        ImageCode::RegistryDenied => Code::RegistryDenied,
        ImageCode::RegistryPlatform => Code::RegistryPlatform,
        ImageCode::RegistryContentRefused => Code::RegistryContentRefused,
        ImageCode::RegistryMismatch => Code::RegistryMismatch,
        ImageCode::RegistryCredentials => Code::RegistryCredentials,
        ImageCode::RegistryConfiguration => Code::RegistryConfiguration,
        ImageCode::RegistryNoSpace => Code::RegistryNoSpace,
        ImageCode::DownloadAddress => Code::DownloadAddress,
        ImageCode::DownloadLookup => Code::DownloadLookup,
        ImageCode::DownloadConnect => Code::DownloadConnect,
        ImageCode::DownloadBroken => Code::DownloadBroken,
        ImageCode::DownloadTimeout => Code::DownloadTimeout,
        ImageCode::DownloadCertificate => Code::DownloadCertificate,
        ImageCode::DownloadTls => Code::DownloadTls,
        ImageCode::DownloadProxy => Code::DownloadProxy,
        ImageCode::DownloadRedirect => Code::DownloadRedirect,
        ImageCode::DownloadStatus => Code::DownloadStatus,
        ImageCode::DownloadTooLarge => Code::DownloadTooLarge,
        ImageCode::DownloadProtocol => Code::DownloadProtocol,
        ImageCode::BuildToolMissing => Code::BuildToolMissing,
        ImageCode::BuildNotRoot => Code::BuildNotRoot,
        ImageCode::BuildNoSpace => Code::BuildNoSpace,
        ImageCode::BuildSourceUnknown => Code::BuildSourceUnknown,
        ImageCode::BuildSourceVersion => Code::BuildSourceVersion,
        ImageCode::BuildSourceTree => Code::BuildSourceTree,
        ImageCode::BuildTarball => Code::BuildTarball,
        ImageCode::BuildDigestMissing => Code::BuildDigestMissing,
        ImageCode::BuildArchitecture => Code::BuildArchitecture,
        ImageCode::BuildCommand => Code::BuildCommand,
        ImageCode::BuildUnexpected => Code::BuildUnexpected,
        ImageCode::BuildIo => Code::BuildIo,
        ImageCode::BuildStopped => Code::Cancelled,
    }
}

/// Of the host's networks.
pub(crate) fn of_network(code: NetworkCode) -> Code {
    match code {
        NetworkCode::Netlink => Code::NetworkNetlink,
        NetworkCode::NftMissing => Code::NetworkNftMissing,
        NetworkCode::Nft => Code::NetworkNft,
        NetworkCode::Firewall => Code::NetworkFirewall,
        NetworkCode::NoSubnet => Code::NetworkNoSubnet,
        NetworkCode::NoAddress => Code::NetworkNoAddress,
    }
}
