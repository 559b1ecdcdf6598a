//! Recorded creations, what is made of them, and what holds for any.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::Value;

use super::span::COMMAND;
use super::{Charset, Chart, Timeline};
use crate::event::{Event, RecordedEvent, StepEnded, StepId, StepStarted};
use crate::event::{KubeadmPhase, Outcome, Phase};

/// A creation of three nodes that start at once.
const THREE_NODES: &str = include_str!("samples/three_nodes.jsonl");

fn three_nodes() -> Timeline {
    Timeline::from_lines(THREE_NODES).unwrap()
}

fn chart(width: usize, charset: Charset) -> String {
    let text = Chart::new(width, charset).draw_timeline(&three_nodes());
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{line}");
    }
    assert!(text.lines().count() <= 40, "{text}");
    text
}

#[test]
fn a_chart_fits_a_narrow_terminal() {
    insta::assert_snapshot!(chart(60, Charset::Unicode));
}

#[test]
fn a_chart_fits_an_ordinary_terminal() {
    insta::assert_snapshot!(chart(80, Charset::Unicode));
}

#[test]
fn a_chart_fits_a_wide_terminal() {
    insta::assert_snapshot!(chart(200, Charset::Unicode));
}

#[test]
fn a_chart_fits_a_terminal_of_plain_signs() {
    let text = chart(80, Charset::Ascii);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

fn at(ms: u64, event: &Event) -> RecordedEvent {
    RecordedEvent {
        time: SystemTime::UNIX_EPOCH + Duration::from_millis(ms),
        event: event.into(),
    }
}

fn started(id: StepId, waits_for: Option<&str>) -> Event {
    Event::StepStarted(StepStarted {
        node: "n".to_owned(),
        id,
        title: id.as_str().to_owned(),
        waits_for: waits_for.map(str::to_owned),
    })
}

fn ended(id: StepId, ms: u64) -> Event {
    Event::StepEnded(StepEnded {
        node: "n".to_owned(),
        id,
        title: id.as_str().to_owned(),
        ms,
    })
}

/// Node, title, begin, end, what is waited for, and whether it ended well.
fn story(timeline: &Timeline) -> Vec<String> {
    let spans = timeline.spans.iter();
    let line = spans.map(|span| {
        let awaited = span.waits_for.as_deref().unwrap_or("-");
        let end = if span.finished { "" } else { " open" };
        format!(
            "{} {} {}..{} {awaited}{end}",
            span.node, span.title, span.begin_ms, span.end_ms
        )
    });
    line.collect()
}

#[test]
fn what_failed_is_open_until_the_end() {
    let start = || Phase::StartControlPlane;
    let outcome = Outcome::Failed;
    let init = StepId::Kubeadm(KubeadmPhase::Init);
    let timeline = Timeline::from_events(&[
        at(
            100,
            &Event::Creating {
                cluster: "kind".to_owned(),
            },
        ),
        at(110, &Event::PhaseStarted(start())),
        at(120, &started(StepId::ContainerRuntime, Some("containerd"))),
        at(150, &ended(StepId::ContainerRuntime, 25)),
        at(150, &started(init, None)),
        at(
            400,
            &Event::PhaseEnded {
                phase: start(),
                outcome,
            },
        ),
        at(
            500,
            &Event::NodesDeleted {
                nodes: vec!["n".to_owned()],
            },
        ),
    ]);
    assert_eq!(timeline.total_ms, 400);
    assert_eq!(
        story(&timeline),
        [
            "kind check the configuration and the host 0..0 -",
            "kind start the control plane 10..300 n open",
            "kind keep the logs and clean up 300..400 -",
            "n containerRuntime 25..50 containerd",
            "n kubeadmInit 50..400 - open",
        ]
    );
    let chart = Chart::new(80, Charset::Ascii).draw_timeline(&timeline);
    assert!(chart.contains(", x did not end well)\n"), "{chart}");
    assert!(chart.contains("###x\n"), "{chart}");
}

#[test]
fn steps_of_other_releases_have_no_begin_of_their_own() {
    let timeline = Timeline::from_events(&[
        at(
            0,
            &Event::Creating {
                cluster: "kind".to_owned(),
            },
        ),
        at(900, &ended(StepId::Ready, 5_000)),
    ]);
    assert_eq!(story(&timeline)[1], "n ready 0..900 -");
}

#[test]
fn nothing_makes_an_empty_chart() {
    let text = Chart::new(80, Charset::Ascii).draw_timeline(&Timeline::from_events(&[]));
    assert_eq!(text, "0.0 s in all (# works, . waits)\n");
    assert!(Timeline::from_lines("{}").is_err());
}

#[test]
fn a_worker_waits_for_the_first_node() {
    let timeline = three_nodes();
    let mut joins = timeline.spans_of("kind-worker");
    let join = joins
        .find(|span| span.title.starts_with("kubeadm join"))
        .unwrap();
    let awaited = timeline.awaited_span(join).unwrap();
    assert_eq!(
        (awaited.node.as_str(), awaited.title.as_str()),
        ("kind-control-plane", "assign pod addresses")
    );
}

/// The shape that viewers ask for: <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.
fn check_trace(text: &str) -> Vec<Value> {
    let trace: Value = serde_json::from_str(text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        for number in ["pid", "tid", "ts"] {
            assert!(event[number].is_u64(), "{number}: {event}");
        }
        assert!(event["name"].is_string(), "{event}");
        match event["ph"].as_str().unwrap() {
            "X" => assert!(event["dur"].is_u64(), "{event}"),
            "M" => assert!(event["args"].is_object(), "{event}"),
            "s" => assert!(event["id"].is_u64(), "{event}"),
            "f" => assert_eq!(
                (event["id"].is_u64(), &event["bp"]),
                (true, &Value::from("e"))
            ),
            other => panic!("{other}"),
        }
    }
    events.clone()
}

fn interval(event: &Value) -> (u64, u64) {
    let begin = event["ts"].as_u64().unwrap();
    (begin, begin + event["dur"].as_u64().unwrap())
}

/// Spans of one lane follow each other, and arrows lead from spans to spans.
fn check_lanes(events: &[Value]) {
    let spans: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    let same_lane = |a: &Value, b: &Value| a["pid"] == b["pid"] && a["tid"] == b["tid"];
    for (index, a) in spans.iter().enumerate() {
        for b in spans.iter().skip(index + 1).filter(|b| same_lane(a, b)) {
            let ((a_begin, a_end), (b_begin, b_end)) = (interval(a), interval(b));
            assert!(a_end <= b_begin || b_end <= a_begin, "{a} {b}");
        }
    }
    for flow in events
        .iter()
        .filter(|event| event["ph"] == "s" || event["ph"] == "f")
    {
        let at = flow["ts"].as_u64().unwrap();
        let stands_in = |span: &Value| {
            let (begin, end) = interval(span);
            same_lane(span, flow) && begin <= at && at <= end
        };
        assert!(spans.iter().any(|span| stands_in(span)), "{flow}");
        let other = events
            .iter()
            .find(|other| other["id"] == flow["id"] && other["ph"] == "f");
        assert!(other.unwrap()["ts"].as_u64().unwrap() >= at, "{flow}");
    }
}

#[test]
fn a_trace_is_what_viewers_open() {
    let events = check_trace(&three_nodes().trace_text());
    check_lanes(&events);
    let named = |name: &str| {
        let events = events.iter().filter(|event| event["name"] == name);
        let names = events.map(|event| event["args"]["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        named("process_name"),
        [COMMAND, "kind-control-plane", "kind-worker", "kind-worker2"]
    );
    let arrows = events.iter().filter(|event| event["ph"] == "s").count();
    assert_eq!(arrows, 7);
}

/// Any order of events, in any time.
fn any_events() -> impl Strategy<Value = Vec<RecordedEvent>> {
    let ids = [StepId::ApiServer, StepId::Ready, StepId::PodNetwork];
    let event =
        (0..5_usize, 0..ids.len(), 0..3_000_u64).prop_map(move |(kind, id, ms)| match kind {
            0 => started(ids[id], Some("kube-apiserver")),
            1 => ended(ids[id], ms),
            2 => Event::PhaseStarted(Phase::StartControlPlane),
            3 => Event::PhaseEnded {
                phase: Phase::StartControlPlane,
                outcome: Outcome::Done,
            },
            _ => Event::NodesDeleted { nodes: Vec::new() },
        });
    let moments = prop::collection::vec((0..10_000_u64, event), 0..60);
    moments.prop_map(|moments| moments.iter().map(|(ms, event)| at(*ms, event)).collect())
}

proptest! {
    #[test]
    fn spans_stay_in_the_whole(events in any_events(), width in 0..200_usize) {
        let timeline = Timeline::from_events(&events);
        for span in &timeline.spans {
            prop_assert!(span.begin_ms <= span.end_ms, "{:?}", span);
            prop_assert!(span.end_ms <= timeline.total_ms, "{:?}", span);
        }
        check_lanes(&check_trace(&timeline.trace_text()));
        let text = Chart::new(width, Charset::Unicode).draw_timeline(&timeline);
        for line in text.lines() {
            prop_assert!(line.chars().count() <= width.max(40), "{}", line);
        }
    }
}
