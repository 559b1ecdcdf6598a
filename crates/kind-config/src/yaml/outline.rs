//! Where the top-level entries of a document stand in its text, line by line.

use std::ops::Range;

use super::Scalar;
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle};

/// A top-level entry of a document.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Its lines, from 0, without comments and blank lines that follow.
    pub(crate) lines: Range<usize>,
    pub(crate) value: ValueLayout,
}

/// What an entry's value looks like.
#[derive(Debug)]
pub(crate) enum ValueLayout {
    /// Null, however it is written, or an empty list.
    Nothing,
    /// A scalar on one line or several, at these bytes.
    Scalar(Range<usize>),
    /// A list in block style.
    Items {
        /// Columns in front of each `-`.
        indent: usize,
        /// The lines of each item.
        items: Vec<Range<usize>>,
    },
    /// Anything else.
    Other,
}

/// The entries of a text that is one document, a mapping in block style whose keys begin their lines.
/// `None` for any other text.
pub(crate) fn outline_of(text: &str) -> Option<Vec<Entry>> {
    OutlineParser::new(text).document()
}

struct OutlineParser<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
    parser: Parser<'a, StrInput<'a>>,
    /// The last line with content so far, from 0.
    last: usize,
}

impl<'a> OutlineParser<'a> {
    fn new(text: &'a str) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        Self {
            text,
            lines: text.split('\n').collect(),
            parser: Parser::new_from_str_with_options(text, options),
            last: 0,
        }
    }

    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        self.parser.next_event()?.ok()
    }

    fn document(mut self) -> Option<Vec<Entry>> {
        if self.text.starts_with('\u{feff}') {
            return None;
        }
        let (Event::StreamStart, _) = self.next()? else {
            return None;
        };
        let (Event::DocumentStart(..), _) = self.next()? else {
            return None;
        };
        let (Event::MappingStart(StructureStyle::Block, ..), _) = self.next()? else {
            return None;
        };
        let mut entries = Vec::new();
        while let Some(entry) = self.entry()? {
            entries.push(entry);
        }
        let ends = matches!(self.next()?, (Event::DocumentEnd, _))
            && matches!(self.next()?, (Event::StreamEnd, _));
        ends.then_some(entries)
    }

    /// The next entry; `Some(None)` at the end of the mapping.
    fn entry(&mut self) -> Option<Option<Entry>> {
        let (key, span) = match self.next()? {
            (Event::MappingEnd, _) => return Some(None),
            (Event::Scalar(key, ..), span) if span.start.col() == 0 => (key.into_owned(), span),
            _ => return None,
        };
        let first = line(span.start.line());
        self.last = first;
        let (event, span) = self.next()?;
        let value = self.value(event, span)?;
        let lines = first..self.last + 1;
        Some(Some(Entry { key, lines, value }))
    }

    fn value(&mut self, event: Event<'a>, span: Span) -> Option<ValueLayout> {
        match event {
            Event::Scalar(text, style, ..) => {
                self.content(&span);
                Some(match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => ValueLayout::Other,
                    ScalarStyle::Plain if Scalar::of(&text) == Scalar::Null => ValueLayout::Nothing,
                    _ => ValueLayout::Scalar(span.byte_range()?),
                })
            }
            Event::SequenceStart(StructureStyle::Block, ..) => self.items(),
            Event::SequenceStart(..) => {
                let items = self.rest_of(event, &span)?;
                Some(if items == 0 {
                    ValueLayout::Nothing
                } else {
                    ValueLayout::Other
                })
            }
            other => {
                self.rest_of(other, &span)?;
                Some(ValueLayout::Other)
            }
        }
    }

    fn items(&mut self) -> Option<ValueLayout> {
        let (mut items, mut indents) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                break;
            }
            let (dash, indent) = self.dash_before(&span)?;
            self.last = dash;
            self.rest_of(event, &span)?;
            items.push(dash..self.last + 1);
            indents.push(indent);
        }
        let indent = *indents.first()?;
        let aligned = indents.iter().all(|other| *other == indent);
        aligned.then_some(ValueLayout::Items { indent, items })
    }

    /// The line and column of the `-` in front of an item.
    fn dash_before(&self, item: &Span) -> Option<(usize, usize)> {
        let start = line(item.start.line());
        (self.last..=start).rev().find_map(|number| {
            let text = self.lines.get(number)?;
            let rest = text.trim_start_matches(' ');
            let is_dash = rest
                .strip_prefix('-')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\r', '\t']));
            is_dash.then_some((number, text.len() - rest.len()))
        })
    }

    /// Reads to the end of a value that has begun. Returns how many values it holds.
    fn rest_of(&mut self, first: Event<'a>, span: &Span) -> Option<usize> {
        let mut open = Vec::new();
        let mut values = 0;
        let (mut event, mut span) = (first, *span);
        loop {
            match event {
                Event::MappingStart(style, ..) | Event::SequenceStart(style, ..) => {
                    open.push(style)
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    if open.pop()? != StructureStyle::Block {
                        self.content(&span);
                    }
                }
                Event::Scalar(..) | Event::Alias(_) => self.content(&span),
                _ => return None,
            }
            if open.is_empty() {
                return Some(values);
            }
            (event, span) = self.next()?;
            values += usize::from(!matches!(event, Event::MappingEnd | Event::SequenceEnd));
        }
    }

    /// Notes that there is content up to the end of a span.
    fn content(&mut self, span: &Span) {
        let (start, end) = (line(span.start.line()), line(span.end.line()));
        if span.start.index() == span.end.index() {
            return;
        }
        let mut last = match span.end.col() {
            0 => end.saturating_sub(1),
            _ => end,
        };
        while last > start
            && self
                .lines
                .get(last)
                .is_none_or(|text| text.trim().is_empty())
        {
            last -= 1;
        }
        self.last = self.last.max(last);
    }
}

