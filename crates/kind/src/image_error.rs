//! Failures of images and of their stores as this crate tells them.

use crate::error::Cause;
use crate::{Error, code_of};

/// Wraps a failure of an image store with what was tried.
pub(crate) fn store_error(action: &str) -> impl FnOnce(kind_image::Error) -> Error {
    let action = action.to_owned();
    move |error| Error::Store {
        action,
        source: image_cause(error),
    }
}

/// Why something with an image failed.
pub(crate) fn image_cause(error: kind_image::Error) -> Cause {
    let (code, remedy) = (code_of::of_image(error.code()), error.remedy());
    Cause::new(code, error).with_remedy(remedy)
}
