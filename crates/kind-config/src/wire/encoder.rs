//! Values back to the text they could have been read from.

use super::{Fields, Wire};
use crate::ApiVersion;
use crate::yaml::{Mapping, Value};

/// Writes values as a version of the format has them, and keeps what that version cannot say.
pub(crate) struct Encoder {
    version: ApiVersion,
    complete: bool,
    path: String,
    beyond: Vec<(String, ApiVersion)>,
}

impl Encoder {
    /// An encoder for a version; a complete one writes values too that are as good as unset.
    pub(crate) fn new(version: ApiVersion, complete: bool) -> Self {
        Self {
            version,
            complete,
            path: String::new(),
            beyond: Vec::new(),
        }
    }

    /// The places of values that the version cannot say, and the first version that can.
    pub(crate) fn into_beyond(self) -> Vec<(String, ApiVersion)> {
        self.beyond
    }

    /// The fields of a value that have something to write.
    pub(super) fn fields<T: Fields>(&mut self, value: &T) -> Mapping {
        let mut mapping = Mapping::new();
        for field in T::FIELDS {
            let outer = self.path.len();
            if outer > 0 {
                self.path.push('.');
            }
            self.path.push_str(field.name);
            if field.since <= self.version {
                if let Some(written) = (field.write)(value, self) {
                    mapping.insert(field.name, written);
                }
            } else if !(field.is_unset)(value) {
                self.beyond.push((self.path.clone(), field.since));
            }
            self.path.truncate(outer);
        }
        mapping
    }

    /// A field's value, unless there is nothing to write.
    pub(super) fn field<T: Wire>(&mut self, value: &T) -> Option<Value> {
        let skipped = if self.complete {
            value.is_empty()
        } else {
            value.is_unset()
        };
        (!skipped).then(|| value.encode(self))
    }

    /// An item of a list, which is written whatever it is.
    pub(super) fn item<T: Wire>(&mut self, index: usize, value: &T) -> Value {
        let outer = self.path.len();
        self.path.push_str(&format!("[{index}]"));
        let value = value.encode(self);
        self.path.truncate(outer);
        value
    }
}
