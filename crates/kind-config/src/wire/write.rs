//! Writing values of types by what they say of themselves.

use super::encoder::Encoder;
use super::field::{Fields, Wire};
use crate::yaml::{Mapping, Value};

impl Encoder {
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
                self.unsupported.push((self.path.clone(), field.since));
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
