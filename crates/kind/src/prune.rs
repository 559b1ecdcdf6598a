//! Removing what kind keeps to be faster the next time.

use std::fs;
use std::path::{Path, PathBuf};

use kind_engine::{Engine, LeftoverKind, Pruning};

use kind_image::build;

use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::error::Cause;
use crate::event::{Detail, Event, Listener, Verbosity};
use crate::{CancelToken, Code, Error, Provider, Result, code_of};

/// What to remove.
#[derive(Debug, Clone, Default)]
pub struct Prune {
    dry_run: bool,
    build_cache: bool,
    cancel: CancelToken,
}

impl Prune {
    /// Removes what no cluster uses: unpacked images, images of the native engine's store, and programs
    /// for nodes of other versions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes nothing, and says what would be removed.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Removes the results of building node images too; the next build takes minutes.
    pub fn build_cache(mut self, build_cache: bool) -> Self {
        self.build_cache = build_cache;
        self
    }

    /// Stops when this token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    fn pruning(&self) -> Pruning {
        if self.dry_run {
            Pruning::Look
        } else {
            Pruning::Remove
        }
    }
}

/// Something that was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// What it is.
    pub kind: PrunedKind,
    /// Its name.
    pub name: String,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What something is that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrunedKind {
    /// An image of the native engine's store.
    Image,
    /// The unpacked images of a node image, which all its nodes share.
    PreparedImages,
    /// The program that runs in nodes, of another version.
    NodeAgent,
    /// Results of building node images.
    BuildCache,
    /// A network that a command which was killed had made for a moment.
    Network,
}

impl Provider {
    /// Removes what kind keeps to be faster the next time and no cluster uses.
    ///
    /// # Errors
    /// What could not be removed, after everything else was.
    pub fn prune(&self, options: &Prune, listener: Listener<'_>) -> Result<Vec<Pruned>> {
        let (provider, wanted) = (self.share(), options.clone());
        let work = move |tell: Listener<'_>| run_prune(&provider, &wanted, tell);
        run_abandonable(work, SHORT_GRACE, &options.cancel, listener)?
    }
}

/// Removes what no cluster uses. Goes on after a failure and tells all at the end.
fn run_prune(provider: &Provider, options: &Prune, listener: Listener<'_>) -> Result<Vec<Pruned>> {
    let mut pruned = Vec::new();
    let mut failures = Vec::new();
    match provider.engine().prune(options.pruning()) {
        Ok(found) => pruned.extend(found.into_iter().map(from_engine)),
        Err(error) => failures.push(Error::engine(
            Code::Prune,
            "failed to remove what is not used",
        )(error)),
    }
    options.cancel.check()?;
    failures.extend(prune_agents(provider, options, &mut pruned).err());
    options.cancel.check()?;
    if options.build_cache {
        failures.extend(build_cache(provider, options, &mut pruned).err());
    }
    if !failures.is_empty() && !pruned.is_empty() {
        // What was removed is not told by a failure.
        let names: Vec<_> = pruned.iter().map(|item| item.name.as_str()).collect();
        let text = format!("removed all the same: {}", names.join(", "));
        listener(Event::Detail(Detail::new(Verbosity::Normal, text)));
    }
    Error::collect(failures)?;
    Ok(pruned)
}

fn from_engine(leftover: kind_engine::Leftover) -> Pruned {
    Pruned {
        kind: match leftover.kind {
            LeftoverKind::Image => PrunedKind::Image,
            LeftoverKind::Prepared => PrunedKind::PreparedImages,
            LeftoverKind::Network => PrunedKind::Network,
        },
        name: leftover.name,
        bytes: leftover.bytes,
    }
}

/// Copies of the node agent that neither this version nor a node uses. Nodes of the native engine show
/// them, whichever engine is in use now.
fn prune_agents(provider: &Provider, options: &Prune, pruned: &mut Vec<Pruned>) -> Result<()> {
    let directory = provider.agents_dir();
    let Some(used) = used_programs(provider) else {
        return Ok(());
    };
    let own = provider.agent_place();
    let mut failures = Vec::new();
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let needed = |program: &PathBuf| program.starts_with(&path);
        if used.iter().any(needed) || own.as_ref().is_some_and(needed) {
            continue;
        }
        let removed = remove_path(&path, options, PrunedKind::NodeAgent);
        match removed {
            Ok(item) => pruned.push(item),
            Err(error) => failures.push(error),
        }
    }
    Error::collect(failures)
}

