//! What an engine says about itself.

use kind_image::oci::Platform;
use serde::Deserialize;

use super::Flavor;
use super::version::Version;
use crate::{Code, Error, Info, Limits};

/// Older podmans do not tell which limits they can set.
const PODMAN_TELLS_CONTROLLERS: Version = Version(4, 0, 0);
/// Older podmans are not driven.
const OLDEST_PODMAN: Version = Version(1, 8, 0);
const NO_CONTROLLERS_WARNING: &str = "Cgroup controller detection is not implemented for Podman. \
     If you see cgroup-related errors, you might need to set systemd property \"Delegate=yes\", \
     see https://kind.sigs.k8s.io/docs/user/rootless/";
const OLD_PORTS_WARNING: &str = "not fully supported, please use versions 3.0.0+";

/// Reads the JSON of an engine's `info`.
///
/// # Errors
/// If it is not what this engine says, or says that no daemon answers.
pub(super) fn parse_info(flavor: Flavor, text: &str) -> Result<Info, Error> {
    match flavor {
        Flavor::Docker | Flavor::Nerdctl => docker_info(flavor, text),
        Flavor::Podman => podman_info(text),
    }
}

/// Answers of docker and nerdctl. Everything may be missing: nerdctl tells less, and `null` is usual.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct DockerInfo {
    cgroup_driver: Option<String>,
    cgroup_version: Option<String>,
    memory_limit: Option<bool>,
    pids_limit: Option<bool>,
    #[serde(rename = "CPUShares")]
    cpu_shares: Option<bool>,
    security_options: Option<Vec<String>>,
    server_version: Option<String>,
    name: Option<String>,
    server_errors: Option<Vec<String>>,
    architecture: Option<String>,
    driver: Option<String>,
    driver_status: Option<Vec<Vec<String>>>,
    docker_root_dir: Option<String>,
}

fn docker_info(flavor: Flavor, text: &str) -> Result<Info, Error> {
    let info: DockerInfo = parse_document(flavor, text)?;
    if let Some(errors) = info.server_errors.filter(|errors| !errors.is_empty()) {
        return Err(Error::other(
            Code::NoDaemon,
            errors.join("; "),
            super::FailureReason::NoDaemon.remedy().unwrap_or_default(),
        ));
    }
    let options = info.security_options.unwrap_or_default();
    let has = |name: &str| {
        let mut words = options.iter().flat_map(|option| option.split(','));
        words.any(|word| word.trim_matches('"') == name)
    };
    let limited = info.cgroup_driver.as_deref() != Some("none");
    let can = |limit: Option<bool>| limited && limit.unwrap_or(false);
    let status = info.driver_status.unwrap_or_default();
    let status = |key: &str| {
        let found = status
            .iter()
            .find(|pair| pair.first().is_some_and(|k| k == key));
        found
            .and_then(|pair| pair.get(1))
            .cloned()
            .unwrap_or_default()
    };
    Ok(Info {
        rootless: has("name=rootless"),
        cgroup2: info.cgroup_version.as_deref() == Some("2"),
        limits: Limits {
            memory: can(info.memory_limit),
            pids: can(info.pids_limit),
            cpu: can(info.cpu_shares),
        },
        version: info.server_version.unwrap_or_default(),
        hostname: info.name.unwrap_or_default(),
        architecture: Platform::of_machine(&info.architecture.unwrap_or_default()).architecture,
        storage_driver: info.driver.unwrap_or_default().to_lowercase(),
        backing_filesystem: status("Backing Filesystem"),
        storage_dir: info.docker_root_dir.unwrap_or_default(),
        containerd_images: status("driver-type").starts_with("io.containerd.snapshotter"),
        user_namespaces: flavor == Flavor::Docker && has("name=userns"),
        parallel_creates: flavor.creates_in_parallel(),
        warnings: Vec::new(),
    })
}

#[derive(Deserialize)]
struct PodmanInfo {
    host: PodmanHost,
    #[serde(default)]
    store: PodmanStore,
    #[serde(default)]
    version: PodmanVersion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodmanHost {
    #[serde(default)]
    arch: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    cgroup_version: String,
    cgroup_controllers: Option<Vec<String>>,
    #[serde(default)]
    security: PodmanSecurity,
    /// Where podmans before 2.0 say it.
    #[serde(default)]
    rootless: bool,
}

#[derive(Deserialize, Default)]
struct PodmanSecurity {
    #[serde(default)]
    rootless: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodmanStore {
    graph_driver_name: String,
    graph_root: String,
    graph_status: std::collections::BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct PodmanVersion {
    version: String,
}

fn podman_info(text: &str) -> Result<Info, Error> {
    let info: PodmanInfo = parse_document(Flavor::Podman, text)?;
    let version = Version::parse(&info.version.version);
    if version.is_some_and(|version| version < OLDEST_PODMAN) {
        return Err(Error::other(
            Code::PodmanOld,
            format!(
                "podman version {:?} is too old, please upgrade to \"1.8.0\" or later",
                info.version.version
            ),
            "",
        ));
    }
    let rootless = info.host.security.rootless || info.host.rootless;
    let mut warnings = Vec::new();
    let limits = match version {
        Some(version) if version < PODMAN_TELLS_CONTROLLERS => {
            if rootless {
                warnings.push(NO_CONTROLLERS_WARNING.to_owned());
            }
            if (Version(2, 2, 0)..Version(3, 0, 0)).contains(&version) {
                let number = &info.version.version;
                warnings.push(format!(
                    "WARNING: podman version {number} {OLD_PORTS_WARNING}"
                ));
            }
            Limits::ALL
        }
        _ => {
            let controllers = info.host.cgroup_controllers.unwrap_or_default();
            let has = |name: &str| controllers.iter().any(|controller| controller == name);
            Limits {
                memory: has("memory"),
                pids: has("pids"),
                cpu: has("cpu"),
            }
        }
    };
    let backing = info.store.graph_status.get("Backing Filesystem");
    Ok(Info {
        rootless,
        cgroup2: info.host.cgroup_version == "v2",
        limits,
        version: info.version.version,
        hostname: info.host.hostname,
        architecture: Platform::of_machine(&info.host.arch).architecture,
        storage_driver: info.store.graph_driver_name.to_lowercase(),
        storage_dir: info.store.graph_root,
        backing_filesystem: backing
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        parallel_creates: true,
        warnings,
        // Podman has a store of its own, and runs nodes in no other namespace of users than its own.
        containerd_images: false,
        user_namespaces: false,
    })
}

fn parse_document<'a, T: Deserialize<'a>>(flavor: Flavor, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::other(
            Code::Answer,
            format!(
                "{} says of itself what cannot be read: {error}",
                flavor.name()
            ),
            format!("see what `{} info` prints", flavor.name()),
        )
    })
}

#[cfg(test)]
#[path = "info_tests.rs"]
mod tests;
