//! Locks that are held, given back and left behind.

use super::*;

#[test]
fn a_lock_is_taken_once_and_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("deep/config");
    let lock = Lock::acquire_for(&file, &|| false).unwrap();
    let error = Lock::acquire_within(&file, Duration::ZERO, &|| false).unwrap_err();
    let expected = format!("open {}.lock: file exists", file.display());
    assert_eq!(error.to_string(), expected);
    let remedy = error.remedy().unwrap();
    assert!(
        remedy.contains("config.lock if no such program runs"),
        "{remedy}"
    );
    drop(lock);
    drop(Lock::acquire_within(&file, Duration::ZERO, &|| false).unwrap());
    assert!(!directory.path().join("deep/config.lock").exists());
}

#[test]
fn a_lock_held_for_a_moment_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let lock = Lock::acquire_for(&file, &|| false).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            drop(lock);
        });
        Lock::acquire_for(&file, &|| false).unwrap();
    });
}

#[test]
fn client_gos_empty_lock_is_waited_for_until_it_is_old() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let left = File::create(directory.path().join("config.lock")).unwrap();
    let begun = Instant::now();
    assert!(Lock::acquire_within(&file, Duration::from_millis(100), &|| false).is_err());
    assert!(begun.elapsed() >= Duration::from_millis(100));
    left.set_modified(SystemTime::now() - STALE_LOCK_AGE * 2)
        .unwrap();
    drop(Lock::acquire_within(&file, Duration::ZERO, &|| false).unwrap());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// A lock of ours with another beginning of its process.
#[cfg(target_os = "linux")]
fn of_earlier_process() -> String {
    let this = Owner::this_process().unwrap().to_string();
    let mut words: Vec<&str> = this.split(' ').collect();
    words[2] = "1";
    words.join(" ")
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_whose_process_is_gone_is_taken_over_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    fs::write(directory.path().join("config.lock"), of_earlier_process()).unwrap();
    drop(Lock::acquire_within(&file, Duration::ZERO, &|| false).unwrap());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// A creation that was killed while it wrote has keys in a file that nobody looks for.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_creation_was_writing_goes_with_its_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str| directory.path().join(name);
    let written = format!("config.tmp-{}", std::process::id());
    fs::write(of("config"), "kind: Config\n").unwrap();
    fs::write(of("config.lock"), of_earlier_process()).unwrap();
    for name in [&written, "config.tmp-1"] {
        fs::write(of(name), "keys").unwrap();
    }
    let files = crate::KubeconfigFiles::one(of("config"));
    let cancel = crate::CancelToken::new();
    crate::kubeconfig::remove_everywhere(&files, "kind", &cancel).unwrap();
    assert!(!of(&written).exists() && !of("config.lock").exists());
    assert!(of("config").exists() && of("config.tmp-1").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_whose_process_lives_is_never_old() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let lock = Lock::acquire_for(&file, &|| false).unwrap();
    let made = File::open(directory.path().join("config.lock")).unwrap();
    made.set_modified(SystemTime::now() - STALE_LOCK_AGE * 2)
        .unwrap();
    assert!(Lock::acquire_within(&file, Duration::ZERO, &|| false).is_err());
    drop(lock);
}

#[test]
fn of_many_at_once_one_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    // A stale lock stands there at the start, for all of them to fall over.
    let left = File::create(directory.path().join("config.lock")).unwrap();
    left.set_modified(SystemTime::now() - STALE_LOCK_AGE * 2)
        .unwrap();
    let (inside, most) = (
        std::sync::atomic::AtomicUsize::new(0),
        std::sync::atomic::AtomicUsize::new(0),
    );
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let lock = Lock::acquire_within(&file, Duration::from_secs(20), &|| false).unwrap();
                let now = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                most.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                drop(lock);
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
}

#[test]
fn a_lock_that_nobody_wants_any_more_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let _lock = Lock::acquire_for(&file, &|| false).unwrap();
    let began = Instant::now();
    assert!(Lock::acquire_within(&file, Duration::from_secs(60), &|| true).is_err());
    assert!(began.elapsed() < Duration::from_secs(30));
}
