//! What each node has of certificates and kubeconfigs.

use std::time::{SystemTime, UNIX_EPOCH};

use kind_config::Role;
use kind_config::version::Version;

use super::authorities::Authorities;
use super::file::{Content, NodeFile, PKI, PRIVATE, private_file, public_file};
use super::key::Pair;
use super::kubeconfig::{Access, with_file, with_pair};
use super::leaf::{Leaf, self_signed};
use super::names::Names;
use crate::documents::Documents;
use crate::release::has_admin_group;
use crate::{Error, NodeFacts};

const KUBELET_PKI: &str = "/var/lib/kubelet/pki";
const CURRENT: &str = "kubelet-client-current.pem";
/// The group that may do everything.
const MASTERS: &str = "system:masters";
/// The group that may do everything once a role binding says so.
const ADMINS: &str = "kubeadm:cluster-admins";

impl Authorities {
    /// The kubeconfig by which a cluster's load balancer learns of its control planes. It asks as kube-proxy
    /// does, which may read nodes and Services in every cluster, and asks through itself.
    ///
    /// # Errors
    /// A name in the documents cannot stand in a certificate.
    pub fn of_balancer(&self, documents: &Documents, path: &str) -> Result<NodeFile, Error> {
        let user = "system:kube-proxy";
        let pair = self.cluster.issue_certificate(&Leaf::client(user, None))?;
        let authority = self.cluster.pem();
        let access = Access {
            cluster: documents.cluster_name(),
            user,
            server: "https://localhost:6443",
            authority: &authority,
        };
        Ok(private_file(path.to_owned(), with_pair(&access, &pair)))
    }

    /// The files of a node with these documents.
    ///
    /// # Errors
    /// A name in the documents cannot stand in a certificate.
    pub fn files(
        &self,
        documents: &Documents,
        facts: &NodeFacts,
        role: &Role,
    ) -> Result<Vec<NodeFile>, Error> {
        let node = Node {
            authorities: self,
            documents,
            facts,
        };
        let mut files = node.of_kubelet(role)?;
        if role.is_control_plane() {
            files.extend(self.shared());
            files.extend(node.of_api_server()?);
            files.extend(node.of_etcd()?);
            files.extend(node.issue_kubeconfigs()?);
        } else {
            files.push(public_file(format!("{PKI}/ca.crt"), self.cluster.pem()));
        }
        Ok(files)
    }
}

/// A node and everything that its files are made from.
struct Node<'a> {
    authorities: &'a Authorities,
    documents: &'a Documents,
    facts: &'a NodeFacts,
}

