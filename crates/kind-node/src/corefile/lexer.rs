//! From text to tokens.

use std::sync::Arc;

use super::SourcePosition;

/// A word of a Corefile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it says, without its quotes.
    pub(super) text: String,
    /// Where it begins.
    pub(super) place: SourcePosition,
    /// The line in which it ends; a quoted word may have several.
    pub(super) end: usize,
    /// It stood in quotes, so that a brace in it is only text.
    pub(super) quoted: bool,
}

impl Token {
    /// Tells whether it is that brace.
    pub(super) fn is_brace(&self, brace: &str) -> bool {
        !self.quoted && self.text == brace
    }
}

/// Splits a text into words. A quote that is never closed reaches to the end of the text.
pub(super) fn lex_tokens(text: &str, file: &Arc<str>) -> Vec<Token> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lexer = Lexer {
        characters: text.chars().peekable(),
        line: 1,
        file,
    };
    std::iter::from_fn(|| lexer.read_token()).collect()
}

struct Lexer<'a> {
    characters: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    file: &'a Arc<str>,
}

impl Lexer<'_> {
    /// Reads the next word.
    fn read_token(&mut self) -> Option<Token> {
        self.skip_space();
        let place = SourcePosition {
            file: self.file.clone(),
            line: self.line,
        };
        let quoted = *self.characters.peek()? == '"';
        let text = if quoted {
            self.characters.next();
            self.quoted_word()
        } else {
            self.plain_word()
        };
        Some(Token {
            text,
            place,
            end: self.line,
            quoted,
        })
    }

    /// Goes to the beginning of a word, past white space and comments.
    fn skip_space(&mut self) {
        let mut comment = false;
        while let Some(&character) = self.characters.peek() {
            comment = (comment || character == '#') && character != '\n';
            if !comment && !character.is_whitespace() {
                return;
            }
            self.advance();
        }
    }

    /// Reads up to the closing quote. A backslash makes a quote part of the word, and is itself otherwise.
    fn quoted_word(&mut self) -> String {
        let mut text = String::new();
        while let Some(character) = self.advance() {
            match character {
                '"' => break,
                '\\' if self.characters.peek() == Some(&'"') => {
                    self.advance();
                    text.push('"');
                }
                '\\' => {
                    text.push('\\');
                    // What follows is taken as it is, another backslash too.
                    text.extend(self.advance());
                }
                _ => text.push(character),
            }
        }
        text
    }

    /// Reads up to white space or a comment.
    fn plain_word(&mut self) -> String {
        let mut text = String::new();
        while let Some(&character) = self.characters.peek() {
            if character.is_whitespace() || character == '#' {
                break;
            }
            text.push(character);
            self.advance();
        }
        text
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.characters.next()?;
        self.line += usize::from(character == '\n');
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, usize)> {
        let all = lex_tokens(text, &"Corefile".into());
        all.into_iter()
            .map(|token| (token.text, token.place.line))
            .collect()
    }

    #[test]
    fn words_of_texts() {
        for (text, expected) in [
            ("", &[][..]),
            (" \n\t\r\n", &[]),
            ("# only a comment", &[]),
            (
                ".:53 {\r\n  errors # all\n}\n",
                &[(".:53", 1), ("{", 1), ("errors", 2), ("}", 3)],
            ),
            ("a#b c\nd", &[("a", 1), ("d", 2)]),
            ("log \"a b\\\"c\" d", &[("log", 1), ("a b\"c", 1), ("d", 1)]),
            (r#"match "^(.*)\.a\\""#, &[("match", 1), (r"^(.*)\.a\\", 1)]),
            ("\"two\nlines\" x", &[("two\nlines", 1), ("x", 2)]),
            ("a\"b c\"", &[("a\"b", 1), ("c\"", 1)]),
            ("\u{feff}x", &[("x", 1)]),
            ("\"\" \"never closed", &[("", 1), ("never closed", 1)]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(word, line)| ((*word).to_owned(), *line))
                .collect();
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_brace_is_text() {
        let all = lex_tokens("{ \"{\"", &"Corefile".into());
        let braces: Vec<_> = all.iter().map(|token| token.is_brace("{")).collect();
        assert_eq!(braces, [true, false]);
    }
}
