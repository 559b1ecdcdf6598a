//! Whether the address of a Service answers in the network of a pod on this node.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::Api;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The Service of the API server, which every cluster has.
const NAMESPACE: &str = "default";
const NAME: &str = "kubernetes";
/// How long one try may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A pod's link in its own network.
const POD_LINK: &str = "eth0";

/// Connects to the API server by its Service, as a pod would. Where no pod has a network of its own, the node's is tried.
pub(super) async fn check_service_address(client: &Client) -> Result<(), String> {
    let services: Api<Service> = Api::namespaced(client.clone(), NAMESPACE);
    let service = services
        .get(NAME)
        .await
        .map_err(|error| error.to_string())?;
    let address = address_of(&service).ok_or("the API server's Service has no address yet")?;
    let networks = find_pod_networks(Path::new("/proc"));
    let tried = match networks.first() {
        Some(network) => connect_in(network, address),
        None => connect(address),
    };
    tried.map_err(|error| {
        format!(
            "the address of Service {NAME}, {address}, does not answer in a pod's network: {error}"
        )
    })
}

fn address_of(service: &Service) -> Option<SocketAddr> {
    let spec = service.spec.as_ref()?;
    let address: IpAddr = spec.cluster_ip.as_ref()?.parse().ok()?;
    let port = spec.ports.as_ref()?.first()?.port;
    Some(SocketAddr::new(address, u16::try_from(port).ok()?))
}

/// Networks of pods that run on this node, each by a process in it.
fn find_pod_networks(proc: &Path) -> Vec<PathBuf> {
    let own = fs::metadata(proc.join("self/ns/net")).map(|found| found.ino());
    let mut networks = BTreeMap::new();
    for process in fs::read_dir(proc).into_iter().flatten().flatten() {
        let is_process = process.file_name().as_encoded_bytes()[0].is_ascii_digit();
        let network = process.path().join("ns/net");
        let Ok(found) = fs::metadata(&network) else {
            continue;
        };
        if is_process
            && own.as_ref().is_ok_and(|own| *own != found.ino())
            && is_pods(&process.path())
        {
            networks.entry(found.ino()).or_insert(network);
        }
    }
    networks.into_values().collect()
}

/// Units of systemd may have networks too, in which nothing is.
fn is_pods(process: &Path) -> bool {
    let links = fs::read_to_string(process.join("net/dev")).unwrap_or_default();
    links.lines().any(|link| {
        let name = link.split_once(':').map(|(name, _)| name.trim());
        name == Some(POD_LINK)
    })
}

/// Connects in another network. Only a thread enters it, which then ends.
fn connect_in(network: &Path, address: SocketAddr) -> io::Result<()> {
    let network = File::open(network)?;
    let connecting = thread::spawn(move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        connect(address)
    });
    connecting
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("it could not be tried")))
}

fn connect(address: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_services_address_is_its_first_port() {
        let service = |spec: serde_json::Value| {
            let service = json!({ "metadata": { "name": "kubernetes" }, "spec": spec });
            address_of(&serde_json::from_value(service).unwrap()).map(|it| it.to_string())
        };
        let ports = json!([{ "port": 443 }]);
        assert_eq!(
            service(json!({ "clusterIP": "10.96.0.1", "ports": ports })).as_deref(),
            Some("10.96.0.1:443")
        );
        assert_eq!(
            service(json!({ "clusterIP": "fd00::1", "ports": ports })).as_deref(),
            Some("[fd00::1]:443")
        );
        assert_eq!(
            service(json!({ "clusterIP": "None", "ports": ports })),
            None
        );
        assert_eq!(service(json!({})), None);
    }

    #[test]
    fn networks_without_a_pods_link_are_no_pods() {
        let place = tempfile::tempdir().unwrap();
        let head = "Inter-|   Receive\n face |bytes\n";
        for (process, link) in [("7", "    lo: 0 0\n"), ("8", "    lo: 0 0\n  eth0: 9 9\n")] {
            let directory = place.path().join(process).join("net");
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("dev"), format!("{head}{link}")).unwrap();
        }
        assert!(!is_pods(&place.path().join("7")));
        assert!(is_pods(&place.path().join("8")));
        // Without pods there is none, whatever runs here.
        assert!(find_pod_networks(place.path()).is_empty());
    }

    #[test]
    fn an_address_without_a_service_does_not_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let own = Path::new("/proc/self/ns/net");
        connect_in(own, address).unwrap();
        drop(listener);
        assert!(connect_in(own, address).is_err());
    }
}
