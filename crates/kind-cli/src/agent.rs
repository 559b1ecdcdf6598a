//! Where the program that runs in every node comes from.

use kind::Agent;

/// The agent that this command carries, or else the file `kind-node` beside it.
pub(crate) fn find_node_agent() -> Option<Agent> {
    #[cfg(embedded_agent)]
    {
        const BYTES: &[u8] = include_bytes!(env!("AGENT_PATH"));
        Some(Agent::embedded(BYTES, env!("AGENT_DIGEST")))
    }
    #[cfg(not(embedded_agent))]
    {
        let beside = std::env::current_exe().ok()?.with_file_name("kind-node");
        beside.is_file().then(|| Agent::file(beside))
    }
}
