//! YAML text as a tree of values that know their lines.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag};

use super::error::TAB;
use super::{Error, Scalar};

/// A value and the line it starts at.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) line: usize,
    pub(crate) content: Content,
}

impl Tree {
    /// True for `null`, `~` and nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Plain(text) if Scalar::of(text) == Scalar::Null)
    }
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// An unquoted scalar; what it means is the reader's decision.
    Plain(String),
    /// A scalar that is text because it is quoted or tagged so.
    Text(String),
    Sequence(Vec<Tree>),
    Mapping(Entries),
}

/// The entries of a mapping, merged ones included. A key stands once in `entries`; where the source
/// has it again, `duplicates` says so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    pub(crate) entries: Vec<Entry>,
    pub(crate) duplicates: Vec<Duplicate>,
}

#[derive(Debug, Clone)]
/// A key of a mapping with its value.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) value: Tree,
}

/// A key that a mapping already has.
#[derive(Debug, Clone)]
pub(crate) struct Duplicate {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) first: usize,
}

/// Reads the first document; `None` if the text holds none.
pub(crate) fn first_document(text: &str) -> Result<Option<Tree>, Error> {
    Reader::new(text).next_document()
}

/// Reads every document.
pub(crate) fn all_documents(text: &str) -> Result<Vec<Tree>, Error> {
    let mut reader = Reader::new(text);
    std::iter::from_fn(|| reader.next_document().transpose()).collect()
}

/// Values that one text may hold once its aliases are written out; far above any real file, and
/// soon enough to stop one that doubles itself with every line.
const BUDGET: usize = 250_000;

