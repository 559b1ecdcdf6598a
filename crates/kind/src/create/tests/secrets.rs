//! Secrets that are planted in everything that a creation is given, and that nodes print: nothing that is told or kept
//! holds one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kind_engine::fake::Fake;
use kind_engine::{Engine, Error as EngineError, Io};

use super::{FILES, NODE, request, run_printing};
use crate::{Agent, CancelToken, CreateCluster, Error, KubeconfigFiles, Provider, error_chain};

/// A configuration with secrets.
const CONFIG: &str = r#"
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
containerdConfigPatches:
- |
  [plugins."io.containerd.grpc.v1.cri".registry.configs."registry.test".auth]
  username = "planted-user"
  password = "planted-registry-password"
kubeadmConfigPatches:
- |
  kind: InitConfiguration
  bootstrapTokens:
  - token: planta.0123456789planta
  certificateKey: planted-certificate-key
nodes:
- env:
    DB_PASSWORD: planted-variable
    URL: https://planted-login:planted-url-password@db.test/
"#;
/// A proxy with a password.
const PROXY: &str = "http://planted-login:planted-proxy-password@proxy.test:3128";
/// What every program in the node prints: what it was given, and what it has made.
const PRINTED: &str = "\
DB_PASSWORD is planted-variable, registry planted-registry-password, key planted-certificate-key
kubeadm join --token planta.0123456789planta --discovery-token-ca-cert-hash sha256:0
proxy http://planted-login:planted-proxy-password@proxy.test:3128, planted-url-password
-----BEGIN EC PRIVATE KEY-----
planted-private-key
-----END EC PRIVATE KEY-----
    client-key-data: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCnBsYW50ZWQ=
";
/// What no secret is.
const KEPT: &str = "--discovery-token-ca-cert-hash sha256:0";

/// Fails where a text holds something that was planted.
fn assert_clean(place: &str, text: &str) {
    for planted in ["planted-", "0123456789planta", "LS0tLS1CRUdJTiBFQyBQUklW"] {
        assert!(!text.contains(planted), "{place} holds {planted}:\n{text}");
    }
}

/// Plays every program in a node.
fn play(
    engine: &Fake,
    argv: &[String],
    fails: Option<&str>,
    io: Io<'_>,
) -> Result<i32, EngineError> {
    if argv.get(1).is_some_and(|word| word == "request") {
        writeln!(io.stderr, "{}", PRINTED.replace('\n', " ")).unwrap();
        let request = request(io.stdin.unwrap());
        let well = run_printing(&request.steps, fails, PRINTED, io.stdout);
        return Ok(i32::from(!well));
    }
    if argv.iter().any(|word| word.starts_with("tar ")) {
        io.stdout.write_all(&packed_logs(engine)).unwrap();
    } else {
        io.stdout.write_all(PRINTED.as_bytes()).unwrap();
    }
    Ok(0)
}

/// The node's `/var/log`: what kind has kept there, and a pod's log.
fn packed_logs(engine: &Fake) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut files = engine.copied_to(NODE);
    files.retain(|path, _| path.starts_with("/var/log/"));
    files.insert("/var/log/pods/a.log".to_owned(), PRINTED.to_owned());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let name = path.trim_start_matches("/var/log/");
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A creation with secrets: the library, everything that was told, and how it ended.
struct Planted {
    provider: Provider,
    engine: Arc<Fake>,
    told: String,
    failure: Option<Error>,
    directory: tempfile::TempDir,
}

fn create(fails: Option<&'static str>) -> Planted {
    let directory = tempfile::tempdir().unwrap();
    let containerd = ("/etc/containerd/config.toml", "version = 2\n");
    let files: Vec<_> = FILES.into_iter().chain([containerd]).collect();
    let program = move |engine: &Fake, argv: &[String], io: Io<'_>| play(engine, argv, fails, io);
    let engine = Arc::new(Fake::new(&files, Box::new(program)));
    let settings = Provider::builder()
        .temporary_dir(directory.path())
        .environment([("HTTPS_PROXY", PROXY)])
        .agent(Agent::file("/kind-node"));
    let provider = Provider::on(Arc::clone(&engine) as Arc<dyn Engine>, settings);
    let files = KubeconfigFiles::one(directory.path().join("config"));
    let options = CreateCluster::new(files)
        .image("node:1")
        .config_text(CONFIG)
        .unwrap();
    let told = Mutex::new(String::new());
    let created = provider.create(&options, &|event| {
        told.lock().unwrap().push_str(&format!("{event:?}\n"));
    });
    let told = told.into_inner().unwrap();
    let failure = created.err();
    Planted {
        provider,
        engine,
        told,
        failure,
        directory,
    }
}

/// Every file below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    });
    below.collect()
}

fn assert_files_clean(directory: &Path) -> String {
    let files = files_below(directory);
    let texts = files.iter().map(|path| {
        let text = fs::read_to_string(path).unwrap();
        assert_clean(&path.display().to_string(), &text);
        text
    });
    texts.collect()
}

#[test]
fn nothing_that_is_told_or_exported_holds_a_secret() {
    let planted = create(None);
    assert!(planted.failure.is_none(), "{:?}", planted.failure);
    assert_clean("what was told", &planted.told);
    assert!(planted.told.contains("Using the following kubeadm config"));
    assert!(planted.told.contains(KEPT));
    for (path, text) in planted.engine.copied_to(NODE) {
        if path.starts_with("/var/log/") {
            assert_clean(&path, &text);
        }
    }
    let logs = planted.directory.path().join("logs");
    planted
        .provider
        .collect_logs("kind", &logs, "v0", &CancelToken::new())
        .unwrap();
    let exported = assert_files_clean(&logs);
    assert!(exported.contains("DB_PASSWORD=<redacted>"), "{exported}");
    assert!(
        exported.contains("-----BEGIN EC PRIVATE KEY-----\n<redacted>\n"),
        "{exported}"
    );
    assert!(exported.contains(KEPT));
}

#[test]
fn nothing_of_a_failure_holds_a_secret() {
    let planted = create(Some("kubeadm control-plane"));
    let error = planted.failure.unwrap();
    assert_clean("what was told", &planted.told);
    assert_clean("the error", &error_chain(&error));
    assert_clean("the error's output", error.output().unwrap());
    assert!(assert_files_clean(error.evidence().unwrap()).contains(KEPT));
}

#[test]
fn nodes_get_what_was_planted_for_them() {
    let planted = create(None);
    let files = planted.engine.copied_to(NODE);
    assert!(files["/kind/kubeadm.conf"].contains("planta.0123456789planta"));
}
