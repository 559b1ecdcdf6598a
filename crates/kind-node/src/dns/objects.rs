//! The watched objects, and the index made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::runtime::watcher::Event;

use super::index::{Index, Namespace};
use super::model::{Endpoints, Key, Service};

/// Something happened to an object, or a list of all objects is coming in.
#[derive(Debug)]
pub(crate) enum Change {
    /// To a service.
    Service(Event<(Key, Arc<Service>)>),
    /// To a slice of endpoints.
    Endpoints(Event<(Key, Endpoints)>),
    /// To a namespace.
    Namespace(Event<(Key, ())>),
}

/// All objects as far as they are known, and the namespaces whose part of the index is out of date.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    services: Collection<Arc<Service>>,
    endpoints: Collection<Endpoints>,
    namespaces: Collection<()>,
    outdated: BTreeSet<Box<str>>,
}

impl Objects {
    /// Takes in a change.
    pub(crate) fn apply_change(&mut self, change: Change) {
        let outdated = &mut self.outdated;
        match change {
            Change::Service(event) => self.services.apply(event, outdated),
            Change::Endpoints(event) => self.endpoints.apply(event, outdated),
            Change::Namespace(event) => self.namespaces.apply(event, outdated),
        }
    }

    /// Tells whether every kind of object was listed once.
    pub(crate) fn complete(&self) -> bool {
        self.services.listed && self.endpoints.listed && self.namespaces.listed
    }

    /// Tells whether an index made before is out of date.
    pub(crate) fn changed(&self) -> bool {
        !self.outdated.is_empty()
    }

    /// Brings an index up to date.
    pub(crate) fn refresh(&mut self, index: &mut Index) {
        for name in std::mem::take(&mut self.outdated) {
            index.replace(&name, self.build_namespace(&name));
        }
        index.serial = index.serial.wrapping_add(1);
    }

    /// Makes the index's part for one namespace, unless that does not exist.
    fn build_namespace(&self, name: &str) -> Option<Namespace> {
        let mut services = self.services.of_namespace(name).peekable();
        let exists = self.namespaces.of_namespace(name).next().is_some();
        if !exists && services.peek().is_none() {
            return None;
        }
        let endpoints = self.endpoints.of_namespace(name);
        Some(Namespace::build(
            services,
            endpoints.map(|(_, object)| object),
        ))
    }
}

/// The objects of one kind.
#[derive(Debug)]
struct Collection<T> {
    objects: BTreeMap<Key, T>,
    /// A list that is coming in; it takes the place of `objects` when it is complete.
    incoming: BTreeMap<Key, T>,
    listed: bool,
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            incoming: BTreeMap::new(),
            listed: false,
        }
    }
}

impl<T: PartialEq> Collection<T> {
    /// Takes in an event and notes the namespaces that changed by it.
    fn apply(&mut self, event: Event<(Key, T)>, outdated: &mut BTreeSet<Box<str>>) {
        match event {
            Event::Apply((key, object)) => {
                if self.objects.get(&key) != Some(&object) {
                    outdated.insert(key.namespace.clone());
                    self.objects.insert(key, object);
                }
            }
            Event::Delete((key, _)) => {
                if self.objects.remove(&key).is_some() {
                    outdated.insert(key.namespace);
                }
            }
            Event::Init => self.incoming.clear(),
            Event::InitApply((key, object)) => {
                self.incoming.insert(key, object);
            }
            Event::InitDone => self.replace(outdated),
        }
    }

    /// Puts the list that came in in place.
    fn replace(&mut self, outdated: &mut BTreeSet<Box<str>>) {
        let before = std::mem::replace(&mut self.objects, std::mem::take(&mut self.incoming));
        let gone = before.keys().filter(|key| !self.objects.contains_key(key));
        let new = self.objects.iter();
        let new = new.filter(|(key, object)| before.get(key) != Some(object));
        outdated.extend(
            gone.chain(new.map(|(key, _)| key))
                .map(|key| key.namespace.clone()),
        );
        self.listed = true;
    }
}

impl<T> Collection<T> {
    /// Returns the objects of a namespace by name.
    fn of_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a T)> {
        let first = Key {
            namespace: namespace.into(),
            name: "".into(),
        };
        self.objects
            .range(first..)
            .take_while(move |(key, _)| &*key.namespace == namespace)
            .map(|(key, object)| (&*key.name, object))
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Kind;
    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn headless(namespace: &str, name: &str) -> (Key, Arc<Service>) {
        let service = Service {
            kind: Kind::Headless,
            publish_not_ready: false,
        };
        (key(namespace, name), Arc::new(service))
    }

    fn listed(objects: &mut Objects) {
        objects.apply_change(Change::Service(Event::InitDone));
        objects.apply_change(Change::Endpoints(Event::InitDone));
        objects.apply_change(Change::Namespace(Event::InitDone));
    }

    #[test]
    fn complete_only_after_every_list() {
        let mut objects = Objects::default();
        objects.apply_change(Change::Service(Event::InitDone));
        objects.apply_change(Change::Endpoints(Event::InitDone));
        assert!(!objects.complete());
        objects.apply_change(Change::Namespace(Event::InitDone));
        assert!(objects.complete());
    }

    #[test]
    fn unchanged_object_does_not_outdate_the_index() {
        let mut objects = Objects::default();
        listed(&mut objects);
        objects.apply_change(Change::Service(Event::Apply(headless("n", "s"))));
        assert!(objects.changed());
        objects.refresh(&mut Index::default());
        objects.apply_change(Change::Service(Event::Apply(headless("n", "s"))));
        assert!(!objects.changed());
    }

    #[test]
    fn second_list_removes_what_is_gone_only_when_complete() {
        let mut objects = Objects::default();
        let mut index = Index::default();
        listed(&mut objects);
        objects.apply_change(Change::Service(Event::Apply(headless("n", "old"))));
        objects.refresh(&mut index);
        objects.apply_change(Change::Service(Event::Init));
        objects.apply_change(Change::Service(Event::InitApply(headless("n", "new"))));
        assert!(!objects.changed());
        objects.apply_change(Change::Service(Event::InitDone));
        objects.refresh(&mut index);
        assert!(index.service("n", "old").is_none());
        assert!(index.service("n", "new").is_some());
    }

    #[test]
    fn namespace_lives_as_long_as_it_or_a_service_does() {
        let mut objects = Objects::default();
        let mut index = Index::default();
        listed(&mut objects);
        objects.apply_change(Change::Namespace(Event::Apply((key("n", "n"), ()))));
        objects.refresh(&mut index);
        assert!(index.namespace("n").is_some());
        objects.apply_change(Change::Namespace(Event::Delete((key("n", "n"), ()))));
        objects.refresh(&mut index);
        assert!(index.namespace("n").is_none());
    }

    #[test]
    fn serial_grows_with_every_refresh() {
        let mut objects = Objects::default();
        let mut index = Index::new(u32::MAX);
        objects.refresh(&mut index);
        assert_eq!(index.serial, 0);
    }
}
