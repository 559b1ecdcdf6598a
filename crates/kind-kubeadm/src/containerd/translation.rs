//! Tables of another version of containerd's configuration than a node's file is of: containerd does not look at them.

use serde_json::{Map, Value};

use super::names::{CRI, IMAGES, RUNTIME, merge_at, take_at, value_at};

/// A setting of version 2's only plugin, and where it stands since version 3: containerd's `docs/cri/config.md`.
type Moved = (
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

/// What does not go to the runtime's plugin under the name that it has.
const MOVED: [Moved; 9] = [
    (&["registry"], IMAGES, &["registry"]),
    (&["image_decryption"], IMAGES, &["image_decryption"]),
    (
        &["max_concurrent_downloads"],
        IMAGES,
        &["max_concurrent_downloads"],
    ),
    (
        &["image_pull_progress_timeout"],
        IMAGES,
        &["image_pull_progress_timeout"],
    ),
    (&["stats_collect_period"], IMAGES, &["stats_collect_period"]),
    (&["sandbox_image"], IMAGES, &["pinned_images", "sandbox"]),
    (&["containerd", "snapshotter"], IMAGES, &["snapshotter"]),
    (
        &["containerd", "disable_snapshot_annotations"],
        IMAGES,
        &["disable_snapshot_annotations"],
    ),
    (
        &["containerd", "discard_unpacked_layers"],
        IMAGES,
        &["discard_unpacked_layers"],
    ),
];

/// What stays with the old plugin: settings of its server.
const OF_SERVER: [&str; 6] = [
    "disable_tcp_service",
    "stream_server_address",
    "stream_server_port",
    "stream_idle_timeout",
    "enable_tls_streaming",
    "x509_key_pair_streaming",
];

/// Puts the tables of a patch where a configuration of that version has them. Returns the tables that were moved.
pub(super) fn translate_tables(patch: &mut Value, version: i64) -> Vec<&'static str> {
    let moved = if version < 3 {
        [IMAGES, RUNTIME].map(|plugin| to_version_2(patch, plugin))
    } else {
        [to_version_3(patch), None]
    };
    moved.into_iter().flatten().collect()
}

fn to_version_3(patch: &mut Value) -> Option<&'static str> {
    let mut table = take_plugin(patch, CRI)?;
    let mut of_server = Map::new();
    for name in OF_SERVER {
        if let Some(value) = table.remove(name) {
            of_server.insert(name.to_owned(), value);
        }
    }
    let is_moved = !table.is_empty();
    for (from, plugin, to) in MOVED {
        if value_at(&table, from).is_some()
            && let Some(value) = take_at(&mut table, from)
        {
            merge_at(patch, &[&["plugins", plugin], to].concat(), value);
        }
    }
    for (plugin, rest) in [(RUNTIME, table), (CRI, of_server)] {
        if !rest.is_empty() {
            merge_at(patch, &["plugins", plugin], Value::Object(rest));
        }
    }
    is_moved.then_some(CRI)
}

fn to_version_2(patch: &mut Value, plugin: &'static str) -> Option<&'static str> {
    let mut table = take_plugin(patch, plugin)?;
    for (from, of, to) in MOVED {
        if of == plugin
            && let Some(value) = take_at(&mut table, to)
        {
            merge_at(patch, &[&["plugins", CRI], from].concat(), value);
        }
    }
    if !table.is_empty() {
        merge_at(patch, &["plugins", CRI], Value::Object(table));
    }
    Some(plugin)
}

/// Takes a plugin's table out of a patch.
fn take_plugin(patch: &mut Value, plugin: &str) -> Option<Map<String, Value>> {
    let plugins = patch.get_mut("plugins")?.as_object_mut()?;
    if !plugins.get(plugin)?.is_object() {
        return None;
    }
    match plugins.remove(plugin)? {
        Value::Object(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn translated(mut patch: Value, version: i64) -> (Value, Vec<&'static str>) {
        let moved = translate_tables(&mut patch, version);
        (patch, moved)
    }

    fn old() -> Value {
        json!({ "plugins": { CRI: {
            "enable_selinux": true,
            "registry": { "mirrors": { "a": { "endpoint": ["http://b"] } } },
            "sandbox_image": "pause:1",
            "containerd": { "snapshotter": "native", "runtimes": { "x": { "runtime_type": "y" } } },
        } } })
    }

    fn new() -> Value {
        json!({ "plugins": {
            RUNTIME: {
                "enable_selinux": true,
                "containerd": { "runtimes": { "x": { "runtime_type": "y" } } },
            },
            IMAGES: {
                "registry": { "mirrors": { "a": { "endpoint": ["http://b"] } } },
                "pinned_images": { "sandbox": "pause:1" },
                "snapshotter": "native",
            },
        } })
    }

    #[test]
    fn a_table_of_version_2_in_a_file_of_version_3_is_translated() {
        for version in [3, 4] {
            assert_eq!(translated(old(), version), (new(), vec![CRI]));
            assert_eq!(translated(new(), version), (new(), vec![]));
        }
        let server = json!({ "plugins": { CRI: { "stream_server_port": "1" } } });
        assert_eq!(translated(server.clone(), 3), (server, vec![]));
    }

    #[test]
    fn a_table_of_version_3_in_a_file_of_version_2_is_translated() {
        assert_eq!(translated(new(), 2), (old(), vec![IMAGES, RUNTIME]));
        assert_eq!(translated(old(), 2), (old(), vec![]));
        let other = json!({ "version": 2, "plugins": { "x": { "a": 1 } }, "debug": {} });
        assert_eq!(translated(other.clone(), 2), (other, vec![]));
    }
}
