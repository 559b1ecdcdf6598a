//! The token by which nodes join: another one for each cluster, and good for nothing once they have joined.

use super::*;

/// Where nodes join by `kubeadm join`, which has certificates that were made beforehand.
const JOINING: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{}, {role: worker}]\n\
    kubeadmConfigPatches: ['{kind: JoinConfiguration, patches: {directory: /patches}}']\n";

/// kubeadm's documents of a new cluster's node, and the names of the tokens that were removed.
fn create(config: &str, node: &str) -> (String, Vec<String>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stage = Stage::new({
        let seen = Arc::clone(&seen);
        on_request(move |io| {
            let request = request(io.stdin.unwrap());
            seen.lock().unwrap().extend(removed_tokens(&request.steps));
            i32::from(!run(&request.steps, None, io.stdout))
        })
    });
    let options = stage.options().config_text(config).unwrap();
    stage.create(&options).unwrap();
    let files = stage.engine.copied_to(node);
    let removed = seen.lock().unwrap().clone();
    (files["/kind/kubeadm.conf"].clone(), removed)
}

fn removed_tokens(steps: &[Step]) -> Vec<String> {
    let of_step = |step: &Step| match step {
        Step::Run { argv, .. } if argv[1] == "forget-token" => vec![argv[2].clone()],
        Step::Together { sequences } => sequences
            .iter()
            .flat_map(|sequence| removed_tokens(sequence))
            .collect(),
        _ => Vec::new(),
    };
    steps.iter().flat_map(of_step).collect()
}

/// The token of both documents.
fn token(documents: &str) -> String {
    let tokens = documents
        .lines()
        .filter_map(|line| line.trim_start_matches("- ").trim().strip_prefix("token: "));
    let tokens: Vec<_> = tokens.collect();
    assert!(tokens.len() == 2 && tokens[0] == tokens[1], "{tokens:?}");
    tokens[0].to_owned()
}

#[test]
fn every_cluster_has_a_token_of_its_own_that_is_removed() {
    let alone = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
    let mut known = Vec::new();
    for config in [alone, alone, WITH_WORKERS, JOINING] {
        let (documents, removed) = create(config, NODE);
        let token = token(&documents);
        let (id, secret) = token.split_once('.').unwrap();
        assert_eq!((id.len(), secret.len()), (6, 16), "{token}");
        assert_eq!(removed, [id], "{config}");
        assert!(!known.contains(&token), "{token}");
        known.push(token);
    }
    assert!(!known.iter().any(|token| token == "abcdef.0123456789abcdef"));
}

#[test]
fn whoever_joins_knows_the_authority_that_was_made_beforehand() {
    for (patch, known) in [
        ("", true),
        (
            "kubeadmConfigPatches: ['{kind: ClusterConfiguration, certificatesDir: /pki}']\n",
            false,
        ),
    ] {
        let (documents, _) = create(&format!("{WITH_WORKERS}{patch}"), "kind-worker");
        assert_eq!(
            documents.contains("caCertHashes:\n    - sha256:"),
            known,
            "{documents}"
        );
        assert_eq!(
            documents.contains("unsafeSkipCAVerification: true"),
            !known,
            "{documents}"
        );
    }
}
