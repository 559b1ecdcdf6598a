//! `match` on a truth value, which `if` says better.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, ExprMatch, Lit, Pat};

/// Finds the lines of every `match` that has `true` or `false` as the pattern of an arm.
pub(super) fn find_bool_matches(file: &syn::File) -> Vec<usize> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.lines
}

#[derive(Default)]
struct Finder {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        if expression.arms.iter().any(is_bool) {
            self.lines.push(expression.match_token.span().start().line);
        }
        visit::visit_expr_match(self, expression);
    }
}

fn is_bool(arm: &Arm) -> bool {
    let pattern = match &arm.pat {
        Pat::Guard(guard) => &guard.pat,
        pattern => pattern,
    };
    matches!(pattern, Pat::Lit(literal) if matches!(literal.lit, Lit::Bool(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::source_of;

    #[test]
    fn only_bare_truth_values_count() {
        let source = source_of(
            "fn f(a: bool, b: bool) -> u8 {\n\
             match a {\n true if b => 1,\n false => match b { true => 2, _ => 3 },\n _ => 4 };\n\
             match (a, b) { (true, true) => 1, _ => 2 };\n\
             match Some(a) { Some(true) => 1, _ => 2 }\n}\n",
        );
        assert_eq!(find_bool_matches(&source.syntax), [2, 4]);
    }
}
