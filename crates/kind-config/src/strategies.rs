//! Configurations of every shape, for property tests.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::model::{
    AddOn, AddOns, Audit, AuditLevel, Cluster, FileOrText, IpFamily, JsonPatch, KubeProxyMode,
    Mirror, Mount, Networking, Node, PortMapping, Propagation, Protocol, Registry, Resources, Role,
    Taint, TaintEffect,
};

/// Text with everything that YAML treats in special ways.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z]{1,8}",
        "[ a-z0-9:#,?|>&*%@`'\"\\\\\\[\\]{}~<=\n\t]{1,24}",
        any::<String>(),
        Just("yes".to_owned()),
        Just("012".to_owned()),
        Just("null".to_owned()),
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("[a-z.]{1,6}|y|1|<<", text(), 0..3)
}

fn word<T: Clone + std::fmt::Debug>(known: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(known)
}

/// A known word or one that no field knows.
fn open_word<T>(words: &'static [&'static str]) -> impl Strategy<Value = T>
where
    T: std::str::FromStr<Err = std::convert::Infallible> + std::fmt::Debug,
{
    let any = prop_oneof![
        4 => proptest::sample::select(words).prop_map(str::to_owned),
        1 => "[A-Z][a-z-]{3,9}"
    ];
    any.prop_map(|word| word.parse().unwrap_or_else(|error| match error {}))
}

fn content() -> impl Strategy<Value = FileOrText> {
    (text(), text()).prop_map(|(file, text)| FileOrText { file, text })
}

fn json_patch() -> impl Strategy<Value = JsonPatch> {
    (text(), text(), text(), text(), text(), text()).prop_map(
        |(group, version, kind, name, namespace, patch)| JsonPatch {
            group,
            version,
            kind,
            name,
            namespace,
            patch,
        },
    )
}

fn mount() -> impl Strategy<Value = Mount> {
    let propagation = word(Propagation::ALL);
    (text(), text(), any::<bool>(), any::<bool>(), propagation).prop_map(
        |(host_path, container_path, read_only, selinux_relabel, propagation)| Mount {
            host_path,
            container_path,
            read_only,
            selinux_relabel,
            propagation,
        },
    )
}

fn port() -> impl Strategy<Value = PortMapping> {
    (any::<i32>(), -1..70000, text(), word(Protocol::ALL)).prop_map(
        |(container_port, host_port, listen_address, protocol)| PortMapping {
            container_port,
            host_port,
            listen_address,
            protocol,
        },
    )
}

fn taint() -> impl Strategy<Value = Taint> {
    (text(), text(), open_word::<TaintEffect>(TaintEffect::WORDS))
        .prop_map(|(key, value, effect)| Taint { key, value, effect })
}

fn resources() -> impl Strategy<Value = Resources> {
    (text(), text()).prop_map(|(cpus, memory)| Resources { cpus, memory })
}

fn node() -> impl Strategy<Value = Node> {
    let simple = (
        open_word(Role::WORDS),
        text(),
        labels(),
        labels(),
        resources(),
    );
    let lists = (
        option::of(vec(taint(), 0..3)),
        vec(mount(), 0..3),
        vec(port(), 0..3),
        texts(),
        vec(json_patch(), 0..2),
    );
    (simple, lists).prop_map(
        |(
            (role, image, labels, env, resources),
            (taints, mounts, ports, patches, json_patches),
        )| Node {
            role,
            image,
            labels,
            taints,
            env,
            extra_mounts: mounts,
            extra_port_mappings: ports,
            resources,
            kubeadm_config_patches: patches,
            kubeadm_config_patches_json6902: json_patches,
        },
    )
}

fn networking() -> impl Strategy<Value = Networking> {
    let simple = (
        open_word(IpFamily::WORDS),
        any::<i32>(),
        text(),
        texts(),
        text(),
        text(),
    );
    let rest = (
        any::<bool>(),
        open_word(KubeProxyMode::WORDS),
        option::of(texts()),
        any::<bool>(),
    );
    (simple, rest).prop_map(
        |((ip_family, port, address, sans, pods, services), (no_cni, mode, search, no_proxy))| {
            Networking {
                ip_family,
                api_server_port: port,
                api_server_address: address,
                api_server_cert_sans: sans,
                pod_subnet: pods,
                service_subnet: services,
                disable_default_cni: no_cni,
                kube_proxy_mode: mode,
                dns_search: search,
                disable_host_proxy: no_proxy,
            }
        },
    )
}

fn registry() -> impl Strategy<Value = Registry> {
    let mirror = (text(), any::<bool>(), option::of(content()));
    let mirror = mirror.prop_map(|(url, skip_verify, ca)| Mirror {
        url,
        skip_verify,
        ca,
    });
    (text(), vec(mirror, 0..3)).prop_map(|(host, mirrors)| Registry { host, mirrors })
}

fn audit() -> impl Strategy<Value = Audit> {
    (open_word(AuditLevel::WORDS), option::of(content()))
        .prop_map(|(level, policy)| Audit { level, policy })
}

/// A cluster that `v1alpha4` can say.
pub(crate) fn old_cluster() -> impl Strategy<Value = Cluster> {
    cluster().prop_map(|cluster| {
        let mut old = Cluster {
            registries: Vec::new(),
            certificate_authorities: Vec::new(),
            audit: None,
            add_ons: AddOns::default(),
            manifests: Vec::new(),
            ..cluster
        };
        old.networking.api_server_cert_sans.clear();
        old.networking.disable_host_proxy = false;
        for node in &mut old.nodes {
            node.taints = None;
            node.env.clear();
            node.resources = Resources::default();
        }
        old
    })
}

/// Any cluster.
pub(crate) fn cluster() -> impl Strategy<Value = Cluster> {
    let simple = (
        text(),
        vec(node(), 0..4),
        networking(),
        btree_map("[A-Za-z]{1,6}", any::<bool>(), 0..3),
        labels(),
    );
    let patches = (texts(), vec(json_patch(), 0..2), texts(), texts());
    let add_ons = (open_word(AddOn::WORDS), open_word(AddOn::WORDS))
        .prop_map(|(dns, storage)| AddOns { dns, storage });
    let extras = (
        vec(registry(), 0..3),
        vec(content(), 0..2),
        option::of(audit()),
        add_ons,
        vec(content(), 0..2),
    );
    (simple, patches, extras).prop_map(
        |(
            (name, nodes, networking, feature_gates, runtime_config),
            (kubeadm, kubeadm_json, containerd, containerd_json),
            (registries, certificate_authorities, audit, add_ons, manifests),
        )| Cluster {
            name,
            nodes,
            networking,
            feature_gates,
            runtime_config,
            kubeadm_config_patches: kubeadm,
            kubeadm_config_patches_json6902: kubeadm_json,
            containerd_config_patches: containerd,
            containerd_config_patches_json6902: containerd_json,
            registries,
            certificate_authorities,
            audit,
            add_ons,
            manifests,
        },
    )
}
