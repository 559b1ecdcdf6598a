//! The user's kubeconfig files: which they are, and how a cluster's entry gets in and out of them.
//!
//! Rules: client-go's loading rules for the files and the lock protocol; every field that is not ours
//! stays as it stands, scalars to the letter.

mod document;
mod files;
mod lock;
mod write;

use std::path::Path;

use kind_config::yaml;

pub use document::context_name;
pub(crate) use document::{from_admin, merge, remove};
pub use files::KubeconfigFiles;

use crate::error::Cause;
use crate::{Error, Result};
use lock::Lock;

/// A kubeconfig document.
pub(crate) type Document = yaml::Value;

/// Writes a document as kubectl does: sorted keys, nothing at all for an empty document.
pub(crate) fn encode(document: &Document) -> String {
    match document.as_mapping() {
        Some(mapping) if mapping.is_empty() => String::new(),
        _ => yaml::emit(document),
    }
}

/// Puts a cluster's document into the file that is written to, and makes it the current one.
pub(crate) fn write_merged(files: &KubeconfigFiles, entry: &Document) -> Result<()> {
    let path = files.write_target();
    let _lock = Lock::acquire(path).map_err(failed("failed to lock config file"))?;
    let merged = read(path)
        .and_then(|existing| merge(existing, entry).map_err(BoxError::from))
        .map_err(failed("failed to get kubeconfig to merge"))?;
    write::replace(path, &encode(&merged)).map_err(failed("failed to write kubeconfig"))
}

/// Takes a cluster's entry out of every file; files without one are not touched. Goes on after a
/// failure and reports all at the end.
pub(crate) fn remove_everywhere(files: &KubeconfigFiles, cluster: &str) -> Result<()> {
    let failures = files
        .all()
        .iter()
        .filter_map(|path| remove_one(path, cluster).err());
    Error::collect(failures.collect())
}

fn remove_one(path: &Path, cluster: &str) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let _lock = Lock::acquire(path).map_err(failed("failed to lock config file"))?;
    let mut document =
        read(path).map_err(failed("failed to read kubeconfig to remove KIND entry"))?;
    if !remove(&mut document, cluster) {
        return Ok(());
    }
    write::replace(path, &encode(&document)).map_err(failed("failed to write kubeconfig"))
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The document in a file; an empty one if there is no file or nothing in it.
fn read(path: &Path) -> std::result::Result<Document, BoxError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("open {}: {error}", path.display()).into()),
    };
    document::parse(&text)
}

fn failed<E: Into<BoxError>>(action: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Kubeconfig {
        action: action.to_owned(),
        source: Cause::new("KIND-KUBECONFIG", error),
    }
}

#[cfg(test)]
mod tests;
