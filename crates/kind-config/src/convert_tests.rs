//! Conversions there and back.

use super::*;

const V1BETA1: &str = "\
# a cluster
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
nodes: # one
- role: control-plane
  taints: []
networking: {apiServerCertSANs: [my.test]}
";

#[test]
fn only_the_version_changes() {
    for case in kind_testkit::golden::create_cases() {
        let Ok(cluster) = Cluster::parse(&case.config) else {
            continue;
        };
        let converted = convert(&case.config, ApiVersion::V1beta1).unwrap();
        assert_eq!(
            Cluster::parse(&converted).unwrap(),
            cluster,
            "{}",
            case.name
        );
        let old = ApiVersion::V1alpha4.as_str();
        let expected = case.config.replacen(old, ApiVersion::V1beta1.as_str(), 1);
        assert_eq!(converted, expected);
        assert_eq!(
            convert(&converted, ApiVersion::V1alpha4).unwrap(),
            case.config
        );
    }
}

#[test]
fn unusual_texts_are_written_anew() {
    let json = r#"{"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": "j"}"#;
    assert_eq!(
        convert(json, ApiVersion::V1beta1).unwrap(),
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1beta1\nname: j\n"
    );
}

#[test]
fn what_cannot_be_said_is_named() {
    let error = convert(V1BETA1, ApiVersion::V1alpha4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "kind.x-k8s.io/v1alpha4 cannot express networking.apiServerCertSANs, nodes[0].taints"
    );
    assert_eq!(convert(V1BETA1, ApiVersion::V1beta1).unwrap(), V1BETA1);
    let source = crate::Source::new("a.yaml", V1BETA1);
    assert_eq!(
        source.explain(&error)[1],
        "a.yaml:6: `nodes[0].taints` needs `apiVersion: kind.x-k8s.io/v1beta1`\n  6 |   taints: []"
    );
}

#[test]
fn other_texts_are_errors() {
    for text in [
        "",
        "kind: Cluster\n",
        "a: [",
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nx: 1\n",
    ] {
        assert!(convert(text, ApiVersion::V1beta1).is_err(), "{text}");
    }
}
