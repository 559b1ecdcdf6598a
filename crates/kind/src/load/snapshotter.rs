//! How a node's containerd keeps the layers of its images.

/// The snapshotter for pods' images, from what `containerd config dump` prints.
///
/// # Errors
/// Why it cannot be told, in words that scripts know.
pub(super) fn find(dump: &str) -> Result<String, String> {
    let table: toml_edit::DocumentMut = dump.parse().map_err(|error| format!("{error}"))?;
    let version = table.get("version").and_then(toml_edit::Item::as_integer);
    let path: &[&str] = match version {
        Some(2) => &["io.containerd.grpc.v1.cri", "containerd", "snapshotter"],
        Some(3 | 4) => &["io.containerd.cri.v1.images", "snapshotter"],
        other => {
            let version = other.unwrap_or_default();
            return Err(format!(
                "unknown containerd config version: {version} (supported versions: 2, 3 and 4)"
            ));
        }
    };
    let plugins = table.get("plugins").ok_or("it has no plugins")?;
    let item = path.iter().try_fold(plugins, |item, key| item.get(key));
    let name = item.and_then(toml_edit::Item::as_str);
    Ok(name.ok_or("it names none")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_snapshotter_is_found_in_every_version() {
        let two = "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    \
                   [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      snapshotter = \"native\"\n";
        let three =
            "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n";
        assert_eq!(find(two).unwrap(), "native");
        assert_eq!(find(three).unwrap(), "overlayfs");
        let error = find("version = 1\n").unwrap_err();
        assert!(
            error.starts_with("unknown containerd config version: 1"),
            "{error}"
        );
    }
}
