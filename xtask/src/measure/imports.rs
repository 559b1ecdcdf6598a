//! Which file of a crate uses what another one defines.
//!
//! A file uses another one if it names something that is defined there: in a `use`, in a path, or in the words
//! of a macro. Names are followed through modules, imports and re-exports to the file that has the
//! definition, so that `crate::Error` counts for the file of that error and not for the root of the crate.
//! Declaring a module, re-exporting from it and naming it use nothing of it. Methods are found by the types
//! whose names appear; attributes are not read.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Path, UseTree, Visibility};

use super::source::{Source, name_of};

/// Pairs of files of a crate by their positions, the first of which uses the second, and a path that says so.
pub(super) type Uses = BTreeMap<(usize, usize), String>;

/// Finds out who uses whom among the files of a crate.
pub(super) fn find_uses(sources: &[Source]) -> Uses {
    let modules = Modules::new(sources);
    let mut uses = Uses::new();
    for (name, module) in &modules.0 {
        for path in module.paths.iter().chain(module.private_imports()) {
            if let Some(Found::Item(file)) = modules.resolve(name, path, &mut Seen::new())
                && file != module.file
            {
                uses.entry((module.file, file)).or_insert(path.join("::"));
            }
        }
    }
    uses
}

type Words = Vec<String>;

/// What has been looked up on the way: modules, names in them, and whether these are the last of a path. Imports
/// may lead in circles, too.
type Seen = BTreeSet<(Words, String, bool)>;

/// Modules of a crate by their names.
struct Modules(BTreeMap<Words, Module>);

/// What stands in a module.
#[derive(Default)]
struct Module {
    /// The position of its file.
    file: usize,
    /// The modules that it declares.
    children: BTreeSet<String>,
    /// What else it defines.
    items: BTreeSet<String>,
    imports: BTreeMap<String, Import>,
    /// The modules and enums of which it imports everything.
    globs: Vec<Words>,
    /// The paths in its code.
    paths: BTreeSet<Words>,
}

/// A name that stands for something else.
struct Import {
    path: Words,
    is_private: bool,
}

impl Module {
    fn private_imports(&self) -> impl Iterator<Item = &Words> {
        let imports = self.imports.values().filter(|import| import.is_private);
        imports.map(|import| &import.path)
    }
}

/// What a path leads to.
enum Found {
    Module(Words),
    /// Something in the file of that position.
    Item(usize),
}

impl Modules {
    fn new(sources: &[Source]) -> Self {
        let mut modules = Self(BTreeMap::new());
        for (file, source) in sources.iter().enumerate() {
            modules.add(file, &source.module, &source.syntax.items);
        }
        modules
    }

    fn add(&mut self, file: usize, name: &[String], items: &[Item]) {
        let mut module = Module {
            file,
            ..Module::default()
        };
        for item in items {
            let Item::Mod(below) = item else {
                module.visit_item(item);
                continue;
            };
            let child = name_of(&below.ident);
            if let Some((_, items)) = &below.content {
                self.add(file, &[name, std::slice::from_ref(&child)].concat(), items);
            }
            module.children.insert(child);
        }
        self.0.insert(name.to_owned(), module);
    }

    /// Follows a path that stands in the module `from`; nothing if it leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String], seen: &mut Seen) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Found::Module(Vec::new()),
            "self" => Found::Module(from.to_owned()),
            "super" => Found::Module(parent_of(from)),
            name => self.look_up(from, name, rest.is_empty(), seen)?,
        };
        for (position, word) in rest.iter().enumerate() {
            let Found::Module(module) = &found else {
                break;
            };
            let is_last = position + 1 == rest.len();
            found = match word.as_str() {
                "super" => Found::Module(parent_of(module)),
                name => self.look_up(module, name, is_last, seen)?,
            };
        }
        Some(found)
    }

    /// What a name stands for in a module. If more of a path comes behind it, a module comes first.
    fn look_up(
        &self,
        module: &[String],
        name: &str,
        is_last: bool,
        seen: &mut Seen,
    ) -> Option<Found> {
        if !seen.insert((module.to_owned(), name.to_owned(), is_last)) {
            return None;
        }
        let here = self.0.get(module)?;
        let child = here
            .children
            .get(name)
            .map(|child| Found::Module([module, std::slice::from_ref(child)].concat()));
        if child.is_some() && !is_last {
            return child;
        }
        if here.items.contains(name) {
            return Some(Found::Item(here.file));
        }
        let import = here.imports.get(name);
        let import = import.and_then(|import| self.resolve(module, &import.path, seen));
        import
            .or(child)
            .or_else(|| self.look_up_in_globs(module, name, is_last, seen))
    }

    fn look_up_in_globs(
        &self,
        module: &[String],
        name: &str,
        is_last: bool,
        seen: &mut Seen,
    ) -> Option<Found> {
        let globs = &self.0.get(module)?.globs;
        globs
            .iter()
            .find_map(|glob| match self.resolve(module, glob, seen)? {
                Found::Module(all) => self.look_up(&all, name, is_last, seen),
                Found::Item(_) => None,
            })
    }
}

