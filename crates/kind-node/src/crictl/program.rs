//! One call of crictl from its command line to its answer.

use std::io::Write;
use std::process::ExitCode;

use super::Error;
use super::client::Client;
use super::command_line::{self, Command, CommandLine};
use super::{containers, images, pods, status};

/// Answers a call on stdout.
pub(crate) fn run_crictl(words: &[String]) -> ExitCode {
    let mut out = Vec::new();
    let result = answer_words(words, &mut out);
    // Also what was done before something failed.
    let written = std::io::stdout().write_all(&out).map_err(Error::Output);
    match result.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when not even this can be written.
            let _ = writeln!(std::io::stderr(), "crictl: {error}");
            ExitCode::from(if error.is_usage() { 2 } else { 1 })
        }
    }
}

fn answer_words(words: &[String], out: &mut dyn Write) -> Result<(), Error> {
    let line = command_line::parse_command_line(words)?;
    if line.command == Command::OwnVersion {
        return Ok(writeln!(
            out,
            concat!("crictl of kind-node ", env!("CARGO_PKG_VERSION"))
        )?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(run_command(&line, out))
}

async fn run_command(line: &CommandLine, out: &mut dyn Write) -> Result<(), Error> {
    let client = &Client::connect(&line.socket).await?;
    let form = line.form;
    match &line.command {
        Command::Images(name) => images::list_images(client, name.as_deref(), form, out).await,
        Command::InspectImages(names) => images::inspect_images(client, names, form, out).await,
        Command::Pull(name) => images::pull_image(client, name, out).await,
        Command::RemoveImages(names) => images::remove_images(client, names, out).await,
        Command::Containers(which) => containers::list_containers(client, *which, form, out).await,
        Command::Pods => pods::list_pods(client, form, out).await,
        Command::Info => status::write_info(client, out).await,
        Command::Version => status::write_version(client, out).await,
        // Answered before anyone is asked.
        Command::OwnVersion => Ok(()),
    }
}
