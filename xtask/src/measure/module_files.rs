//! Where the file of a module stands that has modules of its own: `name/mod.rs`, never `name.rs` beside `name/`; and that
//! it declares these and passes names on, and nothing else.

use std::path::PathBuf;

use syn::Item;

use super::source::Source;

/// Finds files that stand beside the folder of their own modules. The root of a crate has none.
pub(super) fn find_misplaced(sources: &[Source]) -> Vec<PathBuf> {
    let named = sources.iter().filter(|source| {
        let is_inside = source.path.file_name().is_some_and(|name| name == "mod.rs");
        !source.module.is_empty() && !is_inside
    });
    let has_folder = |source: &&Source| {
        let folder = source.path.with_extension("");
        sources.iter().any(|other| other.path.starts_with(&folder))
    };
    named
        .filter(has_folder)
        .map(|source| source.path.clone())
        .collect()
}

/// Whether a file called `mod.rs` does more than declare modules and pass names on.
pub(super) fn is_mod_file_with_code(source: &Source) -> bool {
    let is_mod_file = source.path.file_name().is_some_and(|name| name == "mod.rs");
    let passes_on = |item: &Item| matches!(item, Item::Mod(_) | Item::Use(_));
    is_mod_file && !source.syntax.items.iter().all(passes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    #[test]
    fn a_file_beside_the_folder_of_its_modules_is_misplaced() {
        let files = Sources::new(&[
            ("lib.rs", "mod inside; mod beside; mod alone;"),
            ("inside/mod.rs", "mod deep;"),
            ("inside/deep.rs", ""),
            ("beside.rs", "mod deep;"),
            ("beside/deep.rs", ""),
            ("alone.rs", "#[path = \"alone_tests.rs\"] mod tests;"),
            ("alone_tests.rs", ""),
        ]);
        let found = find_misplaced(&files.read());
        assert_eq!(found, [files.root().join("beside.rs")]);
    }
}
