//! The kubectl that a user would call.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::facts::Patient;
use super::server::find_version;
use crate::doctor::outcome::{Outcome, Problem};

/// Minor versions by which client and server may differ.
const SKEW: u64 = 1;

pub(super) fn look_at_kubectl(patient: &Patient) -> Outcome {
    let Some(server) = find_version(&patient.examinations()) else {
        return Outcome::skipped("no API server tells its version");
    };
    let Some(program) = patient.find_program("kubectl") else {
        return Outcome::skipped("there is none on PATH");
    };
    match ask_version(&program) {
        Some(client) => judge_kubectl(&program.display().to_string(), &client, &server),
        None => Outcome::skipped(format!("{} does not tell its version", program.display())),
    }
}

/// The version of a kubectl, for example `v1.36.2`.
fn ask_version(program: &PathBuf) -> Option<String> {
    let mut command = Command::new(program);
    command.args(["version", "--client", "--output", "json"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let versions: serde_json::Value = serde_json::from_slice(&output.ok()?.stdout).ok()?;
    Some(versions["clientVersion"]["gitVersion"].as_str()?.to_owned())
}

fn judge_kubectl(program: &str, client: &str, server: &str) -> Outcome {
    let told = format!("{program} is {client}, and the cluster {server}");
    let (Some(own), Some(theirs)) = (minor_of(client), minor_of(server)) else {
        return Outcome::Passed(told);
    };
    if own.abs_diff(theirs) <= SKEW {
        return Outcome::Passed(told);
    }
    let remedy = "install a kubectl of the cluster's version, or put it first on PATH: others may refuse objects, or \
         lose fields";
    Problem::warning(told, "versions that differ by one at most", remedy).into()
}

fn minor_of(version: &str) -> Option<u64> {
    version.split('.').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn a_kubectl_of_another_time_is_told() {
        let judged = |client, server| told(&judge_kubectl("/k", client, server));
        assert_eq!(
            judged("v1.35.1", "v1.36.2"),
            "passed: /k is v1.35.1, and the cluster v1.36.2"
        );
        assert_eq!(
            judged("v1.20.2", "v1.36.2"),
            "warning: /k is v1.20.2, and the cluster v1.36.2"
        );
        assert!(judged("odd", "v1.36.2").starts_with("passed: "));
    }
}
