//! The way to the API server, shared by everything in a node that talks to Kubernetes.
//!
//! Only kinds that every server from 1.20 to 1.37 serves in the same version may be used without
//! asking first; for the rest there is [`serves_group`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Names a kubeconfig file to use instead of the pod's service account.
const KUBECONFIG: &str = "KUBECONFIG";

/// Stands for a proxy that nothing is sent to.
const NO_PROXY: &str = "http://none.invalid";

/// Time for one attempt to connect. While a cluster starts, a connection to a service's address that
/// was tried before kube-proxy knew the service never comes about; a new one does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time for which a server may say nothing where something is awaited of it. Watches are silent for 290 seconds and five
/// more; what is gone without a word would hold a call for as long as the kernel sends it again.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a first connection to the API server may take, and how often it is tried.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
const PROBES: u32 = 5;
/// How often the API server's Service is tried before something else is, and the time between.
const SERVICE_PROBES: u32 = 20;
const SERVICE_PROBE_INTERVAL: Duration = Duration::from_millis(100);
const SERVICE_PROBE_TIMEOUT: Duration = Duration::from_millis(300);
/// The port of API servers on their nodes.
const API_SERVER: &str = "6443";

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
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
    /// The address is not one of a server.
    #[error("use {0:?} as the address of the API server")]
    Endpoint(String),
    /// The configuration does not make a client, for example for a broken certificate.
    #[error("set up the connection to the API server")]
    Client(#[source] Box<kube::Error>),
    /// The server did not say what it serves.
    #[error("ask the API server what it serves")]
    Discovery(#[source] Box<kube::Error>),
}

/// Creates a client for the cluster of the kubeconfig that the environment variable `KUBECONFIG`
/// names, or else of the pod this process runs in. Nothing is sent yet.
async fn create_client() -> Result<Client, Error> {
    match std::env::var_os(KUBECONFIG).filter(|path| !path.is_empty()) {
        Some(path) => client_of(Path::new(&path)).await,
        None => {
            let config =
                Config::incluster().map_err(|source| Error::ServiceAccount(Box::new(source)))?;
            connect_client(config)
        }
    }
}

/// Creates a client for this pod's cluster at an address of its control plane (`host:port`) instead
/// of at the API server's Service, which leads nowhere until kube-proxy runs. Nothing is sent yet.
async fn client_at(endpoint: &str) -> Result<Client, Error> {
    if let Some(path) = std::env::var_os(KUBECONFIG).filter(|path| !path.is_empty()) {
        return client_of(Path::new(&path)).await;
    }
    let mut config =
        Config::incluster().map_err(|source| Error::ServiceAccount(Box::new(source)))?;
    let url = format!("https://{endpoint}").parse();
    config.cluster_url = url.map_err(|_| Error::Endpoint(endpoint.to_owned()))?;
    connect_client(config)
}

/// Creates a client for this pod's cluster: at `endpoint` where the manifest names one and something
/// answers there, because the way through the API server's Service exists only once kube-proxy runs.
pub(crate) async fn client_near(endpoint: Option<&str>) -> Result<Client, Error> {
    match endpoint {
        Some(endpoint) if is_reachable(endpoint).await => {
            tracing::info!(endpoint, "using the control plane's own address");
            client_at(endpoint).await
        }
        _ => create_client().await,
    }
}

/// Creates a client for this pod's cluster, on a node with an API server: at that of the node, whose
/// address is `host`, if no API server answers at the API server's Service. Clusters without kube-proxy
/// are like that until something else serves Services.
pub(crate) async fn client_beside(host: Option<&str>) -> Result<Client, Error> {
    let variable = |name| std::env::var(name).ok();
    let (Some(host), Some(service), Some(port)) = (
        host,
        variable("KUBERNETES_SERVICE_HOST"),
        variable("KUBERNETES_SERVICE_PORT"),
    ) else {
        return create_client().await;
    };
    let address = |host: &str, port: &str| {
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    };
    let (service, beside) = (address(&service, &port), address(host, API_SERVER));
    for _ in 0..SERVICE_PROBES {
        if answers_within(&service, SERVICE_PROBE_TIMEOUT).await {
            let client = create_client().await?;
            if is_api_server(&client).await {
                return Ok(client);
            }
        }
        sleep(SERVICE_PROBE_INTERVAL).await;
    }
    if !answers_within(&beside, PROBE_TIMEOUT).await {
        return create_client().await;
    }
    tracing::info!(
        endpoint = beside,
        "nothing serves Services; using the node's own API server"
    );
    client_at(&beside).await
}

/// Tells whether the cluster's own API server is at the other end. Where nothing serves Services, a
/// connection to one leaves the cluster, and whoever is on its way may take it.
async fn is_api_server(client: &Client) -> bool {
    let asked = timeout(PROBE_TIMEOUT, client.apiserver_version()).await;
    // A refusal is an answer too.
    matches!(asked, Ok(Ok(_) | Err(kube::Error::Api(_))))
}

async fn answers_within(endpoint: &str, limit: Duration) -> bool {
    matches!(
        timeout(limit, TcpStream::connect(endpoint)).await,
        Ok(Ok(_))
    )
}

async fn is_reachable(endpoint: &str) -> bool {
    for attempt in 0..PROBES {
        sleep(Duration::from_secs(attempt.into())).await;
        if answers_within(endpoint, PROBE_TIMEOUT).await {
            return true;
        }
    }
    tracing::warn!(endpoint, "nothing answers; using the API server's Service");
    false
}

/// Creates a client for the current context of a kubeconfig file. Nothing is sent yet.
pub(crate) async fn client_of(path: &Path) -> Result<Client, Error> {
    connect_client(read_configuration(path).await?)
}

/// Creates a client with what a kubeconfig file knows, for the API server at another address
/// (`https://host:port`). Nothing is sent yet.
pub(crate) async fn client_of_at(path: &Path, url: &str) -> Result<Client, Error> {
    let mut config = read_configuration(path).await?;
    let parsed = url.parse();
    config.cluster_url = parsed.map_err(|_| Error::Endpoint(url.to_owned()))?;
    connect_client(config)
}

/// What the current context of a kubeconfig file says.
async fn read_configuration(path: &Path) -> Result<Config, Error> {
    let failed = |source| Error::Kubeconfig {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
    for cluster in &mut kubeconfig.clusters {
        if let Some(cluster) = &mut cluster.cluster {
            // Without one HTTPS_PROXY counts, whatever NO_PROXY and the address of the server are.
            cluster.proxy_url = Some(NO_PROXY.to_owned());
        }
    }
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(failed)
}

/// Tells whether the server serves a group in that version, for example `discovery.k8s.io/v1`.
pub(crate) async fn serves_group(
    client: &Client,
    group: &str,
    version: &str,
) -> Result<bool, Error> {
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
fn connect_client(config: Config) -> Result<Client, Error> {
    connect_within(config, READ_TIMEOUT)
}

fn connect_within(mut config: Config, read_timeout: Duration) -> Result<Client, Error> {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(read_timeout);
    // It counts from the question on, and not from the answer to the one before.
    config.reset_reader_on_write = true;
    // A cluster's own API server is never reached through a proxy.
    config.proxy_url = None;
    // Fails only if a provider is installed already, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_from(config).map_err(|source| Error::Client(Box::new(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: here}}]
current-context: x
"#;

    #[test]
    fn a_proxy_in_the_environment_does_not_hide_the_api_server() {
        const WITHOUT: &str = "kubernetes::client::tests::kubeconfig_makes_a_client";
        for proxy in [
            "http://proxy.example:3128",
            "socks5://proxy.example",
            "no proxy",
        ] {
            let mut test = std::process::Command::new(std::env::current_exe().unwrap());
            let test = test.args(["--exact", WITHOUT]).env("HTTPS_PROXY", proxy);
            let output = test.output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(told.contains("1 passed"), "{proxy}: {told}");
        }
    }

    #[tokio::test]
    async fn kubeconfig_makes_a_client() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, KUBECONFIG).unwrap();
        let client = client_of(&path).await.unwrap();
        assert_eq!(client.default_namespace(), "here");
    }

    #[tokio::test]
    async fn broken_kubeconfig_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        for text in [
            None,
            Some("clusters: 7"),
            Some("apiVersion: v1\nkind: Config\n"),
        ] {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            let error = client_of(&path).await.map(|_| ()).unwrap_err();
            let expected = format!("read kubeconfig {}", path.display());
            assert_eq!(error.to_string(), expected);
            assert!(std::error::Error::source(&error).is_some());
        }
    }

    /// A client for whatever speaks at the other end of a connection; it is told `answer`.
    async fn client_of_someone(answer: &'static str) -> Client {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let server = KUBECONFIG.replace("https://127.0.0.1:6443", &format!("http://{address}"));
        std::fs::write(&path, server).unwrap();
        client_of(&path).await.unwrap()
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_does_not_hold_a_call() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let config = Config::new(url.parse().unwrap());
        let client = connect_within(config, Duration::from_millis(50)).unwrap();
        let asked = timeout(Duration::from_secs(30), client.apiserver_version()).await;
        assert!(matches!(asked, Ok(Err(_))), "{asked:?}");
    }

    #[tokio::test]
    async fn whoever_takes_a_connection_is_not_the_api_server_yet() {
        for (answer, is) in [
            ("", false),
            ("SSH-2.0-x\r\n", false),
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hi</html>",
                false,
            ),
            (
                "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n\
                 {\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":403}",
                true,
            ),
        ] {
            let client = client_of_someone(answer).await;
            assert_eq!(is_api_server(&client).await, is, "{answer}");
        }
    }
}
