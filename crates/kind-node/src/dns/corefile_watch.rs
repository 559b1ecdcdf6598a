//! The Corefile of the cluster: the ConfigMap `kube-system/coredns`, as soon as somebody changes it.

use std::pin::pin;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc::Sender;

use super::loader::Corefile;
use super::surroundings::Surroundings;

/// Where the ConfigMap is.
const NAMESPACE: &str = "kube-system";
const NAME: &str = "coredns";

const KEY: &str = "Corefile";

/// Watches for ever and sends the ConfigMap whenever it changes; nothing if there is none.
pub(crate) async fn watch_corefile(client: Client, found: Sender<Option<ConfigMap>>) {
    let api: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    // The name is what the right to look at it is bound to.
    let only = watcher::Config::default().fields(&format!("metadata.name={NAME}"));
    let mut events = pin!(watcher(api, only).default_backoff());
    let mut listed = None;
    while let Some(event) = events.next().await {
        let state = match event {
            Ok(Event::Init) => {
                listed = None;
                continue;
            }
            Ok(Event::InitApply(object)) => {
                listed = Some(object);
                continue;
            }
            Ok(Event::InitDone) => listed.take(),
            Ok(Event::Apply(object)) => Some(object),
            Ok(Event::Delete(_)) => None,
            Err(error) => {
                tracing::warn!(%error, "watch ConfigMap {NAMESPACE}/{NAME}");
                continue;
            }
        };
        if found.send(state).await.is_err() {
            return;
        }
    }
}

/// The Corefile in a ConfigMap, or the one that kubeadm would write where there is none.
pub(crate) fn corefile_of_object(object: Option<ConfigMap>, domain: &str) -> Corefile {
    let Some(object) = object else {
        return Corefile {
            text: default(domain),
            name: "default".to_owned(),
            surroundings: Surroundings::of_config_map(std::collections::BTreeMap::new()),
            about: None,
            path: None,
        };
    };
    let data = object.data.unwrap_or_default();
    Corefile {
        text: data.get(KEY).cloned().unwrap_or_default(),
        name: KEY.to_owned(),
        surroundings: Surroundings::of_config_map(data),
        about: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("ConfigMap".to_owned()),
            name: object.metadata.name,
            namespace: object.metadata.namespace,
            resource_version: object.metadata.resource_version,
            uid: object.metadata.uid,
            ..ObjectReference::default()
        }),
        path: None,
    }
}

/// What kubeadm writes.
fn default(domain: &str) -> String {
    format!(
        ".:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30
    loop
    reload
    loadbalance
}}
"
    )
}
