//! Which snapshotter containerd can use here, and its configuration for that.

use std::fs;
use std::path::Path;

use kind_sys::mount;
use kind_sys::mountinfo::{self, Mount};
use rustix::mount::{UnmountFlags, unmount};

use super::error::during_step;
use super::{Error, log, program, text};

/// Overrides the choice.
const VARIABLE: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";
const CONFIG: &str = "/etc/containerd/config.toml";
const FUSE: &str = "fuse-overlayfs";

/// Adapts containerd to the file system below the node and to user namespaces.
pub(super) fn configure_snapshotter(mounts: &[Mount], userns: bool) -> Result<(), Error> {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let filesystem = mountinfo::holding(mounts, Path::new("/kind"));
    let filesystem = filesystem.map_or("", |mount| mount.filesystem.as_str());
    let chosen = choose_snapshotter(&wanted, filesystem).or_else(|| {
        let fuse = userns && !overlay_works();
        fuse.then(|| FUSE.to_owned())
    });
    if !userns && chosen.is_none() {
        return Ok(());
    }
    let path = Path::new(CONFIG);
    let reading = || during_step(format!("read {CONFIG}"));
    let config = text::read_text(path)
        .map_err(reading())?
        .unwrap_or_default();
    let edited = edit_config(&config, chosen.as_deref(), userns);
    if edited != config {
        text::replace_text(path, &edited).map_err(during_step(format!("write {CONFIG}")))?;
    }
    if let Some(chosen) = &chosen {
        log::info(format!(
            "changing snapshotter from \"overlayfs\" to {chosen:?}"
        ));
    }
    if chosen.as_deref() == Some(FUSE) {
        log::info("enabling containerd-fuse-overlayfs service");
        program::program_output(&["systemctl", "enable", "containerd-fuse-overlayfs"], "")?;
    }
    Ok(())
}

/// The snapshotter that was asked for, or that the file system demands.
fn choose_snapshotter(wanted: &str, filesystem: &str) -> Option<String> {
    let chosen = match (wanted, filesystem) {
        ("", "zfs") => "native",
        ("", kind) if kind.starts_with("fuse") => FUSE,
        ("", _) => return None,
        (wanted, _) => wanted,
    };
    Some(chosen.to_owned())
}

/// Tells whether overlayfs can be mounted, and used, in this user namespace.
fn overlay_works() -> bool {
    let label = fs::read_to_string("/proc/self/attr/current").unwrap_or_default();
    if label.contains("_t:") {
        log::warn(format!(
            "UserNS: SELinux might be enabled; if you see an error, set {VARIABLE}={FUSE}"
        ));
    }
    // Debian's patch for mounts in user namespaces is known to lose data.
    let patched = Path::new("/sys/module/overlay/parameters/permit_mounts_in_userns");
    !patched.exists() && try_overlay(Path::new("/var/.kind-overlay-trial")).is_ok()
}

fn try_overlay(directory: &Path) -> std::io::Result<()> {
    let [lower, upper, work, target] =
        ["lower", "upper", "work", "target"].map(|name| directory.join(name));
    for path in [&lower, &upper, &work, &target] {
        fs::create_dir_all(path)?;
    }
    let tried = mount::overlay(&[lower], &upper, &work, &target)
        .and_then(|()| Ok(unmount(&target, UnmountFlags::DETACH)?));
    // Left-overs of a trial do no harm.
    let _ = fs::remove_dir_all(directory);
    tried
}

/// The configuration for a snapshotter and for user namespaces.
fn edit_config(config: &str, snapshotter: Option<&str>, userns: bool) -> String {
    let mut config = config.to_owned();
    if userns {
        config = config.replace(
            "restrict_oom_score_adj = false",
            "restrict_oom_score_adj = true",
        );
    }
    if let Some(name) = snapshotter {
        let after = format!("snapshotter = \"{name}\"");
        config = config.replace("snapshotter = \"overlayfs\"", &after);
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_before_the_file_system() {
        for (wanted, filesystem, chosen) in [
            ("", "ext4", None),
            ("", "overlay", None),
            ("", "zfs", Some("native")),
            ("", "fuseblk", Some(FUSE)),
            ("", "fuse.sshfs", Some(FUSE)),
            ("native", "fuseblk", Some("native")),
            ("overlayfs", "zfs", Some("overlayfs")),
        ] {
            assert_eq!(
                choose_snapshotter(wanted, filesystem).as_deref(),
                chosen,
                "{filesystem}"
            );
        }
    }

    #[test]
    fn only_the_two_settings_change() {
        let config = "version = 2\n  restrict_oom_score_adj = false\n    snapshotter = \"overlayfs\"\n  snapshotter = \"own\"\n";
        assert_eq!(edit_config(config, None, false), config);
        assert_eq!(
            edit_config(config, Some("native"), true),
            "version = 2\n  restrict_oom_score_adj = true\n    snapshotter = \"native\"\n  snapshotter = \"own\"\n"
        );
    }
}
