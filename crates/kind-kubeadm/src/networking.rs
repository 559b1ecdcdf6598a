//! What the finished documents say about the cluster's network: patches may change it.

use kind_config::yaml::{self, Value};

/// What kubeadm takes when the documents do not say.
const DNS_DOMAIN: &str = "cluster.local";

/// The cluster's network as kubeadm's documents have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Networking {
    /// The domain of the names of services and pods.
    pub dns_domain: String,
    /// Subnets of services, separated by commas; `None` if the documents do not name any.
    pub service_subnet: Option<String>,
}

impl Networking {
    /// Reads the documents that [`render`](crate::render) made. What cannot be read is kubeadm's to
    /// complain about.
    pub fn of(documents: &str) -> Self {
        let documents = yaml::documents(documents).unwrap_or_default();
        let cluster = documents.iter().find(|document| {
            document.get("kind").and_then(Value::as_str) == Some("ClusterConfiguration")
        });
        let networking = cluster.and_then(|document| document.get("networking"));
        let text = |key: &str| {
            let value = networking?.get(key)?.as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            dns_domain: text("dnsDomain").unwrap_or_else(|| DNS_DOMAIN.to_owned()),
            service_subnet: text("serviceSubnet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patched_documents_are_read() {
        let text = "kind: InitConfiguration\n---\nkind: ClusterConfiguration\nnetworking:\n  \
                    dnsDomain: corp.example\n  serviceSubnet: 10.1.0.0/16\n";
        let found = Networking::of(text);
        assert_eq!(found.dns_domain, "corp.example");
        assert_eq!(found.service_subnet.as_deref(), Some("10.1.0.0/16"));
    }

    #[test]
    fn what_is_not_said_is_kubeadms_default() {
        for text in [
            "",
            "kind: ClusterConfiguration\n",
            "kind: [",
            "networking: {dnsDomain: x}\n",
        ] {
            let found = Networking::of(text);
            assert_eq!(found.dns_domain, "cluster.local", "{text}");
            assert_eq!(found.service_subnet, None);
        }
    }
}
