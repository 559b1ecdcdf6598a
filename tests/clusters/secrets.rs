//! Secrets of a real cluster: its keys and tokens, and what its configuration holds, stand in nothing that is printed
//! or exported.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kind_e2e::answer;

use crate::names::VICTIM;
use crate::world::World;

/// A configuration with secrets.
const CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
kubeadmConfigPatches:
- |
  kind: InitConfiguration
  bootstrapTokens:
  - token: planta.0123456789planta
nodes:
- env:
    DB_PASSWORD: planted-variable
    DB_URL: https://planted-login:planted-url-password@db.test/
";

pub(crate) fn nothing_printed_or_exported_holds_a_secret(world: &World) {
    let path = |name: &str| world.directory.path().join(name).display().to_string();
    let (config, trace, logs) = (
        path("secrets.yaml"),
        path("secrets-trace.json"),
        path("secrets-logs"),
    );
    fs::write(&config, CONFIG).unwrap();
    let create = [
        "create", "cluster", "--name", VICTIM, "--config", &config, "--wait", "2m", "-v", "9",
    ];
    let timings = ["--timings", "--trace-file", &trace];
    let created = world
        .kind
        .run(&[&create[..], &timings, &world.image()].concat());
    assert_eq!(created.code, 0, "{created:#?}");
    let exported = world
        .kind
        .run(&["export", "logs", "--name", VICTIM, &logs, "-v", "9"]);
    assert_eq!(exported.code, 0, "{exported:#?}");
    let secrets = secrets_of_cluster(world);
    let deleted = world
        .kind
        .run(&["delete", "cluster", "--name", VICTIM, "-v", "9"]);
    // The cluster that the tests share is kubectl's again.
    let export = ["export", "kubeconfig", "--name", "e2e"];
    world.kind.run(&export).expect("export kubeconfig");

    for (what, answer) in [
        ("create", &created),
        ("export", &exported),
        ("delete", &deleted),
    ] {
        assert_clean(
            what,
            format!("{}{}", answer.stdout, answer.stderr).as_bytes(),
            &secrets,
        );
    }
    let files = files_below(Path::new(&logs));
    for file in files.iter().chain([&PathBuf::from(trace)]) {
        assert_clean(
            &file.display().to_string(),
            &fs::read(file).unwrap(),
            &secrets,
        );
    }
    assert!(created.stderr.contains("engine call") || world.engine.is_native());
    assert!(
        created.stderr.contains(" in all (# works, . waits)\n"),
        "{created:#?}"
    );
    let kept = Path::new(&logs).join(format!("{VICTIM}-control-plane/kind/create-timings.txt"));
    assert!(
        fs::read_to_string(kept)
            .unwrap()
            .contains("waits for kube-apiserver")
    );
}

/// The administrator's key, in both of its forms, the bootstrap token, and what was planted.
fn secrets_of_cluster(world: &World) -> Vec<String> {
    let kubeconfig = world
        .kind
        .run(&["get", "kubeconfig", "--name", VICTIM])
        .expect("get kubeconfig");
    let mut lines = kubeconfig.lines().map(str::trim);
    let key = lines
        .find_map(|line| line.strip_prefix("client-key-data: "))
        .unwrap();
    let decoded = answer(Command::new("base64").arg("-d"), Some(key)).expect("base64");
    // The last line may be short enough to stand anywhere.
    let is_body = |line: &&str| !line.starts_with("-----") && line.len() >= 16;
    let mut secrets = vec![key.to_owned()];
    secrets.extend(decoded.lines().filter(is_body).map(str::to_owned));
    let token = world.kind.ask(&[
        "--context",
        &format!("kind-{VICTIM}"),
        "--namespace",
        "kube-system",
        "get",
        "secret",
        "bootstrap-token-planta",
        "--ignore-not-found",
        "-o",
        "jsonpath={.data.token-secret}",
    ]);
    let token = token.expect("get secret");
    secrets.extend((!token.is_empty()).then_some(token));
    let planted = [
        "planta.0123456789planta",
        "planted-variable",
        "planted-url-password",
    ];
    secrets.extend(planted.map(str::to_owned));
    secrets
}

fn assert_clean(place: &str, bytes: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets {
        if let Some(at) = text.find(secret) {
            let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
            panic!(
                "{place} holds {secret}: {}",
                text[begin..].lines().next().unwrap_or_default()
            );
        }
    }
}

/// Every file below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
