//! What others may use and nobody has described.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, File, ImplItemConst, ImplItemFn, ImplItemType, Item, ItemConst, ItemEnum,
    ItemFn, ItemStatic, ItemStruct, ItemTrait, ItemTraitAlias, ItemType, ItemUnion, TraitItem,
    TraitItemConst, TraitItemFn, TraitItemType, Visibility,
};

use super::source::name_of;

/// Finds what all of the crate or others may use (`pub`, `pub(crate)`) and has no documentation, with its line:
/// items, methods and constants of types; variants and what a trait asks for, if the enum or trait is
/// visible; fields that are `pub` and have names; and files that do not say what they are. Re-exports and
/// implementations of traits need none.
pub(super) fn find_undocumented(file: &File) -> Vec<(usize, String)> {
    let mut finder = Finder::default();
    if !is_documented(&file.attrs) {
        finder.found.push((1, "the file".to_owned()));
    }
    finder.visit_file(file);
    finder.found
}

#[derive(Default)]
struct Finder {
    found: Vec<(usize, String)>,
}

impl Finder {
    fn note(&mut self, attributes: &[Attribute], name: &Ident) {
        if !is_documented(attributes) {
            self.found.push((name.span().start().line, name_of(name)));
        }
    }

    fn note_visible(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &Ident) {
        if is_visible(visibility) {
            self.note(attributes, name);
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Const(ItemConst {
                attrs, vis, ident, ..
            })
            | Item::Enum(ItemEnum {
                attrs, vis, ident, ..
            })
            | Item::Static(ItemStatic {
                attrs, vis, ident, ..
            })
            | Item::Struct(ItemStruct {
                attrs, vis, ident, ..
            })
            | Item::Trait(ItemTrait {
                attrs, vis, ident, ..
            })
            | Item::TraitAlias(ItemTraitAlias {
                attrs, vis, ident, ..
            })
            | Item::Type(ItemType {
                attrs, vis, ident, ..
            })
            | Item::Union(ItemUnion {
                attrs, vis, ident, ..
            }) => {
                self.note_visible(vis, attrs, ident);
            }
            Item::Fn(ItemFn {
                attrs, vis, sig, ..
            }) => self.note_visible(vis, attrs, &sig.ident),
            Item::Mod(module) if module.content.is_some() => {
                self.note_visible(&module.vis, &module.attrs, &module.ident);
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        for variant in item.variants.iter().filter(|_| is_visible(&item.vis)) {
            self.note(&variant.attrs, &variant.ident);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        for part in item.items.iter().filter(|_| is_visible(&item.vis)) {
            match part {
                TraitItem::Const(TraitItemConst { attrs, ident, .. })
                | TraitItem::Type(TraitItemType { attrs, ident, .. }) => self.note(attrs, ident),
                TraitItem::Fn(TraitItemFn { attrs, sig, .. }) => self.note(attrs, &sig.ident),
                _ => {}
            }
        }
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let (Visibility::Public(_), Some(name)) = (&field.vis, &field.ident) {
            self.note(&field.attrs, name);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.note_visible(&item.vis, &item.attrs, &item.sig.ident);
    }

    fn visit_impl_item_const(&mut self, item: &'ast ImplItemConst) {
        self.note_visible(&item.vis, &item.attrs, &item.ident);
    }

    fn visit_impl_item_type(&mut self, item: &'ast ImplItemType) {
        self.note_visible(&item.vis, &item.attrs, &item.ident);
    }
}

fn is_documented(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("doc"))
}

fn is_visible(visibility: &Visibility) -> bool {
    match visibility {
        Visibility::Public(_) => true,
        Visibility::Restricted(restricted) => restricted.path.is_ident("crate"),
        Visibility::Inherited => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::source_of;

    #[test]
    fn what_nobody_described_is_named() {
        let source = source_of(
            "//! A file.\n\
             pub mod elsewhere_told {}\n\
             /// Told.\npub struct Told { pub open: u8, pub(crate) ours: u8, closed: u8 }\n\
             pub(crate) struct Tuple(pub u8);\n\
             /// Told.\npub enum Choice { /// Told.\n One, Other }\n\
             enum Own { One }\n\
             /// Told.\npub trait Shape { fn area(&self); }\n\
             pub(super) trait Near { fn area(&self); }\n\
             impl Shape for Told { fn area(&self) {} }\n\
             impl Told { pub const X: u8 = 1; fn own() {} pub fn theirs() {} }\n\
             pub(super) fn near() {}\n\
             pub use std::fs;\n",
        );
        let found = find_undocumented(&source.syntax);
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        let expected = [
            "elsewhere_told",
            "open",
            "Tuple",
            "Other",
            "area",
            "X",
            "theirs",
        ];
        assert_eq!(names, expected);
        assert_eq!(found[1].0, 4);
        let bare = source_of("fn f() {}");
        assert_eq!(
            find_undocumented(&bare.syntax),
            [(1, "the file".to_owned())]
        );
    }
}