/// A line of the parser's, from 0.
fn line(number: usize) -> usize {
    number.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlined(text: &str) -> Option<Vec<String>> {
        let entries = outline_of(text)?;
        let texts = entries.iter().map(|entry| match &entry.value {
            ValueLayout::Scalar(range) => format!(
                "{} {:?} = {:?}",
                entry.key,
                entry.lines,
                &text[range.clone()]
            ),
            ValueLayout::Items { indent, items } => {
                format!("{} {:?} - {indent} {items:?}", entry.key, entry.lines)
            }
            ValueLayout::Nothing => format!("{} {:?} nothing", entry.key, entry.lines),
            ValueLayout::Other => format!("{} {:?}", entry.key, entry.lines),
        });
        Some(texts.collect())
    }

    #[test]
    fn entries_have_their_lines() {
        let text = "# top\na: 1 # one\n\nb:\n- x: 1\n  y: |\n    t\n\n# between\n- z\nc: {d:\n  e}\nf:\ng: |\n  t\n\n# end\n";
        assert_eq!(
            outlined(text).unwrap(),
            [
                "a 1..2 = \"1\"",
                "b 3..10 - 0 [4..7, 9..10]",
                "c 10..12",
                "f 12..13 nothing",
                "g 13..15",
            ]
        );
    }

    #[test]
    fn items_may_be_indented_and_stand_below_their_dash() {
        let text = "a:\n    -\n      x: 1\n    - - y\n      - z\n    -\nb: 'c\n\n  d'\n";
        assert_eq!(
            outlined(text).unwrap(),
            ["a 0..6 - 4 [1..3, 3..5, 5..6]", "b 6..9 = \"'c\\n\\n  d'\""]
        );
    }

    #[test]
    fn other_texts_have_no_outline() {
        for text in [
            "",
            "a",
            "- a\n",
            "{a: 1}\n",
            "a: 1\n---\nb: 2\n",
            " a: 1\n",
            "a: [\n",
            "? a\n: b\n",
        ] {
            assert_eq!(outlined(text), None, "{text:?}");
        }
    }
}
