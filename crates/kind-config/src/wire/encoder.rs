//! Values back to the text they could have been read from.

use crate::ApiVersion;

/// Writes values as a version of the format has them, and keeps what that version cannot say.
pub(crate) struct Encoder {
    pub(super) version: ApiVersion,
    pub(super) complete: bool,
    pub(super) path: String,
    pub(super) unsupported: Vec<(String, ApiVersion)>,
}

impl Encoder {
    /// An encoder for a version; a complete one writes values too that are as good as unset.
    pub(crate) fn new(version: ApiVersion, complete: bool) -> Self {
        Self {
            version,
            complete,
            path: String::new(),
            unsupported: Vec::new(),
        }
    }

    /// The places of values that the version cannot say, and the first version that can.
    pub(crate) fn into_unsupported(self) -> Vec<(String, ApiVersion)> {
        self.unsupported
    }
}
