//! A cluster's entry in the user's files: put in, and taken out again.

use std::path::Path;

use super::document::{self, BoxError, Document};
use super::files::{ANOTHER_FILE, KubeconfigFiles};
use super::lock::{self, Lock};
use super::{text, write};
use crate::error::Cause;
use crate::{CancelToken, Code, Error, Result, access};

/// Puts the entries of one kubeconfig's text into another's, and makes its context the current one.
/// Everything else stays as it stands. For programs that keep kubeconfigs elsewhere than in files.
///
/// ```
/// let entry = "clusters: [{name: kind-a}]\nusers: [{name: kind-a}]\ncontexts: [{name: kind-a}]\n\
///              current-context: kind-a\nkind: Config\n";
/// let merged = kind::merge_kubeconfig("# mine\nkind: Config\n", entry)?;
/// assert!(merged.starts_with("# mine\nclusters:\n- name: kind-a\n"));
/// assert_eq!(kind::remove_from_kubeconfig(&merged, "a")?.as_deref(), Some("# mine\nkind: Config\n"));
/// # Ok::<(), kind::Error>(())
/// ```
///
/// # Errors
/// A text is no kubeconfig, or the second one has no cluster, user or context.
pub fn merge_kubeconfig(text: &str, entry: &str) -> Result<String> {
    document::parse_document(entry)
        .and_then(|entry| text::merge_text(text, &entry))
        .map_err(update_failure("failed to get kubeconfig to merge"))
}

/// Takes a cluster's entries out of a kubeconfig's text; `None` if it has none.
///
/// # Errors
/// The text is no kubeconfig.
pub fn remove_from_kubeconfig(text: &str, cluster: &str) -> Result<Option<String>> {
    text::remove_from_text(text, cluster).map_err(update_failure(
        "failed to read kubeconfig to remove KIND entry",
    ))
}

/// Finds out whether a cluster's entry could be written, before there is a cluster. Leaves nothing. Returns who holds the
/// file's lock now, in words for the user: it may be given back in time.
///
/// # Errors
/// Those of [`write_merged`], but for such a lock.
pub(crate) fn check_files(files: &KubeconfigFiles) -> Result<Option<String>> {
    let path = files.write_target();
    if !write::leads_to_a_stream(path) {
        lock::check_lock(path).map_err(not_locked)?;
    }
    let text = read_kubeconfig(path, MERGING)?;
    document::parse_document(&text).map_err(file_failure(MERGING, path))?;
    write::check_writable(path).map_err(|error| access_denied(WRITING, "open", path, &error))?;
    write::check_room(path, text.len())
        .map_err(|error| access_denied(WRITING, "write", path, &error))?;
    let held = lock::find_lock(path).filter(|held| !held.is_stale);
    Ok(held.map(|held| held.describe()))
}

/// Puts a cluster's document into the file that is written to, and makes it the current one.
pub(crate) fn write_merged(
    files: &KubeconfigFiles,
    entry: &Document,
    cancel: &CancelToken,
) -> Result<()> {
    let path = files.write_target();
    let _lock = lock_file(path, cancel)?;
    let merged = text::merge_text(&read_kubeconfig(path, MERGING)?, entry)
        .map_err(file_failure(MERGING, path))?;
    write::replace_file(path, &merged)
        .map_err(|error| access_denied(WRITING, "write", path, &error))
}

/// The API server's URL that a cluster has in the files: kubectl takes the first.
pub(crate) fn find_server(files: &KubeconfigFiles, cluster: &str) -> Option<String> {
    let name = document::context_name(cluster);
    files.all().iter().find_map(|path| {
        let text = std::fs::read_to_string(path).ok()?;
        let document = document::parse_document(&text).ok()?;
        let mut items = document::list_items(&document, "clusters").iter();
        let item = items.find(|item| document::name_of(item) == Some(&name))?;
        let server = item.get("cluster")?.get("server")?;
        server.as_str().map(str::to_owned)
    })
}

/// Takes a cluster's entry out of every file; files without one are not touched. Goes on after a
/// failure and reports all at the end.
pub(crate) fn remove_everywhere(
    files: &KubeconfigFiles,
    cluster: &str,
    cancel: &CancelToken,
) -> Result<()> {
    let failures = files
        .all()
        .iter()
        .filter_map(|path| remove_one(path, cluster, cancel).err());
    Error::collect(failures.collect())
}

fn remove_one(path: &Path, cluster: &str, cancel: &CancelToken) -> Result<()> {
    lock::remove_left(path);
    if !path.exists() {
        return Ok(());
    }
    let removed = || {
        text::remove_from_text(&read_kubeconfig(path, REMOVING)?, cluster)
            .map_err(file_failure(REMOVING, path))
    };
    if removed()?.is_none() {
        // Nothing is to be done, so that it does not matter whether it could be.
        return Ok(());
    }
    let _lock = lock_file(path, cancel)?;
    match removed()? {
        Some(text) => write::replace_file(path, &text)
            .map_err(|error| access_denied(WRITING, "write", path, &error)),
        None => Ok(()),
    }
}

/// Keeps others from a file while it is changed; from a stream there is nothing to be kept.
fn lock_file(path: &Path, cancel: &CancelToken) -> Result<Option<Lock>> {
    if write::leads_to_a_stream(path) {
        return Ok(None);
    }
    match Lock::acquire_for(path, &|| cancel.is_cancelled()) {
        Ok(lock) => Ok(Some(lock)),
        Err(_) if cancel.is_cancelled() => Err(Error::Cancelled),
        Err(error) => Err(not_locked(error)),
    }
}

const MERGING: &str = "failed to get kubeconfig to merge";
const REMOVING: &str = "failed to read kubeconfig to remove KIND entry";
const WRITING: &str = "failed to write kubeconfig";

/// The text of a file; an empty one if there is no file, or one that nothing is kept in.
fn read_kubeconfig(path: &Path, action: &'static str) -> Result<String> {
    if write::leads_to_a_stream(path) {
        return Ok(String::new());
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(access_denied(action, "open", path, &error)),
    }
}

/// What the system would not do with a file, and what the user can do about it.
fn access_denied(action: &str, verb: &str, path: &Path, error: &std::io::Error) -> Error {
    let remedy = access::remedy(path, error, ANOTHER_FILE);
    let text = format!("{verb} {}: {error}", path.display());
    Error::Kubeconfig {
        action: action.to_owned(),
        source: Cause::new(Code::Kubeconfig, text).with_remedy(remedy),
    }
}

fn not_locked(error: lock::Error) -> Error {
    let remedy = error.remedy();
    Error::Kubeconfig {
        action: "failed to lock config file".to_owned(),
        source: Cause::new(Code::KubeconfigLocked, error).with_remedy(remedy),
    }
}

/// What is wrong with a file's text.
fn file_failure(action: &'static str, path: &Path) -> impl FnOnce(BoxError) -> Error {
    move |error| update_failure(action)(format!("{error} (in {})", path.display()))
}

fn update_failure<E: Into<BoxError>>(action: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Kubeconfig {
        action: action.to_owned(),
        source: Cause::new(Code::Kubeconfig, error),
    }
}
