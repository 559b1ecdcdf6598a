//! What the tests share: images, stores, and a user with files of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kind_image::oci::{ImageConfig, Platform};
use kind_image::registry::{self, Access, LayerForm, Pushed};
use kind_image::{Digest, Error, Image, Store};
use kind_testkit::machine::require_root;
use tempfile::TempDir;

/// A user with a home, a store and an environment.
pub(crate) struct User {
    pub(crate) store: Store,
    variables: BTreeMap<String, String>,
    home: TempDir,
}

impl User {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = std::env::var("PATH").unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let variables = [
            ("HOME", text(home.path().to_owned())),
            ("PATH", path),
            ("KIND_CERTS_DIR", text(home.path().join("certs.d"))),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Self {
            store: Store::open(&home.path().join("store")).unwrap(),
            variables: variables.into(),
            home,
        }
    }

    /// Sets a variable of the environment.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Writes a file about a registry and returns its path.
    pub(crate) fn certs_d(&self, host: &str, name: &str, text: &str) -> PathBuf {
        let directory = self.home.path().join("certs.d").join(host);
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes docker's configuration.
    pub(crate) fn docker_config(&self, text: &str) {
        let directory = self.home.path().join(".docker");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.json"), text).unwrap();
    }

    pub(crate) fn access(&self) -> Access {
        Access::from_environment(&self.variables)
    }

    /// An image of some layers, each a file with some bytes.
    pub(crate) fn image(&self, name: &str, layers: &[&[u8]]) -> Image {
        let config = ImageConfig {
            architecture: Platform::of_host().architecture,
            os: "linux".to_owned(),
            ..ImageConfig::default()
        };
        self.image_with(name, layers, config)
    }

    pub(crate) fn image_with(&self, name: &str, layers: &[&[u8]], config: ImageConfig) -> Image {
        require_root();
        let mut draft = self.store.draft().unwrap();
        for (number, content) in layers.iter().enumerate() {
            let directory = self.home.path().join(format!("layer-{number}"));
            fs::create_dir(&directory).unwrap();
            fs::write(directory.join(format!("file-{number}")), content).unwrap();
            let placement = kind_image::store::Placement::Move;
            draft.add_directory(&directory, placement).unwrap();
        }
        draft.commit(config, &[name.parse().unwrap()]).unwrap()
    }

    pub(crate) fn push(&self, image: &Image, name: &str) -> Result<Pushed, Error> {
        let (name, access) = (name.parse().unwrap(), self.access());
        registry::push(&self.store, image, &name, LayerForm::Gzip, &access, &|_| {})
    }

    pub(crate) fn pull(&self, name: &str) -> Result<Image, Error> {
        self.pull_for(name, &Platform::of_host())
    }

    pub(crate) fn pull_for(&self, name: &str, platform: &Platform) -> Result<Image, Error> {
        let (name, access) = (name.parse().unwrap(), self.access());
        registry::pull(&self.store, &name, platform, &access, &|_| {})
    }

    /// Nothing of a failed pull is left in the store.
    pub(crate) fn has_nothing(&self) -> bool {
        let empty = |part: &str| fs::read_dir(self.store.root().join(part)).unwrap().count() == 0;
        self.store.list_images().unwrap().is_empty()
            && ["blobs/sha256", "chains", "tmp"].into_iter().all(empty)
    }
}

/// Bytes that no compression makes smaller.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 64);
    let mut seed = Digest::of(b"noise");
    while bytes.len() < size {
        seed = Digest::of(seed.hex().as_bytes());
        let hex = seed.hex().as_bytes();
        bytes.extend(
            hex.chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()),
        );
    }
    bytes.truncate(size);
    bytes
}

/// The content of a file in a layer of an image.
pub(crate) fn file(image: &Image, layer: usize) -> Vec<u8> {
    let path: &Path = &image.layers()[layer];
    fs::read(path.join(format!("file-{layer}"))).unwrap()
}

/// An error with everything below it.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
