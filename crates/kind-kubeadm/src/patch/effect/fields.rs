//! Fields that a document does not have. kubeadm, the kubelet and kube-proxy read their documents without them and log a
//! warning that nobody sees.

use kind_config::nearest_word;
use kind_config::version::Version;
use serde_json::{Map, Value};

use super::candidate::{Candidate, Content, HEADER};
use super::level::Level;
use super::table::{Fields, document_fields};
use crate::documents::{KUBE_PROXY_API, KUBELET_API};

/// A field that has no effect.
pub(super) struct UselessField {
    /// Where it stands in the patch, as [`kind_config::Source::line_of`] reads it.
    pub(super) place: String,
    /// Why it has none.
    pub(super) reason: String,
}

/// The fields of a patch that no document of the nodes has.
pub(super) fn useless_fields(candidate: &Candidate, level: &Level) -> Vec<UselessField> {
    let Some(document) = Document::of_target(candidate, level) else {
        return Vec::new();
    };
    match &candidate.content {
        Content::Merge { patch, .. } => document.useless_in(patch, "", ""),
        Content::Operations(operations) => {
            let operations = operations.iter().flatten();
            operations
                .flat_map(|operation| document.useless_in_operation(operation))
                .collect()
        }
    }
}

/// What a patch is for.
struct Document<'a> {
    kind: &'a str,
    api_version: &'a str,
    fields: &'static Fields,
    /// The nodes' versions; empty where they are not known, or do not count.
    versions: &'a [Version],
}

impl<'a> Document<'a> {
    /// `None` if its fields are not known, or it may be of several API versions.
    fn of_target(candidate: &'a Candidate, level: &'a Level) -> Option<Self> {
        let kind = candidate.target.kind.as_str();
        let versions = level.versions.as_deref().unwrap_or_default();
        let (api_version, versions) = match (kind, candidate.target.api_version.as_str()) {
            ("KubeletConfiguration", _) => (KUBELET_API, versions),
            ("KubeProxyConfiguration", _) => (KUBE_PROXY_API, versions),
            (_, "") => match level.apis()[..] {
                [api] => (api.as_str(), &[] as &[Version]),
                _ => return None,
            },
            (_, api_version) => (api_version, &[] as &[Version]),
        };
        Some(Self {
            kind,
            api_version,
            fields: document_fields(api_version, kind)?,
            versions,
        })
    }

    /// Looks at a mapping. `path` is where it is in the table, `place` where it is in the patch; both end with a
    /// point or are empty.
    fn useless_in(&self, map: &Map<String, Value>, path: &str, place: &str) -> Vec<UselessField> {
        let keys = map.iter();
        let keys = keys.filter(|(key, _)| !path.is_empty() || !HEADER.contains(&key.as_str()));
        let useless = keys.flat_map(|(key, value)| {
            let (path, place) = (format!("{path}{key}"), format!("{place}{key}"));
            match self.missing_because(&path) {
                Some(reason) => vec![UselessField { place, reason }],
                None => self.useless_below(value, &path, &place),
            }
        });
        useless.collect()
    }

    fn useless_below(&self, value: &Value, path: &str, place: &str) -> Vec<UselessField> {
        match value {
            Value::Object(map) if self.has_below(&format!("{path}.")) => {
                self.useless_in(map, &format!("{path}."), &format!("{place}."))
            }
            Value::Array(items) if self.has_below(&format!("{path}[].")) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(index, item)| Some((index, item.as_object()?)));
                items
                    .flat_map(|(index, item)| {
                        let place = format!("{place}[{index}].");
                        self.useless_in(item, &format!("{path}[]."), &place)
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Looks at what an operation adds or replaces. Operations have no places of their own.
    fn useless_in_operation(&self, operation: &Value) -> Vec<UselessField> {
        let of = |field: &str| operation.get(field).and_then(Value::as_str);
        let (Some("add" | "replace"), Some(pointer)) = (of("op"), of("path")) else {
            return Vec::new();
        };
        let mut path = String::new();
        for token in pointer.split('/').skip(1) {
            let is_item = token == "-" || token.bytes().all(|byte| byte.is_ascii_digit());
            if is_item && self.has_below(&format!("{path}[].")) {
                path.push_str("[]");
                continue;
            }
            if !path.is_empty() && !self.has_below(&format!("{path}.")) {
                return Vec::new();
            }
            let point = if path.is_empty() { "" } else { "." };
            path.push_str(&format!("{point}{token}"));
            if let Some(reason) = self.missing_because(&path) {
                let place = String::new();
                return vec![UselessField { place, reason }];
            }
        }
        let mut useless = match operation.get("value") {
            Some(Value::Object(item)) if path.ends_with("[]") => {
                self.useless_in(item, &format!("{path}."), "")
            }
            Some(_) if path.ends_with("[]") => Vec::new(),
            Some(value) => self.useless_below(value, &path, ""),
            None => Vec::new(),
        };
        useless.iter_mut().for_each(|field| field.place.clear());
        useless
    }

    /// Whether the table tells what stands below a place.
    fn has_below(&self, prefix: &str) -> bool {
        let mut following = self.fields.range(prefix..);
        following
            .next()
            .is_some_and(|(path, _)| path.starts_with(prefix))
    }

    fn missing_because(&self, path: &str) -> Option<String> {
        let Some(lifetime) = self.fields.get(path) else {
            return Some(self.unknown_because(path));
        };
        let has_it = |version: &Version| lifetime.has(version);
        let version = self.versions.first()?;
        if self.versions.iter().any(has_it) {
            return None;
        }
        let when = match (&lifetime.first, &lifetime.gone) {
            (Some(first), _) if version < first => format!("it came with {}", minor(first)),
            (_, Some(gone)) => format!("it went with {}", minor(gone)),
            _ => return None,
        };
        Some(format!(
            "{path} has no effect: {} of Kubernetes {} has no such field, {when}",
            self.kind,
            minor(version)
        ))
    }

    fn unknown_because(&self, path: &str) -> String {
        let start = path.rfind('.').map_or(0, |point| point + 1);
        let (parent, name) = path.split_at(start);
        let siblings = self.fields.keys().filter_map(|field| {
            let rest = field.strip_prefix(parent)?;
            (!rest.contains(['.', '['])).then_some(rest)
        });
        let hint = nearest_word(name, siblings);
        let hint = hint.map(|near| format!("; did you mean {near}?"));
        format!(
            "{path} has no effect: {} of {} has no such field{}",
            self.kind,
            self.api_version,
            hint.unwrap_or_default()
        )
    }
}

/// A version as people call a release of Kubernetes.
fn minor(version: &Version) -> String {
    format!("{}.{}", version.major(), version.minor())
}
