//! The cache of a build: results of steps, kept under keys of what went into them.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Error, Event, Observer, Step, Stop};
use crate::{Digest, make_private_directory, open_private_lock};

/// The cache directory of a build, which one build uses at a time.
pub(super) struct BuildCache<'a> {
    cache: PathBuf,
    observer: Observer<'a>,
    pub(super) stop: Stop,
    lock: File,
}

/// Steps whose results are kept.
const RESULTS: [Step; 8] = [
    Step::BuildRoot,
    Step::Source,
    Step::Compile,
    Step::CompileTests,
    Step::Unpack,
    Step::Etcd,
    Step::NodeRoot,
    Step::Preload,
];

/// Bytes that [`discard_cache`] would free.
pub fn cache_size(cache: &Path) -> u64 {
    let paths = cached_paths(cache);
    paths.map(|path| crate::store::size_on_disk(&path)).sum()
}

/// Removes all that builds keep in a cache directory, and says how many bytes that freed. What does not
/// come from a build stays.
///
/// # Errors
/// A build uses the directory, or something cannot be removed.
pub fn discard_cache(cache: &Path) -> Result<u64, Error> {
    if !cache.is_dir() {
        return Ok(0);
    }
    let lock = open_cache(cache)?;
    let free = lock.try_lock().map_err(io::Error::from);
    free.map_err(Error::path("use, because a build does,", cache))?;
    let bytes = cache_size(cache);
    // What lies under a key is whole or not there, also if this is ended in the middle.
    let tmp = cache.join("tmp");
    fs::create_dir_all(&tmp).map_err(Error::path("create", &tmp))?;
    for step in RESULTS.map(Step::name) {
        let (path, doomed) = (cache.join(step), tmp.join(format!("old-{step}")));
        remove_tree(&doomed)?;
        if path.exists() {
            fs::rename(&path, &doomed).map_err(Error::path("remove", &path))?;
        }
    }
    for path in cached_paths(cache) {
        remove_tree(&path)?;
    }
    Ok(bytes)
}

fn cached_paths(cache: &Path) -> impl Iterator<Item = PathBuf> {
    let names = RESULTS.map(Step::name).into_iter().chain(["tmp", "logs"]);
    names.map(|name| cache.join(name))
}

/// What a step has while it runs.
pub(super) struct StepContext<'a> {
    pub(super) step: Step,
    /// Directory for the step's result, empty at first.
    pub(super) directory: &'a Path,
    /// File that the output of programs goes to.
    pub(super) log: &'a Path,
    pub(super) observer: Observer<'a>,
    /// Ends the step's programs.
    pub(super) stop: &'a Stop,
}

/// Makes a cache directory its owner's alone, and opens its lock.
///
/// The roots in it have programs that run as root whoever starts them, and root packs what lies there into images.
fn open_cache(cache: &Path) -> Result<File, Error> {
    make_private_directory(cache).map_err(Error::path("use", cache))?;
    let path = cache.join("lock");
    open_private_lock(&path).map_err(Error::path("create", &path))
}

/// How often a lock that another build holds is tried.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Whether the lock could be had at once.
fn take_lock(lock: &File, path: &Path) -> Result<bool, Error> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::path("lock", path)(error)),
    }
}

