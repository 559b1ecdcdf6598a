//! Building node images.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kind_engine::EngineKind;
use kind_image::build::{self, AddOns, DigestPlaces, Freshness, Packing, RELEASES, Request};
use kind_image::oci::Platform;
use kind_image::{Reference, Store};

use crate::abandon::run_abandonable;
use crate::error::Cause;
use crate::event::{Detail, Event, Listener, Outcome, Phase, Verbosity, Warning};
use crate::image_error::{image_cause, store_error};
use crate::leftover::Leftover;
use crate::{CancelToken, Code, Error, Provider, Result, access, code_of, hand_over};

/// Types of sources that users may name.
const TYPES: [&str; 6] = ["debian", "url", "file", "release", "ci", "source"];

/// Where the Kubernetes of a node image comes from, for example `debian`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    text: String,
    kind: Option<String>,
}

impl Source {
    /// The source that a text names; what kind of source it is shows when it is used.
    ///
    /// # Errors
    /// The text is empty, or nothing can be built from what it names.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(no_source(text, "no source is given".to_owned()));
        }
        Self::parse_as(text, None)
    }

    /// A source of the type that users call so: `debian`, `url`, `file`, `release`, `ci` or `source`.
    ///
    /// # Errors
    /// There is no such type, neither a text nor a type is given, or nothing can be built from it.
    pub fn parse_as(text: &str, kind: Option<&str>) -> Result<Self> {
        let known = kind.is_none_or(|kind| TYPES.contains(&kind));
        // Without a text: Debian's packages, the latest CI build, or the source tree around here.
        let complete = !text.is_empty() || matches!(kind, None | Some("debian" | "ci" | "source"));
        if !known {
            let reason = format!("unknown type, known are: {}", TYPES.join(", "));
            return Err(no_source(kind.unwrap_or(text), reason));
        }
        if !complete {
            return Err(no_source(text, "no source is given".to_owned()));
        }
        let source = Self {
            text: text.to_owned(),
            kind: kind.map(str::to_owned),
        };
        match source.resolve_source().check() {
            Ok(()) => Ok(source),
            Err(error) => Err(build_error(&source, error)),
        }
    }

    /// The type that was detected, as users call it; `None` if they named it, or if it is none but the
    /// path of a source tree.
    pub fn detected_type(&self) -> Option<&'static str> {
        let resolved = self.resolve_source();
        let is_path = resolved.kind() == "source" && !std::path::Path::new(&self.text).is_dir();
        (self.kind.is_none() && !is_path).then(|| resolved.kind())
    }

    /// The text that names the source.
    pub fn text(&self) -> &str {
        match (self.text.as_str(), &self.kind) {
            ("", Some(kind)) => kind,
            (text, _) => text,
        }
    }

    fn resolve_source(&self) -> build::Source {
        let kind = self.kind.as_deref().unwrap_or("");
        // The type was checked when the source was named.
        build::Source::of_type(kind, &self.text).unwrap_or_else(|| build::Source::parse(&self.text))
    }

    /// The image that `create cluster` makes from this source: one for each.
    pub(crate) fn default_image(&self) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        };
        let tag: String = self.text().chars().map(plain).collect();
        let tag = tag.trim_start_matches(['.', '-']);
        format!("kind.local/node:{tag}")
    }
}

/// What to build.
#[derive(Debug, Clone)]
pub struct BuildNodeImage {
    pub(crate) source: Source,
    pub(crate) image: String,
    pub(crate) architecture: Option<String>,
    pub(crate) base_image: Option<String>,
    packing: Packing,
    pub(crate) cancel: CancelToken,
}

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltNodeImage {
    /// Its reference.
    pub image: String,
}

impl BuildNodeImage {
    /// Builds from `source` and calls the result `image`.
    pub fn new(source: Source, image: impl Into<String>) -> Self {
        Self {
            source,
            image: image.into(),
            architecture: None,
            base_image: None,
            packing: Packing::default(),
            cancel: CancelToken::new(),
        }
    }

    /// Builds for another architecture than the host's.
    pub fn architecture(mut self, architecture: impl Into<String>) -> Self {
        self.architecture = Some(architecture.into());
        self
    }

    /// Builds on another base image than the default one.
    pub fn base_image(mut self, image: impl Into<String>) -> Self {
        self.base_image = Some(image.into());
        self
    }

