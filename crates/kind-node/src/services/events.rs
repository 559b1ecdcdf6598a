//! What `kubectl describe service` tells: the events that Kubernetes' own service controller has.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use super::cluster::Service;
use super::decide::Decision;
use crate::kubernetes::store::Key;

/// Who tells it.
const CONTROLLER: &str = "kind-services";

/// What is told of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It has its addresses.
    Ensured,
    /// The network has no more addresses for it.
    NoAddress,
    /// Its addresses are being taken back.
    Deleting,
    /// They are taken back.
    Deleted,
}

impl News {
    /// What a decision that was carried out is to a Service. `is_complete` if it has an address of each of
    /// its families.
    pub(super) fn of_decision(decision: &Decision, is_complete: bool) -> Option<Self> {
        match decision {
            Decision::Leave => None,
            Decision::TakeBack => Some(Self::Deleting),
            Decision::LetGo => Some(Self::Deleted),
            Decision::Set { .. } if is_complete => Some(Self::Ensured),
            Decision::Set { .. } => Some(Self::NoAddress),
        }
    }

    fn event(self) -> Event {
        let (type_, reason, note) = match self {
            Self::Ensured => (
                EventType::Normal,
                "EnsuredLoadBalancer",
                "Ensured load balancer",
            ),
            Self::NoAddress => (
                EventType::Warning,
                "SyncLoadBalancerFailed",
                "The network of the nodes has no more addresses for Services",
            ),
            Self::Deleting => (
                EventType::Normal,
                "DeletingLoadBalancer",
                "Deleting load balancer",
            ),
            Self::Deleted => (
                EventType::Normal,
                "DeletedLoadBalancer",
                "Deleted load balancer",
            ),
        };
        Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note.to_owned()),
            action: "SyncLoadBalancer".to_owned(),
            secondary: None,
        }
    }
}

/// Tells each thing once.
pub(super) struct Events {
    recorder: Recorder,
    told: BTreeMap<Key, News>,
}

impl Events {
    /// Tells it by this client, in the name of a node.
    pub(super) fn new(client: Client, node: &str) -> Self {
        let reporter = Reporter {
            controller: CONTROLLER.to_owned(),
            instance: Some(node.to_owned()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
            told: BTreeMap::new(),
        }
    }

    /// Tells news of a Service, unless they are none.
    pub(super) async fn send_news(&mut self, key: &Key, service: &Service, news: News) {
        if self.told.insert(key.clone(), news) == Some(news) {
            return;
        }
        if news == News::Deleted {
            self.told.remove(key);
        }
        let reference = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            uid: Some(service.uid.clone()),
            ..ObjectReference::default()
        };
        // A manifest of another version may give fewer rights; addresses matter more.
        if let Err(error) = self.recorder.publish(&news.event(), &reference).await {
            tracing::debug!(%error, "an event could not be written");
        }
    }
}
