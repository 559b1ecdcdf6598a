//! From a reference to the manifest of one platform.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Error;
use super::failure::RegistryFailure;
use super::session::{RequestTemplate, Session, Sessions};
use crate::http::Method;
use crate::oci::{self, Descriptor, Index, MAX_LAYERS, Manifest, Platform};
use crate::{Digest, Reference, bounded};

/// The specification lets registries refuse larger ones; real ones have a few kilobytes.
const MAX_MANIFEST: u64 = 4 << 20;
/// An index may name indexes, but nobody does that deeply.
const MAX_DEPTH: usize = 4;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYERS: [&str; 5] = [
    oci::LAYER,
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
];

/// The manifest of one platform, with its exact bytes.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) manifest: Manifest,
}

/// What every manifest or index says about itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Option<IgnoredAny>,
    #[serde(default)]
    config: Option<IgnoredAny>,
    #[serde(default)]
    layers: Option<IgnoredAny>,
}

/// Content that a manifest says lies elsewhere.
#[derive(Deserialize)]
struct Elsewhere {
    #[serde(default, deserialize_with = "bounded::list::<_, _, MAX_LAYERS>")]
    layers: Vec<Urls>,
}

#[derive(Deserialize)]
struct Urls {
    #[serde(default, deserialize_with = "bounded::list::<_, _, MAX_LAYERS>")]
    urls: Vec<String>,
}

/// Finds the manifest of a platform.
pub(super) fn find_manifest(
    sessions: &Sessions<'_>,
    reference: &Reference,
    platform: &Platform,
) -> Result<Found, crate::Error> {
    let what = reference.to_string();
    let tag = reference.tag().unwrap_or_default();
    let mut digest = reference.digest().cloned();
    let mut seen: Vec<Platform> = Vec::new();
    for _ in 0..MAX_DEPTH {
        let bytes = sessions.ask_in_turn(&what, |session| {
            fetch_manifest(session, digest.as_ref(), tag)
        })?;
        let index = match check_answer(&bytes, &what)? {
            Answer::Manifest(manifest) => return Ok(Found { bytes, manifest }),
            Answer::Index(index) => index,
        };
        let chosen =
            choose_manifest(&index, platform, &mut seen).ok_or_else(|| Error::Platform {
                what: what.clone(),
                wanted: Box::new(platform.clone()),
                available: std::mem::take(&mut seen),
            })?;
        digest = Some(chosen.digest.clone());
    }
    Err(refused_manifest(&what, "its indexes name each other").into())
}

/// What a registry gives under the name of an image.
pub(super) enum Answer {
    Manifest(Manifest),
    Index(Index),
}

/// Reads what a registry gave.
pub(super) fn check_answer(bytes: &[u8], what: &str) -> Result<Answer, Error> {
    let kind: Kind = parse_manifest(bytes, what)?;
    if kind.schema_version != 2 {
        let reason = "it is of the old schema 1, which has no digests";
        return Err(refused_manifest(what, reason));
    }
    if kind.is_ambiguous() {
        let reason = "it is an index and a manifest at once";
        return Err(refused_manifest(what, reason));
    }
    if kind.is_index() {
        return parse_manifest(bytes, what).map(Answer::Index);
    }
    check_manifest(bytes, what).map(Answer::Manifest)
}

impl Kind {
    fn is_index(&self) -> bool {
        match self.media_type.as_deref() {
            Some(kind) => kind == oci::INDEX || kind == oci::DOCKER_INDEX,
            None => self.manifests.is_some(),
        }
    }

    /// Whether it can be read as an index and as a manifest, and mean another image to each reader.
    fn is_ambiguous(&self) -> bool {
        self.manifests.is_some() && (self.config.is_some() || self.layers.is_some())
    }
}

/// One document, checked against its digest if that is known.
fn fetch_manifest(
    session: &Session<'_>,
    digest: Option<&Digest>,
    tag: &str,
) -> Result<Vec<u8>, RegistryFailure> {
    let accepted = [
        oci::INDEX,
        oci::MANIFEST,
        oci::DOCKER_INDEX,
        DOCKER_MANIFEST,
    ];
    let template = RequestTemplate::new(Method::Get).header("accept", accepted.join(", "));
    let name = digest.map_or_else(|| tag.to_owned(), Digest::to_string);
    let response = session.send_request(&format!("manifests/{name}"), &template)?;
    let claimed = response.header("docker-content-digest");
    let claimed = claimed.and_then(|text| text.parse::<Digest>().ok());
    let from = response.url.to_string();
    let bytes = response.bytes(MAX_MANIFEST)?;
    let found = Digest::of(&bytes);
    if let Some(expected) = digest.cloned().or(claimed)
        && expected != found
    {
        let error = Error::Mismatch {
            what: format!("manifest {name}"),
            from,
            expected,
            found,
        };
        return Err(error.into());
    }
    Ok(bytes)
}

/// The entry for a platform; the first of those that fit best.
fn choose_manifest<'a>(
    index: &'a Index,
    wanted: &Platform,
    seen: &mut Vec<Platform>,
) -> Option<&'a Descriptor> {
    let entries = index.manifests.iter();
    let entries = entries.filter(|entry| {
        // Statements about images stand among them as images of an unknown platform.
        let unknown = |platform: &Platform| platform.os == "unknown";
        !entry.platform.as_ref().is_some_and(unknown)
    });
    let entries: Vec<&Descriptor> = entries.collect();
    seen.extend(entries.iter().filter_map(|entry| entry.platform.clone()));
    let fitting = |entry: &&&Descriptor| match &entry.platform {
        Some(platform) => platform.serves(wanted),
        None => index.manifests.len() == 1,
    };
    let exact = |entry: &&&Descriptor| entry.platform.as_ref() == Some(wanted);
    let found = entries.iter().find(exact);
    found.or_else(|| entries.iter().find(fitting)).copied()
}

