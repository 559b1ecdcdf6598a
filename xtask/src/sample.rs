//! The sample app: an image of a static busybox that serves a page with its pod's name.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kind_image::oci::{ImageConfig, Platform, RunConfig};
use kind_image::store::{Placement, Store};

use crate::Failure;
use crate::programs;

/// The image's name.
pub(crate) const IMAGE: &str = "docker.io/library/kind-sample:v1";

/// Two pods of it behind a Service with a port of the node.
pub(crate) const MANIFEST: &str = include_str!("sample.yaml");

/// Serves on port 8080.
const SERVE: &str = "mkdir -p /www && echo \"Hello from pod $(hostname)\" > /www/index.html && \
                     exec httpd -f -p 8080 -h /www";

/// Names under which the one program does different things.
const APPLETS: [&str; 15] = [
    "sh", "cat", "echo", "sleep", "hostname", "httpd", "mkdir", "nslookup", "nc", "printf", "ls",
    "touch", "true", "env", "ip",
];

/// Writes the image as an archive and returns its path.
pub(crate) fn archive() -> Result<PathBuf, Failure> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path().join("root");
    fill(&root)?;
    let store = Store::open(&scratch.path().join("store"))?;
    let config = ImageConfig {
        architecture: Platform::of_host().architecture,
        os: "linux".to_owned(),
        config: RunConfig {
            cmd: Some(["/bin/sh", "-c", SERVE].map(str::to_owned).to_vec()),
            env: Some(vec!["PATH=/bin".to_owned()]),
            ..RunConfig::default()
        },
        ..ImageConfig::default()
    };
    let mut draft = store.draft()?;
    draft.add_directory(&root, Placement::Move)?;
    let image = draft.commit(config, &[IMAGE.parse()?])?;
    let path = programs::directory().join("kind-sample.tar");
    fs::create_dir_all(programs::directory())?;
    kind_image::archive::write(&store, &[image], File::create(&path)?)?;
    Ok(path)
}

fn fill(root: &Path) -> Result<(), Failure> {
    for directory in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    let busybox = ["/bin/busybox", "/usr/bin/busybox"];
    let busybox = busybox.iter().find(|path| Path::new(path).exists());
    fs::copy(
        busybox.ok_or("busybox is missing")?,
        root.join("bin/busybox"),
    )?;
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    Ok(())
}
