//! Every signature against recorded logs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// Logs as they came: the signature, the component, and what it said.
fn samples() -> Vec<(String, String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut samples = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let [id, component, "log"] = name.split('.').collect::<Vec<_>>()[..] else {
            panic!("{name} is no name of a sample");
        };
        let component = component.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        let text = fs::read_to_string(&path).unwrap();
        samples.push((id.to_owned(), component.to_owned(), text));
    }
    samples
}

/// What may heal by itself.
const HEAL: [&str; 9] = [
    "etcd-slow",
    "etcd-unreachable",
    "image-missing",
    "image-rate-limit",
    "not-configured-yet",
    "out-of-memory",
    "proxy-login",
    // Of a pod, and not of the cluster.
    "runtime-class",
    // Its registry is not reached in time; another reason ends it.
    "sandbox-image-unreachable",
];

#[test]
fn every_sample_is_recognised() {
    for (id, component, log) in samples() {
        let component = Component::new(&component);
        let mut checks = examine_lines(component, "journal", log.lines());
        checks.extend(examine_exit(component, "journal", &log));
        checks.sort_by_key(|check| std::cmp::Reverse(check.severity));
        let check = &checks[0];
        assert_eq!(check.id, id, "{component}: {log}\n{check:#?}");
        let heals = HEAL.contains(&id.as_str());
        assert_eq!(check.severity == Severity::Warning, heals, "{check:#?}");
        let texts = [&check.found, &check.expected, &check.remedy];
        for text in texts {
            assert!(!text.is_empty(), "{check:#?}");
            // What Go's programs print may have braces of its own.
            let holes = [
                "{}",
                "{*}",
                "{settings}",
                "{1}",
                "{2}",
                "{3}",
                "{4}",
                "{5}",
                "{6}",
            ];
            let is_open = holes.iter().any(|hole| text.contains(hole));
            assert!(!is_open, "a hole stays open: {check:#?}");
        }
    }
}

#[test]
fn every_signature_has_a_sample() {
    let with_sample: BTreeSet<_> = samples().into_iter().map(|(id, ..)| id).collect();
    let known: BTreeSet<_> = SIGNATURES.iter().map(|known| known.id.to_owned()).collect();
    assert_eq!(known, with_sample);
}

/// Whether a line of a running component ends what waits for it, be it said once or again and again.
fn ends_by_line(component: &str, line: &str) -> bool {
    let checks = examine_lines(Component::new(component), "", [line]);
    checks
        .iter()
        .any(|check| check.severity == Severity::Error || is_certain(&check.id))
}

