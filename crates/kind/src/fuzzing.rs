//! What nodes say, for fuzz targets.

use std::io::Read;
use std::path::Path;

use kind_config::yaml;

use crate::kubeconfig::{encode_document, from_admin};
use crate::{logs, node};

/// Keys of a kubeconfig's entries that may come from a node, or are kind's own.
const KEYS: [&str; 8] = [
    "certificate-authority-data",
    "client-certificate-data",
    "client-key-data",
    "cluster",
    "context",
    "name",
    "server",
    "user",
];

/// A node's kubeconfig is taken or refused; what is taken has no other keys than those known to be harmless.
pub fn read_admin_kubeconfig(text: &str) {
    for server in [None, Some("https://127.0.0.1:1")] {
        let Ok(document) = from_admin(text, "fuzz", server) else {
            continue;
        };
        let written = encode_document(&document);
        let read = yaml::parse(&written).expect("what was written is read");
        for list in ["clusters", "contexts", "users"] {
            let items = read.get(list).and_then(yaml::Value::as_sequence);
            items.into_iter().flatten().for_each(assert_known_keys);
        }
    }
}

fn assert_known_keys(value: &yaml::Value) {
    let entries = value.as_mapping().into_iter().flat_map(yaml::Mapping::iter);
    for (key, value) in entries {
        assert!(KEYS.contains(&key), "{key}");
        assert_known_keys(value);
    }
}

/// A tar stream of a node's logs is unpacked below `directory` or refused.
pub fn unpack_logs(stream: impl Read, directory: &Path) {
    let _ = logs::unpack_below(stream, directory);
}

/// Files of a node are read from a tar stream or refused.
pub fn read_node_files(stream: impl Read) {
    let _ = node::read_stream(stream);
}
