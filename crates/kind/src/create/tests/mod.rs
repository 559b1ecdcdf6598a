//! Order, failures and interruptions of a creation, on an engine that only notes what it is asked for.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kind_engine::fake::{Fake, Program};
use kind_engine::{Engine, Error as EngineError, Io};
use kind_node::request::{Event as NodeEvent, Request, Step, StepId};

use crate::{
    Agent, CancelToken, Code, CreateCluster, Created, Endpoint, Error, Event, KubeconfigFiles,
    Outcome, Phase, Provider, Result, Verbosity, error_chain,
};

mod dry_run;
mod interrupts;
mod power;
mod secrets;
mod token;

const NODE: &str = "kind-control-plane";
const ADMIN: &str = "\
apiVersion: v1
clusters: [{name: kubernetes, cluster: {server: 'https://kind-control-plane:6443'}}]
contexts: [{name: a, context: {cluster: kubernetes, user: admin}}]
current-context: a
kind: Config
users: [{name: admin, user: {}}]
";
const CNI: &str = "kind: DaemonSet\nmetadata:\n  name: kindnet\n";
const FILES: [(&str, &str); 4] = [
    ("/kind/version", "v1.36.1"),
    ("/kind/manifests/default-cni.yaml", CNI),
    ("/kind/manifests/default-storage.yaml", "kind: Storage"),
    ("/etc/kubernetes/admin.conf", ADMIN),
];

/// A library on a fake engine with a kubeconfig of its own, and everything it told.
struct Stage {
    engine: Arc<Fake>,
    provider: Provider,
    files: KubeconfigFiles,
    events: Mutex<Vec<Event>>,
    directory: tempfile::TempDir,
}

impl Stage {
    fn new(program: Box<Program>) -> Self {
        Self::with_files(&FILES, program)
    }

    fn with_files(files: &[(&str, &str)], program: Box<Program>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = Arc::new(Fake::new(files, program));
        let settings = Provider::builder()
            .temporary_dir(directory.path())
            .agent(Agent::file("/kind-node"));
        Self {
            provider: Provider::on(Arc::clone(&engine) as Arc<dyn Engine>, settings),
            engine,
            files: KubeconfigFiles::one(directory.path().join("config")),
            events: Mutex::default(),
            directory,
        }
    }

    fn options(&self) -> CreateCluster {
        CreateCluster::new(self.files.clone()).image("node:1")
    }

    fn create(&self, options: &CreateCluster) -> Result<Created> {
        self.provider.create(options, &|event| {
            if !matches!(
                event,
                Event::Detail(_) | Event::StepStarted(_) | Event::StepEnded(_)
            ) {
                self.events.lock().unwrap().push(event);
            }
        })
    }

    /// Everything told, one line each.
    fn story(&self) -> String {
        let events = self.events.lock().unwrap();
        let lines = events.iter().map(|event| match event {
            Event::PhaseStarted(phase) => format!("> {phase:?}\n"),
            Event::PhaseEnded { outcome, .. } => format!("< {outcome:?}\n"),
            Event::Ready { .. } => "ready\n".to_owned(),
            event => format!("{event:?}\n"),
        });
        lines.collect()
    }

    fn kubeconfig(&self) -> Option<String> {
        std::fs::read_to_string(self.files.write_target()).ok()
    }

    /// Nothing of the cluster is left.
    fn assert_clean(&self) {
        assert!(!self.engine.has(NODE));
        assert_eq!(self.kubeconfig(), None);
        let events = self.events.lock().unwrap();
        let started = events
            .iter()
            .filter(|event| matches!(event, Event::PhaseStarted(_)));
        let ended = events
            .iter()
            .filter(|event| matches!(event, Event::PhaseEnded { .. }));
        assert_eq!(started.count(), ended.count());
    }
}

/// A node where every step works but the one that is named.
fn node(fails: Option<&'static str>) -> Box<Program> {
    on_request(move |io| answer(fails, io))
}

