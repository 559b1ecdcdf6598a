//! Parameters that are taken apart as tuples: several that pass for one.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{FnArg, Pat, Signature};

/// Finds the lines of every such parameter of a function with a name.
pub(super) fn find_tuple_parameters(file: &syn::File) -> Vec<usize> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.lines
}

#[derive(Default)]
struct Finder {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        let tuples = signature.inputs.iter().filter(|input| is_tuple(input));
        self.lines
            .extend(tuples.map(|tuple| tuple.span().start().line));
        visit::visit_signature(self, signature);
    }
}

fn is_tuple(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(typed) if matches!(*typed.pat, Pat::Tuple(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::source_of;

    #[test]
    fn only_parameters_of_functions_count() {
        let source = source_of(
            "fn f((a, b): (u8, u8), pair: (u8, u8)) {\n\
             let g = |(a, b): (u8, u8)| a;\n}\n\
             impl A { fn h(\n&self,\n(a, b): (u8, u8)) {} }\n",
        );
        assert_eq!(find_tuple_parameters(&source.syntax), [1, 6]);
    }
}
