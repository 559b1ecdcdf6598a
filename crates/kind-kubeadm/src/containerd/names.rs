//! Where CRI's settings stand in a configuration, by its version.

use serde_json::{Map, Value};

/// The one plugin of version 2.
pub(super) const CRI: &str = "io.containerd.grpc.v1.cri";
/// Since version 3: what runs containers.
pub(super) const RUNTIME: &str = "io.containerd.cri.v1.runtime";
/// Since version 3: what pulls images.
pub(super) const IMAGES: &str = "io.containerd.cri.v1.images";

/// The plugin that has the settings of registries.
pub(super) fn images_plugin(version: i64) -> &'static str {
    if version < 3 { CRI } else { IMAGES }
}

/// The table of runtimes.
pub(super) fn runtimes(config: &Value, version: i64) -> &Value {
    let plugin = if version < 3 { CRI } else { RUNTIME };
    &config["plugins"][plugin]["containerd"]
}

/// A plugin's table, if there is one.
pub(super) fn plugin_table<'a>(
    config: &'a mut Value,
    plugin: &str,
) -> Option<&'a mut Map<String, Value>> {
    let plugins = config.get_mut("plugins")?.as_object_mut()?;
    plugins.get_mut(plugin)?.as_object_mut()
}

/// A value at a path of keys.
pub(super) fn value_at<'a>(table: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// Takes a value away, and the tables that are empty without it.
pub(super) fn take_at(table: &mut Map<String, Value>, path: &[&str]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        return table.remove(*first);
    }
    let inner = table.get_mut(*first)?.as_object_mut()?;
    let taken = take_at(inner, rest)?;
    if inner.is_empty() {
        table.remove(*first);
    }
    Some(taken)
}

/// Puts a value at a path of keys, into what is there.
pub(super) fn merge_at(config: &mut Value, path: &[&str], value: Value) {
    let wanted = path.iter().rev().fold(value, |value, key| {
        Value::Object([((*key).to_owned(), value)].into_iter().collect())
    });
    json_patch::merge(config, &wanted);
}