/// A manifest that this program can make an image of.
fn check_manifest(bytes: &[u8], what: &str) -> Result<Manifest, Error> {
    let manifest: Manifest = parse_manifest(bytes, what)?;
    if ![oci::CONFIG, DOCKER_CONFIG].contains(&manifest.config.media_type.as_str()) {
        let reason = format!(
            "it is no container image but {}",
            manifest.config.media_type
        );
        return Err(refused_manifest(what, &reason));
    }
    let elsewhere: Elsewhere = parse_manifest(bytes, what)?;
    let away = elsewhere.layers.iter().any(|layer| !layer.urls.is_empty());
    let foreign = manifest.layers.iter().any(|layer| {
        ["foreign", "nondistributable"]
            .iter()
            .any(|word| layer.media_type.contains(word))
    });
    if away || foreign {
        let reason = "a layer of it lies outside of the registry (foreign layer)";
        return Err(refused_manifest(what, reason));
    }
    for layer in &manifest.layers {
        if !LAYERS.contains(&layer.media_type.as_str()) {
            let reason = format!("a layer of it is {}", layer.media_type);
            return Err(refused_manifest(what, &reason));
        }
    }
    Ok(manifest)
}

/// Reads a document of a registry.
pub(super) fn parse_manifest<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| refused_manifest(what, &error.to_string()))
}

pub(super) fn refused_manifest(what: &str, reason: &str) -> Error {
    Error::Refused {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[(&str, &str, Option<&str>)]) -> Index {
        let entry =
            |(number, (os, architecture, variant)): (usize, &(&str, &str, Option<&str>))| {
                let digest = Digest::of(number.to_string().as_bytes());
                Descriptor {
                    platform: Some(Platform {
                        variant: variant.map(str::to_owned),
                        ..Platform::new(os, architecture)
                    }),
                    ..Descriptor::new(oci::MANIFEST, digest, 1)
                }
            };
        Index {
            manifests: platforms.iter().enumerate().map(entry).collect(),
            ..Index::default()
        }
    }

    #[test]
    fn the_platform_that_fits_best_is_chosen() {
        let all = index(&[
            ("unknown", "unknown", None),
            ("linux", "arm", Some("v6")),
            ("linux", "arm", Some("v7")),
            ("linux", "arm64", Some("v8")),
            ("windows", "amd64", None),
            ("linux", "amd64", None),
        ]);
        let chosen = |platform: Platform| {
            let found = choose_manifest(&all, &platform, &mut Vec::new())?;
            all.manifests.iter().position(|entry| entry == found)
        };
        assert_eq!(chosen(Platform::new("linux", "amd64")), Some(5));
        assert_eq!(chosen(Platform::new("linux", "arm64")), Some(3));
        assert_eq!(chosen(Platform::of_machine("armv7l")), Some(2));
        assert_eq!(chosen(Platform::new("linux", "riscv64")), None);
        let mut seen = Vec::new();
        choose_manifest(&all, &Platform::new("linux", "riscv64"), &mut seen);
        assert_eq!(seen.len(), 5, "statements are no platforms");
    }

    #[test]
    fn what_means_two_things_is_told() {
        let ambiguous = |text| serde_json::from_str::<Kind>(text).unwrap().is_ambiguous();
        assert!(ambiguous(r#"{"manifests":[],"layers":[]}"#));
        assert!(ambiguous(r#"{"manifests":[],"config":{}}"#));
        assert!(!ambiguous(r#"{"manifests":[]}"#));
        assert!(!ambiguous(r#"{"config":{},"layers":[]}"#));
    }

    #[test]
    fn no_tool_makes_so_many_layers() {
        let layer = Descriptor::new(LAYERS[0], Digest::of(b""), 1);
        let mut manifest = Manifest {
            schema_version: 2,
            media_type: None,
            config: Descriptor::new(oci::CONFIG, Digest::of(b""), 1),
            layers: vec![layer; MAX_LAYERS],
        };
        let check =
            |manifest: &Manifest| check_manifest(&serde_json::to_vec(manifest).unwrap(), "x");
        check(&manifest).unwrap();
        manifest.layers.push(manifest.layers[0].clone());
        let error = check(&manifest).unwrap_err().to_string();
        assert!(error.contains("at most 500"), "{error}");
    }

    fn manifest(config: &str, layer: &str, more: &str) -> String {
        let digest = Digest::of(b"");
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{config}","digest":"{digest}","size":1}},
            "layers":[{{"mediaType":"{layer}","digest":"{digest}","size":1{more}}}]}}"#
        )
    }

    #[test]
    fn what_is_no_image_or_lies_elsewhere_is_refused() {
        let reason = |text: String| {
            check_manifest(text.as_bytes(), "x")
                .unwrap_err()
                .to_string()
        };
        assert!(check_manifest(manifest(oci::CONFIG, LAYERS[1], "").as_bytes(), "x").is_ok());
        assert!(check_manifest(manifest(DOCKER_CONFIG, LAYERS[4], "").as_bytes(), "x").is_ok());
        let chart = manifest("application/vnd.cncf.helm.config.v1+json", LAYERS[0], "");
        assert!(reason(chart).contains("no container image"));
        let urls = manifest(oci::CONFIG, LAYERS[0], r#","urls":["http://evil.test/"]"#);
        assert!(reason(urls).contains("outside"));
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        assert!(reason(manifest(DOCKER_CONFIG, foreign, "")).contains("outside"));
        assert!(reason(manifest(oci::CONFIG, "text/html", "")).contains("text/html"));
        assert!(reason("{}".to_owned()).contains("refused"));
    }
}
