//! The containers that containerd runs or has run.

use std::cmp::Reverse;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::answer::List;
use super::client::Client;
use super::command_line::{Form, Which};
use super::messages::{
    Container, ContainerFilter, ContainerState, ContainerStateValue, ListContainersRequest,
    ListContainersResponse,
};
use super::{Error, answer, table};

/// Lists containers, the newest first.
pub(super) async fn list_containers(
    client: &Client,
    which: Which,
    form: Form,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let running = ContainerFilter {
        state: Some(ContainerStateValue {
            state: ContainerState::ContainerRunning.into(),
        }),
        ..ContainerFilter::default()
    };
    let filter = (which == Which::Running).then_some(running);
    let mut list = client
        .send_request(&ListContainersRequest { filter })
        .await?;
    list.containers
        .sort_by_key(|container| Reverse(container.created_at));
    answer::write_answer(&list, form, current_nanoseconds(), out)
}

/// Nanoseconds since 1970.
pub(super) fn current_nanoseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// How long before `now` something was made, in words.
pub(super) fn container_age(now: i64, created: i64) -> String {
    let age = u64::try_from(now.saturating_sub(created)).unwrap_or_default();
    table::age_text(Duration::from_nanos(age))
}

impl List for ListContainersResponse {
    const HEADS: &'static [&'static str] = &[
        "CONTAINER",
        "IMAGE",
        "CREATED",
        "STATE",
        "NAME",
        "ATTEMPT",
        "POD ID",
        "POD",
        "NAMESPACE",
    ];

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.containers
            .iter()
            .map(|container| container.id.as_str())
    }

    fn rows(&self, now: i64) -> impl Iterator<Item = Vec<String>> {
        self.containers
            .iter()
            .map(move |container| container_row(container, now))
    }
}

fn container_row(container: &Container, now: i64) -> Vec<String> {
    let label = |name: &str| container.labels.get(name).cloned().unwrap_or_default();
    let metadata = container.metadata.clone().unwrap_or_default();
    let image = container.image.as_ref().map_or("", |spec| &spec.image);
    let image = if image.starts_with("sha256:") {
        table::short_id(image)
    } else {
        image.to_owned()
    };
    vec![
        table::short_id(&container.id),
        image,
        container_age(now, container.created_at),
        state_name(container.state).to_owned(),
        metadata.name,
        metadata.attempt.to_string(),
        table::short_id(&container.pod_sandbox_id),
        label("io.kubernetes.pod.name"),
        label("io.kubernetes.pod.namespace"),
    ]
}

fn state_name(number: i32) -> &'static str {
    match ContainerState::try_from(number) {
        Ok(ContainerState::ContainerCreated) => "Created",
        Ok(ContainerState::ContainerRunning) => "Running",
        Ok(ContainerState::ContainerExited) => "Exited",
        Ok(ContainerState::ContainerUnknown) | Err(_) => "Unknown",
    }
}
