//! Which rows a chart has, and how long a bar is.

use super::span::{Span, Timeline};

/// Rows of a chart of up to three nodes, so that it can be read at a glance.
const MOST_ROWS: usize = 40;
/// Rows more for each node more.
const ROWS_OF_A_NODE: usize = 8;
/// What is shorter than this share of the whole shares a row, in thousandths.
const SHORT: u64 = 10;

/// With which signs a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// Signs that every terminal has.
    Ascii,
    /// Blocks.
    Unicode,
}

impl Charset {
    /// The sign of work.
    pub(super) fn work(self) -> char {
        match self {
            Self::Ascii => '#',
            Self::Unicode => '█',
        }
    }

    /// The sign of waiting.
    pub(super) fn wait(self) -> char {
        match self {
            Self::Ascii => '.',
            Self::Unicode => '░',
        }
    }

    /// The sign where something was cut off.
    pub(super) fn unfinished(self) -> char {
        match self {
            Self::Ascii => 'x',
            Self::Unicode => '✗',
        }
    }
}

/// The rows of one node.
pub(super) struct Group<'a> {
    pub(super) node: &'a str,
    pub(super) rows: Vec<Row<'a>>,
}

/// One row.
pub(super) struct Row<'a> {
    pub(super) label: String,
    /// What is drawn in it.
    pub(super) spans: Vec<&'a Span>,
    pub(super) note: String,
}

/// The rows of a timeline; the more there are, the more of the short ones share one.
pub(super) fn group_rows(timeline: &Timeline) -> Vec<Group<'_>> {
    let nodes = timeline.nodes();
    // The command itself is none.
    let more = nodes.len().saturating_sub(4);
    let most = MOST_ROWS + more * ROWS_OF_A_NODE;
    let mut share = SHORT;
    loop {
        let shortest = timeline.total_ms.saturating_mul(share) / 1000;
        let groups = nodes.iter().map(|node| group_of(timeline, node, shortest));
        let groups: Vec<_> = groups.collect();
        let rows: usize = groups.iter().map(|group| 1 + group.rows.len()).sum();
        // The heading is one too.
        if rows < most || share >= 1000 {
            return groups;
        }
        share += share / 2;
    }
}

fn group_of<'a>(timeline: &'a Timeline, node: &'a str, shortest: u64) -> Group<'a> {
    // What did not end well is never hidden.
    let is_short = |span: &&Span| span.finished && span.duration_ms() < shortest;
    let (short, long): (Vec<&Span>, Vec<&Span>) = timeline.spans_of(node).partition(is_short);
    let mut rows: Vec<_> = long.into_iter().map(row_of).collect();
    match short.len() {
        0 => {}
        1 => rows.extend(short.into_iter().map(row_of)),
        count => rows.push(Row {
            label: format!("{count} others"),
            spans: short,
            note: String::new(),
        }),
    }
    Group { node, rows }
}

fn row_of(span: &Span) -> Row<'_> {
    let awaited = span.waits_for.as_ref();
    Row {
        label: span.title.clone(),
        spans: vec![span],
        note: awaited.map_or(String::new(), |awaited| format!("waits for {awaited}")),
    }
}

impl Row<'_> {
    /// How long all that it shows took, in milliseconds.
    pub(super) fn duration_ms(&self) -> u64 {
        self.spans.iter().map(|span| span.duration_ms()).sum()
    }

    /// The bars of what it shows, in so many cells. Whatever ran at all has a cell.
    pub(super) fn bars(&self, total_ms: u64, cells: usize, charset: Charset) -> Vec<char> {
        let mut bars = vec![' '; cells];
        let total = u128::from(total_ms.max(1));
        for span in &self.spans {
            let place = |ms: u64| u128::from(ms) * cells as u128;
            let first = usize::try_from(place(span.begin_ms) / total).unwrap_or(cells);
            let end = usize::try_from(place(span.end_ms).div_ceil(total)).unwrap_or(cells);
            let first = first.min(cells.saturating_sub(1));
            let sign = match span.waits_for {
                Some(_) => charset.wait(),
                None => charset.work(),
            };
            let end = end.clamp(first + 1, cells.max(first + 1));
            bars.iter_mut()
                .take(end)
                .skip(first)
                .for_each(|cell| *cell = sign);
            if let Some(last) = bars.get_mut(end - 1).filter(|_| !span.finished) {
                *last = charset.unfinished();
            }
        }
        bars
    }
}
