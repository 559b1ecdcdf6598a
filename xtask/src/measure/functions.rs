//! Functions: what they are called and how long they are.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, ItemImpl, Signature, TraitItemFn};

use super::source::name_of;

/// A function or method that has a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line that it begins on, behind its documentation and attributes.
    pub(super) line: usize,
    /// Its name was chosen here: it does not implement what a trait asks for.
    pub(super) is_named_here: bool,
    /// How many lines it has from there to its closing brace.
    pub(super) length: usize,
}

impl Function {
    /// Its name is one word: no `_` but in front.
    pub(super) fn has_one_word(&self) -> bool {
        !self.name.trim_start_matches('_').contains('_')
    }
}

/// Finds every `fn` with a name: free ones, methods, those that traits ask for and those that implement them,
/// and functions within functions. Closures and what macros make are not seen.
pub(super) fn find_functions(file: &syn::File) -> Vec<Function> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.functions
}

#[derive(Default)]
struct Finder {
    functions: Vec<Function>,
    /// What is visited implements a trait.
    is_in_trait: bool,
}

impl Finder {
    fn note(&mut self, signature: &Signature, whole: &impl Spanned, is_named_here: bool) {
        let first = signature.span().start().line;
        self.functions.push(Function {
            name: name_of(&signature.ident),
            line: first,
            is_named_here,
            length: whole.span().end().line + 1 - first,
        });
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.note(&function.sig, function, true);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        let before = std::mem::replace(&mut self.is_in_trait, block.trait_.is_some());
        visit::visit_item_impl(self, block);
        self.is_in_trait = before;
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.note(&function.sig, function, !self.is_in_trait);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.note(&function.sig, function, true);
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::source_of;

    #[test]
    fn names_and_lengths_are_those_of_the_source() {
        let source = source_of(
            "/// Does it.\n#[inline]\npub(crate) fn run(\n    x: u8,\n) -> u8 {\n    fn r#type() {}\n    x\n}\n\
             trait Shape {\n    fn _area(&self);\n    fn has_area() -> bool { true }\n}\n\
             impl Drop for Thing { fn drop(&mut self) {} }\n\
             #[cfg(test)]\nfn test() {}\n",
        );
        let found = find_functions(&source.syntax);
        let shown: Vec<_> = found
            .iter()
            .map(|function| (function.name.as_str(), function.line, function.length))
            .collect();
        let expected = [
            ("run", 3, 6),
            ("type", 6, 1),
            ("_area", 10, 1),
            ("has_area", 11, 1),
            ("drop", 13, 1),
        ];
        assert_eq!(shown, expected);
        let words: Vec<_> = found.iter().map(Function::has_one_word).collect();
        assert_eq!(words, [true, true, true, false, true]);
        let named: Vec<_> = found
            .iter()
            .map(|function| function.is_named_here)
            .collect();
        assert_eq!(named, [true, true, true, true, false]);
    }
}
