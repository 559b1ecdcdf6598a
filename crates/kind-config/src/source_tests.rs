//! Problems and the places where people find them.

use super::*;

/// Explains what is wrong with a configuration of this version.
fn explained(version: &str, fields: &str) -> Vec<String> {
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/{version}\n{fields}");
    let source = Source::new("k.yaml", text);
    let error = source.parse().and_then(|mut cluster| {
        cluster.set_defaults();
        cluster.validate()
    });
    source.explain(&error.unwrap_err())
}

#[test]
fn every_problem_comes_with_its_line() {
    for (fields, explanations) in [
        (
            "nodez: []\nnetworking:\n  ipfamily: ipv6\n",
            &[
                "k.yaml:3: field nodez not found in type v1alpha4.Cluster: did you mean `nodes`?\n  3 | nodez: []",
                "k.yaml:5: field ipfamily not found in type v1alpha4.Networking: did you mean `ipFamily`?\n  5 |   ipfamily: ipv6",
            ][..],
        ),
        (
            "networking: {apiServerPort: \"1\"}\n",
            &[
                "k.yaml:3: cannot unmarshal !!str `1` into int32: write the number without quotes\n  3 | networking: {apiServerPort: \"1\"}",
            ],
        ),
        (
            "networking:\n  podSubnet: aa\n",
            &[
                "k.yaml:4: invalid pod subnet failed to parse cidr value:\"aa\" with error: invalid CIDR address: aa: \
               write one IPv4 CIDR, for example 10.244.0.0/16\n  4 |   podSubnet: aa",
            ],
        ),
        (
            "nodes:\n-\n- role: control-plane\n- role: workr\n  extraPortMappings:\n  - hostPort: 70000\n",
            &[
                "k.yaml:6: \"workr\" is not a valid node role: did you mean `worker`?\n  6 | - role: workr",
                "k.yaml:8: invalid hostPort: invalid port number: 70000: ports are 1 to 65535\n  8 |   - hostPort: 70000",
            ],
        ),
        (
            "nodes:\n- role: worker\n",
            &["k.yaml:3: must have at least one control-plane node\n  3 | nodes:"],
        ),
        (
            "nodes:\n- taints: []\n",
            &[
                "k.yaml:4: field taints not found in type v1alpha4.Node: `taints` needs `apiVersion: kind.x-k8s.io/v1beta1`\n  4 | - taints: []",
            ],
        ),
        (
            "nodes:\n- extraMounts:\n  - propagation: bidirectional\n",
            &[
                "k.yaml:5: unknown MountPropagation \"bidirectional\": did you mean `Bidirectional`?\n  5 |   - propagation: bidirectional",
            ],
        ),
        (
            "nodes:\n\t- role: worker\n",
            &[
                "k.yaml:4: found character that cannot start any token: YAML is indented with spaces, not with tabs\n  4 | \t- role: worker",
            ],
        ),
    ] {
        assert_eq!(explained("v1alpha4", fields), explanations, "{fields}");
    }
}

#[test]
fn what_only_the_new_version_says_is_checked() {
    for (fields, explanation) in [
        (
            "nodes:\n- taints:\n  - {key: a, effect: noschedule}\n",
            "k.yaml:5: invalid taint effect: noschedule: did you mean `NoSchedule`?\n  5 |   - {key: a, effect: noschedule}",
        ),
        (
            "nodes:\n- taints: [{value: a}]\n",
            "k.yaml:4: invalid taint: it has no key\n  4 | - taints: [{value: a}]",
        ),
        (
            "nodes:\n- env: {A=B: c}\n",
            "k.yaml:4: invalid env: \"A=B\" is not the name of a variable\n  4 | - env: {A=B: c}",
        ),
        (
            "registries: [{host: https://docker.io, mirrors: [{url: 'http://m'}]}]\n",
            "k.yaml:3: invalid registry host: \"https://docker.io\": write what image references begin with, \
             for example docker.io or localhost:5001\n  3 | registries: [{host: https://docker.io, mirrors: [{url: 'http://m'}]}]",
        ),
        (
            "registries:\n- host: a\n",
            "k.yaml:4: registry a has no mirrors\n  4 | - host: a",
        ),
        (
            "registries:\n- host: a\n  mirrors:\n  - url: kind-registry:5000\n",
            "k.yaml:6: invalid mirror url: \"kind-registry:5000\": write for example http://kind-registry:5000\n  6 |   - url: kind-registry:5000",
        ),
        (
            "audit: {level: All}\n",
            "k.yaml:3: invalid audit level: All: use one of Metadata, Request, RequestResponse\n  3 | audit: {level: All}",
        ),
        (
            "addOns: {dns: no}\n",
            "k.yaml:3: invalid addOns.dns: no: use one of default, none\n  3 | addOns: {dns: no}",
        ),
        (
            "manifests:\n- {}\n",
            "k.yaml:4: manifests[0] has neither file nor text\n  4 | - {}",
        ),
        (
            "certificateAuthorities: [{file: a, text: b}]\n",
            "k.yaml:3: certificateAuthorities[0] has both file and text\n  3 | certificateAuthorities: [{file: a, text: b}]",
        ),
    ] {
        assert_eq!(explained("v1beta1", fields), [explanation], "{fields}");
    }
}

#[test]
fn the_header_is_explained() {
    let explain = |text: &str| {
        let source = Source::new("k.yaml", text);
        source.explain(&source.parse().unwrap_err())
    };
    assert_eq!(
        explain("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha5\n"),
        [
            "k.yaml:2: did you mean `apiVersion: kind.x-k8s.io/v1alpha4`?\n  2 | apiVersion: kind.x-k8s.io/v1alpha5"
        ]
    );
    assert_eq!(
        explain("apiVersion: kind.x-k8s.io/v1alpha4\n"),
        [
            "k.yaml:1: a config begins with the lines `kind: Cluster` and `apiVersion: kind.x-k8s.io/v1alpha4`\n  \
          1 | apiVersion: kind.x-k8s.io/v1alpha4"
        ]
    );
    assert_eq!(explain("").len(), 1);
}

#[test]
fn lines_in_blocks_of_text_are_found() {
    let text = "nodes:\n- kubeadmConfigPatches:\n  - |\n    a: 1\n    b: 2\n  - \"c\"\n";
    let source = Source::new("k.yaml", text);
    for (path, line) in [
        ("nodes[0].kubeadmConfigPatches[0]", Some(3)),
        ("nodes[0].kubeadmConfigPatches[0]:2", Some(5)),
        ("nodes[0].kubeadmConfigPatches[1]:1", Some(6)),
        ("nodes[0].image", Some(2)),
        ("nodes[7].image", None),
    ] {
        assert_eq!(source.line_of(path), line, "{path}");
    }
    assert_eq!(source.at_field("nodes[7].image", "what"), "k.yaml: what");
}