#[test]
fn a_runtime_that_fails_once_or_belongs_to_a_pod_is_not_missing() {
    let syncs = |pod: &str, reason: &str| {
        let line = format!(
            r#"E1 1 1 pod_workers.go:1] "Error syncing pod, skipping" err="failed to \"CreatePodSandbox\" for {reason}: unknown\"" pod="{pod}""#
        );
        ends_by_line("kubelet", &line)
    };
    let unread = "unable to retrieve OCI runtime error (open /run/containerd/a/log.json: no such file or directory)";
    let gone = format!(r#"{unread}: exec: \\\"runc\\\": executable file not found in $PATH"#);
    let system = "kube-system/etcd-a-control-plane";
    assert!(syncs(system, &gone));
    assert!(syncs(
        system,
        &format!("{unread}: fork/exec /opt/runc: no such file or directory")
    ));
    for passes in [
        "runc did not terminate successfully: signal: killed",
        "fork/exec /usr/local/sbin/runc: resource temporarily unavailable",
    ] {
        assert!(!syncs(system, &format!("{unread}: {passes}")), "{passes}");
    }
    assert!(!syncs("default/a", &gone));
    let shim = r#"runtime \\\"io.containerd.runsc.v1\\\" binary not installed \\\"containerd-shim-runsc-v1\\\": file does not exist"#;
    assert!(syncs(system, shim) && !syncs("default/a", shim));
}

#[test]
fn a_missing_runtime_is_named_however_that_is_told() {
    for reason in [
        "fork/exec /usr/bin/nvidia: no such file or directory",
        "exec: fork/exec /usr/bin/nvidia: no such file or directory",
        r#"exec: \"/usr/bin/nvidia\": executable file not found in $PATH"#,
    ] {
        let line = format!(
            r#"E1 1 1 pod_workers.go:1] "Error syncing pod, skipping" err="unable to retrieve OCI runtime error (open /a/log.json: no such file or directory): {reason}\"" pod="kube-system/etcd-a""#
        );
        let checks = examine_lines(Component::new("kubelet"), "", [line.as_str()]);
        let found = "containerd has no runtime that starts pods: /usr/bin/nvidia is not there";
        assert_eq!(checks[0].found, found, "{reason}");
    }
}

#[test]
fn only_certificates_of_the_cluster_are_its_end() {
    for when in ["after 2021-01-01T00:00:00Z", "before 2090-01-01T00:00:00Z"] {
        let x509 = format!(
            "x509: certificate has expired or is not yet valid: current time 2026-11-29T13:52:06Z is {when}"
        );
        let shown = |before: &str| format!("{before}: tls: failed to verify certificate: {x509}");
        let server = "E1 1 1 reflector.go:1] \"Failed to watch\" err=\"Get \\\"https://a-control-plane:6443/api/v1/nodes\\\"";
        assert!(ends_by_line("kubelet", &shown(server)));
        assert!(ends_by_line("kube-scheduler", &shown(server)));
        let etcd = "W1 failed to connect to {Addr: \"127.0.0.1:2379\", }. Err: connection error: desc = \"a";
        assert!(ends_by_line("kube-apiserver", &shown(etcd)));
        for (component, before) in [
            (
                "kube-apiserver",
                "\"Unable to authenticate the request\" err=\"[",
            ),
            (
                "kube-apiserver",
                "failed calling webhook \"a\": Post \"https://a.b.svc:443/api?timeout=10s\"",
            ),
            (
                "kubelet",
                "failed calling webhook \"a\": Post \"https://a.b.svc:6443/api?timeout=10s\"",
            ),
            (
                "kube-apiserver",
                "v1.a failed with: failing or missing response from https://10.0.0.1:6443/apis/a/v1: Get \"\"",
            ),
            (
                "kubelet",
                "\"Failed to pull image\" err=\"failed to pull and unpack image \\\"a/b:1\\\": Head \\\"https://a/v2\\\"",
            ),
            (
                "containerd",
                "level=info msg=\"trying next host\" error=\"failed to do request: Head \\\"https://a/v2\\\"",
            ),
        ] {
            assert!(!ends_by_line(component, &shown(before)), "{before}");
        }
    }
}

#[test]
fn a_pod_of_a_user_that_is_called_like_etcd_is_none_of_the_control_plane() {
    let pull = |pod: &str| {
        let line = format!(
            r#"E1 1 1 pod_workers.go:1] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"etcd\" with ErrImagePull: \"failed to pull and unpack image \\\"a/etcd:9\\\": failed to resolve reference \\\"a/etcd:9\\\": a/etcd:9: not found\"" pod="{pod}""#
        );
        ends_by_line("kubelet", &line)
    };
    let old_pull = |pod: &str| {
        let line = format!(
            r#"E1 1 1 pod_workers.go:1] Error syncing pod a ("{pod}(a)"), skipping: failed to "StartContainer" for "etcd" with ErrImagePull: "rpc error: failed to pull and unpack image \"a/etcd:9\": a/etcd:9: not found""#
        );
        ends_by_line("kubelet", &line)
    };
    let mount = |pod: &str| {
        let line = format!(
            r#"E1 1 1 nestedpendingoperations.go:1] Error: MountVolume.SetUp failed for volume "x" (UniqueName: "kubernetes.io/host-path/a-x") pod "{pod}" (UID: "a") : hostPath type check failed: /data is not a directory"#
        );
        ends_by_line("kubelet", &line)
    };
    assert!(pull("kube-system/etcd-a-control-plane2"));
    assert!(!pull("default/etcd-0") && !pull("kube-system/etcd-0"));
    assert!(old_pull("etcd-a-control-plane_kube-system") && !old_pull("etcd-0_default"));
    assert!(mount("etcd-a-control-plane") && !mount("etcd-0"));
}

#[test]
fn a_kubelet_that_waits_for_the_directory_of_kubeadm_lacks_nothing() {
    let reads = |path: &str| {
        let line = format!(
            r#"E1 1 1 file_linux.go:59] "Unable to read config path" err="path does not exist, ignoring" path="{path}""#
        );
        ends_by_line("kubelet", &line)
    };
    assert!(!reads("/etc/kubernetes/manifests"));
    assert!(reads("/etc/kubernetes/manifests.d"));
}

#[test]
fn what_is_found_names_what_was_said() {
    let log =
        "E1 1 1 run.go:72] \"command failed\" err=\"open /nope.yaml: no such file or directory\"";
    let check = examine_exit(Component::new("kube-apiserver"), "a/2.log", log).unwrap();
    assert_eq!(
        check.to_string(),
        "kube-apiserver: it finds no file /nope.yaml"
    );
    assert_eq!(check.severity, Severity::Error);
    assert_eq!(check.evidence[0].path, "a/2.log");
}

#[test]
fn what_stood_in_the_holes_is_told_of_every_sample_of_a_volume() {
    let told: Vec<_> = samples()
        .into_iter()
        .filter(|(id, ..)| id == "volume-missing")
        .map(|(_, component, log)| {
            let mut checks = examine_lines(Component::new(&component), "", log.lines());
            checks.remove(0).found
        })
        .collect();
    assert_eq!(told.len(), 2);
    assert!(
        told.iter()
            .all(|found| found.contains("its volume x is /nope")),
        "{told:?}"
    );
}

#[test]
fn who_waits_for_another_may_go_on() {
    let severity = |words: &str| {
        let log = format!("E1 1 1 run.go:72] \"command failed\" err=\"{words}\"");
        let check = examine_exit(Component::new("kube-apiserver"), "", &log).unwrap();
        assert_eq!(
            (check.id.as_str(), check.found.as_str()),
            ("component-ended", words)
        );
        check.severity
    };
    assert_eq!(severity("context deadline exceeded"), Severity::Warning);
    let socket = "dial unix /run/containerd/containerd.sock: connect: no such file or directory";
    assert_eq!(severity(socket), Severity::Warning);
    let busy = "the server is currently unable to handle the request";
    assert_eq!(severity(busy), Severity::Warning);
    assert_eq!(severity("something is wrong"), Severity::Error);
}

/// The API server makes its roles while the controller manager starts already.
#[test]
fn a_controller_that_may_not_ask_yet_may_go_on() {
    let severity = |reason: &str| {
        let log = format!(
            "E1130 1 1 controllermanager.go:683] \"Error initializing a controller\" err=\"{reason}\" controller=\"a\""
        );
        examine_exit(Component::new("kube-controller-manager"), "", &log)
            .unwrap()
            .severity
    };
    let early =
        "serviceaccounts is forbidden: User system:kube-controller-manager cannot create resource";
    assert_eq!(severity(early), Severity::Warning);
    assert_eq!(
        severity("Controller: Invalid --cluster-cidr"),
        Severity::Error
    );
}

#[test]
fn what_a_running_component_may_say_is_no_end() {
    let log = "E1128 1 1 a.go:1] \"x\" err=\"open /a: no such file or directory\"\nI1128 1 1 a.go:1] well";
    let check = examine_exit(Component::new("kube-apiserver"), "", log).unwrap();
    assert_eq!(
        (check.id.as_str(), check.severity),
        ("missing-file", Severity::Warning)
    );
}

#[test]
fn what_a_healthy_server_says_at_its_start_is_nothing() {
    for reason in [
        "transport: Error while dialing: dial tcp 127.0.0.1:2379: operation was canceled",
        "transport: authentication handshake failed: context canceled",
    ] {
        let line = format!(
            "W1 failed to connect to {{Addr: \"127.0.0.1:2379\", }}. Err: connection error: desc = \"{reason}\""
        );
        let checks = examine_lines(Component::new("kube-apiserver"), "", [line.as_str()]);
        assert_eq!(checks, [], "{reason}");
    }
}

#[test]
fn what_ends_are_told_of_is_plain_text_and_short() {
    let log = format!("Error: \u{1b}[31m{}", "a".repeat(900));
    let check = examine_exit(Component::new("etcd"), "", &log).unwrap();
    assert!(!check.found.contains('\u{1b}') && check.found.len() < 400);
    assert_eq!(check.evidence[0].lines, [check.found]);
}

#[test]
fn checks_of_other_releases_are_read() {
    let read = |text| serde_json::from_str::<Check>(text).unwrap();
    let check = read(r#"{"id":"a","severity":"later","more":1}"#);
    assert_eq!(
        (check.id.as_str(), check.severity),
        ("a", Severity::Warning)
    );
    let check = Check {
        severity: Severity::Error,
        ..check
    };
    assert_eq!(read(&serde_json::to_string(&check).unwrap()), check);
}
