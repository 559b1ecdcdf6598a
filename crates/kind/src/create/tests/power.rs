//! Clusters that are started again, and what is called done then.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::StartCluster;

/// A cluster that was made and stopped, whose nodes answer like this.
fn stopped(program: Box<Program>) -> Stage {
    let stage = Stage::new(program);
    stage.create(&stage.options()).unwrap();
    stage.provider.stop("kind", &CancelToken::new()).unwrap();
    stage.events.lock().unwrap().clear();
    stage
}

fn start(stage: &Stage, wait: Option<Duration>) -> Result<Vec<String>> {
    let options = StartCluster::new("kind");
    let options = match wait {
        Some(limit) => options.wait(limit),
        None => options,
    };
    stage.provider.start(&options, &|event| {
        stage.events.lock().unwrap().push(event);
    })
}

#[test]
fn a_start_returns_when_the_administrator_is_let_in() {
    let stage = stopped(node(None));
    assert_eq!(start(&stage, None).unwrap(), [NODE]);
    assert!(stage.story().contains("wait for the API server"));
    let stage = stopped(node(Some("wait for the API server")));
    let error = start(&stage, None).unwrap_err();
    assert_eq!(error.code(), Code::NodeStep);
    assert_eq!(
        error_chain(&error),
        "node \"kind-control-plane\" did not get to wait for the API server: exit code 1"
    );
    assert!(stage.engine.has(NODE));
}

#[test]
fn a_node_without_our_agent_is_asked_by_kubectl() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let stage = stopped(node(None));
    let foreign = Stage::new(Box::new(move |_, argv, _| match argv {
        [_, word] if word == "request" => Ok(127),
        [shell, _, script] if shell == "sh" && script.contains("get nodes") => {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(0)
        }
        _ => Ok(0),
    }));
    let spec = kind_engine::NodeSpec {
        name: NODE.to_owned(),
        labels: stage.engine.list(None).unwrap()[0].labels.clone(),
        ..kind_engine::NodeSpec::default()
    };
    foreign.engine.create(&spec).unwrap();
    assert_eq!(start(&foreign, None).unwrap(), [NODE]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_start_that_is_not_ready_in_time_is_no_success() {
    let stage = stopped(node(Some("wait for ready")));
    let error = start(&stage, Some(Duration::from_secs(1))).unwrap_err();
    assert_eq!(error.code(), Code::NotReady);
    assert!(stage.story().contains("NotReady\n"), "{}", stage.story());
}
