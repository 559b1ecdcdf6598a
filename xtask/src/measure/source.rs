//! The files of a crate, found as the compiler finds them: from its root along `mod`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ImplItem, Item, ItemConst, ItemEnum, ItemExternCrate, ItemFn, ItemForeignMod,
    ItemImpl, ItemMacro, ItemMod, ItemStatic, ItemStruct, ItemTrait, ItemTraitAlias, ItemType,
    ItemUnion, ItemUse, Lit, Meta, Token,
};

use crate::Failure;

/// A file, without what is compiled for tests only.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Where its module is in the crate; empty at the root.
    pub(super) module: Vec<String>,
    /// All of it is compiled for tests only.
    pub(super) is_test: bool,
    /// A program wrote it, and says so.
    pub(super) is_generated: bool,
    /// Its items, without those for tests unless all of it is for tests.
    pub(super) syntax: syn::File,
    /// Lines that are not empty: those of the product, and those of tests.
    pub(super) product_lines: usize,
    pub(super) test_lines: usize,
}

/// Reads the crate with this root file, all of whose files are for tests if `is_test`.
pub(super) fn read_crate(root: &Path, is_test: bool) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    let directory = root.parent().unwrap_or(root).to_owned();
    let place = Place {
        module: Vec::new(),
        directory,
        is_test,
    };
    read_file(root, &place, &mut sources)?;
    Ok(sources)
}

/// Where a module stands.
#[derive(Clone)]
struct Place {
    module: Vec<String>,
    /// Where the files of its own modules are.
    directory: PathBuf,
    is_test: bool,
}

impl Place {
    /// The place of a module that is declared here.
    fn below(&self, module: &ItemMod) -> Self {
        let mut below = self.clone();
        let name = name_of(&module.ident);
        below.directory.push(&name);
        below.module.push(name);
        below.is_test |= is_for_tests(&module.attrs);
        below
    }
}

/// An identifier without the mark of a raw one.
pub(super) fn name_of(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.trim_start_matches("r#").to_owned()
}

fn read_file(path: &Path, place: &Place, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let text = fs::read_to_string(path)?;
    let parsed = syn::parse_file(&text);
    let mut syntax = parsed.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut place = place.clone();
    place.is_test |= is_for_tests(&syntax.attrs);
    read_modules(&syntax.items, path, &place, sources)?;
    let mut for_tests = BTreeSet::new();
    if !place.is_test {
        remove_tests(&mut syntax.items, &mut for_tests);
    }
    let filled = text.lines().enumerate();
    let filled = filled.filter(|(_, line)| !line.trim().is_empty());
    let is_test = |number: usize| place.is_test || for_tests.contains(&(number + 1));
    let (tests, product): (Vec<_>, Vec<_>) = filled.partition(|(number, _)| is_test(*number));
    sources.push(Source {
        path: path.to_owned(),
        module: place.module,
        is_test: place.is_test,
        is_generated: text
            .lines()
            .any(|line| line.starts_with("// ") && line.contains("@generated")),
        syntax,
        product_lines: product.len(),
        test_lines: tests.len(),
    });
    Ok(())
}

/// Reads the files of the modules that `items` declare.
fn read_modules(
    items: &[Item],
    path: &Path,
    place: &Place,
    sources: &mut Vec<Source>,
) -> Result<(), Failure> {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let mut below = place.below(module);
        if let Some((_, items)) = &module.content {
            read_modules(items, path, &below, sources)?;
            continue;
        }
        let file = file_of(module, path, &below.directory);
        if named_path(&module.attrs).is_some() {
            below.directory = file.parent().unwrap_or(&file).to_owned();
        }
        read_file(&file, &below, sources)?;
    }
    Ok(())
}

/// The file of a module that is declared in the file at `path`; its own modules are in `directory`.
fn file_of(module: &ItemMod, path: &Path, directory: &Path) -> PathBuf {
    if let Some(named) = named_path(&module.attrs) {
        return path.parent().unwrap_or(path).join(named);
    }
    let inside = directory.join("mod.rs");
    if inside.exists() {
        return inside;
    }
    directory.with_extension("rs")
}

/// What `#[path = "…"]` says.
fn named_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("path")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            return Some(text.value());
        }
        None
    })
}

