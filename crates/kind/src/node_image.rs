//! Building node images.

use crate::error::Cause;
use crate::event::Listener;
use crate::{CancelToken, Error, Provider, Result};

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
    /// The text is empty.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_as(text, None)
    }

    /// A source of the type that users call so: `debian`, `url`, `file`, `release`, `ci` or `source`.
    ///
    /// # Errors
    /// There is no such type, or neither a text nor a type is given.
    pub fn parse_as(text: &str, kind: Option<&str>) -> Result<Self> {
        let known = kind.is_none_or(|kind| TYPES.contains(&kind));
        if !known || (text.is_empty() && kind != Some("debian")) {
            let reason = match known {
                true => "no source is given".to_owned(),
                false => format!("unknown type, known are: {}", TYPES.join(", ")),
            };
            let cause = Cause::new("KIND-SOURCE", reason);
            return Err(Error::Build {
                from: kind.filter(|_| !known).unwrap_or(text).to_owned(),
                source: cause.with_remedy(Some("use the source `debian`".to_owned())),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            kind: kind.map(str::to_owned),
        })
    }

    /// The text that names the source.
    pub fn text(&self) -> &str {
        match (self.text.as_str(), &self.kind) {
            ("", Some(kind)) => kind,
            (text, _) => text,
        }
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
    pub(crate) reuse: bool,
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
            reuse: false,
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

    /// Takes an image of that name as it is if there is one.
    pub fn reuse(mut self) -> Self {
        self.reuse = true;
        self
    }

    /// Stops when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}

/// Builds a node image into the engine's store.
pub(crate) fn build(
    provider: &Provider,
    options: &BuildNodeImage,
    listener: Listener<'_>,
) -> Result<BuiltNodeImage> {
    let _ = (provider, listener);
    options.cancel.check()?;
    Err(Error::NotSupported(format!(
        "building from {:?}",
        options.source.text()
    )))
}
