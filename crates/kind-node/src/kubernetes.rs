//! The way to the API server, shared by everything in a node that talks to Kubernetes.
//!
//! Only kinds that every server from 1.20 to 1.37 serves in the same version may be used without
//! asking first; for the rest there is [`serves`].

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Names a kubeconfig file to use instead of the pod's service account.
const KUBECONFIG: &str = "KUBECONFIG";

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The kubeconfig file cannot be read, or is not one.
    #[error("read kubeconfig {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<kube::config::KubeconfigError>,
    },
    /// There is no service account; this process is not in a pod.
    #[error("read the pod's service account")]
    ServiceAccount(#[source] Box<kube::config::InClusterError>),
    /// The configuration does not make a client, for example for a broken certificate.
    #[error("set up the connection to the API server")]
    Client(#[source] Box<kube::Error>),
    /// The server did not say what it serves.
    #[error("ask the API server what it serves")]
    Discovery(#[source] Box<kube::Error>),
}

/// Creates a client for the cluster of the kubeconfig that the environment variable `KUBECONFIG`
/// names, or else of the pod this process runs in. Nothing is sent yet.
pub(crate) async fn client() -> Result<Client, Error> {
    match std::env::var_os(KUBECONFIG).filter(|path| !path.is_empty()) {
        Some(path) => client_of(Path::new(&path)).await,
        None => {
            let config =
                Config::incluster().map_err(|source| Error::ServiceAccount(Box::new(source)))?;
            connect(config)
        }
    }
}

/// Creates a client for the current context of a kubeconfig file. Nothing is sent yet.
pub(crate) async fn client_of(path: &Path) -> Result<Client, Error> {
    let failed = |source| Error::Kubeconfig {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(failed)?;
    connect(config)
}

/// Tells whether the server serves a group in that version, for example `discovery.k8s.io/v1`.
pub(crate) async fn serves(client: &Client, group: &str, version: &str) -> Result<bool, Error> {
    let groups = client
        .list_api_groups()
        .await
        .map_err(|source| Error::Discovery(Box::new(source)))?;
    Ok(groups.groups.iter().any(|served| {
        served.name == group
            && served
                .versions
                .iter()
                .any(|candidate| candidate.version == version)
    }))
}

/// Makes the client of a finished configuration.
fn connect(config: Config) -> Result<Client, Error> {
    // Fails only if a provider is installed already, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_from(config).map_err(|source| Error::Client(Box::new(source)))
}