    /// Holds the images of containers in this way.
    pub fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    /// Stops when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}

/// Manifests of the add-ons that images built here bring, by file name.
const MANIFESTS: [(&str, &str); 4] = [
    (
        "default-cni.yaml",
        include_str!("../../kind-node/manifests/default-cni.yaml"),
    ),
    (
        "default-dns.yaml",
        concat!(
            include_str!("../../kind-node/manifests/default-dns.yaml"),
            "---\n",
            include_str!("../../kind-node/manifests/coredns.yaml"),
        ),
    ),
    (
        "default-services.yaml",
        include_str!("../../kind-node/manifests/default-services.yaml"),
    ),
    (
        "default-storage.yaml",
        include_str!("../../kind-node/manifests/default-storage.yaml"),
    ),
];

impl Provider {
    /// Builds a node image into the engine's store. What earlier builds made is used again as far as
    /// nothing that went into it has changed.
    ///
    /// # Errors
    /// [`Error::Build`]
    pub fn build_node_image(
        &self,
        options: &BuildNodeImage,
        listener: Listener<'_>,
    ) -> Result<BuiltNodeImage> {
        build_image(self, options, listener)
    }
}

/// How long a build may take to end its programs and to remove what is not whole.
const GRACE: Duration = Duration::from_secs(3);

/// Builds a node image into the engine's store, for as long as the caller wants it.
pub(crate) fn build_image(
    provider: &Provider,
    options: &BuildNodeImage,
    listener: Listener<'_>,
) -> Result<BuiltNodeImage> {
    let _noted = options.cancel.note_leftover(Leftover::BuildParts {
        directory: provider.cache_dir().to_owned(),
    });
    let (provider, wanted) = (provider.share(), options.clone());
    let work = move |tell: Listener<'_>| make_image(&provider, &wanted, tell);
    run_abandonable(work, GRACE, &options.cancel, listener)?
}

fn make_image(
    provider: &Provider,
    options: &BuildNodeImage,
    listener: Listener<'_>,
) -> Result<BuiltNodeImage> {
    options.cancel.check()?;
    if options.base_image.is_some() {
        return Err(Error::NotSupported("another base image".to_owned()));
    }
    check_architecture(options)?;
    check_root(provider, options)?;
    let store = open_store(provider)?;
    let add_ons = AddOns {
        manifests: MANIFESTS
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        node_agent: agent_file(provider)?,
    };
    let name: Reference = options.image.parse().map_err(|error| Error::Image {
        image: options.image.clone(),
        source: image_cause(error),
    })?;
    let request = Request {
        source: options.source.resolve_source(),
        name,
        add_ons,
        cache: provider.cache_dir().to_owned(),
        mirror: None,
        freshness: Freshness::Reuse,
        packing: options.packing,
        environment: provider.environment().clone(),
        stop: options.cancel.stop(),
        download_base: RELEASES.to_owned(),
        digest_places: DigestPlaces::default(),
    };
    let steps = Steps::new(listener);
    let built = build::build(&store, &request, &|event| steps.handle_build_event(event));
    steps.end_phase(built.is_ok());
    options.cancel.check()?;
    let image = built.map_err(|error| build_error(&options.source, error))?;
    if provider.engine_kind() != EngineKind::Native {
        hand_over::hand_over_program(provider.engine(), &store, &image, &options.image, listener)?;
    }
    Ok(BuiltNodeImage {
        image: options.image.clone(),
    })
}

/// The program that runs in every node, as a file.
fn agent_file(provider: &Provider) -> Result<PathBuf> {
    let (agent, directory) = (provider.agent()?, provider.agents_dir());
    let place = agent.place(&directory);
    let installed = agent.install(&directory);
    installed.map_err(Error::io("failed to write", &place))
}

fn no_source(from: &str, reason: String) -> Error {
    let cause = Cause::new(Code::Source, reason);
    Error::Build {
        from: from.to_owned(),
        source: cause.with_remedy(Some("use the source `debian`".to_owned())),
    }
}

fn build_error(source: &Source, error: build::Error) -> Error {
    let (code, remedy) = (code_of::of_image(error.code()), error.remedy());
    Error::Build {
        from: source.text().to_owned(),
        source: Cause::new(code, error).with_remedy(remedy),
    }
}

fn check_architecture(options: &BuildNodeImage) -> Result<()> {
    let host = Platform::of_host().architecture;
    match options.architecture.as_deref() {
        Some(wanted) if wanted != host => Err(Error::NotSupported(format!(
            "building for {wanted} on {host}"
        ))),
        _ => Ok(()),
    }
}

/// Building makes Debian roots with owners and devices, which only root may make. That is told before anything is
/// brought from anywhere.
fn check_root(provider: &Provider, options: &BuildNodeImage) -> Result<()> {
    if access::is_root() {
        Ok(())
    } else {
        Err(Error::Build {
            from: options.source.text().to_owned(),
            source: not_root(provider.engine_kind(), options),
        })
    }
}

fn not_root(engine: EngineKind, options: &BuildNodeImage) -> Cause {
    let (source, image) = (options.source.text(), &options.image);
    let mut remedy = format!(
        "`sudo kind --provider {} build node-image {source} --image {image}` builds it; then \
         `kind create cluster --image {image}` needs no root",
        engine.name()
    );
    if engine == EngineKind::Podman {
        // Every user of podman has a store.
        remedy.push_str(&format!(", after `sudo podman save {image} | podman load`"));
    }
    let error = build::Error::NotRoot;
    Cause::new(code_of::of_image(error.code()), error).with_remedy(Some(remedy))
}

/// The store that builds are made in. It is the native engine's own; other engines get the result.
pub(crate) fn open_store(provider: &Provider) -> Result<Store> {
    let store = Store::open(&provider.state_dir().join("images"));
    store.map_err(store_error("failed to open the image store"))
}

/// A build's steps as phases. Steps whose results are there already are no news.
struct Steps<'a> {
    listener: Listener<'a>,
    current: Mutex<Option<Phase>>,
}

