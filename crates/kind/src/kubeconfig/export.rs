//! A running cluster's kubeconfig, as users need it.

use kind_config::API_SERVER_PORT;

use super::document::{Document, context_name, encode_document, from_admin};
use super::files::KubeconfigFiles;
use super::update::write_merged;
use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::bootstrap::ADMIN_CONFIG;
use crate::error::Cause;
use crate::event::{Event, Listener};
use crate::{CancelToken, Code, Error, NodeRole, Provider, Result, node};

/// Docker Desktop's label for the host's side of the API server's port.
const DESKTOP_PORT_LABEL: &str = "desktop.docker.io/ports/6443/tcp";

/// From where the API server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The host.
    External,
    /// The cluster's own network.
    Internal,
}

impl Provider {
    /// A cluster's kubeconfig.
    ///
    /// # Errors
    /// [`Error::NoControlPlane`] if there is no such cluster.
    pub fn kubeconfig(&self, cluster: &str, endpoint: Endpoint) -> Result<String> {
        Ok(encode_document(&self.entry(cluster, endpoint)?))
    }

    /// Puts a cluster's entry into the kubeconfig and makes it the current one.
    ///
    /// # Errors
    /// [`Error::NoControlPlane`] if there is no such cluster, [`Error::Kubeconfig`] if the file cannot
    /// be changed.
    pub fn export_kubeconfig(
        &self,
        cluster: &str,
        endpoint: Endpoint,
        files: &KubeconfigFiles,
        cancel: &CancelToken,
        listener: Listener<'_>,
    ) -> Result<()> {
        let (provider, name) = (self.share(), cluster.to_owned());
        let (files, token) = (files.clone(), cancel.clone());
        let work =
            move |_: Listener<'_>| write_merged(&files, &provider.entry(&name, endpoint)?, &token);
        run_abandonable(work, SHORT_GRACE, cancel, listener)??;
        listener(Event::ContextSet {
            context: context_name(cluster),
        });
        Ok(())
    }

    /// The kubeconfig entry of a cluster from kubeadm's file.
    pub(crate) fn entry_from(
        &self,
        cluster: &str,
        admin: &str,
        endpoint: Endpoint,
    ) -> Result<Document> {
        let server = match endpoint {
            Endpoint::Internal => None,
            Endpoint::External => Some(self.server(cluster)?),
        };
        from_admin(admin, cluster, server.as_deref()).map_err(|error| Error::Kubeconfig {
            action: "failed to read the cluster's kubeconfig".to_owned(),
            source: Cause::new(Code::Kubeconfig, error),
        })
    }

    fn entry(&self, cluster: &str, endpoint: Endpoint) -> Result<Document> {
        let nodes = self.list_nodes(Some(cluster))?;
        let mut names: Vec<_> = nodes
            .iter()
            .filter(|node| NodeRole::of(node) == Some(NodeRole::ControlPlane))
            .collect();
        names.sort_by_key(|node| &node.name);
        let first = names
            .first()
            .ok_or_else(|| Error::NoControlPlane(cluster.to_owned()))?;
        let admin = node::read_file(self.engine(), &first.name, ADMIN_CONFIG)?;
        self.entry_from(cluster, &admin, endpoint)
    }

    /// URL of the API server as the host reaches it.
    pub(crate) fn server(&self, cluster: &str) -> Result<String> {
        let nodes = self.list_nodes(Some(cluster))?;
        let of_role = |role| {
            let nodes = nodes.iter();
            nodes.filter(move |node| NodeRole::of(node) == Some(role))
        };
        let balancer = of_role(NodeRole::LoadBalancer).next();
        let mut control_planes = of_role(NodeRole::ControlPlane);
        let node = match (balancer, control_planes.next(), control_planes.next()) {
            (Some(balancer), ..) => balancer,
            (None, Some(only), None) => only,
            (None, None, _) => return Err(Error::NoControlPlane(cluster.to_owned())),
            (None, Some(_), Some(_)) => {
                return Err(no_endpoint(of_role(NodeRole::ControlPlane).count()));
            }
        };
        // Docker Desktop tells where its own forwarding ends.
        let forwarded = node.labels.get(DESKTOP_PORT_LABEL);
        if let Some(address) = forwarded.filter(|address| !address.is_empty()) {
            return Ok(format!("https://{address}"));
        }
        let port = node
            .ports
            .iter()
            .find(|port| port.container == API_SERVER_PORT);
        let port = port.ok_or_else(|| no_endpoint(1))?;
        let address = std::net::SocketAddr::new(port.listen, port.host);
        Ok(format!("https://{address}"))
    }
}

fn no_endpoint(control_planes: usize) -> Error {
    let reason = format!(
        "expected one control plane node or a load balancer, not {control_planes} and none"
    );
    Error::Kubeconfig {
        action: "failed to get api server endpoint".to_owned(),
        source: Cause::new(Code::Endpoint, reason),
    }
}
