//! From tokens to server blocks and their directives.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::SourcePosition;
use super::lexer::{self, Token};

/// Most words that snippets and imported files may add up to.
const MOST_WORDS: usize = 200_000;

/// Most `import` lines that are followed, so that files and snippets which import each other end.
const MOST_IMPORTS: usize = 1_000;

/// How deep blocks may stand in each other.
const DEEPEST: usize = 8;

/// A server block: what is done with names below its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBlock {
    /// Its keys, at least one.
    pub keys: Vec<Key>,
    /// Its directives, in their order.
    pub directives: Vec<Directive>,
}

/// A key of a server block, for example `example.org:1053`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Where it stands.
    pub place: SourcePosition,
}

/// A line of a block, with the block that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its first word.
    pub name: String,
    /// The other words of its line.
    pub arguments: Vec<String>,
    /// The lines in its braces; none if there are no braces.
    pub block: Vec<Directive>,
    /// Where it begins.
    pub place: SourcePosition,
}

/// Why a text is no Corefile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct SyntaxError {
    /// Where it is wrong.
    pub place: SourcePosition,
    /// What is wrong.
    pub reason: String,
}

/// What a Corefile may name beside itself.
pub trait Environment {
    /// Returns the value of an environment variable; empty if there is none.
    fn variable(&self, name: &str) -> String;

    /// Returns the files that a path or a pattern with one `*` names, with their texts, sorted by name.
    /// Relative paths begin where the Corefile is.
    fn files(&self, pattern: &str) -> Vec<(String, String)>;
}

/// Reads a Corefile; `file` is its name in errors.
///
/// # Errors
/// The first place at which the text is no Corefile.
pub fn parse(
    text: &str,
    file: &str,
    environment: &dyn Environment,
) -> Result<Vec<ServerBlock>, SyntaxError> {
    let file: Arc<str> = file.into();
    let mut parser = Parser {
        tokens: lexer::lex_tokens(text, &file).into(),
        last: SourcePosition { file, line: 1 },
        last_end: 0,
        snippets: BTreeMap::new(),
        imports: 0,
        words: 0,
        environment,
    };
    let mut blocks = Vec::new();
    while !parser.tokens.is_empty() {
        blocks.extend(parser.server_block()?);
    }
    Ok(blocks)
}

struct Parser<'a> {
    /// What was not read yet.
    tokens: VecDeque<Token>,
    /// Where the word that was read last began.
    last: SourcePosition,
    /// The line in which it ended.
    last_end: usize,
    snippets: BTreeMap<String, Vec<Token>>,
    imports: usize,
    words: usize,
    environment: &'a dyn Environment,
}

