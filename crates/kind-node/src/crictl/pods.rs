//! The sandboxes of pods.

use std::cmp::Reverse;
use std::io::Write;

use super::answer::List;
use super::client::Client;
use super::command_line::Form;
use super::containers::{container_age, current_nanoseconds};
use super::messages::{ListPodSandboxRequest, ListPodSandboxResponse, PodSandbox, PodSandboxState};
use super::{Error, answer, table};

/// Lists sandboxes, ready or not, the newest first.
pub(super) async fn list_pods(
    client: &Client,
    form: Form,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut list = client
        .send_request(&ListPodSandboxRequest::default())
        .await?;
    list.items
        .sort_by_key(|sandbox| Reverse(sandbox.created_at));
    answer::write_answer(&list, form, current_nanoseconds(), out)
}

impl List for ListPodSandboxResponse {
    const HEADS: &'static [&'static str] = &[
        "POD ID",
        "CREATED",
        "STATE",
        "NAME",
        "NAMESPACE",
        "ATTEMPT",
        "RUNTIME",
    ];

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|sandbox| sandbox.id.as_str())
    }

    fn rows(&self, now: i64) -> impl Iterator<Item = Vec<String>> {
        self.items.iter().map(move |sandbox| pod_row(sandbox, now))
    }
}

fn pod_row(sandbox: &PodSandbox, now: i64) -> Vec<String> {
    let metadata = sandbox.metadata.clone().unwrap_or_default();
    let state = match PodSandboxState::try_from(sandbox.state) {
        Ok(PodSandboxState::SandboxReady) => "Ready",
        Ok(PodSandboxState::SandboxNotready) | Err(_) => "NotReady",
    };
    let runtime = match sandbox.runtime_handler.as_str() {
        "" => "(default)",
        name => name,
    };
    vec![
        table::short_id(&sandbox.id),
        container_age(now, sandbox.created_at),
        state.to_owned(),
        metadata.name,
        metadata.namespace,
        metadata.attempt.to_string(),
        runtime.to_owned(),
    ]
}
