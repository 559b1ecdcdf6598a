//! A timeline as a chart of text.

use super::rows::{Charset, Row, group_rows};
use super::span::Timeline;

/// Narrower ones cannot be read.
const NARROWEST: usize = 40;
/// Room for seconds, with the gap before them.
const SECONDS: usize = 9;
/// How far rows stand in from the node's name.
const INDENT: usize = 2;

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chart {
    width: usize,
    charset: Charset,
}

impl Chart {
    /// A chart of so many columns, drawn with these signs.
    pub const fn new(width: usize, charset: Charset) -> Self {
        Self { width, charset }
    }

    /// Draws a timeline: a row for each span, by node. No line is wider than the chart.
    pub fn draw_timeline(self, timeline: &Timeline) -> String {
        let groups = group_rows(timeline);
        let labels = groups.iter().flat_map(|group| &group.rows);
        let longest = labels.map(|row| row.label.chars().count()).max();
        let width = self.width.max(NARROWEST);
        let label = longest.unwrap_or(0).min(width * 2 / 5);
        let columns = Columns {
            label,
            cells: width - INDENT - label - SECONDS - 1,
        };
        let mut text = format!("{}\n", clip_text(&self.format_heading(timeline), width));
        for group in &groups {
            text.push_str(&format!("{}\n", clip_text(group.node, width)));
            for row in &group.rows {
                text.push_str(&self.format_line(row, timeline.total_ms, columns));
            }
        }
        text
    }

    fn format_heading(self, timeline: &Timeline) -> String {
        let seconds = format_seconds(timeline.total_ms);
        let (work, wait) = (self.charset.work(), self.charset.wait());
        let all_ended = timeline.spans.iter().all(|span| span.finished);
        let unfinished = if all_ended {
            String::new()
        } else {
            format!(", {} did not end well", self.charset.unfinished())
        };
        format!("{seconds} in all ({work} works, {wait} waits{unfinished})")
    }

    fn format_line(self, row: &Row<'_>, total_ms: u64, columns: Columns) -> String {
        let mut bars = row.bars(total_ms, columns.cells, self.charset);
        // Where there is no room beside the bar, what is waited for says more than the title.
        let label = if write_note(&mut bars, &row.note) {
            &row.label
        } else {
            &row.note
        };
        let (label, width) = (clip_text(label, columns.label), columns.label);
        let seconds = format_seconds(row.duration_ms());
        let bars: String = bars.into_iter().collect();
        let line = format!("{:INDENT$}{label:width$}{seconds:>SECONDS$} {bars}", "");
        format!("{}\n", line.trim_end())
    }
}

/// How many columns things have.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    cells: usize,
}

/// Writes a note after the bar, or before it. Says whether there was room.
fn write_note(bars: &mut [char], note: &str) -> bool {
    let note: Vec<char> = note.chars().collect();
    let is_free = |cell: &char| *cell == ' ';
    let before = bars.iter().take_while(|cell| is_free(cell)).count();
    let after = bars.iter().rev().take_while(|cell| is_free(cell)).count();
    let place = if note.is_empty() {
        return true;
    } else if after > note.len() {
        bars.len() - after + 1
    } else if before > note.len() {
        before - note.len() - 1
    } else {
        return false;
    };
    let cells = bars.iter_mut().skip(place);
    cells.zip(note).for_each(|(cell, sign)| *cell = sign);
    true
}

/// The beginning of a text that is too long.
fn clip_text(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

fn format_seconds(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
