//! The program `kind-node` in nodes: part of a node from its creation on, so that whoever starts it, and after
//! whatever, finds it there.
//!
//! nerdctl copies nothing into a node that does not run. There a label says where the program lies on the
//! caller's host, and every start puts it in place.

use std::io;
use std::path::Path;

use super::program::Program;
use super::{Flavor, copy};
use crate::{Agent, Error};

/// Where the program stands in every node.
pub(super) const NODE_AGENT_PATH: &str = "/kind/bin/kind-node";
/// Label with its path on the caller's host, on nodes that get it when they are started.
pub(super) const LABEL: &str = "io.x-k8s.kind.agent";

/// Puts the program into a node.
pub(super) fn place_agent(
    flavor: Flavor,
    program: &Program,
    node: &str,
    agent: &Agent,
) -> Result<(), Error> {
    let content = agent.content();
    let stream = content.and_then(|content| pack_agent(&content));
    let stream = stream.map_err(Error::io("read the program for nodes"))?;
    copy::into_node(flavor, program, node, Path::new("/"), &mut &stream[..])
}

/// Puts the program into a node that was just started, if its label names one.
pub(super) fn place_labelled(flavor: Flavor, program: &Program, node: &str) -> Result<(), Error> {
    let format = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
    let label = program.command_output(&["inspect", "--format", &format, node])?;
    let file = Path::new(label.trim());
    if !file.is_absolute() {
        return Ok(());
    }
    if file.exists() {
        place_agent(flavor, program, node, &Agent::file(file))
    } else {
        // A prune may have removed it since the first start, which left the node's own copy.
        tracing::debug!(node, file = %file.display(), "the node keeps the program it has");
        Ok(())
    }
}

fn pack_agent(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(
        &mut header,
        NODE_AGENT_PATH.trim_start_matches('/'),
        program,
    )?;
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::super::stub;
    use super::*;

    /// What an engine without copying is asked for at a start of a node with this label.
    fn asked(label: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let calls = directory.path().join("calls");
        let script = format!(
            "echo \"$1 $2\" >>{}\n[ \"$1\" = inspect ] && echo '{label}' && exit\ncat >/dev/null\n",
            calls.display()
        );
        let program = Program::new(stub::program(directory.path(), &script));
        place_labelled(Flavor::Nerdctl, &program, "node").unwrap();
        std::fs::read_to_string(calls).unwrap()
    }

    #[test]
    fn a_started_node_gets_the_program_that_its_label_names() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(asked(path), "inspect --format\nexec --privileged\n");
        for nothing in ["", "<no value>", "/no/such/kind-node"] {
            assert_eq!(asked(nothing), "inspect --format\n", "{nothing}");
        }
    }
}
