//! `kind start cluster`

use kind::StartCluster;

use super::flags::NAME;
use super::timings::{TIMINGS, TRACE_FILE, Timings};
use crate::args::{ArgRule, Command, Flag, Kind, Matches};
use crate::context::Context;
use crate::document::StartedCluster;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[
        Flag {
            help: "the cluster name",
            ..NAME
        },
        TIMINGS,
        TRACE_FILE,
        Flag::new(
            "wait",
            Kind::Duration,
            "the length of time to wait for control plane node to be ready (default 0s). \
             Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
        ),
    ],
    rule: ArgRule::None,
    action: Some(start_cluster),
    ..Command::new("cluster", "Starts a cluster that was stopped")
};

const ABOUT: &str = "Starts the nodes of a kind cluster that do not run.

They may have been stopped by `kind stop cluster`, or by a restart of the host. Nodes that run are left
alone.";

fn start_cluster(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let name = context.cluster_name(matches);
    let timings = Timings::open(matches)?;
    let provider = context.provider(matches)?;
    context.ui.info(&format!("Starting cluster \"{name}\" ..."));
    let mut options = StartCluster::new(&name).cancel(context.interruptible());
    if let Some(limit) = matches.wait_flag("wait") {
        options = options.wait(limit);
    }
    let started = provider.start(&options, &|event| {
        timings.record_event(&event);
        context.ui.event(event);
    });
    let timings = timings.show_timings(&context.ui);
    let action = format!("failed to start cluster \"{name}\"");
    let started = StartedCluster {
        name,
        nodes: started.map_err(Failure::during(action))?,
        timings: timings?,
    };
    context.ui.result(&started, String::new);
    Ok(Exit::Success)
}
