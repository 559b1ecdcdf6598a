//! The objects of one kind that a watch has told of, as far as someone cares about them.

use std::collections::BTreeMap;

use futures_util::Stream;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt};

use super::readable::watch_readable;

/// Namespace and name; the namespace of objects that have none is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    /// The key of an object.
    pub(crate) fn of_object<K: kube::Resource>(object: &K) -> Self {
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
        }
    }
}

/// All objects of a kind by key, each reduced to a `T`.
#[derive(Debug)]
pub(crate) struct Store<T> {
    known: BTreeMap<Key, T>,
    /// A list that is coming in; it takes the place of the known ones when it is complete.
    listed: BTreeMap<Key, T>,
    complete: bool,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            listed: BTreeMap::new(),
            complete: false,
        }
    }
}

impl<T: PartialEq> Store<T> {
    /// Takes an event in; tells whether there is something new to act on. `reduce` gives what
    /// matters of an object, or `None` for one that does not matter.
    pub(crate) fn apply_event<K: kube::Resource>(
        &mut self,
        event: Event<K>,
        reduce: impl FnOnce(K) -> Option<T>,
    ) -> bool {
        match event {
            Event::Init => {
                self.listed.clear();
                false
            }
            Event::InitApply(object) => {
                let key = Key::of_object(&object);
                self.listed.extend(reduce(object).map(|facts| (key, facts)));
                false
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let first = !std::mem::replace(&mut self.complete, true);
                let before = std::mem::replace(&mut self.known, listed);
                first || self.known != before
            }
            Event::Apply(object) => {
                let key = Key::of_object(&object);
                match reduce(object) {
                    Some(facts) if self.known.get(&key) == Some(&facts) => false,
                    Some(facts) => {
                        self.known.insert(key, facts);
                        true
                    }
                    None => self.known.remove(&key).is_some(),
                }
            }
            Event::Delete(object) => self.known.remove(&Key::of_object(&object)).is_some(),
        }
    }
}

impl<T> Store<T> {
    /// Tells whether all objects are known: before that, nothing may be removed.
    pub(crate) fn complete(&self) -> bool {
        self.complete
    }

    /// The objects by key.
    pub(crate) fn all_objects(&self) -> &BTreeMap<Key, T> {
        &self.known
    }
}

/// Watches all objects of a kind; after an error, again.
pub(crate) fn watch_objects<K>(
    client: &Client,
) -> impl Stream<Item = watcher::Result<Event<K>>> + use<K>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    watch_readable(client).default_backoff()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use serde_json::json;

    use super::*;

    fn object(name: &str, label: &str) -> Namespace {
        let labels = json!({ "label": label });
        serde_json::from_value(json!({ "metadata": { "name": name, "labels": labels } })).unwrap()
    }

    /// Keeps the label; objects with the label "none" do not matter.
    fn apply(known: &mut Store<String>, event: Event<Namespace>) -> bool {
        known.apply_event(event, |object| {
            let label = object.labels()["label"].clone();
            (label != "none").then_some(label)
        })
    }

    #[test]
    fn a_restarted_watch_forgets_what_is_gone() {
        let mut known = Store::default();
        apply(&mut known, Event::Init);
        apply(&mut known, Event::InitApply(object("a", "1")));
        apply(&mut known, Event::InitApply(object("b", "1")));
        assert!(!known.complete());
        assert!(apply(&mut known, Event::InitDone));
        assert!(known.complete());

        apply(&mut known, Event::Init);
        apply(&mut known, Event::InitApply(object("a", "1")));
        assert_eq!(
            known.all_objects().len(),
            2,
            "not before the list is complete"
        );
        assert!(apply(&mut known, Event::InitDone));
        assert_eq!(known.all_objects().len(), 1);
    }

    #[test]
    fn only_what_matters_is_news() {
        let mut known = Store::default();
        assert!(
            apply(&mut known, Event::InitDone),
            "an empty list is a state as well"
        );
        assert!(!apply(&mut known, Event::Apply(object("a", "none"))));
        assert!(apply(&mut known, Event::Apply(object("a", "1"))));
        assert!(!apply(&mut known, Event::Apply(object("a", "1"))));
        assert!(apply(&mut known, Event::Apply(object("a", "none"))));
        assert!(!apply(&mut known, Event::Delete(object("a", "1"))));
    }
}