struct Reader<'a> {
    lines: Vec<&'a str>,
    parser: Parser<'a, StrInput<'a>>,
    /// Anchored values of the document with their sizes.
    anchors: HashMap<usize, (Tree, usize)>,
    read: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        Self {
            lines: text.lines().collect(),
            parser: Parser::new_from_str_with_options(text, options),
            anchors: HashMap::new(),
            read: 0,
        }
    }

    fn next_document(&mut self) -> Result<Option<Tree>, Error> {
        loop {
            match self.next_event()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::StreamStart | Event::DocumentEnd, _)) => {}
                Some((Event::DocumentStart(..), _)) => self.anchors.clear(),
                Some((event, span)) => return self.value(event, span).map(Some),
            }
        }
    }

    fn next_event(&mut self) -> Result<Option<(Event<'a>, Span)>, Error> {
        self.parser
            .next_event()
            .transpose()
            .map_err(|error| self.syntax(&error))
    }

    fn value(&mut self, event: Event<'a>, span: Span) -> Result<Tree, Error> {
        let line = match event {
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                self.block_header(span.start.line())
            }
            _ => span.start.line(),
        };
        let start = self.read;
        self.spend(1, line)?;
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (scalar(text.into_owned(), style, tag.as_deref()), anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence()?, anchor),
            Event::MappingStart(style, anchor, _) => (self.mapping(style)?, anchor),
            Event::Alias(id) => return self.alias(id, line),
            _ => return Err(syntax_error(line, "a value is missing")),
        };
        let tree = Tree { line, content };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (tree.clone(), self.read - start));
        }
        Ok(tree)
    }

    fn alias(&mut self, id: usize, line: usize) -> Result<Tree, Error> {
        let Some((tree, size)) = self.anchors.get(&id) else {
            return Err(syntax_error(line, "an anchor's value contains itself"));
        };
        let (tree, size) = (tree.clone(), *size);
        self.spend(size, line)?;
        Ok(tree)
    }

    fn sequence(&mut self) -> Result<Content, Error> {
        let mut items = Vec::new();
        loop {
            match self.next_event()? {
                None | Some((Event::SequenceEnd, _)) => return Ok(Content::Sequence(items)),
                Some((event, span)) => items.push(self.value(event, span)?),
            }
        }
    }

    fn mapping(&mut self, style: StructureStyle) -> Result<Content, Error> {
        let mut mapping = Entries::default();
        let mut places = HashMap::new();
        let mut merged = Vec::new();
        while let Some((key, value)) = self.entry()? {
            let line = key.line;
            if style == StructureStyle::Block && self.is_indented_with_tab(line) {
                return Err(syntax_error(line, TAB));
            }
            let is_merge = matches!(&key.content, Content::Plain(text) if text == "<<");
            let (Content::Plain(key) | Content::Text(key)) = key.content else {
                return Err(syntax_error(
                    line,
                    "a key must be a word, not a list or a mapping",
                ));
            };
            if is_merge {
                merged.append(&mut merge_sources(value)?);
            } else if let Some(&(index, first)) = places.get(&key) {
                // Whoever is strict refuses the duplicate; for others the last one counts.
                mapping.duplicates.push(Duplicate {
                    key: key.clone(),
                    line,
                    first,
                });
                mapping.entries[index] = Entry { key, line, value };
            } else {
                places.insert(key.clone(), (mapping.entries.len(), line));
                mapping.entries.push(Entry { key, line, value });
            }
        }
        for entry in merged {
            let place = (mapping.entries.len(), entry.line);
            if places.insert(entry.key.clone(), place).is_none() {
                mapping.entries.push(entry);
            }
        }
        Ok(Content::Mapping(mapping))
    }

    fn entry(&mut self) -> Result<Option<(Tree, Tree)>, Error> {
        let (event, span) = match self.next_event()? {
            None | Some((Event::MappingEnd, _)) => return Ok(None),
            Some(next) => next,
        };
        let key = self.value(event, span)?;
        let Some((event, span)) = self.next_event()? else {
            return Err(syntax_error(key.line, "a key has no value"));
        };
        Ok(Some((key, self.value(event, span)?)))
    }

    /// The line of a block scalar's `|` or `>`, from the line of its text.
    fn block_header(&self, text: usize) -> usize {
        let before = self.lines.get(..text.saturating_sub(1)).unwrap_or(&[]);
        let header = before.iter().rposition(|line| !line.trim().is_empty());
        header.map_or(text, |index| index + 1)
    }

    fn is_indented_with_tab(&self, line: usize) -> bool {
        let text = self.lines.get(line.saturating_sub(1)).unwrap_or(&"");
        let indentation = text.len() - text.trim_start().len();
        text[..indentation].contains('\t')
    }

    fn spend(&mut self, values: usize, line: usize) -> Result<(), Error> {
        self.read += values;
        if self.read > BUDGET {
            return Err(syntax_error(
                line,
                "the document is too large once its aliases are written out",
            ));
        }
        Ok(())
    }

    fn syntax(&self, error: &ScanError) -> Error {
        let line = error.marker().line();
        if self.is_indented_with_tab(line) {
            return syntax_error(line, TAB);
        }
        syntax_error(line, &error.info())
    }
}

fn syntax_error(line: usize, message: &str) -> Error {
    Error::Syntax {
        line,
        message: message.to_owned(),
    }
}

/// Decides whether a scalar's meaning is open (plain) or text.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Content {
    match (tag.and_then(Tag::core_suffix), style) {
        (Some("str"), _) => Content::Text(text),
        (Some("null" | "bool" | "int" | "float"), _) | (None, ScalarStyle::Plain) => {
            Content::Plain(text)
        }
        _ => Content::Text(text),
    }
}

/// The entries that `<<` brings in, those of the first mapping before those of the next.
fn merge_sources(value: Tree) -> Result<Vec<Entry>, Error> {
    let line = value.line;
    let mappings = match value.content {
        Content::Mapping(mapping) => vec![mapping],
        Content::Sequence(items) => items
            .into_iter()
            .map(|item| match item.content {
                Content::Mapping(mapping) => Ok(mapping),
                _ => Err(merge_error(item.line)),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(merge_error(line)),
    };
    Ok(mappings
        .into_iter()
        .flat_map(|mapping| mapping.entries)
        .collect())
}

fn merge_error(line: usize) -> Error {
    syntax_error(
        line,
        "map merge requires map or sequence of maps as the value",
    )
}
