//! What the tables say of one code.

use crate::Code;

/// An entry of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) code: Code,
    /// What it means.
    pub(super) meaning: &'static str,
    /// When it appears.
    pub(super) appears: &'static str,
    /// What to do, in general.
    pub(super) remedy: &'static str,
    /// A message as it may read.
    pub(super) example: &'static str,
}

/// An entry of the four texts, in their order.
pub(super) const fn entry(
    code: Code,
    [meaning, appears, remedy, example]: [&'static str; 4],
) -> Entry {
    Entry {
        code,
        meaning,
        appears,
        remedy,
        example,
    }
}
