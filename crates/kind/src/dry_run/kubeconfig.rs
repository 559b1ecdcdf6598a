//! The user's kubeconfig entry before there are keys.

use std::net::SocketAddr;

use kind_config::API_SERVER_PORT;

use crate::error::Cause;
use crate::kubeconfig::{encode_document, from_admin};
use crate::plan::Plan;
use crate::{Code, Error, Result};

/// What kubeadm writes, with kubectl's sign for data that is not shown.
const ADMIN: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: DATA+OMITTED
    server: https://endpoint:6443
  name: cluster
contexts:
- context:
    cluster: cluster
    user: admin
  name: admin@cluster
current-context: admin@cluster
kind: Config
preferences: {}
users:
- name: admin
  user:
    client-certificate-data: DATA+OMITTED
    client-key-data: DATA+OMITTED
";

/// The entry as it is written to the user's kubeconfig, made from kubeadm's in the same way.
pub(super) fn kubeconfig_entry(plan: &Plan) -> Result<String> {
    let server = server_address(plan);
    from_admin(ADMIN, &plan.cluster, server.as_deref())
        .map(|document| encode_document(&document))
        .map_err(|error| Error::Kubeconfig {
            action: "failed to make the cluster's kubeconfig".to_owned(),
            source: Cause::new(Code::Kubeconfig, error),
        })
}

/// Where the host reaches the API server.
fn server_address(plan: &Plan) -> Option<String> {
    let endpoint = plan.nodes.iter().find(|node| node.name == plan.endpoint)?;
    let mut ports = endpoint.host.ports.iter();
    let port = ports.find(|port| port.container == API_SERVER_PORT)?;
    Some(format!(
        "https://{}",
        SocketAddr::new(port.listen, port.host)
    ))
}
