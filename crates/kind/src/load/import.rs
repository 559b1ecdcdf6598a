//! Giving images to nodes.

use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::time::Duration;

use kind_engine::{Command, Engine, Io};
use kind_image::archive::{PortableImage, write_partial};
use kind_image::concurrent::{run_each, run_piped};
use kind_image::{Digest, Progress};

use super::counted::Counted;
use super::inventory::Inventory;
use super::job::Job;
use super::loaded::{LoadOutcome, LoadedImage};
use super::names::remove_new_names;
use super::transfer::Transfer;
use super::verdict;
use crate::error::FailedStep;
use crate::event::{Detail, Event, Listener, Verbosity};
use crate::image_error::image_cause;
use crate::{CancelToken, Code, Error, Result};

/// How long a node may take before it is said how far it is, and again each time as long.
const SLOW_LOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Sends to all nodes at once, and says what each has then.
pub(super) fn import_all(
    engine: &dyn Engine,
    jobs: &[Job<'_>],
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<Vec<LoadedImage>> {
    let sender = Sender {
        engine,
        cancel,
        listener,
    };
    let done = run_each(jobs, |job| sender.load_missing(job));
    cancel.check()?;
    let (mut loaded, mut errors) = (Vec::new(), Vec::new());
    for node in done {
        match node {
            Ok(images) => loaded.extend(images),
            Err(error) => errors.push(error),
        }
    }
    Error::collect(errors)?;
    Ok(loaded)
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
    /// Sends what a node lacks. If that fails, no name stays of what it does not have.
    fn load_missing(&self, job: &Job<'_>) -> Result<Vec<LoadedImage>> {
        if let Err(error) = self.import_missing(job) {
            // Who interrupts has ended the archive in its middle, before names are made.
            if !self.cancel.is_cancelled() {
                let node = &job.target.name;
                let removed = remove_new_names(self.engine, job);
                tracing::debug!(?removed, node, "names after a failed import");
            }
            return Err(error);
        }
        let images = job.images.iter();
        let loaded: Vec<_> = images
            .map(|image| LoadedImage::new(image, &job.target.name, LoadOutcome::Loaded))
            .collect();
        loaded.iter().for_each(|image| image.tell(self.listener));
        Ok(loaded)
    }

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
            Err(error)
                if wanted != everything
                    && error.code() != Code::ImageMismatch
                    && !self.cancel.is_cancelled() =>
            {
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
        let transfer = Transfer::new(node, total);
        let write = |writer| {
            let counted = Counted::new(self.cancel, writer, |sent| {
                (self.listener)(Event::Progress(transfer.note_sent(sent)));
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
        let piped = transfer.tell_while_slow(SLOW_LOAD_INTERVAL, self.listener, || {
            run_piped(write, import)
        });
        let (written, code) =
            piped.map_err(|error| import_failure(node, error.to_string(), &[]))?;
        (self.listener)(Event::Progress(Progress::new(
            node.as_str(),
            total,
            Some(total),
        )));
        match (code, written) {
            // The node got half an archive then, and complains of that.
            (_, Err(error @ kind_image::Error::Mismatch { .. })) => Err(Error::Store {
                action: "failed to load image".to_owned(),
                source: image_cause(error),
            }),
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
    // Not by digests: those would be names with the day in them.
    words.extend(["--all-platforms", &snapshotter, "-"]);
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