impl Parser<'_> {
    /// Reads a server block; nothing for the definition of a snippet, or where imports left nothing.
    fn server_block(&mut self) -> Result<Option<ServerBlock>, SyntaxError> {
        let keys = self.read_keys()?;
        if let [key] = keys.as_slice()
            && let Some(name) = key.text.strip_prefix('(')
            && let Some(name) = name.strip_suffix(')')
        {
            self.define_snippet(name, &key.place)?;
            return Ok(None);
        }
        let braces = self.next_is_brace("{");
        if braces {
            self.take_token();
        }
        let directives = self.read_directives(braces, 0)?;
        if keys.is_empty() {
            return match directives.first() {
                Some(directive) => Err(SyntaxError {
                    place: directive.place.clone(),
                    reason: "a server block needs a zone before its braces".to_owned(),
                }),
                None => Ok(None),
            };
        }
        Ok(Some(ServerBlock { keys, directives }))
    }

    /// Reads the keys of a server block: the words of a line, and of further ones after a comma.
    fn read_keys(&mut self) -> Result<Vec<Key>, SyntaxError> {
        let mut keys = Vec::new();
        let mut another = false;
        loop {
            let expected = keys.is_empty() || another;
            if expected && self.import_if_next()? {
                continue;
            }
            let goes_on = expected || !self.next_is_new_line();
            if !goes_on || self.next_is_brace("{") || self.next_is_brace("}") {
                break;
            }
            let Some(token) = self.take_token() else {
                break;
            };
            let text = self.expand_variables(&token.text);
            another = text.ends_with(',');
            // A comma may also stand between two keys, without a space.
            let parts = text.split(',').filter(|part| !part.is_empty());
            keys.extend(parts.map(|part| Key {
                text: part.to_owned(),
                place: token.place.clone(),
            }));
        }
        if another {
            return Err(self.error_here("another zone must follow the comma"));
        }
        Ok(keys)
    }

    /// Reads the lines of a block up to its brace, or to the end where there are no braces.
    fn read_directives(
        &mut self,
        braces: bool,
        depth: usize,
    ) -> Result<Vec<Directive>, SyntaxError> {
        let mut directives = Vec::new();
        loop {
            if self.import_if_next()? {
                continue;
            }
            if self.next_is_brace("}") {
                self.take_token();
                if braces {
                    return Ok(directives);
                }
                return Err(self.error_here("a brace is closed that was not opened"));
            }
            match self.take_token() {
                Some(token) => directives.push(self.read_directive(&token, depth)?),
                None if braces => return Err(self.error_here("a brace is not closed")),
                None => return Ok(directives),
            }
        }
    }

    /// Reads a line after its first word, with the block that belongs to it.
    fn read_directive(&mut self, first: &Token, depth: usize) -> Result<Directive, SyntaxError> {
        if first.is_brace("{") {
            return Err(self.error_here("a brace is opened in front of a directive"));
        }
        let mut directive = Directive {
            name: self.expand_variables(&first.text),
            arguments: Vec::new(),
            block: Vec::new(),
            place: first.place.clone(),
        };
        while !self.next_is_new_line() {
            if self.next_is_brace("}") {
                // `{ fallthrough }`: the brace ends the block around this line.
                break;
            }
            let Some(token) = self.take_token() else {
                break;
            };
            if !token.is_brace("{") {
                directive.arguments.push(self.expand_variables(&token.text));
                continue;
            }
            if depth == DEEPEST {
                return Err(self.error_here("too many blocks in each other"));
            }
            directive.block = self.read_directives(true, depth + 1)?;
            break;
        }
        Ok(directive)
    }

    /// Keeps the words of a snippet.
    fn define_snippet(&mut self, name: &str, place: &SourcePosition) -> Result<(), SyntaxError> {
        if !self.next_is_brace("{") {
            return Err(self.error_here("a snippet needs braces"));
        }
        self.take_token();
        let mut words = Vec::new();
        let mut open = 1;
        while let Some(token) = self.take_token() {
            open += usize::from(token.is_brace("{"));
            open -= usize::from(token.is_brace("}"));
            if open == 0 {
                if self.snippets.insert(name.to_owned(), words).is_some() {
                    return Err(SyntaxError {
                        place: place.clone(),
                        reason: format!("snippet {name} is there already"),
                    });
                }
                return Ok(());
            }
            words.push(token);
        }
        Err(self.error_here("a brace is not closed"))
    }

    /// Puts what an `import` at the beginning of a line names in its place; tells whether there was one.
    fn import_if_next(&mut self) -> Result<bool, SyntaxError> {
        let is_import = self.tokens.front().is_some_and(|one| one.text == "import");
        if !is_import || !self.next_is_new_line() {
            return Ok(false);
        }
        self.take_token();
        if self.next_is_new_line() || self.next_is_brace("}") {
            return Err(self.error_here("import needs a snippet, a file or a pattern"));
        }
        let name = self
            .take_token()
            .map(|token| self.expand_variables(&token.text));
        if !self.next_is_new_line() && !self.next_is_brace("}") {
            return Err(self.error_here("import takes only one argument"));
        }
        let imported = self.import_tokens(&name.unwrap_or_default())?;
        self.imports += 1;
        self.words += imported.len();
        if self.imports > MOST_IMPORTS || self.words > MOST_WORDS {
            return Err(self.error_here("too much is imported; does something import itself?"));
        }
        for token in imported.into_iter().rev() {
            self.tokens.push_front(token);
        }
        // Whatever line it stood in where it comes from, it begins one here.
        self.last_end = 0;
        Ok(true)
    }

    /// Returns the words that an import names.
    fn import_tokens(&self, name: &str) -> Result<Vec<Token>, SyntaxError> {
        if let Some(words) = self.snippets.get(name) {
            return Ok(words.clone());
        }
        let files = self.environment.files(name);
        // A pattern may have no files yet: people add them later.
        if files.is_empty() && !name.contains(['*', '?', '[']) {
            return Err(self.error_here(&format!("there is no snippet or file {name:?} to import")));
        }
        let files = files.iter();
        Ok(files
            .flat_map(|(file, text)| lexer::lex_tokens(text, &file.as_str().into()))
            .collect())
    }

    /// Puts the values of environment variables in.
    fn expand_variables(&self, text: &str) -> String {
        let once = self.expand_between(text, "{%", "%}");
        self.expand_between(&once, "{$", "}")
    }

    fn expand_between(&self, text: &str, open: &str, close: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(open) {
            let Some((name, behind)) = after.split_once(close).filter(|(name, _)| !name.is_empty())
            else {
                break;
            };
            expanded.push_str(before);
            expanded.push_str(&self.environment.variable(name));
            rest = behind;
        }
        expanded.push_str(rest);
        expanded
    }

    /// Takes the next word.
    fn take_token(&mut self) -> Option<Token> {
        let token = self.tokens.pop_front()?;
        self.last = token.place.clone();
        self.last_end = token.end;
        Some(token)
    }

    /// Tells whether the next word is that brace.
    fn next_is_brace(&self, brace: &str) -> bool {
        self.tokens.front().is_some_and(|one| one.is_brace(brace))
    }

    /// Tells whether the next word begins a line; the end of the text counts too.
    fn next_is_new_line(&self) -> bool {
        self.tokens.front().is_none_or(|next| {
            next.place.file != self.last.file
                || next.place.line > self.last_end
                || next.place.line < self.last.line
        })
    }

    /// An error at the word that was read last.
    fn error_here(&self, reason: &str) -> SyntaxError {
        SyntaxError {
            place: self.last.clone(),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
