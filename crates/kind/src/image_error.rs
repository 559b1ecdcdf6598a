//! Failures of images and of their stores as this crate tells them.

use crate::Error;
use crate::error::Cause;

/// Wraps a failure of an image store with what was tried.
pub(crate) fn store_error(action: &str) -> impl FnOnce(kind_image::Error) -> Error {
    let action = action.to_owned();
    move |error| Error::Engine {
        action,
        source: image_cause(error),
    }
}

/// Why something with an image failed.
pub(crate) fn image_cause(error: kind_image::Error) -> Cause {
    let (code, remedy) = (error.code().to_owned(), error.remedy());
    Cause::new(&code, error).with_remedy(remedy)
}
