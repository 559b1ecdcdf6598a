//! What is done, kept and told when the caller asks an operation to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::event::Warning;
use crate::{Leftover, LoadImages};

/// No operation that is interrupted takes longer, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A cluster whose nodes hang in every program once `hangs` is set.
fn hanging() -> (Stage, Arc<AtomicBool>) {
    let hangs = Arc::new(AtomicBool::new(false));
    let (seen, answering) = (Arc::clone(&hangs), node(None));
    let stage = Stage::new(Box::new(move |fake, argv, io| {
        while seen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        answering(fake, argv, io)
    }));
    stage.create(&stage.options()).unwrap();
    hangs.store(true, Ordering::SeqCst);
    (stage, hangs)
}

/// What would be left while `work` went on, which is interrupted soon after it gives the engine such a call.
fn interrupt(
    stage: &Stage,
    cancel: &CancelToken,
    call: &str,
    work: impl FnOnce() -> Result<()> + Send,
) -> Vec<Leftover> {
    let before = stage.engine.calls().len();
    std::thread::scope(|scope| {
        let working = scope.spawn(work);
        let began = Instant::now();
        let is_called = || {
            let calls = stage.engine.calls();
            calls
                .iter()
                .skip(before)
                .any(|known| known.starts_with(call))
        };
        while cancel.leftovers().is_empty() || !is_called() {
            assert!(began.elapsed() < LIMIT, "it does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        let left = cancel.leftovers();
        cancel.cancel();
        let asked = Instant::now();
        let ended = working.join().unwrap();
        assert!(asked.elapsed() < LIMIT, "it does not end");
        assert!(ended.unwrap_err().is_cancelled());
        left
    })
}

#[test]
fn retained_nodes_stay_and_are_named() {
    let stage = Stage::new(on_request(|_| {
        std::thread::sleep(Duration::from_millis(500));
        0
    }));
    let cancel = CancelToken::new();
    let options = stage.options().cancel(cancel.clone()).retain();
    let left = interrupt(&stage, &cancel, "exec", || stage.create(&options).map(drop));
    let cluster = "kind".to_owned();
    assert_eq!(left, [Leftover::Nodes { cluster }]);
    assert!(stage.engine.has(NODE));
    let kept = Event::Warning(Warning::Retained {
        cluster: "kind".to_owned(),
        nodes: vec![NODE.to_owned()],
    });
    assert!(stage.events.lock().unwrap().contains(&kept));
    assert_eq!(cancel.leftovers(), []);
}

#[test]
fn logs_are_not_collected_to_the_end() {
    let (stage, hangs) = hanging();
    let cancel = CancelToken::new();
    let directory = stage.directory.path().join("logs");
    let left = interrupt(&stage, &cancel, "exec", || {
        stage
            .provider
            .collect_logs("kind", &directory, "kind v1", &cancel)
    });
    hangs.store(false, Ordering::SeqCst);
    assert_eq!(
        left,
        [Leftover::Logs {
            directory: directory.clone()
        }]
    );
    assert!(directory.join("kind-version.txt").exists());
}

#[test]
fn a_load_is_not_waited_for() {
    let (stage, hangs) = hanging();
    let archive = stage.directory.path().join("images.tar");
    std::fs::write(&archive, "").unwrap();
    let cancel = CancelToken::new();
    let load = LoadImages::new("kind")
        .archive(&archive)
        .cancel(cancel.clone());
    let left = interrupt(&stage, &cancel, "exec", || {
        stage.provider.load_images(load, &|_| {}).map(drop)
    });
    hangs.store(false, Ordering::SeqCst);
    let cluster = "kind".to_owned();
    assert_eq!(left, [Leftover::ImageParts { cluster }]);
}

#[test]
fn a_deletion_does_not_wait_for_a_lock() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    let lock = stage.directory.path().join("config.lock");
    std::fs::write(&lock, "").unwrap();
    let cancel = CancelToken::new();
    let left = interrupt(&stage, &cancel, "list", || {
        let files = Some(&stage.files);
        stage.provider.delete("kind", files, &cancel, &|_| {})
    });
    let cluster = "kind".to_owned();
    assert_eq!(left, [Leftover::Remains { cluster }]);
    assert!(stage.engine.has(NODE) && lock.exists());
}
