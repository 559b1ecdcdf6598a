//! The fields that documents have.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kind_config::version::Version;

/// The fields of one kind of document, by their paths.
pub(super) type Fields = BTreeMap<&'static str, Lifetime>;

/// The versions of Kubernetes that have a field.
#[derive(Debug, Default)]
pub(super) struct Lifetime {
    /// The first one; `None` if all have it that the table is about.
    pub(super) first: Option<Version>,
    /// The first one without it.
    pub(super) gone: Option<Version>,
}

impl Lifetime {
    pub(super) fn has(&self, version: &Version) -> bool {
        self.first.as_ref().is_none_or(|first| version >= first)
            && self.gone.as_ref().is_none_or(|gone| version < gone)
    }
}

/// The fields of documents of an API version and a kind; `None` if the table has no such.
pub(super) fn document_fields(api_version: &str, kind: &str) -> Option<&'static Fields> {
    static TABLE: LazyLock<BTreeMap<&'static str, Fields>> = LazyLock::new(read_table);
    TABLE.get(format!("{api_version} {kind}").as_str())
}

fn read_table() -> BTreeMap<&'static str, Fields> {
    let mut table = BTreeMap::new();
    let mut document = "";
    for line in include_str!("table.txt").lines() {
        match line.strip_prefix("  ") {
            _ if line.starts_with('#') => {}
            None => document = line,
            Some(field) => {
                let mut words = field.split(' ');
                let path = words.next().unwrap_or_default();
                let fields: &mut Fields = table.entry(document).or_default();
                fields.insert(path, read_lifetime(words));
            }
        }
    }
    table
}

fn read_lifetime<'a>(words: impl Iterator<Item = &'a str>) -> Lifetime {
    let mut lifetime = Lifetime::default();
    for word in words {
        match word.split_at(1) {
            ("+", version) => lifetime.first = version.parse().ok(),
            (_, version) => lifetime.gone = version.parse().ok(),
        }
    }
    lifetime
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{KUBE_PROXY_API, KUBELET_API};

    #[test]
    fn every_document_of_todays_nodes_has_its_fields() {
        for (api_version, kind, field) in [
            (
                "kubeadm.k8s.io/v1beta3",
                "ClusterConfiguration",
                "apiServer.extraArgs",
            ),
            (
                "kubeadm.k8s.io/v1beta4",
                "ClusterConfiguration",
                "apiServer.extraArgs[].name",
            ),
            ("kubeadm.k8s.io/v1beta4", "InitConfiguration", "skipPhases"),
            (
                "kubeadm.k8s.io/v1beta4",
                "JoinConfiguration",
                "nodeRegistration.taints[].key",
            ),
            (KUBELET_API, "KubeletConfiguration", "evictionHard"),
            (
                KUBE_PROXY_API,
                "KubeProxyConfiguration",
                "conntrack.maxPerCore",
            ),
        ] {
            let fields = document_fields(api_version, kind).unwrap();
            assert!(fields.contains_key(field), "{kind} {field}");
        }
        assert!(document_fields("kubeadm.k8s.io/v1beta2", "ClusterConfiguration").is_none());
    }

    #[test]
    fn fields_come_and_go() {
        let fields = document_fields(KUBELET_API, "KubeletConfiguration").unwrap();
        let has = |field: &str, version: &str| fields[field].has(&version.parse().unwrap());
        assert!(has("maxPods", "1.19"));
        assert!(!has("failCgroupV1", "1.30") && has("failCgroupV1", "1.31"));
        assert!(has("logging.sanitization", "1.23") && !has("logging.sanitization", "1.24"));
    }
}
