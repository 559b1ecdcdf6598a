//! One look at everything, with a limit for what may be slow.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use kind_diagnosis::Check;
use kind_node::examination::{Disk, Examination};

use super::{certificates, server, units};
use crate::diagnosis::Watch;
use crate::usage::{exit_with_failure, print_answer};

/// What components have said before is not about now.
const LATELY: Duration = Duration::from_secs(600);
/// How long logs and journals are waited for once the API server has been asked.
const COMPONENTS_TIMEOUT: Duration = Duration::from_millis(300);
/// Where a node writes.
const DISKS: [&str; 2] = ["/", "/var"];

/// Prints how this node is.
pub(crate) fn examine_node() -> ExitCode {
    let components = begin_components();
    let server = server::ask_server();
    let examination = Examination {
        disks: DISKS.into_iter().filter_map(measure_disk).collect(),
        certificates: certificates::read_certificates(),
        stopped_units: units::find_stopped(),
        checks: components
            .recv_timeout(COMPONENTS_TIMEOUT)
            .unwrap_or_default(),
        server,
        now_ms: now_ms(),
    };
    match serde_json::to_string(&examination) {
        Ok(text) => print_answer(&text),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

/// Reads logs and journals beside everything else. A slow journal must not cost the caller what is known otherwise.
fn begin_components() -> mpsc::Receiver<Vec<Check>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let found = Watch::since(SystemTime::now() - LATELY).look_now();
        // Nobody hears it if it comes too late.
        let _ = sender.send(found);
    });
    receiver
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
