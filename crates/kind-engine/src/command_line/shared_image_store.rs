//! One `/var` for all nodes of an image: a volume that holds the image's, with its images unpacked.
//!
//! Without it every node gets a copy of the image's `/var`, up to a gigabyte, and unpacks for itself. With
//! it nodes begin with an empty volume, and `kind-node seed` fills that before the image's own entry point
//! runs: unpacked layers are shown from the shared volume, read-only, and only the rest is copied. It takes no
//! more than root in a user namespace has, so nodes of rootless engines share one too: a volume in their
//! user's own store, unpacked by a containerd in the same user namespace.
//!
//! The volume is made by a container whose name keeps others from making it at the same time. One that
//! was left unfinished does no harm: nodes see that, and copy their image's `/var` as ever.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::Flavor;
use super::failure_reason::is_taken;
use super::images::{self, Inspected};
use super::mutex::lock_mutex;
use super::program::Program;
use crate::{Code, Error, Info, Leftover, LeftoverKind, NodeSpec, Pruning, Purpose};

/// Label of the volumes and of the containers that make them; its value is the image's id.
const LABEL: &str = "io.x-k8s.kind.shared-var";
/// How often the volume is looked for: one that a crash left half made must not be waited for without end.
const MAX_ATTEMPTS: usize = 5;
/// How long another kind may take to make it: unpacking takes seconds, on slow disks minutes.
const UNPACK_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Variable of the node that names its snapshotter.
const SNAPSHOTTER: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";
const SCRIPT: &str = concat!(
    include_str!("share-begin.sh"),
    include_str!("../unpack.sh"),
    include_str!("share-end.sh")
);

/// What is known about images, by their names. Nodes are made at the same time: the first waits for the
/// volume, the others for the first.
#[derive(Debug, Default)]
pub(super) struct SharedImageStores(Mutex<BTreeMap<String, Option<String>>>);

impl SharedImageStores {
    /// The volume that a node shares; `None` if it has to copy its image's. `look` tells of the node's image.
    pub(super) fn find_or_make(
        &self,
        flavor: Flavor,
        program: &Program,
        info: &Info,
        node: &NodeSpec,
        look: impl FnOnce() -> Result<Option<Inspected>, Error>,
    ) -> Option<String> {
        if !is_possible(flavor, info, node) {
            return None;
        }
        let mut known = lock_mutex(&self.0);
        if let Some(found) = known.get(&node.image) {
            return found.clone();
        }
        let ensured = look().and_then(|image| {
            let image = image.ok_or_else(|| image_gone(&node.image))?;
            ensure_volume(flavor, program, &node.image, &image)
        });
        let found = match ensured {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::warn!(%error, image = node.image, "every node copies its image's /var");
                None
            }
        };
        known.insert(node.image.clone(), found.clone());
        found
    }
}

/// Filling a node's `/var` takes the node program. What is unpacked is for one way of keeping layers only.
fn is_possible(flavor: Flavor, info: &Info, node: &NodeSpec) -> bool {
    let snapshotter = node.env.get(SNAPSHOTTER);
    flavor != Flavor::Nerdctl
        && !info.user_namespaces
        && node.purpose == Purpose::Kubernetes
        && node.command.is_none()
        && node.node_agent.is_some()
        && snapshotter.is_none_or(|name| name.is_empty() || name == "overlayfs")
}

fn image_gone(image: &str) -> Error {
    Error::other(
        Code::Answer,
        format!("there is no image {image:?} any more"),
        "",
    )
}

fn ensure_volume(
    flavor: Flavor,
    program: &Program,
    reference: &str,
    image: &Inspected,
) -> Result<String, Error> {
    let name = images::image_name(flavor, reference);
    let digits = image.id.trim_start_matches("sha256:");
    let digits = digits.get(..24).unwrap_or(digits);
    let (volume, maker) = (
        format!("kind-var-{digits}"),
        format!("kind-var-{digits}-maker"),
    );
    for _ in 0..MAX_ATTEMPTS {
        let (has_volume, has_maker) = inspect_volume(program, &volume, &maker)?;
        match (has_volume, has_maker) {
            (true, false) => return Ok(volume),
            // Another kind makes it; the container is gone when it has.
            (_, true) => wait_for_maker(flavor, program, &maker)?,
            (false, false) => make_volume(flavor, program, &name, &image.id, &volume, &maker)?,
        }
    }
    Err(stuck_maker(flavor, &maker))
}