/// A node that answers requests like this; every other program in it works and prints nothing.
fn on_request(answer: impl Fn(Io<'_>) -> i32 + Send + Sync + 'static) -> Box<Program> {
    Box::new(move |_, argv, io| match argv {
        [_, word] if word == "request" => Ok(answer(io)),
        _ => Ok(0),
    })
}

fn answer(fails: Option<&str>, io: Io<'_>) -> i32 {
    let request = request(io.stdin.unwrap());
    if run(&request.steps, fails, io.stdout) {
        0
    } else {
        1
    }
}

fn request(stdin: &mut dyn Read) -> Request {
    let mut length = [0; 4];
    stdin.read_exact(&mut length).unwrap();
    let mut document = vec![0; u32::from_be_bytes(length) as usize];
    stdin.read_exact(&mut document).unwrap();
    serde_json::from_slice(&document).unwrap()
}

fn tell(out: &mut dyn Write, event: &NodeEvent) {
    writeln!(out, "{}", serde_json::to_string(event).unwrap()).unwrap();
}

fn run(steps: &[Step], fails: Option<&str>, out: &mut dyn Write) -> bool {
    run_printing(steps, fails, "what it printed", out)
}

/// Every program prints the same.
fn run_printing(steps: &[Step], fails: Option<&str>, printed: &str, out: &mut dyn Write) -> bool {
    for step in steps {
        match step {
            Step::Run { id, name, .. } | Step::Wait { id, name, .. } if fails == Some(name) => {
                let id = *id;
                let (name, reason) = (name.clone(), "exit code 1".to_owned());
                let output = printed.to_owned();
                tell(
                    out,
                    &NodeEvent::Failed {
                        id,
                        name,
                        reason,
                        output,
                        causes: Vec::new(),
                    },
                );
                return false;
            }
            Step::Run { id, name, .. } | Step::Wait { id, name, .. } => {
                let id = *id;
                let (name, output) = (name.clone(), printed.to_owned());
                tell(
                    out,
                    &NodeEvent::Finished {
                        id,
                        name,
                        ms: 1,
                        output,
                    },
                );
            }
            Step::Read { id, path } => {
                let (id, path, text) = (*id, path.clone(), ADMIN.to_owned());
                tell(out, &NodeEvent::File { id, path, text });
            }
            Step::Mark { id } => tell(out, &NodeEvent::Marked { id: *id }),
            Step::Together { sequences }
                if !sequences
                    .iter()
                    .all(|sequence| run_printing(sequence, fails, printed, out)) =>
            {
                return false;
            }
            _ => {}
        }
    }
    true
}

#[test]
fn a_cluster_is_made_in_kinds_order() {
    let stage = Stage::new(node(None));
    let created = stage
        .create(&stage.options().wait(Duration::from_secs(60)))
        .unwrap();
    assert_eq!(created.context, "kind-kind");
    insta::assert_snapshot!(stage.story());
    insta::assert_snapshot!(stage.engine.calls().join("\n"));
    let copied = stage.engine.copied();
    for path in [
        "/kind/kubeadm.conf",
        "/etc/cni/net.d/10-kindnet.conflist",
        "/etc/kubernetes/pki/ca.crt",
        "/var/log/kind/create-events.jsonl",
        "/var/log/kind/create-timings.txt",
        "/var/log/kind/create-trace.json",
    ] {
        assert!(copied.iter().any(|known| known == path), "{path}");
    }
    let kubeconfig = stage.kubeconfig().unwrap();
    assert!(
        kubeconfig.contains("server: https://127.0.0.1:0"),
        "{kubeconfig}"
    );
    assert!(stage.engine.has(NODE));
}

const WITH_WORKERS: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n\
    nodes: [{}, {role: worker}, {role: worker, image: 'other:1'}]\n";

/// The calls of an engine, those that ran at once in the order of their names.
fn calls(stage: &Stage) -> Vec<String> {
    let mut calls = stage.engine.calls();
    for run in calls.chunk_by_mut(|a, b| a.split(' ').next() == b.split(' ').next()) {
        run.sort_unstable();
    }
    calls
}

#[test]
fn workers_join_once_the_first_node_serves() {
    let stage = Stage::new(node(None));
    let options = CreateCluster::new(stage.files.clone())
        .config_text(WITH_WORKERS)
        .unwrap();
    stage
        .create(&options.wait(Duration::from_secs(60)))
        .unwrap();
    insta::assert_snapshot!(stage.story());
    insta::assert_snapshot!(calls(&stage).join("\n"));
}

const HIGHLY_AVAILABLE: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n\
    nodes: [{}, {role: control-plane}, {role: control-plane}, {role: worker}]\n";

/// Nodes and steps of all requests, in the order in which they began.
fn requests(stage_config: &str) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stage = Stage::new({
        let seen = Arc::clone(&seen);
        Box::new(move |_, _, io| {
            let request = request(io.stdin.unwrap());
            let names = crate::bootstrap::step_names(&request.steps).join(", ");
            seen.lock().unwrap().push(names);
            Ok(i32::from(!run(&request.steps, None, io.stdout)))
        })
    });
    let options = stage.options().config_text(stage_config).unwrap();
    stage.create(&options.wait(Duration::from_secs(9))).unwrap();
    assert!(stage.engine.has("kind-external-load-balancer"));
    let copied = stage.engine.copied();
    assert!(copied.iter().any(|path| path == "/kind/load-balancer.json"));
    seen.lock().unwrap().clone()
}