impl<'a> BuildCache<'a> {
    /// Opens a cache directory, waiting for another build that uses it. Once `stop` is asked to, no further step
    /// begins, and running programs end.
    pub(super) fn open_directory(
        cache: &Path,
        observer: Observer<'a>,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let make = |part: &str| {
            let path = cache.join(part);
            fs::create_dir_all(&path).map_err(Error::path("create", &path))
        };
        let (lock, path) = (open_cache(cache)?, cache.join("lock"));
        make("logs")?;
        if !take_lock(&lock, &path)? {
            observer(Event::Waiting);
            while !take_lock(&lock, &path)? {
                stop.check()?;
                std::thread::sleep(LOCK_POLL_INTERVAL);
            }
        }
        // Only now: a build that ends takes the directory away.
        make("tmp")?;
        Ok(Self {
            cache: cache.to_owned(),
            observer,
            stop: stop.clone(),
            lock,
        })
    }

    /// Directory of a step's result, if it is there.
    pub(super) fn find_cached(&self, step: Step, key: &CacheKey) -> Option<PathBuf> {
        let path = self.result_path(step, key);
        path.is_dir().then_some(path)
    }

    /// Directory of a step's result, made by `make` unless it is there.
    ///
    /// Results under other keys are removed: nothing leads back to them but an older build.
    pub(super) fn cached_step(
        &self,
        step: Step,
        key: &CacheKey,
        make: impl FnOnce(&StepContext<'_>) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let result = self.result_path(step, key);
        if result.is_dir() {
            (self.observer)(Event::Cached { step });
            return Ok(result);
        }
        let directory = self.cache.join("tmp").join(step.name());
        remove_tree(&directory)?;
        fs::create_dir(&directory).map_err(Error::path("create", &directory))?;
        self.uncached_step(step, &directory, make)?;
        self.keep_result(step, &directory, &result)?;
        Ok(result)
    }

    /// Runs a step whose result is kept elsewhere.
    pub(super) fn uncached_step<T>(
        &self,
        step: Step,
        directory: &Path,
        make: impl FnOnce(&StepContext<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.stop.check()?;
        let log = self.cache.join("logs").join(format!("{}.log", step.name()));
        File::create(&log).map_err(Error::path("create", &log))?;
        (self.observer)(Event::Started { step, log: &log });
        let start = Instant::now();
        let made = make(&StepContext {
            step,
            directory,
            log: &log,
            observer: self.observer,
            stop: &self.stop,
        })?;
        let elapsed = start.elapsed();
        (self.observer)(Event::Finished { step, elapsed });
        Ok(made)
    }

    /// Tells the user something.
    pub(super) fn report_note(&self, text: &str) {
        (self.observer)(Event::Note { text });
    }

    /// Warns the user.
    pub(super) fn report_warning(&self, text: &str) {
        (self.observer)(Event::Warning { text });
    }

    /// Tells that a step is not needed, because what it leads to is there.
    pub(super) fn report_skipped(&self, step: Step) {
        (self.observer)(Event::Cached { step });
    }

    /// Removes a step's results that no later step needs any more.
    pub(super) fn discard_results(&self, step: Step) -> Result<(), Error> {
        remove_tree(&self.cache.join(step.name()))
    }

    /// Removes all results, so that everything is made again.
    pub(super) fn discard_all(&self) -> Result<(), Error> {
        RESULTS
            .into_iter()
            .try_for_each(|step| self.discard_results(step))
    }

    /// An empty directory for a step without a result of its own; it stays until the next build.
    pub(super) fn make_scratch(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.cache.join("tmp").join(name);
        remove_tree(&path)?;
        fs::create_dir(&path).map_err(Error::path("create", &path))?;
        Ok(path)
    }

    fn keep_result(&self, step: Step, made: &Path, result: &Path) -> Result<(), Error> {
        self.discard_results(step)?;
        let parent = self.cache.join(step.name());
        fs::create_dir_all(&parent).map_err(Error::path("create", &parent))?;
        crate::durable::flush_tree(made)?;
        fs::rename(made, result).map_err(Error::path("keep", result))
    }

    fn result_path(&self, step: Step, key: &CacheKey) -> PathBuf {
        self.cache.join(step.name()).join(&key.0.hex()[..32])
    }
}

impl Drop for BuildCache<'_> {
    fn drop(&mut self) {
        let tmp = self.cache.join("tmp");
        if let Err(error) = remove_tree(&tmp) {
            tracing::warn!(path = %tmp.display(), %error, "cannot remove temporary files of the build");
        }
        // Closing the file is not enough: a program that is about to be started has it open for a moment too.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "cannot unlock the build cache");
        }
    }
}