impl<'a> Steps<'a> {
    fn new(listener: Listener<'a>) -> Self {
        Self {
            listener,
            current: Mutex::default(),
        }
    }

    fn handle_build_event(&self, event: build::Event<'_>) {
        match event {
            build::Event::Waiting => {
                self.report_detail(Verbosity::Normal, "Waiting for another build ...")
            }
            build::Event::Started { step, log } => {
                self.report_detail(
                    Verbosity::Steps,
                    &format!("{}: output goes to {}", step.title(), log.display()),
                );
                self.begin_phase(Phase::BuildStep {
                    title: step.title().to_owned(),
                });
            }
            build::Event::Progress { step, text } => {
                self.report_detail(Verbosity::Steps, &format!("{}: {text}", step.title()));
                (self.listener)(Event::Note {
                    text: text.to_owned(),
                });
            }
            build::Event::Note { text } => {
                self.end_phase(true);
                self.report_detail(Verbosity::Normal, text);
            }
            build::Event::Warning { text } => {
                self.end_phase(true);
                (self.listener)(Event::Warning(Warning::Image(text.to_owned())));
            }
            build::Event::Transfer(progress) => (self.listener)(Event::Progress(progress.clone())),
            build::Event::Finished { .. } => self.end_phase(true),
            build::Event::Cached { step } => {
                self.report_detail(
                    Verbosity::Steps,
                    &format!("{}: nothing has changed", step.title()),
                );
            }
        }
    }

    fn begin_phase(&self, phase: Phase) {
        self.end_phase(true);
        *self.lock_phase() = Some(phase.clone());
        (self.listener)(Event::PhaseStarted(phase));
    }

    fn end_phase(&self, well: bool) {
        let ended = self.lock_phase().take();
        if let Some(phase) = ended {
            let outcome = if well { Outcome::Done } else { Outcome::Failed };
            (self.listener)(Event::PhaseEnded { phase, outcome });
        }
    }

    fn report_detail(&self, level: Verbosity, text: &str) {
        (self.listener)(Event::Detail(Detail::new(level, text)));
    }

    fn lock_phase(&self) -> MutexGuard<'_, Option<Phase>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_a_text_and_an_image() {
        let debian = Source::parse_as("", Some("debian")).unwrap();
        assert_eq!(debian.text(), "debian");
        assert_eq!(debian.default_image(), "kind.local/node:debian");
        let url = Source {
            text: "https://a.test/x.tar.gz".to_owned(),
            kind: None,
        };
        assert_eq!(
            url.default_image(),
            "kind.local/node:https---a.test-x.tar.gz"
        );
        assert!(Source::parse("").is_err());
        assert_eq!(debian.detected_type(), None);
        assert_eq!(url.detected_type(), Some("url"));
        let here = Source::parse_as("", None).unwrap();
        assert_eq!(here.detected_type(), None);
        assert!(Source::parse_as("", Some("url")).is_err());
        let error = Source::parse("bogus").unwrap_err();
        assert_eq!(error.code(), Code::BuildSourceUnknown);
        let error = Source::parse_as("x", Some("bazel")).unwrap_err();
        assert_eq!(error.code(), Code::Source);
    }
}