#[test]
fn control_planes_start_at_once_and_are_marked_later() {
    let mut requests = requests(HIGHLY_AVAILABLE);
    // Those that start beside the first may come to it late; marks and the wait follow one another.
    let place = |wanted: &str| requests.iter().position(|request| request == wanted);
    let ready = place("wait for ready").unwrap();
    for node in ["kind-control-plane2", "kind-control-plane3"] {
        let marked = place(&format!("kubeadm join {node}")).unwrap();
        assert!(marked < ready, "{requests:#?}");
    }
    requests.sort_unstable();
    insta::assert_snapshot!(requests.join("\n"));
}

#[test]
fn control_planes_join_one_by_one_where_kubeadm_must_make_the_certificates() {
    let patch = "kubeadmConfigPatches: ['{kind: ClusterConfiguration, certificatesDir: /pki}']\n";
    let requests = requests(&format!("{HIGHLY_AVAILABLE}{patch}"));
    let joins: Vec<_> = requests[1..].iter().map(String::as_str).collect();
    assert_eq!(
        joins,
        [
            "set sysctls, kubeadm join kind-control-plane2, wait for registration",
            "set sysctls, kubeadm join kind-control-plane3, wait for registration",
            "set sysctls, kubeadm join kind-worker, wait for registration",
            "remove the bootstrap token, wait for ready",
        ]
    );
}

#[test]
fn a_worker_that_cannot_join_ends_the_creation() {
    let stage = Stage::new(node(Some("kubeadm join kind-worker")));
    let options = stage.options().config_text(WITH_WORKERS).unwrap();
    let error = stage.create(&options).unwrap_err();
    assert_eq!(
        error_chain(&error),
        "failed to join node with kubeadm: exit code 1"
    );
    stage.assert_clean();
    assert!(!stage.engine.has("kind-worker2"));
}

#[test]
fn no_sibling_is_left_when_a_call_for_one_node_fails() {
    for (call, code) in [
        ("create", Code::NodeCreate),
        ("copy_out", Code::NodeFiles),
        ("copy_in", Code::NodeFiles),
        ("start", Code::NodeStart),
        ("exec", Code::NodeReach),
    ] {
        let stage = Stage::new(node(None));
        stage.engine.fail(call);
        let options = stage.options().config_text(WITH_WORKERS).unwrap();
        assert_eq!(stage.create(&options).unwrap_err().code(), code, "{call}");
        stage.assert_clean();
        for worker in ["kind-worker", "kind-worker2"] {
            assert!(!stage.engine.has(worker), "{call}");
        }
    }
}

#[test]
fn deleted_nodes_are_those_that_were_there() {
    let deleted = |config: &str, refused: &str| {
        let stage = Stage::new(node(None));
        stage.engine.refuse_node(refused);
        let options = stage.options().config_text(config).unwrap();
        stage.create(&options).unwrap_err();
        stage.assert_clean();
        let events = stage.events.lock().unwrap();
        let deleted = events.iter().filter_map(|event| match event {
            Event::NodesDeleted { nodes } => Some(nodes.clone()),
            _ => None,
        });
        deleted.collect::<Vec<_>>()
    };
    let told = deleted(WITH_WORKERS, "kind-worker2").concat();
    assert!(told.contains(&NODE.to_owned()), "{told:?}");
    assert!(!told.contains(&"kind-worker2".to_owned()), "{told:?}");
    let one = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
    assert_eq!(deleted(one, NODE), [[""; 0]; 0]);
}

