//! How nodes that join find their cluster, and how both know each other.
//!
//! Documents of a configuration say where the token will stand. A creation puts a new one there, after all patches.
//! What users see without a creation keeps the placeholder, which kubeadm refuses: nobody can start a cluster with a token
//! that others have read somewhere.

use serde_json::{Value, json};

use super::token::PLACEHOLDER;
use super::{BootstrapToken, Documents};

impl Documents {
    /// Has the documents name the token, wherever no patch has put another one, and those who join know the cluster by
    /// the digest of its authority where that is known beforehand.
    pub fn settle_discovery(&mut self, token: &BootstrapToken, authority: Option<&str>) {
        let tokens = self.of_kind_mut("InitConfiguration");
        let tokens = tokens.and_then(|init| init.get_mut("bootstrapTokens")?.as_array_mut());
        for known in tokens.into_iter().flatten() {
            settle_token(known, token);
        }
        let Some(join) = self.of_kind_mut("JoinConfiguration") else {
            return;
        };
        let Some(discovery) = join.pointer_mut("/discovery/bootstrapToken") else {
            return;
        };
        settle_token(discovery, token);
        let placeholder = token
            .is_placeholder()
            .then(|| format!("sha256:{PLACEHOLDER}"));
        if let Some(digest) = authority {
            pin_authority(discovery, placeholder.as_deref().unwrap_or(digest));
        }
    }

    fn of_kind_mut(&mut self, kind: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|document| document["kind"] == kind)
    }
}

fn settle_token(place: &mut Value, token: &BootstrapToken) {
    if place["token"] == PLACEHOLDER {
        place["token"] = token.text().into();
    }
}

/// Unless a patch says otherwise, nobody is trusted unseen.
fn pin_authority(discovery: &mut Value, digest: &str) {
    const UNSAFE: &str = "unsafeSkipCAVerification";
    let Some(discovery) = discovery.as_object_mut() else {
        return;
    };
    if discovery.get(UNSAFE) == Some(&json!(true)) && !discovery.contains_key("caCertHashes") {
        discovery.remove(UNSAFE);
        discovery.insert("caCertHashes".to_owned(), json!([digest]));
    }
}

#[cfg(test)]
mod tests {
    use kind_config::Cluster;

    use super::*;
    use crate::NodeFacts;
    use crate::testing::patched;

    const DIGEST: &str = "sha256:0123";

    fn settled(config: &str, authority: Option<&str>) -> (Vec<Value>, BootstrapToken) {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
        let mut cluster = Cluster::parse(&format!("{header}{config}")).unwrap();
        cluster.set_defaults();
        let mut facts = NodeFacts::new("kind-control-plane", "native", "v1.36.1").unwrap();
        facts.ipv4 = Some([172, 18, 0, 2].into());
        let mut documents = patched(&cluster, &facts).unwrap();
        let token = BootstrapToken::random().unwrap();
        documents.settle_discovery(&token, authority);
        (documents.0, token)
    }

    #[test]
    fn both_documents_name_the_token_and_those_who_join_know_the_authority() {
        let (documents, token) = settled("", Some(DIGEST));
        assert_eq!(
            documents[1]["bootstrapTokens"],
            json!([{ "token": token.text() }])
        );
        let expected = json!({
            "apiServerEndpoint": "kind-control-plane:6443",
            "caCertHashes": [DIGEST],
            "token": token.text(),
        });
        assert_eq!(documents[2]["discovery"]["bootstrapToken"], expected);
    }

    #[test]
    fn an_authority_that_nobody_knows_yet_is_not_looked_at() {
        let (documents, _) = settled("", None);
        let discovery = &documents[2]["discovery"]["bootstrapToken"];
        assert_eq!(discovery["unsafeSkipCAVerification"], true);
        assert_eq!(discovery["caCertHashes"], Value::Null);
    }

    #[test]
    fn patches_have_the_last_word() {
        let patches = "kubeadmConfigPatches: ['{kind: InitConfiguration, bootstrapTokens: [{token: own000.own0000000000000}]}', \
             '{kind: JoinConfiguration, discovery: {bootstrapToken: {caCertHashes: [own], token: own000.own0000000000000}}}']\n";
        let (documents, _) = settled(patches, Some(DIGEST));
        let own = "own000.own0000000000000";
        assert_eq!(documents[1]["bootstrapTokens"], json!([{ "token": own }]));
        let discovery = &documents[2]["discovery"]["bootstrapToken"];
        assert_eq!(
            (&discovery["token"], &discovery["caCertHashes"]),
            (&json!(own), &json!(["own"]))
        );
        let files = "kubeadmConfigPatches: ['{kind: JoinConfiguration, discovery: {bootstrapToken: null, file: {kubeConfigPath: /a}}}']\n";
        let (documents, _) = settled(files, Some(DIGEST));
        assert_eq!(
            documents[2]["discovery"]["file"],
            json!({ "kubeConfigPath": "/a" })
        );
        assert_eq!(
            documents[2]["discovery"]
                .get("bootstrapToken")
                .and_then(Value::as_object),
            None
        );
    }
}
