//! A dry run shows what a creation then does.

use std::collections::BTreeMap;

use super::*;
use crate::{Assumptions, EngineChoice};

/// Addresses go to nodes in the order in which a fake engine makes them, and it has a name of its own.
fn normal(text: &str) -> String {
    let text = text.replace("kind://fake/", "kind://docker/");
    let text: String = text.split_inclusive('\n').map(without_random).collect();
    (2..9).fold(text, |text, last| {
        text.replace(&format!("172.18.0.{last}"), "ADDRESS")
    })
}

/// The lines in which every creation differs, as a dry run shows them: a token and the digest of an authority.
fn without_random(line: &str) -> String {
    ["- token: ", "    token: ", "    - sha256:"]
        .into_iter()
        .find(|known| line.starts_with(known))
        .map_or_else(|| line.to_owned(), |known| format!("{known}<random>\n"))
}

fn normal_files(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let files = files.iter();
    files
        .map(|(path, text)| (path.clone(), normal(text)))
        .collect()
}

#[test]
fn files_are_those_that_a_dry_run_shows() {
    let kubeadm_joins = format!(
        "{HIGHLY_AVAILABLE}kubeadmConfigPatches: ['{{kind: ClusterConfiguration, certificatesDir: /pki}}']\n"
    );
    let alone = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
    for config in [alone, HIGHLY_AVAILABLE, &kubeadm_joins] {
        let stage = Stage::new(node(None));
        let options = stage.options().config_text(config).unwrap();
        stage.create(&options).unwrap();
        let planned = Provider::builder()
            .engine(EngineChoice::Docker)
            .dry_run(
                &options,
                &Assumptions::new().kubernetes_version("v1.36.1"),
                &|_| {},
            )
            .unwrap();
        for (name, known) in &planned.nodes {
            let mut written = stage.engine.copied_to(name);
            let secrets = known.secret_files.iter();
            let secret = secrets.filter(|path| written.remove(*path).is_some());
            assert_eq!(secret.count(), known.secret_files.len(), "{name}");
            // The name of one is the moment it is made, and the story of the creation comes last.
            written.retain(|path, _| {
                !path.starts_with("/var/lib/kubelet/pki/kubelet-client-1")
                    && !path.starts_with("/var/log/kind")
            });
            assert_eq!(normal_files(&written), normal_files(&known.files), "{name}");
        }
    }
}
