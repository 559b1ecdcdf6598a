//! Written configurations and schemas.

use proptest::prelude::*;

use super::*;
use crate::strategies;

/// Checks that a text says a cluster.
fn says(text: &str, cluster: &Cluster) -> Result<(), TestCaseError> {
    match Cluster::parse(text) {
        Ok(read) => prop_assert_eq!(&read, cluster, "{}", text),
        Err(error) => prop_assert!(false, "{}\n{}", error, text),
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(cluster in strategies::cluster()) {
        says(&cluster.to_yaml(ApiVersion::V1beta1).unwrap(), &cluster)?;
        says(&cluster.to_complete_yaml(ApiVersion::V1beta1).unwrap(), &cluster)?;
    }

    #[test]
    fn the_old_version_loses_nothing_it_can_say(cluster in strategies::old_cluster()) {
        let text = cluster.to_yaml(ApiVersion::V1alpha4).unwrap();
        says(&text, &cluster)?;
        let converted = crate::convert(&text, ApiVersion::V1beta1).unwrap();
        says(&converted, &cluster)?;
        prop_assert_eq!(crate::convert(&converted, ApiVersion::V1alpha4).unwrap(), text);
    }

    #[test]
    fn the_old_version_says_all_or_nothing(cluster in strategies::cluster()) {
        match cluster.to_yaml(ApiVersion::V1alpha4) {
            Ok(text) => says(&text, &cluster)?,
            Err(Error::Unsupported { unsupported, .. }) => prop_assert!(!unsupported.is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[test]
fn the_defaults_can_be_shown() {
    let mut cluster = Cluster::default();
    cluster.set_defaults();
    let text = cluster.to_complete_yaml(ApiVersion::V1alpha4).unwrap();
    let expected = format!(
        "kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: kind
networking:
  ipFamily: ipv4
  apiServerPort: 0
  apiServerAddress: 127.0.0.1
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/16
  disableDefaultCNI: false
  kubeProxyMode: iptables
nodes:
- role: control-plane
  image: {}
",
        crate::DEFAULT_NODE_IMAGE
    );
    assert_eq!(text, expected);
}
