//! What containerd says of itself.

use std::io::Write;

use serde_json::json;

use super::client::Client;
use super::images::unpacked_info;
use super::messages::{StatusRequest, VersionRequest, VersionResponse};
use super::{Error, answer};

/// Prints containerd's state and configuration as JSON.
pub(super) async fn write_info(client: &Client, out: &mut dyn Write) -> Result<(), Error> {
    let answer = client
        .send_request(&StatusRequest { verbose: true })
        .await?;
    let mut document = unpacked_info(answer.info);
    document.insert("status".to_owned(), json!(answer.status));
    answer::write_json(&document, out)
}

/// Prints containerd's version.
pub(super) async fn write_version(client: &Client, out: &mut dyn Write) -> Result<(), Error> {
    let answer = client.send_request(&VersionRequest::default()).await?;
    show_version(&answer, out)
}

pub(super) fn show_version(answer: &VersionResponse, out: &mut dyn Write) -> Result<(), Error> {
    for (name, value) in [
        ("Version", &answer.version),
        ("RuntimeName", &answer.runtime_name),
        ("RuntimeVersion", &answer.runtime_version),
        ("RuntimeApiVersion", &answer.runtime_api_version),
    ] {
        writeln!(out, "{name}:  {value}")?;
    }
    Ok(())
}