#[test]
fn a_failures_cause_comes_before_what_is_missing_of_its_logs() {
    // No program that tells of the node works.
    let stage = Stage::new(Box::new(|_, argv, io| match argv {
        [_, word] if word == "request" => Ok(answer(Some("kubeadm init"), io)),
        _ => Ok(1),
    }));
    let error = stage.create(&stage.options()).unwrap_err();
    assert!(error.evidence_problem().is_some(), "{error:?}");
    let told = stage.story();
    assert!(!told.contains("Warning"), "{told}");
}

#[test]
fn a_kubeconfig_that_is_locked_at_the_end_does_not_cost_the_cluster() {
    let place = Arc::new(Mutex::new(None::<std::path::PathBuf>));
    let stage = Stage::new({
        let place = Arc::clone(&place);
        on_request(move |io| {
            // Somebody takes the lock while the cluster is made.
            let lock = place.lock().unwrap().clone().unwrap();
            std::fs::write(lock, "").unwrap();
            answer(None, io)
        })
    });
    let lock = stage.directory.path().join("config.lock");
    *place.lock().unwrap() = Some(lock.clone());
    let error = stage.create(&stage.options()).unwrap_err();
    assert_eq!(error.code(), Code::KubeconfigLocked);
    let text = error_chain(&error);
    let begin = "cluster \"kind\" was created and stays: failed to lock config file: ";
    assert!(text.starts_with(begin), "{text}");
    let remedy = error.remedy().unwrap();
    assert!(
        remedy.contains("`kind export kubeconfig --name kind` writes its entry then"),
        "{remedy}"
    );
    assert!(stage.engine.has(NODE));
    std::fs::remove_file(lock).unwrap();
    let exported = stage.provider.export_kubeconfig(
        "kind",
        Endpoint::External,
        &stage.files,
        &CancelToken::new(),
        &|_| {},
    );
    exported.unwrap();
}

#[test]
fn a_kubeconfig_that_is_locked_already_is_told_before_anything_is_made() {
    let stage = Stage::new(node(None));
    let lock = stage.directory.path().join("config.lock");
    std::fs::write(&lock, "").unwrap();
    stage.create(&stage.options()).unwrap_err();
    let told = stage.story();
    let warned = told.find("the kubeconfig cannot be written before it is gone");
    assert!(warned < told.find("Creating"), "{told}");
    assert!(warned.is_some());
}

#[test]
fn nodes_start_before_their_files_where_addresses_do_not_last() {
    let stage = Stage::new(node(None));
    stage.engine.change_addresses();
    let options = stage.options().config_text(WITH_WORKERS).unwrap();
    stage.create(&options).unwrap();
    let calls = stage.engine.calls();
    let is_start = |call: &String| call.starts_with("start ");
    let mut started: Vec<_> = calls.iter().filter(|call| is_start(call)).collect();
    started.sort_unstable();
    let expected = [NODE, "kind-worker", "kind-worker2"].map(|node| format!("start {node}"));
    assert_eq!(started, expected.iter().collect::<Vec<_>>());
    let last_start = calls.iter().rposition(is_start);
    let first_file = calls.iter().position(|call| call.starts_with("copy_in "));
    assert!(last_start < first_file, "{calls:#?}");
}

#[test]
fn nothing_is_left_of_nodes_that_started_before_their_files() {
    for (call, code, has_logs) in [
        ("start", Code::NodeStart, false),
        ("copy_in", Code::NodeFiles, true),
        ("exec", Code::NodeReach, true),
    ] {
        let stage = Stage::new(node(None));
        stage.engine.change_addresses();
        stage.engine.fail(call);
        let error = stage.create(&stage.options()).unwrap_err();
        assert_eq!(error.code(), code, "{call}");
        assert_eq!(error.evidence().is_some(), has_logs, "{call}");
        stage.assert_clean();
    }
}

