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
mod position;

pub use parser::{Directive, Environment, Key, ServerBlock, SyntaxError, parse};
pub use position::SourcePosition;
