//! The same work for several nodes at once.

use std::sync::atomic::{AtomicBool, Ordering};

use kind_image::concurrent::run_each;

use crate::{CancelToken, Result};

/// Does `work` for every item at once and returns what came of each, in the items' order.
///
/// # Errors
/// The first failure in the items' order. Work that has not begun by the time of a failure or of the
/// caller's wish to stop is not begun; all that has begun is awaited, so that nothing of it goes on
/// when this function returns.
pub(crate) fn run_for_each<T: Sync, R: Send>(
    items: &[T],
    cancel: &CancelToken,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let failed = AtomicBool::new(false);
    let one = |item: &T| -> Option<Result<R>> {
        if failed.load(Ordering::SeqCst) {
            return None;
        }
        let result = cancel.check().and_then(|()| work(item));
        if result.is_err() {
            failed.store(true, Ordering::SeqCst);
        }
        Some(result)
    };
    run_each(items, one).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::Code;
    use crate::Error;

    #[test]
    fn results_keep_the_order() {
        let token = CancelToken::new();
        let doubled = run_for_each(&[1, 2, 3], &token, |n| Ok(n * 2)).unwrap();
        assert_eq!(doubled, [2, 4, 6]);
        assert!(
            run_for_each(&[] as &[i32], &token, |n| Ok(*n))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_failure_awaits_what_has_begun() {
        let finished = Mutex::new(0);
        let error = run_for_each(&[1, 2], &CancelToken::new(), |n| {
            if *n == 1 {
                return Err(Error::NoNodes("a".to_owned()));
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            *finished.lock().unwrap() += 1;
            Ok(())
        });
        assert_eq!(error.unwrap_err().code(), Code::NodesMissing);
        // Either it was not begun, or it has ended.
        let before = *finished.lock().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(*finished.lock().unwrap(), before);
    }

    #[test]
    fn a_wish_to_stop_begins_nothing() {
        let token = CancelToken::new();
        token.cancel();
        let error = run_for_each(&[1, 2], &token, |_| -> Result<()> { panic!("begun") });
        assert!(error.unwrap_err().is_cancelled());
    }
}
