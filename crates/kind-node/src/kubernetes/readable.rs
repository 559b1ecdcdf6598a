//! Objects of which anything may be written that the API server takes. One that its type cannot hold must not hide all
//! others: a list with it could not be read at all.

use std::borrow::Cow;

use futures_util::{Stream, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource};
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// What others write of an object's state, the least first: whoever puts a time there that is none, as Go writes
/// one that was never set, is answered well.
const WRITTEN_BY_OTHERS: [&[&str]; 2] = [&["status", "conditions"], &["status"]];

/// An object without what of its state cannot be read.
#[derive(Debug, Clone)]
struct Readable<K>(K);

impl<'de, K: DeserializeOwned> serde::Deserialize<'de> for Readable<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let mut read = K::deserialize(&value);
        for path in WRITTEN_BY_OTHERS {
            if read.is_err() {
                remove_field(&mut value, path);
                read = K::deserialize(&value);
            }
        }
        read.map(Self).map_err(D::Error::custom)
    }
}

fn remove_field(value: &mut Value, path: &[&str]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let holder = above
        .iter()
        .try_fold(value, |value, key| value.get_mut(*key));
    if let Some(fields) = holder.and_then(Value::as_object_mut) {
        fields.remove(*last);
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Readable<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind(_: &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group(_: &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version(_: &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

/// Watches all objects of a kind.
pub(crate) fn watch_readable<K>(
    client: &Client,
) -> impl Stream<Item = watcher::Result<Event<K>>> + use<K>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let objects = Api::<Readable<K>>::all(client.clone());
    let events = watcher(objects, watcher::Config::default());
    events.map(|event| event.map(|event| map_event(event, |object| object.0)))
}

/// An event with something else than the object.
pub(crate) fn map_event<K, T>(event: Event<K>, convert: impl FnOnce(K) -> T) -> Event<T> {
    match event {
        Event::Apply(object) => Event::Apply(convert(object)),
        Event::Delete(object) => Event::Delete(convert(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(convert(object)),
        Event::InitDone => Event::InitDone,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;
    use kube::api::ObjectList;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_cannot_be_read_whole_hides_no_other() {
        let condition = |time: Value| {
            json!({
                "type": "A", "status": "True", "reason": "x", "message": "m", "lastTransitionTime": time,
            })
        };
        let service = |name: &str, conditions: Value| {
            let ingress = json!([{ "ip": "10.0.0.1" }]);
            json!({
                "metadata": { "name": name },
                "spec": { "clusterIP": "10.96.0.9" },
                "status": { "conditions": conditions, "loadBalancer": { "ingress": ingress } },
            })
        };
        let list = json!({
            "apiVersion": "v1",
            "kind": "ServiceList",
            "metadata": {},
            "items": [
                service("good", json!([condition(json!("2026-01-01T00:00:00Z"))])),
                service("bad", json!([condition(Value::Null)])),
                service("worse", json!("x")),
            ],
        });
        let read: ObjectList<Readable<Service>> = serde_json::from_value(list).unwrap();
        let read: Vec<_> = read.items.into_iter().map(|object| object.0).collect();
        let conditions = |service: &Service| {
            let status = service.status.as_ref();
            status
                .and_then(|status| status.conditions.clone())
                .map(|them| them.len())
        };
        assert_eq!(
            read.iter().map(conditions).collect::<Vec<_>>(),
            [Some(1), None, None]
        );
        for service in &read {
            let spec = service.spec.as_ref().unwrap();
            assert_eq!(spec.cluster_ip.as_deref(), Some("10.96.0.9"));
            let status = service.status.as_ref().unwrap();
            assert!(status.load_balancer.is_some());
        }
    }

    #[test]
    fn what_is_no_object_is_not_read() {
        let read = serde_json::from_value::<Readable<Service>>(json!({ "metadata": 1 }));
        assert!(read.is_err());
    }
}