/// `None` if it cannot be told: then all are in use.
fn used_programs(provider: &Provider) -> Option<Vec<PathBuf>> {
    let native = provider.native_beside();
    let engine: &dyn Engine = native.as_deref().unwrap_or(provider.engine());
    match engine.in_use() {
        Ok(used) => used.map(|used| used.programs),
        Err(error) => {
            tracing::warn!(%error, "cannot tell which programs nodes use");
            None
        }
    }
}

fn build_cache(provider: &Provider, options: &Prune, pruned: &mut Vec<Pruned>) -> Result<()> {
    let directory = provider.cache_dir();
    let bytes = if options.dry_run {
        Ok(build::cache_size(directory))
    } else {
        build::discard_cache(directory)
    };
    let bytes = bytes.map_err(|error| {
        let (code, remedy) = (code_of::of_image(error.code()), error.remedy());
        Error::BuildCache {
            path: directory.to_owned(),
            source: Cause::new(code, error).with_remedy(remedy),
        }
    })?;
    if bytes > 0 {
        pruned.push(Pruned {
            kind: PrunedKind::BuildCache,
            name: directory.display().to_string(),
            bytes,
        });
    }
    Ok(())
}

fn remove_path(path: &Path, options: &Prune, kind: PrunedKind) -> Result<Pruned> {
    let bytes = kind_image::store::size_on_disk(path);
    if !options.dry_run {
        fs::remove_dir_all(path).map_err(Error::io("failed to remove", path))?;
    }
    Ok(Pruned {
        kind,
        name: path.display().to_string(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kind_engine::fake::Fake;

    use super::*;
    use crate::Agent;

    fn prune(state: &Path, options: &Prune) -> Vec<(PrunedKind, String)> {
        let engine = Arc::new(Fake::new(&[], Box::new(|_, _, _| Ok(0))));
        let settings = Provider::builder()
            .state_dir(state)
            .cache_dir(state.join("cache"))
            .agent(Agent::embedded(b"new", "new"));
        let provider = Provider::on(engine, settings);
        let pruned = provider.prune(options, &|_| ()).unwrap();
        let mut pruned: Vec<_> = pruned
            .into_iter()
            .map(|item| (item.kind, item.name))
            .collect();
        pruned.sort_by(|one, other| one.1.cmp(&other.1));
        pruned
    }

    #[test]
    fn only_what_is_not_needed_goes() {
        let place = tempfile::tempdir().unwrap();
        // Of a native engine without nodes.
        let state = place.path();
        for name in ["agents/old", "agents/new", "cache/compile", "cache/mine"] {
            fs::create_dir_all(state.join(name)).unwrap();
            fs::write(state.join(name).join("kind-node"), "content").unwrap();
        }
        let text = |name: &str| state.join(name).display().to_string();
        let image = (PrunedKind::Image, "node:1".to_owned());
        let program = (PrunedKind::NodeAgent, text("agents/old"));
        let cache = (PrunedKind::BuildCache, text("cache"));
        let everything = [program.clone(), cache, image.clone()];
        let look = Prune::new().dry_run(true).build_cache(true);
        for _ in 0..2 {
            assert_eq!(prune(state, &look), everything);
        }
        assert_eq!(prune(state, &Prune::new()), [program, image.clone()]);
        assert!(!state.join("agents/old").exists() && state.join("agents/new").exists());
        assert!(state.join("cache/compile").exists());
        prune(state, &Prune::new().build_cache(true));
        assert!(
            !state.join("cache/compile").exists(),
            "results of builds are gone"
        );
        assert!(
            state.join("cache/mine").exists(),
            "what somebody else put there is not"
        );
        assert_eq!(prune(state, &look), [image]);
    }
}
