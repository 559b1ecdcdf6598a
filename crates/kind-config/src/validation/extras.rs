//! What `v1beta1` can say beside nodes and networks.

use std::collections::BTreeSet;

use crate::error::{FieldError, choice_hint};
use crate::model::{AddOn, AuditLevel, Cluster, FileOrText, Mirror};

/// Name of containerd's settings for every registry that has none of its own.
const EVERY_OTHER: &str = "_default";

pub(super) fn validate_extras(cluster: &Cluster) -> Vec<FieldError> {
    let mut problems = validate_registries(cluster);
    for (index, content) in cluster.certificate_authorities.iter().enumerate() {
        problems.extend(content_problem(
            content,
            format!("certificateAuthorities[{index}]"),
        ));
    }
    if let Some(audit) = &cluster.audit {
        if let AuditLevel::Unknown(word) = &audit.level {
            let hint = Some(choice_hint(word, AuditLevel::WORDS));
            let message = format!("invalid audit level: {word}");
            problems.push(FieldError::new("audit.level", message).hint(hint));
        }
        let policy = audit.policy.as_ref();
        problems.extend(policy.and_then(|policy| content_problem(policy, "audit.policy".into())));
    }
    for (field, add_on) in [
        ("addOns.dns", &cluster.add_ons.dns),
        ("addOns.storage", &cluster.add_ons.storage),
    ] {
        if let AddOn::Unknown(word) = add_on {
            let hint = Some(choice_hint(word, AddOn::WORDS));
            problems.push(FieldError::new(field, format!("invalid {field}: {word}")).hint(hint));
        }
    }
    for (index, content) in cluster.manifests.iter().enumerate() {
        problems.extend(content_problem(content, format!("manifests[{index}]")));
    }
    let names = cluster.networking.api_server_cert_sans.iter().enumerate();
    for (index, name) in names.filter(|(_, name)| name.trim().is_empty()) {
        let place = format!("networking.apiServerCertSANs[{index}]");
        problems.push(FieldError::new(
            place,
            format!("invalid apiServerCertSANs: {name:?} is no name"),
        ));
    }
    problems
}

fn validate_registries(cluster: &Cluster) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut known = BTreeSet::new();
    for (index, registry) in cluster.registries.iter().enumerate() {
        let path = format!("registries[{index}]");
        let host = &registry.host;
        if host != EVERY_OTHER && !is_host(host) {
            let message = format!("invalid registry host: {host:?}");
            let hint = Some(
                "write what image references begin with, for example docker.io or localhost:5001",
            );
            problems.push(FieldError::new(format!("{path}.host"), message).hint(hint));
        }
        if !known.insert(host) {
            let message = format!("registry {host} stands there twice");
            problems.push(FieldError::new(format!("{path}.host"), message));
        }
        if registry.mirrors.is_empty() {
            let message = format!("registry {host} has no mirrors");
            problems.push(FieldError::new(format!("{path}.mirrors"), message));
        }
        for (index, mirror) in registry.mirrors.iter().enumerate() {
            problems.extend(mirror_problem(mirror, &format!("{path}.mirrors[{index}]")));
        }
    }
    problems
}

fn mirror_problem(mirror: &Mirror, path: &str) -> Option<FieldError> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| mirror.url.strip_prefix(scheme));
    let is_url = rest.is_some_and(|rest| is_host(rest.split('/').next().unwrap_or_default()))
        && !mirror
            .url
            .contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '\\');
    if !is_url {
        let message = format!("invalid mirror url: {:?}", mirror.url);
        let hint = Some("write for example http://kind-registry:5000");
        return Some(FieldError::new(format!("{path}.url"), message).hint(hint));
    }
    content_problem(mirror.ca.as_ref()?, format!("{path}.ca"))
}

/// A host name or address, maybe with a port.
fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && text.bytes().all(allowed)
}

fn content_problem(content: &FileOrText, path: String) -> Option<FieldError> {
    let message = match (content.file.is_empty(), content.text.is_empty()) {
        (true, true) => "has neither file nor text",
        (false, false) => "has both file and text",
        _ => return None,
    };
    Some(FieldError::new(path.clone(), format!("{path} {message}")))
}

/// Fields that have no effect.
pub(super) fn extra_warnings(cluster: &Cluster) -> Vec<String> {
    let of_cluster = cluster.kubeadm_config_patches_json6902.iter().enumerate();
    let of_cluster =
        of_cluster.map(|(index, patch)| (format!("kubeadmConfigPatchesJSON6902[{index}]"), patch));
    let of_nodes = cluster.nodes.iter().enumerate().flat_map(|(node, config)| {
        let patches = config.kubeadm_config_patches_json6902.iter().enumerate();
        patches.map(move |(index, patch)| {
            (
                format!("nodes[{node}].kubeadmConfigPatchesJSON6902[{index}]"),
                patch,
            )
        })
    });
    of_cluster
        .chain(of_nodes)
        .flat_map(|(path, patch)| {
            [("name", &patch.name), ("namespace", &patch.namespace)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(move |(field, _)| {
                    format!("{path}.{field} has no effect: patches are matched by group, version and kind")
                })
        })
        .collect()
}
