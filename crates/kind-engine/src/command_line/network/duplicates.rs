//! Docker makes two networks of one name if it is asked twice at once. One is kept, and everyone who
//! looks keeps the same.

use std::cmp::Reverse;

use serde::Deserialize;

use crate::Error;
use crate::command_line::program::Program;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Candidate {
    id: String,
    containers: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}

/// Removes all networks of that name but one.
pub(super) fn remove_duplicates(program: &Program, name: &str) -> Result<(), Error> {
    let ids = network_ids(program, name)?;
    if ids.len() < 2 {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let inspect = [&["network", "inspect"], &ids[..]].concat();
    let output = program.run_command(&inspect)?;
    // One of them may have gone meanwhile, and its absence is no failure.
    let mut candidates: Vec<Candidate> = match serde_json::from_slice(&output.stdout) {
        Ok(candidates) => candidates,
        Err(_) => return Err(program.failure(&inspect, &output)),
    };
    sort_networks(&mut candidates);
    let surplus: Vec<_> = candidates
        .iter()
        .skip(1)
        .map(|network| network.id.as_str())
        .collect();
    if surplus.is_empty() {
        return Ok(());
    }
    let removal = [&["network", "rm"], &surplus[..]].concat();
    let output = program.run_command(&removal)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let gone = |line: &str| {
        line.starts_with("Error: No such network:")
            || (line.contains("network") && line.contains("not found"))
    };
    if output.status.success() || text.lines().all(gone) {
        Ok(())
    } else {
        Err(program.failure(&removal, &output))
    }
}

/// Ids of all networks of exactly that name.
pub(super) fn network_ids(program: &Program, name: &str) -> Result<Vec<String>, Error> {
    let filter = format!("--filter=name=^{}$", escape_regex(name));
    let listed = program.command_output(&["network", "ls", &filter, "--format={{.ID}}"])?;
    Ok(listed.split_whitespace().map(str::to_owned).collect())
}

/// A name in a regular expression.
fn escape_regex(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// The one that most containers use comes first, then the lowest id.
fn sort_networks(networks: &mut [Candidate]) {
    let used = |network: &Candidate| {
        network
            .containers
            .as_ref()
            .map_or(0, std::collections::BTreeMap::len)
    };
    networks.sort_by(|a, b| (Reverse(used(a)), &a.id).cmp(&(Reverse(used(b)), &b.id)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> Vec<String> {
        let mut networks: Vec<Candidate> = serde_json::from_str(text).unwrap();
        sort_networks(&mut networks);
        networks.into_iter().map(|network| network.id).collect()
    }

    #[test]
    fn everyone_keeps_the_same_network() {
        let empty = r#"[{"Id":"dc7f"},{"Id":"1ed9","Containers":{}}]"#;
        assert_eq!(sorted(empty), ["1ed9", "dc7f"]);
        let used = r#"[{"Id":"f044"},{"Id":"dc7f","Containers":{"a":{}}},{"Id":"1ed9"},
                       {"Id":"1281","Containers":{"b":{}}}]"#;
        assert_eq!(sorted(used), ["1281", "dc7f", "1ed9", "f044"]);
    }

    #[test]
    fn names_match_themselves_only() {
        assert_eq!(escape_regex("kind"), "kind");
        assert_eq!(escape_regex("a.b-c+"), r"a\.b-c\+");
    }
}