/// Removes what is compiled for tests only, and notes the lines of it.
fn remove_tests(items: &mut Vec<Item>, lines: &mut BTreeSet<usize>) {
    items.retain(|item| {
        let is_test = is_for_tests(attributes_of(item));
        lines.extend(lines_of(item).filter(|_| is_test));
        !is_test
    });
    for item in items {
        if let Item::Impl(block) = item {
            remove_test_methods(&mut block.items, lines);
        } else if let Item::Mod(module) = item
            && let Some((_, items)) = &mut module.content
        {
            remove_tests(items, lines);
        }
    }
}

fn remove_test_methods(items: &mut Vec<ImplItem>, lines: &mut BTreeSet<usize>) {
    items.retain(|item| {
        let ImplItem::Fn(method) = item else {
            return true;
        };
        let is_test = is_for_tests(&method.attrs);
        lines.extend(lines_of(item).filter(|_| is_test));
        !is_test
    });
}

/// The numbers of the lines that something is on, its documentation included.
fn lines_of(syntax: &impl Spanned) -> RangeInclusive<usize> {
    let span = syntax.span();
    span.start().line..=span.end().line
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(ItemConst { attrs, .. })
        | Item::Enum(ItemEnum { attrs, .. })
        | Item::ExternCrate(ItemExternCrate { attrs, .. })
        | Item::Fn(ItemFn { attrs, .. })
        | Item::ForeignMod(ItemForeignMod { attrs, .. })
        | Item::Impl(ItemImpl { attrs, .. })
        | Item::Macro(ItemMacro { attrs, .. })
        | Item::Mod(ItemMod { attrs, .. })
        | Item::Static(ItemStatic { attrs, .. })
        | Item::Struct(ItemStruct { attrs, .. })
        | Item::Trait(ItemTrait { attrs, .. })
        | Item::TraitAlias(ItemTraitAlias { attrs, .. })
        | Item::Type(ItemType { attrs, .. })
        | Item::Union(ItemUnion { attrs, .. })
        | Item::Use(ItemUse { attrs, .. }) => attrs,
        _ => &[],
    }
}

/// One of the attributes is a `cfg` that holds for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.parse_args::<Meta>();
        attribute.path().is_ident("cfg") && condition.is_ok_and(|meta| needs_test(&meta))
    })
}

/// A condition that cannot hold unless `test` does.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts = parts.unwrap_or_default();
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}

#[cfg(test)]
mod tests {
    use crate::measure::testing::Sources;

    const ROOT: &str = r#"
//! A crate.
mod plain;
mod folder;
mod inside { mod deep; }
#[path = "elsewhere.rs"]
mod named;

/// Needed
/// by tests.
#[cfg(all(test, unix))]
fn helper() {}

struct Thing;

impl Thing {
    #[cfg(test)]
    fn look() {}

    #[cfg(any(test, feature = "fake"))]
    fn fake() {}
}

#[cfg(test)]
mod tests;
"#;

    #[test]
    fn files_are_found_as_the_compiler_finds_them() {
        let files = Sources::new(&[
            ("lib.rs", ROOT),
            ("plain.rs", "mod below;"),
            ("plain/below.rs", ""),
            ("folder/mod.rs", "mod r#type;"),
            ("folder/type.rs", ""),
            ("inside/deep.rs", ""),
            ("elsewhere.rs", "mod next;"),
            ("next.rs", ""),
            ("tests.rs", "mod support;"),
            ("tests/support.rs", "fn help() {}"),
        ]);
        let mut found: Vec<_> = files
            .read()
            .into_iter()
            .map(|source| source.module.join("::"))
            .collect();
        found.sort();
        let expected = [
            "",
            "folder",
            "folder::type",
            "inside::deep",
            "named",
            "named::next",
            "plain",
            "plain::below",
            "tests",
            "tests::support",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_for_tests_alone_is_no_product() {
        let files = Sources::new(&[
            (
                "lib.rs",
                &ROOT.replace("mod plain;\nmod folder;\nmod inside { mod deep; }", ""),
            ),
            ("elsewhere.rs", ""),
            ("tests.rs", "mod support;"),
            ("tests/support.rs", "fn help() {}\n\n"),
        ]);
        let sources = files.read();
        let of = |module: &str| {
            let mut sources = sources.iter();
            sources
                .find(|source| source.module.join("::") == module)
                .unwrap()
        };
        assert_eq!((of("").product_lines, of("").test_lines), (8, 8));
        assert!(of("tests::support").is_test && !of("named").is_test);
        assert_eq!(of("tests::support").product_lines, 0);
        assert_eq!(of("tests::support").test_lines, 1);
        assert_eq!(of("").syntax.items.len(), 3);
    }
}
