//! A timeline in the trace event format, which chrome://tracing, Perfetto and speedscope open.
//!
//! A node is a process. What runs at once in it stands in lanes, which are its threads: spans of one lane do not
//! overlap. An arrow leads from the end of what was awaited to the end of the wait.

use serde_json::{Value, json};

use super::span::{COMMAND, Span, Timeline};

impl Timeline {
    /// The trace as the text of a file.
    pub fn trace_text(&self) -> String {
        let trace = json!({
            "traceEvents": self.trace_events(),
            "displayTimeUnit": "ms",
            "otherData": { "begin": crate::event::timestamp(self.begin) },
        });
        format!("{trace:#}\n")
    }

    fn trace_events(&self) -> Vec<Value> {
        let placed = place_spans(self);
        let mut events = name_lanes(self, &placed);
        events.extend(placed.iter().map(Placed::span_event));
        for (number, waiting) in placed.iter().enumerate() {
            let awaited = self.awaited_span(waiting.span);
            let awaited = awaited.and_then(|span| placed.iter().find(|known| known.span == span));
            if let Some(awaited) = awaited {
                let begin = awaited.last_moment();
                // What took no time at all ends with its last moment; no arrow leads back.
                let end = waiting.last_moment().max(begin);
                events.push(awaited.flow_event("s", number, begin));
                events.push(waiting.flow_event("f", number, end));
            }
        }
        events
    }
}

/// A span in its lane.
struct Placed<'a> {
    span: &'a Span,
    process: usize,
    lane: usize,
}

impl Placed<'_> {
    fn span_event(&self) -> Value {
        let span = self.span;
        json!({
            "ph": "X",
            "name": span.title,
            "cat": if span.waits_for.is_some() { "wait" } else { "work" },
            "pid": self.process,
            "tid": self.lane,
            "ts": span.begin_ms * 1000,
            "dur": span.duration_ms() * 1000,
            "args": { "id": span.id, "waitsFor": span.waits_for, "finished": span.finished },
        })
    }

    /// The last microsecond that belongs to it.
    fn last_moment(&self) -> u64 {
        let end = (self.span.end_ms * 1000).saturating_sub(1);
        end.max(self.span.begin_ms * 1000)
    }

    /// One end of an arrow. It belongs to the span that it stands in.
    fn flow_event(&self, end: &str, number: usize, at: u64) -> Value {
        let mut event = json!({
            "ph": end,
            "name": "awaited",
            "cat": "wait",
            "id": number,
            "pid": self.process,
            "tid": self.lane,
            "ts": at,
        });
        if end == "f" {
            event["bp"] = json!("e");
        }
        event
    }
}

/// Gives every span the first lane of its node that is free when it begins.
fn place_spans(timeline: &Timeline) -> Vec<Placed<'_>> {
    let mut placed = Vec::new();
    for (index, node) in timeline.nodes().into_iter().enumerate() {
        let mut lanes: Vec<u64> = Vec::new();
        for span in timeline.spans_of(node) {
            let free = lanes.iter().position(|end| *end <= span.begin_ms);
            let lane = free.unwrap_or(lanes.len());
            match lanes.get_mut(lane) {
                Some(end) => *end = span.end_ms,
                None => lanes.push(span.end_ms),
            }
            placed.push(Placed {
                span,
                process: index + 1,
                lane: lane + 1,
            });
        }
    }
    placed
}

/// What viewers write beside processes and threads.
fn name_lanes(timeline: &Timeline, placed: &[Placed<'_>]) -> Vec<Value> {
    let mut events = Vec::new();
    let name = |what: &str, process: usize, lane: usize, args: Value| json!({"ph": "M", "name": what, "pid": process, "tid": lane, "ts": 0, "args": args});
    for (index, node) in timeline.nodes().into_iter().enumerate() {
        let process = index + 1;
        events.push(name("process_name", process, 0, json!({ "name": node })));
        let order = json!({ "sort_index": process });
        events.push(name("process_sort_index", process, 0, order));
        let lanes = placed.iter().filter(|placed| placed.process == process);
        let lanes = lanes.map(|placed| placed.lane).max().unwrap_or(0);
        let title = if node == COMMAND { "phases" } else { "steps" };
        for lane in 1..=lanes {
            let title = format!("{title} {lane}");
            events.push(name("thread_name", process, lane, json!({ "name": title })));
        }
    }
    events
}