/// Removes a directory tree if it is there.
pub(super) fn remove_tree(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::path("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// A step's result and the key it has.
#[derive(Debug, Clone)]
pub(super) struct StepOutput {
    pub(super) path: PathBuf,
    pub(super) key: CacheKey,
}

/// Stands for everything that goes into a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheKey(Digest);

impl CacheKey {
    /// A key over texts: package lists, scripts, names, other keys.
    pub(super) fn of_parts<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> Self {
        let mut text = String::new();
        for part in parts {
            let part = part.as_ref();
            // Lengths keep ["ab", "c"] and ["a", "bc"] apart.
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(part);
        }
        Self(Digest::of(text.as_bytes()))
    }
}

impl AsRef<str> for CacheKey {
    fn as_ref(&self) -> &str {
        self.0.hex()
    }
}

/// Digest of a file, for keys.
pub(super) fn file_digest(path: &Path) -> Result<Digest, Error> {
    let mut file = File::open(path).map_err(Error::path("open", path))?;
    let (digest, _) = Digest::of_reader(&mut file).map_err(Error::path("read", path))?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use kind_testkit::machine::SmallDisk;

    use super::*;
    use crate::Code;

    /// Runs the step once and returns what the observer heard.
    fn run(
        cache: &Path,
        key: &CacheKey,
        fail: bool,
    ) -> (Result<PathBuf, Error>, Vec<&'static str>) {
        let heard = Mutex::new(Vec::new());
        let observer = |event: Event<'_>| {
            let word = match event {
                Event::Started { .. } => "started",
                Event::Finished { .. } => "finished",
                Event::Cached { .. } => "cached",
                _ => return,
            };
            heard.lock().unwrap().push(word);
        };
        let build_cache = BuildCache::open_directory(cache, &observer, &Stop::default()).unwrap();
        let result = build_cache.cached_step(Step::NodeRoot, key, |work| {
            fs::write(work.directory.join("file"), "made").unwrap();
            if fail { Err(Error::NotRoot) } else { Ok(()) }
        });
        drop(build_cache);
        (result, heard.into_inner().unwrap())
    }

    #[test]
    fn a_full_disk_keeps_earlier_results_and_nothing_half() {
        let disk = SmallDisk::new(1 << 20);
        let key = CacheKey::of_parts(["a"]);
        let (path, _) = run(disk.path(), &key, false);
        let build_cache =
            BuildCache::open_directory(disk.path(), &|_| (), &Stop::default()).unwrap();
        let error = build_cache
            .cached_step(Step::Preload, &key, |work| {
                let file = work.directory.join("file");
                fs::write(&file, vec![7; 4 << 20]).map_err(Error::path("write", &file))
            })
            .unwrap_err();
        drop(build_cache);
        assert_eq!(error.code(), Code::BuildNoSpace);
        assert!(error.remedy().unwrap().contains("KIND_CACHE_DIR"));
        assert!(path.unwrap().join("file").is_file());
        for left in ["tmp", "preload"] {
            assert!(!disk.path().join(left).exists(), "{left}");
        }
    }

    #[test]
    fn a_step_runs_once_for_a_key() {
        let cache = tempfile::tempdir().unwrap();
        let (key, other) = (
            CacheKey::of_parts(["a", "bc"]),
            CacheKey::of_parts(["ab", "c"]),
        );
        let (path, heard) = run(cache.path(), &key, false);
        assert_eq!(heard, ["started", "finished"]);
        let path = path.unwrap();
        assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "made");
        let (again, heard) = run(cache.path(), &key, false);
        assert_eq!((again.unwrap(), heard), (path.clone(), vec!["cached"]));
        let (next, _) = run(cache.path(), &other, false);
        assert_ne!(next.unwrap(), path);
        assert!(!path.exists(), "results of older inputs go");
    }

    #[test]
    fn nobody_else_looks_into_the_cache_or_takes_its_lock() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let cache = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(cache.path().join(name)).unwrap().mode() & 0o7777;
        // As it was made once.
        fs::set_permissions(cache.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(cache.path().join("lock"), "").unwrap();
        let (made, _) = run(cache.path(), &CacheKey::of_parts(["key"]), false);
        made.unwrap();
        assert_eq!((mode(""), mode("lock")), (0o700, 0o600));
        fs::set_permissions(cache.path(), PermissionsExt::from_mode(0o777)).unwrap();
        discard_cache(cache.path()).unwrap();
        assert_eq!(mode(""), 0o700);
    }

    #[test]
    fn a_failed_step_keeps_what_was_there_and_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let (path, _) = run(cache.path(), &CacheKey::of_parts(["old"]), false);
        let (result, heard) = run(cache.path(), &CacheKey::of_parts(["new"]), true);
        assert!(result.is_err());
        assert_eq!(heard, ["started"]);
        assert!(path.unwrap().exists());
        assert!(!cache.path().join("tmp").exists());
    }

    #[test]
    fn a_build_that_nobody_wants_waits_for_no_other() {
        let cache = tempfile::tempdir().unwrap();
        let _first = BuildCache::open_directory(cache.path(), &|_| {}, &Stop::default()).unwrap();
        let stop = Stop::default();
        let observer = |event: Event<'_>| {
            if matches!(event, Event::Waiting) {
                stop.ask();
            }
        };
        let second = BuildCache::open_directory(cache.path(), &observer, &stop);
        assert!(matches!(second.err(), Some(Error::Stopped)));
    }

    #[test]
    fn a_stopped_build_begins_no_step() {
        let (cache, stop) = (tempfile::tempdir().unwrap(), Stop::default());
        let build_cache = BuildCache::open_directory(cache.path(), &|_| {}, &stop).unwrap();
        stop.ask();
        let key = CacheKey::of_parts(["key"]);
        let made = build_cache.cached_step(Step::NodeRoot, &key, |_| panic!("begun"));
        assert!(matches!(made, Err(Error::Stopped)));
    }

    #[test]
    fn a_second_build_waits_for_the_first() {
        let cache = tempfile::tempdir().unwrap();
        let (key, waited) = (CacheKey::of_parts(["key"]), Mutex::new(false));
        let first = BuildCache::open_directory(cache.path(), &|_| {}, &Stop::default()).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let observer = |event: Event<'_>| {
                    if matches!(event, Event::Waiting) {
                        *waited.lock().unwrap() = true;
                    }
                };
                let build_cache =
                    BuildCache::open_directory(cache.path(), &observer, &Stop::default()).unwrap();
                build_cache.find_cached(Step::NodeRoot, &key).is_some()
            });
            while !*waited.lock().unwrap() {
                std::thread::yield_now();
            }
            first.cached_step(Step::NodeRoot, &key, |_| Ok(())).unwrap();
            drop(first);
            assert!(second.join().unwrap(), "it finds what the first one made");
        });
    }
}