/// Waits for the maker's end.
fn wait_for_maker(flavor: Flavor, program: &Program, maker: &str) -> Result<(), Error> {
    if program.ends_within(&["wait", maker], UNPACK_TIMEOUT)? {
        Ok(())
    } else {
        Err(stuck_maker(flavor, maker))
    }
}

fn stuck_maker(flavor: Flavor, maker: &str) -> Error {
    let message = format!("container {maker:?} neither ends nor goes away");
    let remedy = format!("remove it: {} rm --force {maker}", flavor.name());
    Error::other(Code::SharedVar, message, remedy)
}

/// Whether the volume and its maker exist.
fn inspect_volume(program: &Program, volume: &str, maker: &str) -> Result<(bool, bool), Error> {
    let volumes = program
        .run_command(&["volume", "inspect", volume])?
        .status
        .success();
    let makers = program.run_command(&["inspect", "--type=container", maker])?;
    Ok((volumes, makers.status.success()))
}

fn make_volume(
    flavor: Flavor,
    program: &Program,
    image: &str,
    id: &str,
    volume: &str,
    maker: &str,
) -> Result<(), Error> {
    let label = format!("{LABEL}={id}");
    let shown = format!("{volume}:/shared");
    program.command_output(&["volume", "create", "--label", &label, volume])?;
    let mut arguments = vec![
        "run",
        "--rm",
        "--name",
        maker,
        "--label",
        &label,
        "--privileged",
        "--network",
        "none",
    ];
    if flavor == Flavor::Docker {
        let options = ["seccomp=unconfined", "apparmor=unconfined"];
        arguments.extend(
            options
                .into_iter()
                .flat_map(|option| ["--security-opt", option]),
        );
    }
    arguments.extend([
        "--volume",
        &shown,
        "--entrypoint",
        "sh",
        image,
        "-eu",
        "-c",
        SCRIPT,
    ]);
    match program.command_output(&arguments) {
        Ok(_) => Ok(()),
        // Another kind was faster; what it makes is waited for.
        Err(error) if is_taken(error.output().unwrap_or_default(), maker) => Ok(()),
        Err(error) => {
            // What stays of it is looked at by nodes, and is not used.
            let _ = program.command_output(&["volume", "rm", volume]);
            Err(without_script(&error))
        }
    }
}

/// The failure in the words of the image's programs: the command holds the script.
fn without_script(error: &Error) -> Error {
    let output = error.output().unwrap_or_default();
    let lines: Vec<&str> = output.lines().rev().take(5).collect();
    let told = lines.into_iter().rev().collect::<Vec<_>>().join(" / ");
    Error::other(
        Code::SharedVar,
        format!("the node image's containerd does not unpack its images: {told}"),
        "",
    )
}

/// Volumes that no node uses.
pub(super) fn prune_shared_image_stores(
    program: &Program,
    pruning: Pruning,
) -> Result<Vec<Leftover>, Error> {
    let label = format!("label={LABEL}");
    let list = [
        "volume",
        "ls",
        "--quiet",
        "--filter",
        &label,
        "--filter",
        "dangling=true",
    ];
    let listed = program.command_output(&list)?;
    let mut found = Vec::new();
    for volume in listed.lines() {
        // One that a node has begun to use is refused.
        let gone = pruning == Pruning::Look
            || program
                .run_command(&["volume", "rm", volume])?
                .status
                .success();
        if gone {
            found.push(Leftover::new(
                LeftoverKind::Prepared,
                format!("in volume {volume}"),
                0,
            ));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nodes_that_can_fill_their_var_share_one() {
        let mut node = NodeSpec {
            node_agent: Some(crate::Agent::file("/kind-node")),
            ..NodeSpec::default()
        };
        let info = Info::default();
        assert!(is_possible(Flavor::Docker, &info, &node));
        assert!(is_possible(Flavor::Podman, &info, &node));
        assert!(!is_possible(Flavor::Nerdctl, &info, &node));
        let rootless = Info {
            rootless: true,
            ..Info::default()
        };
        assert!(is_possible(Flavor::Podman, &rootless, &node));
        let remapped = Info {
            user_namespaces: true,
            ..Info::default()
        };
        assert!(!is_possible(Flavor::Docker, &remapped, &node));
        node.env.insert(SNAPSHOTTER.to_owned(), "native".to_owned());
        assert!(!is_possible(Flavor::Docker, &info, &node));
        node.env.clear();
        node.purpose = Purpose::LoadBalancer;
        assert!(!is_possible(Flavor::Podman, &info, &node));
    }
}
