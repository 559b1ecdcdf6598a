//! Where long text continues on the next line, as libyaml's emitter decides it.

/// Columns after which the next space becomes a line break.
const WIDTH: usize = 80;

/// The column that writing has come to, and where the next line would begin.
pub(super) struct LineFolder {
    column: usize,
    indent: Option<usize>,
    after_space: bool,
}

impl LineFolder {
    /// For text that must stay on its line.
    pub(super) fn never() -> Self {
        Self {
            column: 0,
            indent: None,
            after_space: false,
        }
    }

    /// For text at the end of what is written, whose next lines are indented so far.
    pub(super) fn below(written: &str, indent: usize) -> Self {
        let line = written.rsplit('\n').next().unwrap_or_default();
        Self {
            column: line.chars().count(),
            indent: Some(indent),
            after_space: false,
        }
    }

    /// Breaks the line in place of a character, if it is the space to break at.
    pub(super) fn breaks_at(&mut self, character: char, out: &mut String) -> bool {
        let Some(indent) = self.indent else {
            return false;
        };
        if character != ' ' || self.after_space || self.column <= WIDTH {
            return false;
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
        self.after_space = true;
        true
    }

    /// A character was written, in so many columns.
    pub(super) fn wrote(&mut self, character: char, columns: usize) {
        self.column += columns;
        self.after_space = character == ' ';
    }

    /// A sign was written that does not count as the text's.
    pub(super) fn escaped(&mut self) {
        self.column += 1;
    }
}
