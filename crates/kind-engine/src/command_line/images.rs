//! Images in the engine's own store.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

use kind_image::ProgressSink;
use serde::Deserialize;

#[cfg(target_os = "linux")]
use super::drawing::Drawing;
use super::program::Program;
#[cfg(target_os = "linux")]
use super::terminal;
use super::version::Version;
use super::{FailureReason, Flavor, streams};
use crate::{Code, Error, ImageInfo, Info};

/// Pauses before a pull is tried again.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
];
/// From this docker on, an image can be saved for one platform.
const SAVES_PLATFORM: Version = Version(28, 0, 0);

/// The name under which the engine is asked for an image. Podman must be told everything that docker
/// assumes, and takes no tag beside a digest.
pub(super) fn image_name(flavor: Flavor, reference: &str) -> String {
    if flavor != Flavor::Podman {
        return reference.to_owned();
    }
    if let Some(digits) = reference.strip_prefix("sha256:") {
        // An image's id, as others call it.
        return digits.to_owned();
    }
    let name = match reference.split_once('@') {
        Some((name, digest)) => format!("{}@{digest}", without_tag(name)),
        None => reference.to_owned(),
    };
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((first, _)) if !first.contains(['.', ':']) && first != "localhost" => {
            format!("docker.io/{name}")
        }
        Some(_) => name,
    }
}

/// Names of all images, sorted. Those without a name or a tag cannot be asked for.
pub(super) fn image_names(program: &Program) -> Result<Vec<String>, Error> {
    let listed = program.command_output(&["images", "--format", "{{.Repository}}:{{.Tag}}"])?;
    let names = listed.lines().map(str::trim);
    let mut names: Vec<_> = names
        .filter(|name| !name.is_empty() && !name.contains("<none>"))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn without_tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        // A colon before the last slash is a registry's port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

/// What engines agree on of what they tell about an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    /// Digest of its configuration.
    #[serde(default)]
    pub(super) id: String,
    config: Option<Config>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
}

impl Inspected {
    /// What the trait tells of it.
    pub(super) fn info(self) -> ImageInfo {
        let labels = self.config.and_then(|config| config.labels);
        ImageInfo {
            id: self.id,
            labels: labels.unwrap_or_default(),
        }
    }

    /// Its own program with the arguments.
    pub(super) fn command(&self) -> Vec<String> {
        let config = self.config.clone().unwrap_or_default();
        let parts = [config.entrypoint, config.cmd];
        parts.into_iter().flatten().flatten().collect()
    }
}

/// The image of that reference if the engine has it.
pub(super) fn find_image(
    flavor: Flavor,
    program: &Program,
    reference: &str,
) -> Result<Option<Inspected>, Error> {
    let name = image_name(flavor, reference);
    let text = match program.command_output(&["inspect", "--type=image", &name]) {
        Ok(text) => text,
        // Every engine has other words for an image that is not there.
        Err(Error::Program {
            failure_reason: FailureReason::Unknown,
            ..
        }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(parse_images(flavor, &name, &text)?.into_iter().next())
}

/// Reads the answer of `inspect` about images.
///
/// # Errors
/// If it is not what engines say.
pub(super) fn parse_images(
    flavor: Flavor,
    name: &str,
    text: &str,
) -> Result<Vec<Inspected>, Error> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!(
            "{} tells of image {name:?} what cannot be read: {error}",
            flavor.name()
        );
        Error::other(Code::Answer, message, "")
    })
}

/// Lets the engine bring an image; networks that fail once may work a second later.
pub(super) fn pull_image(
    flavor: Flavor,
    program: &Program,
    reference: &str,
    progress: ProgressSink<'_>,
) -> Result<(), Error> {
    let name = image_name(flavor, reference);
    let mut pauses = PAUSES.iter();
    loop {
        let error = match run_pull(flavor, program, &name, progress) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // What no second try changes.
        let hopeless = matches!(
            error.code(),
            Code::ProgramMissing | Code::NoDaemon | Code::DaemonDenied
        );
        let Some(pause) = pauses.next().filter(|_| !hopeless) else {
            return Err(error);
        };
        tracing::info!("Trying again to pull image: {name:?} ... {error}");
        std::thread::sleep(*pause);
    }
}

