//! The text of a Corefile, CoreDNS's configuration: server blocks, and in them directives.
//!
//! ```text
//! text ─► lexer ─► tokens ─► parser (environment, snippets, imports) ─► server blocks
//! ```
//!
//! The rules are those of corefile(5): words end at white space, `"` quotes, `#` begins a comment, `{$NAME}`
//! and `{%NAME%}` stand for environment variables, `(name) { … }` is a snippet, `import` takes a snippet or
//! files. What a directive means is not known here. Pure: variables and files come in through
//! [`Environment`]. Nothing takes longer than the bounds in `parser` allow, whatever the text is.

mod lexer;
mod parser;

pub use parser::{Directive, Environment, Key, ServerBlock, SyntaxError, parse};

use std::fmt;
use std::sync::Arc;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePosition {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The line, from one.
    pub line: usize,
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}