impl Node<'_> {
    fn has_admin_group(&self) -> bool {
        has_admin_group(self.facts.version())
    }

    fn of_api_server(&self) -> Result<Vec<NodeFile>, Error> {
        let documents = self.documents;
        let domain = documents.dns_domain();
        let names = Names::default()
            .with([self.facts.name.as_str(), "localhost", "kubernetes"])
            .with(["kubernetes.default", "kubernetes.default.svc"])
            .with([format!("kubernetes.default.svc.{domain}")])
            .with(documents.service_address().map(|ip| ip.to_string()))
            .with([documents.endpoint_host(), documents.advertise_address()])
            .with(self.facts.known_addresses())
            .with(documents.api_server_names());
        let group = if self.has_admin_group() {
            ADMINS
        } else {
            MASTERS
        };
        let cluster = &self.authorities.cluster;
        let front_proxy = &self.authorities.front_proxy;
        let client = Leaf::client("kube-apiserver-kubelet-client", Some(group));
        let mut files = pair_files(
            "apiserver",
            cluster.issue_certificate(&Leaf::server("kube-apiserver", names))?,
        );
        files.extend(pair_files(
            "apiserver-kubelet-client",
            cluster.issue_certificate(&client)?,
        ));
        let client = Leaf::client("front-proxy-client", None);
        files.extend(pair_files(
            "front-proxy-client",
            front_proxy.issue_certificate(&client)?,
        ));
        Ok(files)
    }

    fn of_etcd(&self) -> Result<Vec<NodeFile>, Error> {
        let documents = self.documents;
        let name = self.facts.name.as_str();
        let names = Names::default()
            .with([name, "localhost", "127.0.0.1", "::1"])
            .with([documents.advertise_address()])
            .with(self.facts.known_addresses());
        let server = names.clone().with(documents.etcd_server_names());
        let peer = names.with(documents.etcd_peer_names());
        // etcd asks for no group; kubeadm gave one until 1.29.
        let group = (!self.has_admin_group()).then_some(MASTERS);
        let etcd = &self.authorities.etcd;
        let mut files = Vec::new();
        for (path, leaf) in [
            ("etcd/server", Leaf::peer(name, server)),
            ("etcd/peer", Leaf::peer(name, peer)),
            (
                "etcd/healthcheck-client",
                Leaf::client("kube-etcd-healthcheck-client", group),
            ),
            (
                "apiserver-etcd-client",
                Leaf::client("kube-apiserver-etcd-client", group),
            ),
        ] {
            files.extend(pair_files(path, etcd.issue_certificate(&leaf)?));
        }
        Ok(files)
    }

    fn issue_kubeconfigs(&self) -> Result<Vec<NodeFile>, Error> {
        let (endpoint, local) = (
            self.documents.endpoint_url(),
            self.documents.local_endpoint_url(),
        );
        let mut admin_group = MASTERS;
        let mut files = Vec::new();
        if self.has_admin_group() {
            admin_group = ADMINS;
            let (user, group) = ("kubernetes-super-admin", Some(MASTERS));
            files.push(self.issue_kubeconfig("super-admin", &endpoint, user, group)?);
        }
        for (file, server, user, group) in [
            ("admin", &endpoint, "kubernetes-admin", Some(admin_group)),
            (
                "controller-manager",
                &local,
                "system:kube-controller-manager",
                None,
            ),
            ("scheduler", &local, "system:kube-scheduler", None),
        ] {
            files.push(self.issue_kubeconfig(file, server, user, group)?);
        }
        Ok(files)
    }

    fn issue_kubeconfig(
        &self,
        file: &str,
        server: &str,
        user: &str,
        group: Option<&'static str>,
    ) -> Result<NodeFile, Error> {
        let pair = self
            .authorities
            .cluster
            .issue_certificate(&Leaf::client(user, group))?;
        let authority = self.authorities.cluster.pem();
        let access = Access {
            cluster: self.documents.cluster_name(),
            user,
            server,
            authority: &authority,
        };
        let path = format!("/etc/kubernetes/{file}.conf");
        Ok(private_file(path, with_pair(&access, &pair)))
    }

    /// The kubelet's access, as it is after its first certificate was signed: a link to a dated file, which
    /// the kubelet changes when it gets the next one. And its own server's certificate, for which it would
    /// make RSA keys.
    fn of_kubelet(&self, role: &Role) -> Result<Vec<NodeFile>, Error> {
        let name = &self.facts.name;
        let user = format!("system:node:{name}");
        let issued = self
            .authorities
            .cluster
            .issue_certificate(&Leaf::client(&user, Some("system:nodes")))?;
        let authority = self.authorities.cluster.pem();
        let server = if *role == Role::ControlPlane && self.asks_local_server() {
            self.documents.local_endpoint_url()
        } else {
            self.documents.endpoint_url()
        };
        let access = Access {
            cluster: self.documents.cluster_name(),
            user: &user,
            server: &server,
            authority: &authority,
        };
        let current = format!("{KUBELET_PKI}/{CURRENT}");
        let dated = format!("kubelet-client-{}.pem", unix_seconds());
        let both = format!("{}{}", issued.certificate, issued.key);
        let own = self_signed(name)?;
        Ok(vec![
            private_file(
                "/etc/kubernetes/kubelet.conf".to_owned(),
                with_file(&access, &current),
            ),
            private_file(format!("{KUBELET_PKI}/{dated}"), both),
            NodeFile {
                path: current,
                mode: PRIVATE,
                content: Content::Link(dated),
            },
            public_file(format!("{KUBELET_PKI}/kubelet.crt"), own.certificate),
            private_file(format!("{KUBELET_PKI}/kubelet.key"), own.key),
        ])
    }

    /// From 1.33 on the kubelet of a control plane asks the API server beside it, which is never of an
    /// older release (kubeadm's feature `ControlPlaneKubeletLocalMode`).
    fn asks_local_server(&self) -> bool {
        *self.facts.version() >= Version::new(1, 33, 0)
    }
}

fn pair_files(name: &str, pair: Pair) -> Vec<NodeFile> {
    vec![
        public_file(format!("{PKI}/{name}.crt"), pair.certificate),
        private_file(format!("{PKI}/{name}.key"), pair.key),
    ]
}

/// Seconds since 1970: what makes the name of a dated file its own.
fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
