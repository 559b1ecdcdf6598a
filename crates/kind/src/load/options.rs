//! Which images to load where.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use crate::CancelToken;

/// Which images to load where.
#[derive(Debug)]
pub struct LoadImages {
    pub(super) cluster: String,
    pub(super) nodes: Vec<String>,
    pub(super) archives: Vec<Source>,
    pub(super) images: Vec<String>,
    pub(super) cancel: CancelToken,
}

/// Where an archive comes from.
pub(super) enum Source {
    Path(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(formatter),
            Self::Stream(_) => formatter.write_str("stream"),
        }
    }
}

impl LoadImages {
    /// Loads into every node of a cluster.
    pub fn new(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            nodes: Vec::new(),
            archives: Vec::new(),
            images: Vec::new(),
            cancel: CancelToken::new(),
        }
    }

    /// Loads into these nodes only; an empty list means all.
    pub fn nodes(mut self, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.nodes = nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an image archive, as `docker save` and OCI tools write it: a tar, plain or compressed with
    /// gzip or zstd, or the directory of an OCI layout.
    pub fn archive(mut self, path: impl Into<PathBuf>) -> Self {
        self.archives.push(Source::Path(path.into()));
        self
    }

    /// Adds an image archive that is read from a stream.
    pub fn stream(mut self, stream: impl Read + Send + 'static) -> Self {
        self.archives.push(Source::Stream(Box::new(stream)));
        self
    }

    /// Adds an image of the engine's own store, by name or id.
    pub fn image(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.images.contains(&name) {
            self.images.push(name);
        }
        self
    }

    /// Stops when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}
