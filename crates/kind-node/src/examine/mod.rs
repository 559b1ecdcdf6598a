//! Whether this node is well. In: nothing. Out: one JSON document on stdout, with the node's disks, certificates, what
//! its components say, and what the API server beside it knows.

mod certificates;
mod server;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use kind_node::examination::{Disk, Examination};

use crate::diagnosis::Watch;
use crate::usage::{exit_with_failure, print_answer};

/// What components have said before is not about now.
const LATELY: Duration = Duration::from_secs(600);
/// Where a node writes.
const DISKS: [&str; 2] = ["/", "/var"];

/// Prints how this node is.
pub(crate) fn examine_node() -> ExitCode {
    let examination = thread::scope(|scope| {
        let server = scope.spawn(server::ask_server);
        let components = scope.spawn(|| Watch::since(SystemTime::now() - LATELY).look_now());
        Examination {
            disks: DISKS.into_iter().filter_map(measure_disk).collect(),
            certificates: certificates::read_certificates(),
            checks: components.join().unwrap_or_default(),
            server: server.join().unwrap_or_default(),
            now_ms: now_ms(),
        }
    });
    match serde_json::to_string(&examination) {
        Ok(text) => print_answer(&text),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

fn measure_disk(path: &str) -> Option<Disk> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(Disk {
        path: path.to_owned(),
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
    })
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
