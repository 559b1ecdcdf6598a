//! Podman with everything it keeps in directories of the test. There is no daemon to start.

use std::fs;
use std::path::Path;

use super::client::Client;
use crate::Bounds;

pub(super) fn configure(directory: &Path, runtime: &Path) -> Result<Client, String> {
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| error.to_string())?;
        Ok::<_, String>(path)
    };
    fs::create_dir_all(directory.join("networks")).map_err(|error| error.to_string())?;
    let client = Client::new(
        "podman",
        vec![
            (
                "CONTAINERS_CONF",
                write("containers.conf", containers(directory, runtime))?,
            ),
            (
                "CONTAINERS_STORAGE_CONF",
                write("storage.conf", storage(directory))?,
            ),
            (
                "CONTAINERS_REGISTRIES_CONF",
                write("registries.conf", REGISTRIES.to_owned())?,
            ),
        ],
    );
    let answer = client.ask(&["info"]);
    if answer.code == 0 {
        Ok(client)
    } else {
        Err(format!("podman does not answer:\n{}", answer.stderr))
    }
}

/// Docker takes registries on loopback without encryption; podman must be told.
const REGISTRIES: &str = "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n";

fn containers(directory: &Path, runtime: &Path) -> String {
    let (directory, runtime) = (directory.display(), runtime.display());
    // crun before 1.9 refuses hosts with both cgroup hierarchies.
    let default = if Bounds::of_host().are_narrow() {
        "restricted"
    } else {
        "runc"
    };
    format!(
        "[network]\n\
         network_backend = \"netavark\"\n\
         network_config_dir = \"{directory}/networks\"\n\
         [engine]\n\
         cgroup_manager = \"cgroupfs\"\n\
         events_logger = \"file\"\n\
         runtime = \"{default}\"\n\
         [engine.runtimes]\n\
         restricted = [\"{runtime}\"]\n"
    )
}

fn storage(directory: &Path) -> String {
    format!(
        "[storage]\n\
         driver = \"overlay\"\n\
         graphroot = \"{}/storage\"\n\
         runroot = \"/run/containers/storage\"\n",
        directory.display()
    )
}
