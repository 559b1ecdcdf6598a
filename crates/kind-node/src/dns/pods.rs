//! The pods of the cluster by address, for Corefiles that ask for them.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use tokio::sync::watch::Sender;

use super::convert;
use super::model::Pods;
use crate::kubernetes::store::{self, Store};

/// Watches for ever and sends each new state.
pub(crate) async fn watch_pods(client: Client, pods: Arc<Sender<Option<Arc<Pods>>>>) {
    let mut known = Store::default();
    let mut events = pin!(store::watch_objects::<Pod>(&client));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let news = known.apply_event(event, pod_addresses);
                if news && known.complete() {
                    pods.send_replace(Some(Arc::new(by_address(&known))));
                }
            }
            Err(error) => tracing::warn!(%error, "watch pods"),
        }
    }
}

/// Keeps the addresses of a pod that has some.
fn pod_addresses(pod: Pod) -> Option<Vec<IpAddr>> {
    let (_, addresses) = convert::convert_pod(pod);
    (!addresses.is_empty()).then_some(addresses)
}

fn by_address(known: &Store<Vec<IpAddr>>) -> Pods {
    let mut pods = Pods::new();
    for (key, addresses) in known.all_objects() {
        for address in addresses {
            let namespaces = pods.entry(*address).or_default();
            namespaces.insert(key.namespace.as_str().into());
        }
    }
    pods
}