#[test]
fn what_was_made_can_be_seen_and_deleted() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    assert_eq!(stage.provider.clusters().unwrap(), ["kind"]);
    assert_eq!(stage.provider.nodes(Some("kind")).unwrap()[0].name, NODE);
    let internal = stage
        .provider
        .kubeconfig("kind", Endpoint::Internal)
        .unwrap();
    assert!(internal.contains("server: https://kind-control-plane:6443"));
    stage
        .provider
        .delete("kind", Some(&stage.files), &CancelToken::new(), &|_| {})
        .unwrap();
    assert!(!stage.engine.has(NODE));
    stage
        .provider
        .delete("kind", Some(&stage.files), &CancelToken::new(), &|_| {})
        .unwrap();
    assert!(!stage.kubeconfig().unwrap().contains("kind-kind"));
}

#[test]
fn nothing_is_left_when_an_engine_call_fails() {
    for (call, code) in [
        ("image", Code::ImagePull),
        ("network", Code::NetworkCreate),
        ("create", Code::NodeCreate),
        ("copy_out", Code::NodeFiles),
        ("copy_in", Code::NodeFiles),
        ("start", Code::NodeStart),
        ("exec", Code::NodeReach),
    ] {
        let stage = Stage::new(node(None));
        stage.engine.fail(call);
        let error = stage.create(&stage.options()).unwrap_err();
        assert_eq!(error.code(), code, "{call}");
        stage.assert_clean();
    }
}

#[test]
fn nothing_is_left_when_a_step_in_the_node_fails() {
    for step in [
        "kubeadm init",
        "apply overlay network",
        "add default storage class",
        "remove control plane taint and label",
    ] {
        let stage = Stage::new(node(Some(step)));
        let error = stage.create(&stage.options()).unwrap_err();
        assert_eq!(error.code(), Code::NodeStep, "{step}");
        assert_eq!(error.output(), Some("what it printed"));
        stage.assert_clean();
        let evidence = error.evidence().unwrap();
        let console = evidence.join(NODE).join("serial.log");
        assert_eq!(std::fs::read_to_string(console).unwrap(), "console\n");
    }
}

#[test]
fn what_is_in_the_way_is_told_with_the_failure() {
    let log = "Error: unknown flag: --no-such-flag\n";
    let component = kind_diagnosis::Component::new("kube-apiserver");
    let causes: Vec<_> = kind_diagnosis::examine_exit(component, "2.log", log)
        .into_iter()
        .collect();
    let told = causes.clone();
    let stage = Stage::new(on_request(move |io| {
        let (id, name) = (StepId::ApiServer, "await server".to_owned());
        let (slow, failed) = (told.clone(), told.clone());
        tell(
            io.stdout,
            &NodeEvent::Slow {
                id,
                name: name.clone(),
                ms: 5200,
                causes: slow,
            },
        );
        tell(
            io.stdout,
            &NodeEvent::Failed {
                id,
                name,
                reason: failed[0].to_string(),
                output: String::new(),
                causes: failed,
            },
        );
        1
    }));
    let error = stage.create(&stage.options()).unwrap_err();
    assert_eq!(
        error_chain(&error),
        "failed to init node with kubeadm: kube-apiserver: it does not know the flag --no-such-flag"
    );
    assert_eq!((error.causes(), error.node()), (&causes[..], Some(NODE)));
    assert!(error.remedy().unwrap().contains("apiServer.extraArgs"));
    let warned = "kind-control-plane: await server has taken 5s so far; kube-apiserver: it does not know the flag";
    let events = stage.events.lock().unwrap();
    let mut warnings = events.iter().filter_map(|event| match event {
        Event::Warning(warning) => Some(warning.to_string()),
        _ => None,
    });
    assert!(
        warnings.any(|warning| warning.starts_with(warned)),
        "{events:#?}"
    );
    drop(events);
    stage.assert_clean();
}

