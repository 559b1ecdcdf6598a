//! Certificates that nodes trust.

use crate::ClusterSettings;

/// Files for the certificate authorities of a cluster: paths in a node and their content.
///
/// The first directory is read by every program written in Go, containerd and the kubelet among them; the
/// second is where `update-ca-certificates` looks for what a machine's owner trusts.
pub fn trust_files(cluster: &ClusterSettings) -> Vec<(String, String)> {
    let authorities = cluster.certificate_authorities.iter().enumerate();
    authorities
        .flat_map(|(index, authority)| {
            let name = format!("kind-{index}");
            [
                (format!("/etc/ssl/certs/{name}.pem"), authority.text.clone()),
                (
                    format!("/usr/local/share/ca-certificates/{name}.crt"),
                    authority.text.clone(),
                ),
            ]
        })
        .collect()
}