/// Docker and podman tell bytes on a terminal only.
#[cfg(target_os = "linux")]
fn run_pull(
    flavor: Flavor,
    program: &Program,
    name: &str,
    progress: ProgressSink<'_>,
) -> Result<(), Error> {
    let arguments = ["pull", name];
    if flavor == Flavor::Nerdctl {
        return program.command_output(&arguments).map(drop);
    }
    let mut drawing = Drawing::new(name);
    let watched = terminal::watch_terminal(program, &arguments, |drawn| {
        drawing.read_drawn(drawn, progress)
    });
    match watched {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let words = drawing.words().as_bytes();
            Err(program.ended_badly(&arguments, &status.to_string(), words))
        }
        // Not every place has terminals.
        Err(Error::Io { .. }) => program.command_output(&arguments).map(drop),
        Err(error) => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn run_pull(_: Flavor, program: &Program, name: &str, _: ProgressSink<'_>) -> Result<(), Error> {
    program.command_output(&["pull", name]).map(drop)
}

/// Packs images as one archive.
pub(super) fn save_images(
    flavor: Flavor,
    program: &Program,
    info: &Info,
    references: &[String],
    platform: Option<&str>,
    archive: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let mut arguments = vec!["save"];
    if flavor == Flavor::Podman {
        arguments.push("--multi-image-archive");
    }
    if let Some(platform) = platform.filter(|_| saves_platform(flavor, info)) {
        arguments.extend(["--platform", platform]);
    }
    arguments.extend(references.iter().map(String::as_str));
    streams::stream_out(program, &arguments, archive)
}

/// Only an image store that keeps several platforms of an image needs the choice, and can make it.
fn saves_platform(flavor: Flavor, info: &Info) -> bool {
    match flavor {
        Flavor::Docker => {
            info.containerd_images
                && Version::parse(&info.version).is_some_and(|version| version >= SAVES_PLATFORM)
        }
        Flavor::Nerdctl => true,
        Flavor::Podman => false,
    }
}

/// Takes the images of an archive into the engine's store.
pub(super) fn load_images(program: &Program, archive: &mut (dyn Read + Send)) -> Result<(), Error> {
    streams::stream_into(program, &["load"], archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podman_is_told_the_whole_name() {
        let digest = "sha256:0123";
        for (reference, pulled) in [
            ("kindest/node:v1.21.1@D", "docker.io/kindest/node@D"),
            ("kindest/node:v1.21.1", "docker.io/kindest/node:v1.21.1"),
            ("kindest/node@D", "docker.io/kindest/node@D"),
            ("foo.bar/kindest/node:v1.21.1@D", "foo.bar/kindest/node@D"),
            ("foo.bar/kindest/node:v1", "foo.bar/kindest/node:v1"),
            ("foo.bar/baz:quux@D", "foo.bar/baz@D"),
            (
                "localhost:5000/kindest/node:v1.21.1@D",
                "localhost:5000/kindest/node@D",
            ),
            (
                "localhost:5000/kindest/node@D",
                "localhost:5000/kindest/node@D",
            ),
            ("localhost/kind-node", "localhost/kind-node"),
            ("baz:quux@D", "docker.io/library/baz@D"),
            ("baz:quux", "docker.io/library/baz:quux"),
            ("baz@D", "docker.io/library/baz@D"),
            ("D", "0123"),
        ] {
            let (reference, pulled) = (reference.replace('D', digest), pulled.replace('D', digest));
            assert_eq!(image_name(Flavor::Podman, &reference), pulled);
            assert_eq!(image_name(Flavor::Docker, &reference), reference);
        }
    }

    #[test]
    fn a_platform_is_chosen_where_there_is_a_choice() {
        let mut info = Info {
            version: "29.0.1".to_owned(),
            ..Info::default()
        };
        assert!(!saves_platform(Flavor::Docker, &info));
        info.containerd_images = true;
        assert!(saves_platform(Flavor::Docker, &info));
        info.version = "27.5.1".to_owned();
        assert!(!saves_platform(Flavor::Docker, &info));
    }
}