#[test]
fn a_cluster_that_is_not_ready_stays_and_says_why() {
    let log = "Error: unknown flag: --no-such-flag\n";
    let component = kind_diagnosis::Component::new("kube-scheduler");
    let causes: Vec<_> = kind_diagnosis::examine_exit(component, "2.log", log)
        .into_iter()
        .collect();
    let stage = Stage::new(on_request(move |io| {
        let mut request = request(io.stdin.unwrap());
        let is_ready = |step: &Step| match step {
            Step::Run { id, .. } | Step::Wait { id, .. } => *id == StepId::Ready,
            _ => false,
        };
        let waits = request.steps.iter().any(is_ready);
        request.steps.retain(|step| !is_ready(step));
        if !run(&request.steps, None, io.stdout) || !waits {
            return i32::from(waits);
        }
        let failed = NodeEvent::Failed {
            id: StepId::Ready,
            name: "wait for ready".to_owned(),
            reason: causes[0].to_string(),
            output: String::new(),
            causes: causes.clone(),
        };
        tell(io.stdout, &failed);
        1
    }));
    let options = stage.options().wait(Duration::from_secs(60));
    let error = stage.create(&options).unwrap_err();
    assert_eq!(error.causes().len(), 1);
    assert!(stage.engine.has(NODE));
    let events = stage.events.lock().unwrap();
    assert!(events.contains(&Event::NotReady), "{events:#?}");
    let warned = "kind-control-plane: kube-scheduler: it does not know the flag --no-such-flag; take --no-such-flag out";
    let warns = |event: &Event| matches!(event, Event::Warning(warning) if warning.to_string().starts_with(warned));
    assert!(events.iter().any(warns), "{events:#?}");
}

#[test]
fn a_failing_kubeadm_is_named_as_kind_does() {
    let stage = Stage::new(node(Some("kubeadm init")));
    let error = stage.create(&stage.options()).unwrap_err();
    assert_eq!(
        error_chain(&error),
        "failed to init node with kubeadm: exit code 1"
    );
}

/// A creation whose kube-proxy crashed ended with success after four minutes.
#[test]
fn a_cluster_that_is_not_ready_in_time_is_no_success() {
    let stage = Stage::new(node(Some("wait for ready")));
    let error = stage
        .create(&stage.options().wait(Duration::from_secs(1)))
        .unwrap_err();
    assert_eq!(error.code(), Code::NotReady);
    assert_eq!(
        error_chain(&error),
        "cluster \"kind\" was created and stays: it is not ready in time: what it printed"
    );
    assert!(error.remedy().unwrap().contains("kind doctor kind"));
    assert!(
        stage.story().contains("< Failed\nNotReady\n"),
        "{}",
        stage.story()
    );
    assert!(stage.kubeconfig().is_some() && stage.engine.has(NODE));
}

#[test]
fn who_brings_the_network_is_not_told_that_creating_failed() {
    let stage = Stage::new(node(Some("wait for ready")));
    let config = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnetworking: {disableDefaultCNI: true}\n";
    let options = stage.options().config_text(config).unwrap();
    stage.create(&options.wait(Duration::from_secs(1))).unwrap();
    assert!(stage.story().contains("NotReady\n"));
}

#[test]
fn nodes_are_kept_when_the_user_wants_them() {
    let stage = Stage::new(node(Some("kubeadm init")));
    let error = stage.create(&stage.options().retain()).unwrap_err();
    assert_eq!(error.evidence(), None);
    assert!(stage.engine.has(NODE));
}

#[test]
fn an_interrupt_ends_a_running_request() {
    // The node works until it is taken away.
    let stage = Stage::new(Box::new(|engine, _, _| {
        while engine.has(NODE) {
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(EngineError::NoSuchNode(NODE.to_owned()))
    }));
    let cancel = CancelToken::new();
    let options = stage.options().cancel(cancel.clone());
    let error = std::thread::scope(|scope| {
        let creating = scope.spawn(|| stage.create(&options));
        while !stage
            .engine
            .calls()
            .iter()
            .any(|call| call.starts_with("exec"))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        cancel.cancel();
        creating.join().unwrap().unwrap_err()
    });
    assert!(error.is_cancelled());
    stage.assert_clean();
}

#[test]
fn an_interrupt_before_anything_is_made_makes_nothing() {
    let stage = Stage::new(node(None));
    let cancel = CancelToken::new();
    cancel.cancel();
    let error = stage.create(&stage.options().cancel(cancel)).unwrap_err();
    assert!(error.is_cancelled());
    stage.assert_clean();
    assert!(
        !stage
            .engine
            .calls()
            .iter()
            .any(|call| call.starts_with("create"))
    );
}

#[test]
fn a_cluster_that_exists_is_left_alone() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    let before = stage.kubeconfig();
    let error = stage.create(&stage.options()).unwrap_err();
    assert!(matches!(&error, Error::ClusterExists(name) if name == "kind"));
    assert!(stage.engine.has(NODE));
    assert_eq!(stage.kubeconfig(), before);
}

