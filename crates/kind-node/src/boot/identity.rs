//! What makes this node another machine than its host: machine id, product name and product UUID.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kind_sys::mount;

use super::error::during_step;
use super::{Error, log, text};

/// Where software looks for the machine's product name.
pub(super) const PRODUCT_NAME: &str = "/sys/class/dmi/id/product_name";
/// Where it looks for the product's UUID.
pub(super) const PRODUCT_UUID: [&str; 2] = [
    "/sys/class/dmi/id/product_uuid",
    "/sys/devices/virtual/dmi/id/product_uuid",
];

/// Gives the node a machine id of its own, a new one each time it boots.
pub(super) fn renew_machine_id(root: &Path) -> Result<(), Error> {
    log::info("clearing and regenerating /etc/machine-id");
    let path = root.join("etc/machine-id");
    let write = |uuid: String| {
        // Removed first: an image may have a link there.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        text::write_text(&path, &uuid.replace('-', ""))?;
        fs::set_permissions(&path, Permissions::from_mode(0o444))
    };
    random_uuid()
        .and_then(write)
        .map_err(during_step("write /etc/machine-id"))
}

/// Hides the host's product name and UUID. Software that finds a cloud's name there takes the node
/// for one of its machines, and Kubernetes wants each node's UUID to be its own.
pub(super) fn fake_product(root: &Path) -> Result<(), Error> {
    if Path::new(PRODUCT_NAME).exists() {
        log::info("faking /sys/class/dmi/id/product_name to be \"kind\"");
        let name = root.join("kind/product_name");
        text::write_text(&name, "kind\n")
            .and_then(|()| mount::bind_read_only(&name, Path::new(PRODUCT_NAME)))
            .map_err(during_step("fake the product name"))?;
    }
    let uuid = root.join("kind/product_uuid");
    ensure_uuid(&uuid).map_err(during_step("write /kind/product_uuid"))?;
    for path in PRODUCT_UUID
        .map(Path::new)
        .into_iter()
        .filter(|path| path.exists())
    {
        log::info(format!("faking {} to be random", path.display()));
        mount::bind_read_only(&uuid, path).map_err(during_step("fake the product UUID"))?;
    }
    Ok(())
}

/// A node keeps the UUID it got when it booted first.
fn ensure_uuid(path: &Path) -> io::Result<()> {
    if text::read_text(path)?.is_some_and(|text| !text.trim().is_empty()) {
        return Ok(());
    }
    text::write_text(path, &random_uuid()?)
}

/// A random UUID and a line end, from the kernel.
fn random_uuid() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/uuid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_id_is_new_each_time_and_the_uuid_stays() {
        let root = tempfile::tempdir().unwrap();
        let id = || {
            renew_machine_id(root.path()).unwrap();
            fs::read_to_string(root.path().join("etc/machine-id")).unwrap()
        };
        let (first, second) = (id(), id());
        assert_ne!(first, second);
        assert_eq!(first.len(), 33);
        assert!(
            first
                .trim_end()
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
        );

        let path = root.path().join("uuid");
        let uuid = || {
            ensure_uuid(&path).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        assert_eq!(uuid(), uuid());
    }
}
