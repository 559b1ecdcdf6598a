//! Regular expressions in directives.

use regex_lite::{Regex, RegexBuilder};

use super::arguments::{DirectiveError, invalid_directive};

/// The longest expression; CoreDNS has the same bound.
const LONGEST_EXPRESSION: usize = 10_000;

/// Memory that an expression may take.
const LARGEST_EXPRESSION: usize = 1 << 20;

/// Reads an expression. Its syntax is that of Go's as far as names go.
pub(super) fn compile_expression(text: &str) -> Result<Regex, DirectiveError> {
    if text.len() > LONGEST_EXPRESSION {
        return invalid_directive("the expression is too long");
    }
    let built = RegexBuilder::new(text)
        .size_limit(LARGEST_EXPRESSION)
        .build();
    built.or_else(|error| invalid_directive(format!("{text:?} is no expression: {error}")))
}
