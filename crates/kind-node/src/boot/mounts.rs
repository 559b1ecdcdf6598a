//! Mounts that an init system and pods expect to find.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use kind_sys::mount::{self, MountPropagationFlags};
use kind_sys::mountinfo::Mount;

use super::error::during_step;
use super::{Error, log};

/// Prepares the mounts of the node.
pub(super) fn fix_mounts(mounts: &[Mount], userns: bool) -> Result<(), Error> {
    for program in ["/usr/bin/mount", "/usr/bin/umount"] {
        take_privilege(Path::new(program)).map_err(during_step(format!("fix {program}")))?;
    }
    let root = mounts.iter().rfind(|mount| mount.target == Path::new("/"));
    if root.is_some_and(|root| root.filesystem == "aufs") {
        // aufs shows the new mode only after this.
        rustix::fs::sync();
    }
    // An init system that finds /sys writable starts udev, which is the host's business.
    log::info("remounting /sys read-only");
    match mount::read_only(Path::new("/sys")) {
        Err(error) if userns => log::info(format!("UserNS: ignored: remount /sys: {error}")),
        result => result.map_err(during_step("remount /sys read-only"))?,
    }
    // The kubelet and volumes need mounts that travel into pods.
    log::info("making mounts shared");
    mount::set_propagation(Path::new("/"), MountPropagationFlags::SHARED)
        .map_err(during_step("make / shared"))
}

/// Makes a program root's own and takes its set-user-id bit, which a file that came through an
/// image for user namespaces may carry for a stranger.
fn take_privilege(program: &Path) -> std::io::Result<()> {
    let mode = match fs::metadata(program) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    chown(program, Some(0), Some(0))?;
    fs::set_permissions(program, Permissions::from_mode(mode & !0o6000))
}