#[test]
fn a_kubeconfig_that_cannot_be_written_is_told_before_anything_is_made() {
    let stage = Stage::new(node(None));
    let below_a_file = stage.directory.path().join("config/deep");
    std::fs::write(stage.files.write_target(), "a: [").unwrap();
    for (files, expected) in [
        (stage.files.clone(), "failed to get kubeconfig to merge: "),
        (
            KubeconfigFiles::one(below_a_file),
            "failed to lock config file: ",
        ),
        (
            KubeconfigFiles::one(stage.directory.path()),
            "failed to get kubeconfig to merge: ",
        ),
    ] {
        let options = CreateCluster::new(files).image("node:1");
        let text = error_chain(&stage.create(&options).unwrap_err());
        assert!(text.starts_with(expected), "{text}");
    }
    let calls = stage.engine.calls();
    assert!(!calls.iter().any(|call| call.starts_with("create")));
}

#[test]
fn an_image_that_is_nowhere_is_an_error() {
    let stage = Stage::new(node(None));
    let error = stage
        .create(&stage.options().image("absent:1"))
        .unwrap_err();
    let text = error_chain(&error);
    assert!(
        text.starts_with("failed to pull image \"absent:1\": "),
        "{text}"
    );
    assert!(error.remedy().is_some());
    stage.assert_clean();
}

#[test]
fn an_image_without_a_version_is_no_node_image() {
    let stage = Stage::with_files(&FILES[1..], node(None));
    let error = stage.create(&stage.options()).unwrap_err();
    assert_eq!(error.code(), Code::ImageUnusable);
    stage.assert_clean();
}

#[test]
fn another_pod_network_configures_itself() {
    let other = "kind: DaemonSet\nmetadata:\n  name: calico-node\n";
    let mut files = FILES;
    files[1].1 = other;
    let stage = Stage::with_files(&files, node(None));
    stage.create(&stage.options()).unwrap();
    let copied = stage.engine.copied();
    let of_kindnet = |path: &String| path.ends_with(".conflist");
    assert!(!copied.iter().any(of_kindnet), "{copied:?}");
}

#[test]
fn an_image_with_its_own_dns_needs_no_other() {
    let dns = ("/kind/manifests/default-dns.yaml", "kind: Dns");
    let files = [&FILES[..], &[dns]].concat();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stage = Stage::with_files(&files, {
        let seen = Arc::clone(&seen);
        Box::new(move |_, _, io| {
            let request = request(io.stdin.unwrap());
            seen.lock().unwrap().push(format!("{:?}", request.steps));
            Ok(if run(&request.steps, None, io.stdout) {
                0
            } else {
                1
            })
        })
    });
    stage.create(&stage.options()).unwrap();
    assert!(seen.lock().unwrap()[0].contains("kind: Dns"));
}

#[test]
fn bad_configurations_make_nothing() {
    let stage = Stage::new(node(None));
    let error = stage.create(&stage.options().name("Bad_Name")).unwrap_err();
    assert_eq!(error.code(), Code::Config);
    assert!(stage.options().config_text("a: 1").is_err());
    stage.assert_clean();
    assert!(stage.story().is_empty());
}

#[test]
fn logs_have_kinds_layout() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    let directory = stage.directory.path().join("logs");
    // The fake node packs no tar stream; that is one failure, and everything else is there.
    let _ = stage
        .provider
        .collect_logs("kind", &directory, "kind v1", &CancelToken::new());
    for file in [
        "kind-version.txt",
        "fake-info.txt",
        "kind-control-plane/serial.log",
        "kind-control-plane/inspect.json",
        "kind-control-plane/kubernetes-version.txt",
        "kind-control-plane/journal.log",
        "kind-control-plane/kubelet.log",
        "kind-control-plane/containerd.log",
        "kind-control-plane/images.log",
    ] {
        assert!(Path::new(&directory).join(file).is_file(), "{file}");
    }
    let error = stage
        .provider
        .collect_logs("other", &directory, "", &CancelToken::new())
        .unwrap_err();
    assert_eq!(error.to_string(), "unknown cluster \"other\"");
}

