//! What can be wrong with YAML text.

use std::fmt;

/// Why YAML text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not YAML.
    #[error("yaml: {}{message}", LinePrefix(*line))]
    Syntax {
        /// Line of the text, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// The text is YAML, but not what was asked for. Holds every problem, in the text's order.
    #[error("yaml: unmarshal errors:{}", ProblemLines(.0))]
    Content(Vec<Problem>),
    /// A value does not fit the type it is decoded into.
    #[error("yaml: {0}")]
    Type(String),
}

impl Error {
    /// What to do about it, one hint for each problem that has one.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Syntax { message, .. } => syntax_hint(message).into_iter().collect(),
            Self::Content(problems) => problems
                .iter()
                .filter_map(|problem| Some(format!("line {}: {}", problem.line, problem.hint()?)))
                .collect(),
            Self::Type(_) => Vec::new(),
        }
    }

    /// The error of a text that stands below so many lines of another text.
    pub fn below(mut self, lines: usize) -> Self {
        match &mut self {
            Self::Syntax { line, .. } => *line += lines,
            Self::Content(problems) => {
                for problem in problems {
                    problem.line += lines;
                }
            }
            Self::Type(_) => {}
        }
        self
    }

    /// Every problem with its line; none if lines are not known.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Syntax { line, message } => {
                vec![Problem::new(*line, message.clone()).with_hint(syntax_hint(message))]
            }
            Self::Content(problems) => problems.clone(),
            Self::Type(_) => Vec::new(),
        }
    }
}

/// What to do about a syntax error.
fn syntax_hint(message: &str) -> Option<String> {
    SYNTAX_HINTS
        .iter()
        .find(|(words, _)| message.contains(words))
        .map(|(_, hint)| (*hint).to_owned())
}

/// One thing that is wrong at one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    line: usize,
    message: String,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(line: usize, message: String) -> Self {
        Self {
            line,
            message,
            hint: None,
        }
    }

    /// What was probably meant.
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Line of the text, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// A tab where YAML wants spaces, in the words that libyaml's users search for.
pub(super) const TAB: &str = "found character that cannot start any token";

/// Words of syntax errors and what to do about them.
const SYNTAX_HINTS: &[(&str, &str)] = &[
    (TAB, TAB_HINT),
    ("found a tab", TAB_HINT),
    ("unexpected character", QUOTE_HINT),
    ("unknown anchor", QUOTE_HINT),
    ("mapping values are not allowed", QUOTE_HINT),
    (
        "did not find expected",
        "check that lines of one list or mapping begin in the same column",
    ),
    ("quoted scalar", CLOSE_HINT),
    ("unclosed", CLOSE_HINT),
];
const TAB_HINT: &str = "YAML is indented with spaces, not with tabs";
const CLOSE_HINT: &str = "check that brackets and quotes are closed";
const QUOTE_HINT: &str = "put quotes around text that holds YAML's own signs";

/// `line N: `, left out for the first line as libyaml does it.
struct LinePrefix(usize);

impl fmt::Display for LinePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            line => write!(f, "line {line}: "),
        }
    }
}

/// One indented line for each problem.
struct ProblemLines<'a>(&'a [Problem]);

impl fmt::Display for ProblemLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0 {
            write!(f, "\n  line {}: {}", problem.line, problem.message)?;
        }
        Ok(())
    }
}
