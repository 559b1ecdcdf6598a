//! etcd's image from its registry, where no package has an etcd that is new enough.
//!
//! Which image a tag means is not taken on the word of the registry: the lists by which images are promoted to it
//! stand in another place.

use std::collections::BTreeMap;

use super::fetch::{fetch_text, not_fetched, parse_address};
use super::published_digest::find_promoted;
use super::{Error, Event, Observer};
use crate::http::{Client, Proxies};
use crate::oci::Platform;
use crate::registry::{self, Access};
use crate::store::Store;
use crate::{Digest, Image, Reference};

/// The list of etcd's images, below the directory of all lists.
const LIST: &str = "k8s-staging-etcd/images.yaml";
/// Real ones have a few kilobytes.
const MAX_LIST: u64 = 4 << 20;

/// From where etcd's image comes.
pub(super) struct EtcdSource<'a> {
    /// Directory of the lists by which images are promoted (a URL).
    pub(super) lists: &'a str,
    /// Variables by which registries are reached.
    pub(super) environment: &'a BTreeMap<String, String>,
}

/// Brings the image that is promoted under a name into the store.
pub(super) fn pull_etcd(
    store: &Store,
    name: &Reference,
    source: &EtcdSource<'_>,
    observer: Observer<'_>,
) -> Result<Image, Error> {
    let digest = promoted_digest(name, source)?;
    let pinned: Reference = format!("{name}@{digest}").parse()?;
    let access = Access::from_environment(source.environment);
    let progress = |progress| observer(Event::Transfer(&progress));
    let pulled = registry::pull(store, &pinned, &Platform::of_host(), &access, &progress);
    let image = pulled.map_err(|source| Error::Pull {
        reason: format!("this Kubernetes needs {name}, which Debian's packages do not have"),
        source,
    })?;
    // Kubernetes asks for it by its tag.
    let name = name.to_string();
    store.tag(&image, &name)?;
    store
        .find_image(&name)?
        .ok_or_else(|| crate::Error::Missing(name).into())
}

/// The digest that the list has for a name.
fn promoted_digest(name: &Reference, source: &EtcdSource<'_>) -> Result<Digest, Error> {
    let client = Client::new(Proxies::from_environment(source.environment));
    let url = parse_address(&format!("{}/{LIST}", source.lists))?;
    let list = fetch_text(&client, &url, MAX_LIST)
        .map_err(|error| not_fetched("the digest of etcd's image", error))?;
    let (_, image) = name.path().rsplit_once('/').unwrap_or(("", name.path()));
    let listed = name.tag().and_then(|tag| find_promoted(&list, image, tag));
    listed.ok_or_else(|| Error::EtcdUnknown {
        image: name.to_string(),
        list: url.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::http::testing::{Server, write_response};

    /// What becomes of etcd's image where the registry is one on loopback that has none, and the list is this.
    fn failure(list: &'static str) -> Error {
        let server = Server::start(move |head, stream| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            match path {
                "/lists/k8s-staging-etcd/images.yaml" => {
                    write_response(stream, "200 OK", "", list.as_bytes());
                }
                _ => write_response(stream, "404 Not Found", "", b""),
            }
        });
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path()).unwrap();
        let registry = server.url("");
        let name = format!("{}/etcd:3.6.1-0", registry.trim_start_matches("http://"));
        let source = EtcdSource {
            lists: &server.url("/lists"),
            environment: &BTreeMap::new(),
        };
        pull_etcd(&store, &name.parse().unwrap(), &source, &|_| {}).unwrap_err()
    }

    #[test]
    fn an_image_that_no_list_has_is_not_pulled() {
        for list in [
            "- name: etcd\n  dmap:\n    \"sha256:00\": [\"3.6.1-0\"]\n",
            "<html>",
        ] {
            let error = failure(list);
            assert_eq!(error.code(), Code::BuildDigestMissing, "{error}");
            assert!(error.to_string().contains("etcd:3.6.1-0"), "{error}");
            assert!(error.remedy().unwrap().contains("a static etcd"));
        }
    }

    #[test]
    fn the_registry_is_asked_for_the_digest_of_the_list() {
        let digest = "c".repeat(64);
        let list = format!("- name: etcd\n  dmap:\n    \"sha256:{digest}\": [\"3.6.1-0\"]\n");
        let Error::Pull { source, .. } = failure(list.leak()) else {
            panic!("it was not pulled");
        };
        let told = format!("{source:?}");
        assert!(told.contains(&digest), "{told}");
    }
}
