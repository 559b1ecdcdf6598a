//! What the caller wants created, and what they get.

use std::time::Duration;

use kind_config::{Cluster, Source as ConfigSource};

use crate::error::Cause;
use crate::{CancelToken, Code, Error, KubeconfigFiles, Result, Source};

/// What to create and how.
///
/// ```no_run
/// # fn example(provider: &kind::Provider) -> kind::Result<()> {
/// use std::time::Duration;
///
/// let files = kind::KubeconfigFiles::one("/tmp/demo.kubeconfig");
/// let options = kind::CreateCluster::new(files)
///     .name("demo")
///     .wait(Duration::from_secs(120));
/// let created = provider.create(&options, &|event| println!("{event:?}"))?;
/// assert_eq!(created.context, "kind-demo");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CreateCluster {
    pub(super) config: Cluster,
    pub(super) config_file: Option<ConfigSource>,
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) from: Option<Source>,
    pub(super) retain: bool,
    pub(super) wait: Option<Duration>,
    pub(super) files: KubeconfigFiles,
    pub(super) cancel: CancelToken,
}

/// A cluster that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// Its name.
    pub name: String,
    /// Name of its context in the kubeconfig.
    pub context: String,
}

impl CreateCluster {
    /// One control-plane node with the default image; its kubeconfig goes into `files`.
    pub fn new(files: KubeconfigFiles) -> Self {
        Self {
            config: Cluster::default(),
            config_file: None,
            name: None,
            image: None,
            from: None,
            retain: false,
            wait: None,
            files,
            cancel: CancelToken::new(),
        }
    }

    /// Takes the configuration from a config file's text.
    ///
    /// # Errors
    /// [`Error::Config`] if the text is no configuration.
    pub fn config_text(self, text: &str) -> Result<Self> {
        self.config_source(ConfigSource::new("config", text))
    }

    /// Takes the configuration from a text with a name, which errors show with the line at fault.
    ///
    /// # Errors
    /// [`Error::Config`] if the text is no configuration.
    pub fn config_source(mut self, source: ConfigSource) -> Result<Self> {
        let config = source.parse();
        self.config_file = Some(source);
        let config = config.map_err(|error| self.config_error(error))?;
        self.config = config;
        Ok(self)
    }

    /// Takes the configuration from a value. Its defaults are set and it is checked by `create`.
    pub fn config(mut self, config: Cluster) -> Self {
        self.config = config;
        self.config_file = None;
        self
    }

    /// Names the cluster, whatever the configuration says; an empty name changes nothing.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Uses this image for every node.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Builds the image of every node from this source first, unless that was done before.
    pub fn from(mut self, source: Source) -> Self {
        self.from = Some(source);
        self
    }

    /// Keeps the nodes when the creation fails.
    pub fn retain(mut self) -> Self {
        self.retain = true;
        self
    }

    /// Waits until the control plane is ready, at most so long; running out of time is no error.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// Stops when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// The source that the image of every node is built from, if it is to be built.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.from.as_ref()
    }

    /// Name of the image that is built from `source`.
    pub(crate) fn built_image(&self, source: &Source) -> String {
        let image = self.image.clone();
        image.unwrap_or_else(|| source.default_image())
    }

    /// The configuration with everything that overrides it and with all defaults; not checked yet.
    pub(crate) fn resolve(&self) -> Cluster {
        let mut cluster = self.config.clone();
        if let Some(name) = &self.name {
            cluster.name.clone_from(name);
        }
        cluster.set_defaults();
        if let Some(image) = &self.image {
            use_image(&mut cluster, image);
        }
        cluster
    }

    /// Checks a configuration that has its defaults, patches and all.
    pub(crate) fn check(&self, cluster: &Cluster) -> Result<()> {
        let values = cluster.validate();
        let mut errors: Vec<_> = values
            .err()
            .map(|e| self.config_error(e))
            .into_iter()
            .collect();
        let patches = kind_kubeadm::check_patches(cluster).into_iter();
        errors.extend(patches.map(|error| self.with_location(Error::document(error))));
        Error::collect(errors)
    }

    /// Patches that are probably not what was meant, with their places in the config file.
    pub(crate) fn patch_warnings(&self, cluster: &Cluster) -> Vec<String> {
        let warnings = kind_kubeadm::patch::patch_warnings(cluster).into_iter();
        let told = warnings.map(|warning| {
            let text = format!("{}: {}", warning.field, warning.reason);
            self.at_place(&warning.place(), text)
        });
        told.collect()
    }

    /// A text about a place of the configuration, with its line in the config file.
    fn at_place(&self, place: &str, text: String) -> String {
        match &self.config_file {
            Some(source) => source.at_field(place, &text),
            None => text,
        }
    }

    fn config_error(&self, error: kind_config::Error) -> Error {
        match &self.config_file {
            Some(source) => explain_error(source, error),
            None => with_remedies(error.hints(), error),
        }
    }

    /// A failure with the place in the config file that is at fault.
    pub(crate) fn with_location(&self, error: Error) -> Error {
        let place = error.place().map(str::to_owned);
        match place.zip(self.config_file.as_ref()) {
            Some((field, source)) => {
                error.with_remedy(source.at_field(&field, "the patch is here"))
            }
            None => error,
        }
    }
}

/// Has every node be of one image.
pub(crate) fn use_image(cluster: &mut Cluster, image: &str) {
    for node in &mut cluster.nodes {
        image.clone_into(&mut node.image);
    }
}

/// A configuration's problem with the lines at fault.
pub(crate) fn explain_error(source: &ConfigSource, error: kind_config::Error) -> Error {
    with_remedies(source.explain(&error), error)
}

fn with_remedies(texts: Vec<String>, error: kind_config::Error) -> Error {
    let remedy = (!texts.is_empty()).then(|| texts.join("\n"));
    Error::Config(Cause::new(Code::Config, error).with_remedy(remedy))
}