/// Its journal was in memory; that is told after what is on its disk was collected.
#[test]
fn a_stopped_nodes_lack_of_a_journal_is_told() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    stage.provider.stop("kind", &CancelToken::new()).unwrap();
    let directory = stage.directory.path().join("logs");
    let export = || {
        let cancel = CancelToken::new();
        stage
            .provider
            .collect_logs("kind", &directory, "v", &cancel)
    };
    let error = export().unwrap_err();
    assert_eq!(error.code(), Code::NodeLogs, "{error}");
    assert_eq!(error.node(), Some("kind-control-plane"));
    let node = directory.join("kind-control-plane");
    assert!(node.join("serial.log").is_file());
    // Where an image keeps it on disk it was collected.
    std::fs::create_dir(node.join("journal")).unwrap();
    export().unwrap();
}

#[test]
fn phases_end_before_the_next_begins() {
    let stage = Stage::new(node(None));
    stage.create(&stage.options()).unwrap();
    let mut running: Option<Phase> = None;
    for event in stage.events.lock().unwrap().iter() {
        match event {
            Event::PhaseStarted(phase) => assert!(running.replace(phase.clone()).is_none()),
            Event::PhaseEnded { phase, outcome } => {
                assert_eq!(running.take().as_ref(), Some(phase));
                assert_eq!(*outcome, Outcome::Done);
            }
            _ => {}
        }
    }
}

/// Levels at which the details of a creation stand in the table of [`Verbosity`].
#[test]
fn details_have_the_levels_of_the_table() {
    let stage = Stage::new(node(None));
    let told = Mutex::new(Vec::new());
    let listener = |event| told.lock().unwrap().push(event);
    stage.provider.create(&stage.options(), &listener).unwrap();
    let told = told.into_inner().unwrap();
    let level_of = |words: &str| {
        let details = told.iter().filter_map(|event| match event {
            Event::Detail(detail) if detail.text.contains(words) => Some(detail.level),
            _ => None,
        });
        details.collect::<Vec<_>>().first().copied()
    };
    for (words, level) in [
        ("present locally", Verbosity::Steps),
        ("Using the following kubeadm config", Verbosity::Documents),
        ("what it printed", Verbosity::Output),
        ("Using the following CNI manifest", Verbosity::Manifests),
    ] {
        assert_eq!(level_of(words), Some(level), "{words}");
    }
}

/// Who waits for its turn after whom.
fn turns(config: &str) -> Vec<String> {
    let stage = Stage::new(node(None));
    let waits = Mutex::new(Vec::new());
    let listener = |event| {
        if let Event::StepStarted(step) = event
            && step.id == StepId::Serves
        {
            let awaited = step.waits_for.unwrap();
            waits
                .lock()
                .unwrap()
                .push(format!("{} {awaited}", step.node));
        }
    };
    let options = stage.options().config_text(config).unwrap();
    stage.provider.create(&options, &listener).unwrap();
    waits.into_inner().unwrap()
}

#[test]
fn nodes_tell_whose_turn_they_wait_for() {
    let [first, second, third, worker] = [
        "kind-control-plane",
        "kind-control-plane2",
        "kind-control-plane3",
        "kind-worker",
    ];
    let wait = |node: &str, awaited: &str| format!("{node} {awaited}");
    // All start at once; those beside the first one are marked once it serves.
    assert_eq!(
        turns(HIGHLY_AVAILABLE),
        [wait(second, first), wait(third, first)]
    );
    let patch = "kubeadmConfigPatches: ['{kind: ClusterConfiguration, certificatesDir: /pki}']\n";
    assert_eq!(
        turns(&format!("{HIGHLY_AVAILABLE}{patch}")),
        [
            wait(second, first),
            wait(third, second),
            wait(worker, third)
        ]
    );
}
