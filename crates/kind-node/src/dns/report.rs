//! Telling the users of a Corefile what became of it: Events on its ConfigMap.
//!
//! Every node's server reads the same ConfigMap. Their Events have the same name, made of what they say, so that
//! there is one of each.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

/// What reports.
const COMPONENT: &str = "coredns";

/// The most of them for one Corefile.
const MOST: usize = 20;

/// The longest message that the API server takes.
const LONGEST: usize = 1024;

/// Time for one.
const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the API server answers if the Event is there already.
const EXISTS: u16 = 409;

/// Why something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The Corefile is not in force; the one before is.
    Invalid,
    /// It is in force without something.
    NotSupported,
    /// It is in force, but something of it failed.
    Failed,
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::Invalid => "CorefileInvalid",
            Self::NotSupported => "CorefileNotSupported",
            Self::Failed => "CorefileFailed",
        }
    }
}

/// Writes Events about one version of a ConfigMap.
pub(crate) async fn report_event(
    client: &Client,
    about: &ObjectReference,
    told: &[(Reason, String)],
) {
    let namespace = about.namespace.as_deref().unwrap_or("default");
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    for (reason, message) in told.iter().take(MOST) {
        let event = make_event(about, *reason, message, Timestamp::now());
        let params = PostParams::default();
        let creating = timeout(EVENT_TIMEOUT, events.create(&params, &event)).await;
        match creating {
            Ok(Ok(_)) => {}
            Ok(Err(kube::Error::Api(status))) if status.code == EXISTS => {}
            Ok(Err(error)) => tracing::warn!(%error, "write an Event"),
            Err(_) => tracing::warn!("write an Event: no answer"),
        }
    }
}

/// The Event that says so.
fn make_event(about: &ObjectReference, reason: Reason, message: &str, now: Timestamp) -> Event {
    let name = about.name.as_deref().unwrap_or_default();
    let version = about.resource_version.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("{version}\n{}\n{message}", reason.word()));
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let message: String = message.chars().take(LONGEST / 4).collect();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{digest}")),
            namespace: about.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: about.clone(),
        reason: Some(reason.word().to_owned()),
        message: Some(message),
        type_: Some("Warning".to_owned()),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            ..EventSource::default()
        }),
        reporting_component: Some(COMPONENT.to_owned()),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_say_the_same_write_one_event() {
        let about = |version: &str| ObjectReference {
            name: Some("coredns".to_owned()),
            namespace: Some("kube-system".to_owned()),
            resource_version: Some(version.to_owned()),
            ..ObjectReference::default()
        };
        let name = |version, reason, message| {
            let event = make_event(&about(version), reason, message, Timestamp::now());
            assert_eq!(event.metadata.namespace.as_deref(), Some("kube-system"));
            event.metadata.name.unwrap()
        };
        let first = name("7", Reason::Invalid, "Corefile:3: x");
        assert!(first.starts_with("coredns.") && first.len() == 24);
        assert_eq!(first, name("7", Reason::Invalid, "Corefile:3: x"));
        assert_ne!(first, name("8", Reason::Invalid, "Corefile:3: x"));
        assert_ne!(first, name("7", Reason::NotSupported, "Corefile:3: x"));
        assert_ne!(first, name("7", Reason::Invalid, "Corefile:4: x"));
    }

    #[test]
    fn message_is_no_longer_than_the_server_takes() {
        let about = ObjectReference::default();
        let event = make_event(&about, Reason::Failed, &"ü".repeat(5000), Timestamp::now());
        assert!(event.message.unwrap().len() <= LONGEST);
    }
}