fn parent_of(module: &[String]) -> Words {
    module
        .split_last()
        .map_or_else(Vec::new, |(_, parent)| parent.to_owned())
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::TraitAlias(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            Item::Macro(item) => item.ident.as_ref(),
            _ => None,
        };
        self.items.extend(name.map(name_of));
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let is_private = matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, &mut Vec::new(), is_private);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let words = path.segments.iter().map(|segment| name_of(&segment.ident));
            self.paths.insert(words.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        collect_paths(tokens.clone(), &mut self.paths);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &mut Words, is_private: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(name_of(&path.ident));
                self.import(&path.tree, before, is_private);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_private);
                }
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Name(item) => self.import_as(name_of(&item.ident), None, before, is_private),
            UseTree::Rename(item) => {
                let alias = Some(name_of(&item.rename));
                self.import_as(name_of(&item.ident), alias, before, is_private);
            }
        }
    }

    /// Notes one name; `self` stands for what comes before it.
    fn import_as(
        &mut self,
        name: String,
        alias: Option<String>,
        before: &[String],
        is_private: bool,
    ) {
        let mut path = before.to_owned();
        if name != "self" {
            path.push(name);
        }
        if let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.imports.insert(name, Import { path, is_private });
        }
    }
}

/// Collects what looks like a path in the words of a macro.
fn collect_paths(tokens: TokenStream, paths: &mut BTreeSet<Words>) {
    let mut words = Words::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Punct(point) if point.as_char() == ':' => colons += 1,
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    paths.insert(std::mem::take(&mut words));
                }
                words.push(name_of(&ident));
                colons = 0;
            }
            other => {
                paths.insert(std::mem::take(&mut words));
                colons = 0;
                if let TokenTree::Group(group) = other {
                    collect_paths(group.stream(), paths);
                }
            }
        }
    }
    paths.insert(words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    /// The uses between files, each as `user > used`.
    fn uses_of(files: &[(&str, &str)]) -> Vec<String> {
        let sources = Sources::new(files).read();
        let name = |file: usize| sources[file].module.join("::");
        let uses = find_uses(&sources);
        let mut uses: Vec<_> = uses
            .keys()
            .map(|(user, used)| format!("{} > {}", name(*user), name(*used)))
            .collect();
        uses.sort();
        uses
    }

    #[test]
    fn names_lead_to_the_file_that_defines_them() {
        let uses = uses_of(&[
            (
                "lib.rs",
                "mod error; mod a; mod b; pub use error::Error; use a::X as Y; pub struct Own;",
            ),
            ("error.rs", "pub struct Error;"),
            (
                "a.rs",
                "use crate::Error; pub struct X; fn f() -> super::b::Z { super::b::Z }",
            ),
            (
                "b.rs",
                "mod deep; pub use self::deep::{self, Z}; fn f(_: crate::Own) {}",
            ),
            (
                "b/deep.rs",
                "pub struct Z; use std::fs; fn f() { fs::read(\"\"); println!(\"{}\", crate::a::X); }",
            ),
        ]);
        assert_eq!(
            uses,
            [" > a", "a > b::deep", "a > error", "b > ", "b::deep > a"]
        );
    }

    #[test]
    fn modules_and_what_they_hold_may_have_one_name() {
        let uses = uses_of(&[
            (
                "lib.rs",
                "mod run; mod user; pub use run::run; mod inside { pub(crate) fn f() { super::user::go() } }",
            ),
            (
                "run.rs",
                "pub fn run() {} pub mod kinds { pub enum Kind { One } }",
            ),
            (
                "user.rs",
                "use crate::run::{self, kinds::*}; pub fn go() { run::run(); Kind::One; crate::run(); serde::serde(); }",
            ),
        ]);
        assert_eq!(uses, [" > user", "user > run"]);
    }

    #[test]
    fn tests_use_nothing() {
        let uses = uses_of(&[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "pub struct X; #[cfg(test)] mod tests { use crate::b::Y; }",
            ),
            ("b.rs", "pub struct Y; #[cfg(test)] use crate::a::X;"),
        ]);
        assert!(uses.is_empty(), "{uses:?}");
    }
}
