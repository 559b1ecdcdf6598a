//! Circles: files of a crate that use each other, be it by way of others.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::imports::{Uses, find_uses};
use super::source::Source;

/// Files each of which uses all the others, directly or not: a strongly connected component of a crate's files.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Circle {
    pub(super) files: BTreeSet<PathBuf>,
    /// What makes it one: user, used, and a path in the user's code.
    pub(super) uses: Vec<(PathBuf, PathBuf, String)>,
}

/// Finds the circles of a crate. Tests beside a product's code are not looked at: they use it, and it does not
/// use them. A module that is used by one of its own modules and uses it is a circle like any other.
pub(super) fn find_circles(sources: &[Source]) -> Vec<Circle> {
    let uses = find_uses(sources);
    let reached: Vec<_> = (0..sources.len()).map(|file| reach(file, &uses)).collect();
    let mut circles = BTreeSet::new();
    for (file, reaches) in reached.iter().enumerate() {
        let others = reaches
            .iter()
            .filter(|other| reached[**other].contains(&file));
        let members: BTreeSet<usize> = others.copied().collect();
        if !members.is_empty() {
            circles.insert(members);
        }
    }
    let circles = circles.iter();
    circles
        .map(|members| describe(members, sources, &uses))
        .collect()
}

/// All files that one uses, directly or not; itself too if it is in a circle.
fn reach(file: usize, uses: &Uses) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next = vec![file];
    while let Some(user) = next.pop() {
        let used = uses.range((user, 0)..=(user, usize::MAX));
        next.extend(
            used.map(|((_, used), _)| *used)
                .filter(|used| reached.insert(*used)),
        );
    }
    reached
}

fn describe(members: &BTreeSet<usize>, sources: &[Source], uses: &Uses) -> Circle {
    let path = |file: &usize| sources[*file].path.clone();
    let inside = uses
        .iter()
        .filter(|((user, used), _)| members.contains(user) && members.contains(used));
    Circle {
        files: members.iter().map(path).collect(),
        uses: inside
            .map(|((user, used), words)| (path(user), path(used), words.clone()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let circles = find_circles(&Sources::new(files).read());
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let circles = circles.iter();
        circles
            .map(|circle| circle.files.iter().map(name).collect())
            .collect()
    }

    #[test]
    fn files_that_use_each_other_are_one_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e; mod alone;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a::A; pub struct C;"),
            ("d.rs", "use crate::e::E; pub struct D; use crate::a::A;"),
            ("e.rs", "use crate::d::D; pub struct E;"),
            (
                "alone.rs",
                "use crate::d::D; use self::X as Y; pub struct X;",
            ),
        ]);
        assert_eq!(found, [vec!["a.rs", "b.rs", "c.rs"], vec!["d.rs", "e.rs"]]);
    }

    #[test]
    fn a_module_that_only_passes_names_on_is_in_no_circle() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "pub struct A;"),
            ("b.rs", "use crate::A; pub struct B;"),
        ];
        assert!(circles_of(&files).is_empty());
        let files = [
            files[0],
            files[1],
            ("a.rs", "use crate::B; pub struct A;"),
            files[2],
        ];
        let sources = Sources::new(&files).read();
        let circles = find_circles(&sources);
        let words: Vec<_> = circles[0]
            .uses
            .iter()
            .map(|(_, _, words)| words.as_str())
            .collect();
        assert_eq!(words, ["crate::B", "crate::A"]);
    }
}
