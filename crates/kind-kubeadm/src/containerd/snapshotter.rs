//! Where containerd unpacks images.

use super::table;
use crate::Error;

/// The snapshotter that containerd uses for pods, from what `containerd config dump` printed in the
/// node.
///
/// # Errors
/// The text is no configuration of a known version, or it names no snapshotter.
pub fn snapshotter(config_dump: &str) -> Result<String, Error> {
    let config = table::parse_config(config_dump)
        .map_err(|malformed| Error::Snapshotter(malformed.to_string()))?;
    let path: &[&str] = match table::config_version(&config).map_err(Error::Snapshotter)? {
        2 => &["io.containerd.grpc.v1.cri", "containerd", "snapshotter"],
        3 | 4 => &["io.containerd.cri.v1.images", "snapshotter"],
        other => return Err(Error::UnknownContainerdVersion(other)),
    };
    path.iter()
        .try_fold(&config["plugins"], |table, key| table.get(key))
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Error::Snapshotter(format!("it has no plugins.{}", path.join("."))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_place() {
        let v2 = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"overlayfs\"\n";
        let images = |version: i64, snapshotter: &str| {
            format!(
                "version = {version}\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = '{snapshotter}'\n"
            )
        };
        for (dump, name) in [
            (v2.to_owned(), "overlayfs"),
            (images(3, "overlayfs"), "overlayfs"),
            (images(4, "btrfs"), "btrfs"),
        ] {
            assert_eq!(snapshotter(&dump).unwrap(), name);
        }
    }

    #[test]
    fn other_texts_are_errors() {
        for dump in ["", "aaaa", "version = 2\n", "version = 3\n[plugins]\n"] {
            let error = snapshotter(dump).unwrap_err().to_string();
            assert!(
                error.starts_with("failed to detect containerd snapshotter"),
                "{error}"
            );
        }
        assert_eq!(
            snapshotter("version = 5\n").unwrap_err().to_string(),
            "unknown containerd config version: 5 (supported versions: 2, 3 and 4)"
        );
    }
}
