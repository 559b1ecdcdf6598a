//! Giving images to nodes.

use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::sync::Arc;

use kind_engine::{Command, Engine, Io};
use kind_image::archive::{PortableImage, write_partial};
use kind_image::concurrent::{run_each, run_piped};
use kind_image::{Digest, Progress};

use super::counted::Counted;
use super::inventory::Inventory;
use super::nodes::Target;
use super::verdict;
use crate::error::FailedStep;
use crate::event::{Detail, Event, Listener, Verbosity};
use crate::{CancelToken, Code, Error, Result};

/// Images that a node is to get.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) target: &'a Target,
    pub(super) images: Vec<Arc<PortableImage>>,
}

/// Sends to all nodes at once.
pub(super) fn import_all(
    engine: &dyn Engine,
    jobs: &[Job<'_>],
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<()> {
    let sender = Sender {
        engine,
        cancel,
        listener,
    };
    let done = run_each(jobs, |job| sender.import_missing(job));
    cancel.check()?;
    Error::collect(done.into_iter().filter_map(Result::err).collect())
}

/// Gives the image of an id one more name.
pub(super) fn tag_image(engine: &dyn Engine, node: &str, id: &Digest, name: &str) -> Result<()> {
    let id = id.to_string();
    let command = [
        "ctr",
        "--namespace=k8s.io",
        "images",
        "tag",
        "--force",
        &id,
        name,
    ];
    crate::node::read_output(engine, node, &command).map(drop)
}

struct Sender<'a> {
    engine: &'a dyn Engine,
    cancel: &'a CancelToken,
    listener: Listener<'a>,
}

impl Sender<'_> {
    fn import_missing(&self, job: &Job<'_>) -> Result<()> {
        let inventory = &job.target.inventory;
        let wanted: BTreeSet<Digest> = job
            .images
            .iter()
            .flat_map(|image| verdict::wanted_blobs(image, inventory))
            .collect();
        let everything: BTreeSet<Digest> = job
            .images
            .iter()
            .flat_map(|image| verdict::all_blobs(image))
            .collect();
        match self.send_archive(job, &wanted) {
            // What the node had when it was asked may be gone: images are removed when nothing uses them.
            Err(error) if wanted != everything && !self.cancel.is_cancelled() => {
                let reason = crate::error_chain(&error);
                let node = &job.target.name;
                let text = format!("node {node} does not take parts, sending all: {reason}");
                self.report_detail(node, text);
                self.send_archive(job, &everything)
            }
            other => other,
        }
    }

    fn send_archive(&self, job: &Job<'_>, wanted: &BTreeSet<Digest>) -> Result<()> {
        let node = &job.target.name;
        let images: Vec<&PortableImage> = job.images.iter().map(AsRef::as_ref).collect();
        let total = import_size(&images, wanted);
        let text = format!(
            "sending {} layers ({total} bytes) of {} images to node {node}",
            wanted.len(),
            images.len()
        );
        self.report_detail(node, text);
        let write = |writer| {
            let counted = Counted::new(self.cancel, writer, |done| {
                // Headers and documents count too; the end is told when the node has taken everything.
                let done = done.min(total.saturating_sub(1));
                let progress = Progress::new(node, done, Some(total));
                (self.listener)(Event::Progress(progress));
            });
            write_partial(&images, wanted, BufWriter::with_capacity(1 << 18, counted))
        };
        let mut output = Vec::new();
        let import = |mut reader: io::PipeReader| {
            let mut nowhere = io::sink();
            let io = Io::new(Some(&mut reader), &mut nowhere, &mut output);
            self.engine
                .exec(node, &import_command(&job.target.inventory), io)
        };
        let piped = run_piped(write, import);
        let (written, code) =
            piped.map_err(|error| import_failure(node, error.to_string(), &[]))?;
        (self.listener)(Event::Progress(Progress::new(
            node.as_str(),
            total,
            Some(total),
        )));
        match (code, written) {
            (Ok(0), Ok(())) => Ok(()),
            (Err(error), _) => Err(Error::engine(Code::ImageTransfer, "failed to load image")(
                error,
            )),
            (Ok(0), Err(error)) => Err(import_failure(node, error_text(&error), &output)),
            // A node that does not want the rest is the cause, not the pipe that it closed.
            (Ok(code), Ok(()) | Err(_)) => {
                Err(import_failure(node, format!("exit status {code}"), &output))
            }
        }
    }

    fn report_detail(&self, node: &str, text: String) {
        let detail = Detail::new(Verbosity::Documents, text);
        (self.listener)(Event::Detail(detail.of_node(node)));
    }
}

fn import_command(inventory: &Inventory) -> Command {
    let snapshotter = format!("--snapshotter={}", inventory.snapshotter);
    let mut words = vec!["ctr", "--namespace=k8s.io", "images", "import"];
    if inventory.imports_by_transfer() {
        words.push("--local");
    }
    words.extend(["--all-platforms", "--digests", &snapshotter, "-"]);
    Command::new(words)
}

/// Bytes of the layers that are sent.
fn import_size(images: &[&PortableImage], wanted: &BTreeSet<Digest>) -> u64 {
    let layers = images.iter().flat_map(|image| image.layers());
    let mut counted = BTreeSet::new();
    let new = layers
        .filter(|layer| wanted.contains(layer.digest()))
        .filter(|layer| counted.insert(layer.digest()));
    new.map(|layer| layer.size()).sum()
}

fn import_failure(node: &str, reason: String, output: &[u8]) -> Error {
    FailedStep {
        node: node.to_owned(),
        action: "failed to load image".to_owned(),
        reason,
        output: String::from_utf8_lossy(output).into_owned(),
        causes: Vec::new(),
    }
    .into_error()
}

fn error_text(error: &kind_image::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// containerd 2 fails with "no unpack platforms defined" otherwise; 1.6 does not know the option.
    #[test]
    fn only_a_containerd_that_hands_imports_over_is_told_not_to() {
        let local = |told: &str| {
            let answer = format!(
                "=== version\n{told}\n=== config\nversion = 3\n\
                 plugins.'io.containerd.cri.v1.images'.snapshotter = 'native'\n"
            );
            let command = import_command(&Inventory::parse(&answer).unwrap());
            assert!(command.argv.contains(&"--snapshotter=native".to_owned()));
            command.argv.contains(&"--local".to_owned())
        };
        assert!(local(
            "containerd github.com/containerd/containerd/v2 2.1.9+unknown"
        ));
        assert!(!local(
            "containerd github.com/containerd/containerd 1.6.20~ds1 1"
        ));
        assert!(!local("no containerd"));
    }
}
